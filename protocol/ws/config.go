package ws

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"fanfare/broker"
)

// Config is what a Server is made from. Broker is needed; a zero in any other
// field means the default named there.
type Config struct {
	Broker *broker.Broker
	// Format is the index of Codec() in the broker's codecs.
	Format broker.Format
	// Log receives the life of the server and refused origins. Default: nothing.
	Log *zap.Logger

	// Loading says that the node is not ready yet: a handshake is answered 503. nil:
	// it always is.
	Loading func() bool

	// Path of the WebSocket endpoint. Default "/ws".
	Path string
	// Origins of pages that may connect besides the server's own, each
	// "scheme://host[:port]".
	Origins []string
	// Hosts are the only names by which requests may call the server, without ports.
	// None: where Loopback is set the names of this machine and the hosts of Origins,
	// else any.
	Hosts []string
	// Proxies are the addresses and networks (CIDR) of the peers whose
	// X-Forwarded-For and X-Forwarded-Proto are believed.
	Proxies []string
	// Loopback says that all listeners are on loopback: the Host header is then
	// checked.
	Loopback bool
	// Credentials says that peers have to authenticate. Where they do not and
	// Loopback is set, pages from localhost may connect from any port.
	Credentials bool
	// TLS makes every connection an encrypted one; nil: plain. A handshake may take
	// ten seconds, and with the first request ReadTimeout.
	TLS *tls.Config
	// RESP is the address of the Redis side, for the commands on the page at /, and
	// RESPTLS says that it is encrypted.
	RESP    string
	RESPTLS bool

	// MaxClients is the number of connections, over which a handshake is
	// answered 503. Default 10,000.
	MaxClients int
	// MaxFrame is the size of an inbound message in bytes. Default 64 KiB.
	MaxFrame int
	// MaxMessage is the size of a published payload in bytes. Default 64 KiB.
	MaxMessage int
	// MaxName is the length of a channel or pattern in bytes. Default 512.
	MaxName int
	// MaxSubscriptions of a connection. Default 128.
	MaxSubscriptions int
	// MaxComplex is how many of them may be patterns with three or more stars.
	// Default 10.
	MaxComplex int
	// MaxMemberData is the size in bytes of what a member says about itself.
	// Default 4 KiB.
	MaxMemberData int
	// Rate is the number of requests per second that a connection may send, after
	// Burst at once; each object is one. What is over it is answered by an error,
	// and ten seconds of that by the end of the connection. A negative Rate is no
	// limit. Defaults 50 and 100.
	Rate, Burst int
	// MaxControls is the number of control frames and empty frames a peer may
	// send per second. Default 50.
	MaxControls int

	// PushHard bytes of queued deliveries end the session at once, PushSoft
	// when they last for PushSoftFor. Defaults 1 MiB, 256 KiB, 10 s.
	PushHard, PushSoft int64
	PushSoftFor        time.Duration
	// ReplyPause bytes of queued answers pause the reader. Default 256 KiB.
	ReplyPause int64

	// ReadTimeout is for a handshake or a frame that has begun. Default 10 s.
	ReadTimeout time.Duration
	// WriteTimeout is for a peer that accepts no byte. Default 10 s.
	WriteTimeout time.Duration
	// PingInterval is the time between pings, PongTimeout the time for the
	// answer, counted from when the ping was written. Defaults 25 s, 10 s.
	PingInterval, PongTimeout time.Duration
	// Grace is how long the members that a connection has joined stay after it was
	// cut, so that nobody sees a reload. Negative: not at all. Default 10 s.
	Grace time.Duration
}

func (c *Config) setDefaults() {
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Path == "" {
		c.Path = "/ws"
	}
	setDefault(&c.MaxClients, 10_000)
	setDefault(&c.MaxFrame, 64<<10)
	setDefault(&c.MaxMessage, 64<<10)
	setDefault(&c.MaxName, 512)
	setDefault(&c.MaxSubscriptions, 128)
	setDefault(&c.MaxComplex, 10)
	setDefault(&c.MaxMemberData, 4<<10)
	setDefault(&c.Rate, 50)
	setDefault(&c.Burst, 100)
	setDefault(&c.MaxControls, 50)
	setDefault(&c.PushHard, 1<<20)
	setDefault(&c.PushSoft, 256<<10)
	setDefault(&c.PushSoftFor, 10*time.Second)
	setDefault(&c.ReplyPause, 256<<10)
	setDefault(&c.ReadTimeout, 10*time.Second)
	setDefault(&c.WriteTimeout, 10*time.Second)
	setDefault(&c.PingInterval, 25*time.Second)
	setDefault(&c.PongTimeout, 10*time.Second)
	setDefault(&c.Grace, 10*time.Second)
}

func setDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// Validate says what is wrong with the configuration. Zeros are not.
func (c Config) Validate() error {
	var errs []error
	if c.Path != "" && (!strings.HasPrefix(c.Path, "/") || c.Path == "/") {
		errs = append(errs, fmt.Errorf("path %q does not begin with a slash, or is the page's own", c.Path))
	}
	if _, err := newOrigins(&c); err != nil {
		errs = append(errs, err)
	}
	if _, err := newProxies(c.Proxies); err != nil {
		errs = append(errs, err)
	}
	for _, v := range []struct {
		name  string
		value int64
	}{
		{"max-clients", int64(c.MaxClients)},
		{"ws-frame", int64(c.MaxFrame)},
		{"ws-max-message", int64(c.MaxMessage)},
		{"ws-max-name", int64(c.MaxName)},
		{"ws-max-subscriptions", int64(c.MaxSubscriptions)},
		{"ws-max-complex-patterns", int64(c.MaxComplex)},
		{"ws-max-member", int64(c.MaxMemberData)},
		{"ws-burst", int64(c.Burst)},
		{"ws-control-frames", int64(c.MaxControls)},
		{"ws-push-queue", min(c.PushHard, c.PushSoft)},
		{"ws-push-queue time", int64(c.PushSoftFor)},
		{"ws-reply-queue", c.ReplyPause},
		{"ws-read-timeout", int64(c.ReadTimeout)},
		{"ws-write-timeout", int64(c.WriteTimeout)},
		{"ws-pong", int64(c.PongTimeout)},
	} {
		if v.value < 0 {
			errs = append(errs, fmt.Errorf("%s is negative: %d", v.name, v.value))
		}
	}
	// The welcome tells the interval in seconds, and a round must end before the
	// next begins.
	if d := c; d.PingInterval != 0 || d.PongTimeout != 0 {
		d.setDefaults()
		if d.PingInterval < time.Second || d.PongTimeout > d.PingInterval {
			errs = append(errs, fmt.Errorf("ws-ping must be 1s or more, and ws-pong no more than it: %v, %v",
				d.PingInterval, d.PongTimeout))
		}
	}
	return errors.Join(errs...)
}
