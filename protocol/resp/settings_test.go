package resp

import (
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/broker"
	"fanfare/kv"
)

func TestMaxClientsHoldsForNewConnections(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	a := n.dial().send("PING").want("+PONG")
	b := n.dial().send("CONFIG SET maxclients 1").want("+OK")
	n.dial().want(`-"ERR max number of clients reached"`).closed()
	a.send("PING").want("+PONG")
	b.send("CONFIG SET maxclients 3").want("+OK")
	n.dial().send("PING").want("+PONG")
}

func TestATimeoutHoldsForConnectionsThatAreWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, nil)
		silent, subscribed, monitor := n.dial(), n.dial(), n.dial()
		silent.send("PING").want("+PONG")
		subscribed.send("SUBSCRIBE a").want("[subscribe a :1]")
		monitor.send("MONITOR").want("+OK")
		admin := n.dial()
		if err := admin.conn.SetDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		time.Sleep(20 * time.Second) // of the bubble
		admin.send("CONFIG SET timeout 30").want("+OK")
		silent.endAfter(begin, 30*time.Second)
		time.Sleep(10 * time.Second) // of the bubble: 40 s since the last input of the others
		subscribed.send("PING").want(`[pong ""]`)
		if got := monitor.read(); !strings.Contains(got, "PING") {
			t.Errorf("got %s, want the subscriber's PING", got)
		}
		admin.send("CONFIG SET timeout 0").want("+OK")
		time.Sleep(40 * time.Second) // of the bubble
		admin.send("PING").want("+PONG")
	})
}

func TestAPasswordHoldsForThoseWhoComeLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, nil)
		admin := n.dial().send("CONFIG SET requirepass secret|PING").want("+OK", "+PONG")
		const noAuth = `-"NOAUTH Authentication required."`
		n.dial().send("PING|AUTH secret|PING").want(noAuth, "+OK", "+PONG")
		waiting := n.dial().send("PING").want(noAuth)
		admin.send("RESET|PING|AUTH secret|CONFIG SET requirepass other").want("+RESET", noAuth, "+OK", "+OK")
		n.dial().send("AUTH secret|AUTH other").want(`-"WRONGPASS invalid username-password pair or user is disabled."`, "+OK")
		admin.send(`CONFIG SET requirepass ""`).want("+OK")
		time.Sleep(20 * time.Second) // of the bubble: more than the time to authenticate
		waiting.send("PING").want("+PONG")
	})
}

func TestMaxMemoryRefusesWhatGrows(t *testing.T) {
	t.Parallel()
	p := start(t, nil).dial().send("SET k v|CONFIG SET maxmemory 1|SET other v").want("+OK", "+OK", `-"`+kv.ErrOOM.Error()+`"`)
	p.send("CONFIG SET maxmemory 0|SET other v|INFO memory").want("+OK", "+OK")
	if got := p.read(); !strings.Contains(got, `maxmemory:0\r\n`) {
		t.Errorf("got %s", got)
	}
}

func TestAPushLimitHoldsForPresentSubscribers(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	s := n.dial().send("SUBSCRIBE a").want("[subscribe a :1]")
	p := n.dial().send(`CONFIG SET client-output-buffer-limit "pubsub 1000 0 0"|PUBLISH a `+strings.Repeat("x", 500)).want("+OK", ":1")
	s.want("[message a " + strings.Repeat("x", 500) + "]")
	// It does not read: the pipe fills, then the queue.
	for n.broker.Stats().Ended[broker.ReasonSlow] == 0 {
		p.send("PUBLISH a " + strings.Repeat("x", 2000)).read()
	}
	if _, err := io.Copy(io.Discard, s.in); err != nil {
		t.Fatalf("got %v, want the end of the connection", err)
	}
	if got := n.broker.Stats().Ended[broker.ReasonSlow]; got != 1 {
		t.Errorf("got %d slow sessions, want 1", got)
	}
	p.send("INFO stats")
	if got := p.read(); !strings.Contains(got, `client_output_buffer_limit_disconnections:1\r\n`) {
		t.Errorf("got %s", got)
	}
}

func TestTheLongestArgumentHoldsForPresentConnections(t *testing.T) {
	t.Parallel()
	n := start(t, func(c *Config, _ *broker.Config) { c.MaxCommand = 4 << 20 })
	p := n.dial().send("PING").want("+PONG")
	n.dial().send("CONFIG SET proto-max-bulk-len 1mb|CONFIG SET proto-max-bulk-len 5mb").want("+OK",
		`-"ERR CONFIG SET failed (possibly related to argument 'proto-max-bulk-len') - argument must be between 1048576 and 4194304 inclusive"`)
	p.raw("*2\r\n$4\r\nECHO\r\n$1048577\r\n").want(`-"ERR Protocol error: invalid bulk length"`).closed()
}

// accepted keeps the server's ends of the connections.
type accepted struct {
	net.Listener
	conns chan *net.TCPConn
}

func (l *accepted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.conns <- c.(*net.TCPConn)
	}
	return c, err
}

func TestKeepaliveHoldsForNewConnections(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &accepted{tcp, make(chan *net.TCPConn, 2)}
	go func() { _ = n.server.Serve(l) }() // ends with the server
	for _, tt := range []struct{ value, alive, idle int }{{77, 1, 77}, {0, 0, 0}} {
		n.dial().send("CONFIG SET tcp-keepalive " + itoa(int64(tt.value))).want("+OK")
		c, err := net.Dial("tcp", tcp.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "PING\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, len("+PONG\r\n"))); err != nil {
			t.Fatal(err)
		}
		raw, err := (<-l.conns).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		err = raw.Control(func(fd uintptr) {
			alive, _ := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
			idle, _ := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE)
			if alive != tt.alive || tt.idle != 0 && idle != tt.idle {
				t.Errorf("tcp-keepalive %d: got keepalive %d after %d s, want %d after %d s", tt.value, alive, idle, tt.alive, tt.idle)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
}

func TestKeyspaceEventsFollowTheSetting(t *testing.T) {
	t.Parallel()
	p, events := startWithEvents(t)
	p.send("SET k v|CONFIG SET notify-keyspace-events E$|SET k v|CONFIG SET notify-keyspace-events Eg|SET k v|DEL k").want(
		"+OK", "+OK", "+OK", "+OK", "+OK", ":1")
	if got, want := strings.Join(*events, " "), "set k del k"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// startWithEvents starts a server whose store notes its events.
func startWithEvents(t *testing.T) (*peer, *[]string) {
	t.Helper()
	var events []string
	store := kv.New(kv.Config{Event: func(_ int, _ kv.EventClass, event, key string) {
		events = append(events, event, key)
	}})
	n := start(t, func(c *Config, _ *broker.Config) { c.Store = store })
	return n.dial(), &events
}

func TestResetStatLeavesTheTotalsOfStats(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	p := n.dial().send("SET k v|GET k|PUBLISH a b").want("+OK", "v", ":0")
	before := n.server.Stats()
	p.send("CONFIG RESETSTAT|GET none|INFO stats").want("+OK", "nil")
	got := p.read()
	for _, want := range []string{`keyspace_hits:0\r\n`, `keyspace_misses:1\r\n`, `published_messages:0\r\n`, `total_connections_received:0\r\n`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if after := n.server.Stats(); after.Commands <= before.Commands || after.Connections < before.Connections {
		t.Errorf("the totals fell from %+v to %+v", before, after)
	}
}
