package resp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanfare/broker"
	"fanfare/internal/conversation"
	"fanfare/internal/memnet"
	"fanfare/kv"
)

// patience is how long a test waits for what has to come.
const patience = 2 * time.Minute

// node is a server for a test, on a network in memory.
type node struct {
	t        testing.TB
	server   *Server
	broker   *broker.Broker
	listener *memnet.Listener
}

// start starts a server that is shut down at the end of the test.
func start(t testing.TB, change func(*Config, *broker.Config)) *node {
	t.Helper()
	cfg, brokerCfg := Config{RESP3: 1}, broker.Config{Codecs: []broker.Codec{Codec2(), Codec3()}, Workers: 2}
	if change != nil {
		change(&cfg, &brokerCfg)
	}
	b, err := broker.New(brokerCfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Broker = b
	if cfg.Store == nil {
		cfg.Changes = new(Changes)
		cfg.Store = kv.New(kv.Config{Touched: cfg.Changes.Touched})
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, server: s, broker: b, listener: memnet.Listen("test", 0)}
	served := make(chan error, 1)
	go func() { served <- s.Serve(n.listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		if err := <-served; !errors.Is(err, ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
		b.Close()
		cfg.Store.Close()
	})
	return n
}

// peer is a client on the wire.
type peer struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func (n *node) dial() *peer {
	n.t.Helper()
	conn, err := n.listener.Dial()
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		n.t.Fatal(err)
	}
	return &peer{n.t, conn, bufio.NewReader(conn)}
}

// send sends lines, separated by "|", as inline commands in one write.
func (p *peer) send(lines string) *peer {
	p.t.Helper()
	return p.raw(strings.ReplaceAll(lines, "|", "\r\n") + "\r\n")
}

func (p *peer) raw(text string) *peer {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, text); err != nil {
		p.t.Fatal(err)
	}
	return p
}

// want reads replies and compares them with those given, as conversations show
// them.
func (p *peer) want(replies ...string) *peer {
	p.t.Helper()
	for _, want := range replies {
		if got := p.read(); got != want {
			p.t.Fatalf("got %s, want %s", got, want)
		}
	}
	return p
}

func (p *peer) read() string {
	v, err := conversation.ReadValue(p.in)
	if err != nil {
		return err.Error()
	}
	return v.String()
}

// closed reads up to the end of the connection, which must not bring more.
func (p *peer) closed() {
	p.t.Helper()
	if rest, err := io.ReadAll(p.in); err != nil || len(rest) > 0 {
		p.t.Fatalf("got %q, %v; want the connection closed", rest, err)
	}
}

func TestKilledConnectionsAreNotCounted(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	a, b := n.dial(), n.dial()
	a.send("SUBSCRIBE c").want("[subscribe c :1]")
	b.send("PUBLISH c 1").want(":1")
	a.want("[message c \"1\"]")
	b.send("CLIENT KILL TYPE pubsub|PUBLISH c 2").want(":1", ":0")
	b.send("CLIENT KILL TYPE normal SKIPME no|PING").want(":1")
	b.closed()
	a.closed()
}

// A connection that was killed is gone for the others at once, even while its
// own goroutine has not noticed.
func TestAnEndedConnectionIsNotFound(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	c, _ := n.open()
	p := n.dial()
	id := strconv.FormatInt(c.session.Number(), 10)
	p.send("CLIENT KILL ID "+id+"|CLIENT KILL ID "+id+"|CLIENT LIST ID "+id).want(":1", ":0", `""`)
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	n := start(t, func(c *Config, _ *broker.Config) { c.RequirePass = "secret" })
	const noAuth = `-"NOAUTH Authentication required."`
	const wrong = `-"WRONGPASS invalid username-password pair or user is disabled."`
	p := n.dial().send("PING|AUTH nope|AUTH default nope|AUTH other secret|SUBSCRIBE a|MULTI").want(noAuth, wrong, wrong, wrong, noAuth, noAuth)
	p.send("HELLO 2 AUTH default nope|AUTH secret|PING|RESET|PING").want(wrong, "+OK", "+PONG", "+RESET", noAuth)
	p.raw("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*11\r\n$3\r\nDEL\r\n"+strings.Repeat("$1\r\nk\r\n", 10)).want("+OK", ":0")
	n.dial().raw("*11\r\n").want(`-"ERR Protocol error: unauthenticated multibulk length"`).closed()
	n.dial().raw("*2\r\n$4\r\nAUTH\r\n$16385\r\n").want(`-"ERR Protocol error: unauthenticated bulk length"`).closed()
	n.dial().raw(strings.Repeat("a", 16<<10+1)).want(`-"ERR Protocol error: too big inline request"`).closed()
	stats := n.server.Stats()
	if got := stats.Violations["unauthenticated"]; got != 2 {
		t.Errorf("got %d violations before authentication, want 2", got)
	}
	if got := stats.AuthFailures; got != 4 {
		t.Errorf("got %d failed logins, want 4", got)
	}
}

func TestTooManyClientsAreRefused(t *testing.T) {
	t.Parallel()
	n := start(t, func(c *Config, _ *broker.Config) { c.MaxClients = 1 })
	first := n.dial().send("PING").want("+PONG")
	n.dial().want(`-"ERR max number of clients reached"`).closed()
	if got := n.server.Stats().RejectedConnections; got != 1 {
		t.Errorf("got %d rejected connections, want 1", got)
	}
	first.send("QUIT").want("+OK").closed()
}

func TestHTTPIsRefused(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	n.dial().raw("POST / HTTP/1.1\r\nHost: x\r\n\r\nSET hacked 1\r\n").closed()
	n.dial().raw("GET / HTTP/1.1\r\nhost: x\r\n\r\nSET hacked 1\r\n").want(`-"ERR wrong number of arguments for 'get' command"`).closed()
	n.dial().send("EXISTS hacked").want(":0")
	if got := n.server.Stats().Violations["foreign"]; got != 2 {
		t.Errorf("got %d refusals, want 2", got)
	}
}

func TestDeniedChannels(t *testing.T) {
	t.Parallel()
	n := start(t, func(_ *Config, b *broker.Config) {
		b.Access = func(_ broker.Identity, _ broker.Action, channel string) bool {
			return channel != "no" && channel != "no*"
		}
	})
	const denied = `-"NOPERM No permissions to access a channel"`
	p := n.dial().send("PUBLISH no 1|SPUBLISH no 1|SUBSCRIBE yes no|PSUBSCRIBE no*|SSUBSCRIBE no").want(denied, denied, denied, denied, denied)
	p.send("MULTI|PUBLISH no 1|SUBSCRIBE no|EXEC").want("+OK", "+QUEUED", "+QUEUED", "["+denied+" "+denied+"]")
	p.send("PING|PUBSUB CHANNELS").want("+PONG", "[]")
}

func TestAPanicEndsOneConnection(t *testing.T) {
	t.Parallel()
	n := start(t, func(_ *Config, b *broker.Config) {
		b.Access = func(_ broker.Identity, _ broker.Action, channel string) bool {
			if channel == "bug" {
				panic("bug")
			}
			return true
		}
	})
	other := n.dial().send("PING").want("+PONG")
	n.dial().send("PUBLISH bug 1").closed()
	other.send("PING").want("+PONG")
	if got := n.server.Stats().Panics; got != 1 {
		t.Errorf("got %d panics, want 1", got)
	}
}

func TestExecMayAskForStatistics(t *testing.T) {
	t.Parallel()
	p := start(t, nil).dial().send("SET k v|MULTI|FLUSHDB|INFO keyspace|DBSIZE|EXEC")
	p.want("+OK", "+OK", "+QUEUED", "+QUEUED", "+QUEUED")
	if got := p.read(); !strings.Contains(got, "db0:keys=1") {
		t.Errorf("got %s", got)
	}
}

func TestTransactionsAreBounded(t *testing.T) {
	t.Parallel()
	n := start(t, func(c *Config, _ *broker.Config) { c.MaxCommand, c.MaxReply = 1000, 5000 })
	p := n.dial().send("MULTI").want("+OK")
	value := strings.Repeat("x", 600)
	p.send("SET k " + value).want("+QUEUED")
	p.send("SET k " + value).want(`-"ERR transaction is longer than max-command"`)
	p.send("EXEC").want(`-"EXECABORT Transaction discarded because of previous errors."`)
	p.send("SET k " + value).want("+OK")
	p.send("MULTI" + strings.Repeat("|GET k", 20) + "|EXEC")
	// The end discards what is queued: a reply may be half written anyway.
	if rest, err := io.ReadAll(p.in); err != nil || strings.Contains(string(rest), "*20") {
		t.Errorf("got %q, %v; want the connection closed without EXEC's reply", rest, err)
	}
	if got := n.broker.Stats().Ended[broker.ReasonTooBig]; got != 1 {
		t.Errorf("got %d connections ended, want 1", got)
	}
}

func TestClientReplyKeepsPushesAndSilencesTheRest(t *testing.T) {
	t.Parallel()
	p := start(t, nil).dial()
	p.send("CLIENT REPLY SKIP|PUBLISH a 1|PUBLISH a 2").want(":0")
	p.send("CLIENT REPLY OFF|PING|NOPE|PUBLISH a 1|SUBSCRIBE a").want("[subscribe a :1]")
	p.send("UNSUBSCRIBE a|CLIENT REPLY SKIP|CLIENT REPLY ON|PING").want("[unsubscribe a :0]", "+OK", "+PONG")
	p.send("MULTI|CLIENT REPLY OFF|PING|EXEC|PING|CLIENT REPLY ON").want("+OK", "+QUEUED", "+QUEUED", "[+OK +PONG]", "+OK")
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	b, err := broker.New(broker.Config{Codecs: []broker.Codec{Codec2(), Codec3()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	store := kv.New(kv.Config{})
	t.Cleanup(store.Close)
	for want, cfg := range map[string]Config{
		"a broker is needed":                         {Store: store, RESP3: 1},
		"a store is needed":                          {Broker: b, RESP3: 1},
		"the formats of RESP2 and RESP3 must differ": {Broker: b, Store: store},
		"formats must be below 4":                    {Broker: b, Store: store, RESP3: 4},
		"max-clients must not be negative":           {Broker: b, Store: store, RESP3: 1, MaxClients: -1},
		"timeout must not be negative":               {Broker: b, Store: store, RESP3: 1, Timeout: -1},
	} {
		if _, err := New(cfg); fmt.Sprint(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
