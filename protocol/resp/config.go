package resp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"fanfare/broker"
	"fanfare/kv"
)

// Config has every knob of a Server. The zero value of a field means its
// default, except for Broker and Store, which must be given.
type Config struct {
	Broker *broker.Broker
	Store  *kv.Store
	// Changes is whose Touched the store's Config has. Without it nobody hears of changes
	// of keys: CLIENT TRACKING is refused, and so is a command that would have to wait for
	// one.
	Changes *Changes
	// RESP2 and RESP3 are the positions of Codec2 and Codec3 in the broker's
	// Config.Codecs.
	RESP2, RESP3 broker.Format
	// Log takes what an operator should know; nil: nowhere.
	Log *zap.Logger
	// TLS makes every connection but those of Unix sockets an encrypted one; nil:
	// plain. A handshake may take ten seconds.
	TLS *tls.Config
	// Totals returns counters of the node's other parts, by the names that INFO stats
	// shows them under; they only rise. It is called from any goroutine. nil: none.
	Totals func() map[string]int64
	// Version is what INFO shows as fanfare_version; default "dev".
	Version string
	// RequirePass is the password of the default user; empty: none is needed,
	// and every connection counts as authenticated.
	RequirePass string

	// Events is notify-keyspace-events at the start. It has an effect where the
	// store's Event is KeyspaceEvents.
	Events kv.EventClass

	// MaxMemoryChanged is told of a new maxmemory, in bytes; 0: none. It is called with locks held
	// and must not call the server or the store; nil: nobody is told.
	MaxMemoryChanged func(bytes int64)

	// Snapshots keep the data over a restart; nil: nothing does.
	Snapshots *Snapshots

	MaxClients int // connections; default 10,000

	// What a peer may send in one command. Before authentication it is ten
	// arguments of 16 KiB, whatever these say.
	MaxArgs    int // arguments; default 1,048,576
	MaxBulk    int // bytes of one argument (proto-max-bulk-len); default 64 MiB
	MaxCommand int // bytes of all arguments, also those queued by MULTI; default 64 MiB
	MaxInline  int // bytes of an inline command; default 64 KiB

	// Pushes queued for a connection: over PushHard, or over PushSoft for longer
	// than PushSoftFor, it is ended as slow; default 32 MiB, 8 MiB and 60 s.
	PushHard, PushSoft int64
	PushSoftFor        time.Duration
	// ReplyPause is how many bytes of replies may be queued before the
	// connection's commands wait; default 8 MiB.
	ReplyPause int64
	// MaxReply ends a connection whose single reply is longer; default 256 MiB.
	MaxReply int

	// Timeout ends connections without subscriptions that send nothing for so
	// long; 0: never.
	Timeout time.Duration
	// CommandTimeout ends a connection that leaves a command half sent: it has
	// so long for every 64 KiB; default 10 s.
	CommandTimeout time.Duration
	// AuthTimeout is the time to authenticate; default 10 s.
	AuthTimeout time.Duration
	// WriteTimeout ends a connection that takes no byte for so long while some
	// are queued; default 60 s.
	WriteTimeout time.Duration
	// KeepAlive is the idle time before TCP looks for a dead peer; default 300 s.
	KeepAlive time.Duration
}

// Limits before authentication.
const (
	authArgs   = 10
	authBulk   = 16 << 10
	authInline = 16 << 10
	authQueue  = 64 << 10
)

// Validate says what is wrong with the configuration, naming the setting.
func (c *Config) Validate() error {
	switch {
	case c.Broker == nil:
		return errors.New("a broker is needed")
	case c.Store == nil:
		return errors.New("a store is needed")
	case c.RESP2 == c.RESP3:
		return errors.New("the formats of RESP2 and RESP3 must differ")
	case c.RESP2 >= broker.MaxFormats || c.RESP3 >= broker.MaxFormats:
		return fmt.Errorf("formats must be below %d", broker.MaxFormats)
	}
	for _, limit := range []struct {
		name  string
		value int64
	}{
		{"max-clients", int64(c.MaxClients)},
		{"max-args", int64(c.MaxArgs)},
		{"proto-max-bulk-len", int64(c.MaxBulk)},
		{"max-command", int64(c.MaxCommand)},
		{"max-inline", int64(c.MaxInline)},
		{"push-queue", c.PushHard},
		{"push-queue-soft", c.PushSoft},
		{"push-queue-soft-for", int64(c.PushSoftFor)},
		{"reply-queue", c.ReplyPause},
		{"max-reply", int64(c.MaxReply)},
		{"timeout", int64(c.Timeout)},
		{"command-timeout", int64(c.CommandTimeout)},
		{"auth-timeout", int64(c.AuthTimeout)},
		{"write-timeout", int64(c.WriteTimeout)},
		{"keepalive", int64(c.KeepAlive)},
	} {
		if limit.value < 0 {
			return fmt.Errorf("%s must not be negative", limit.name)
		}
	}
	return nil
}

func (c Config) withDefaults() Config {
	setDefault(&c.MaxClients, 10_000)
	setDefault(&c.MaxArgs, 1<<20)
	setDefault(&c.MaxBulk, 64<<20)
	setDefault(&c.MaxCommand, 64<<20)
	setDefault(&c.MaxInline, 64<<10)
	setDefault(&c.PushHard, 32<<20)
	setDefault(&c.PushSoft, min(8<<20, c.PushHard))
	setDefault(&c.PushSoftFor, 60*time.Second)
	setDefault(&c.ReplyPause, 8<<20)
	setDefault(&c.MaxReply, 256<<20)
	setDefault(&c.CommandTimeout, 10*time.Second)
	setDefault(&c.AuthTimeout, 10*time.Second)
	setDefault(&c.WriteTimeout, 60*time.Second)
	setDefault(&c.KeepAlive, 300*time.Second)
	setDefault(&c.Version, "dev")
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// input returns the limits of a connection's input.
func (c *Config) input(authenticated bool, maxBulk int) inputLimits {
	if !authenticated {
		return inputLimits{
			args: authArgs, bulk: authBulk, command: authArgs * authBulk, inline: authInline,
			unauthenticated: true,
		}
	}
	return inputLimits{args: c.MaxArgs, bulk: maxBulk, command: c.MaxCommand, inline: c.MaxInline}
}
