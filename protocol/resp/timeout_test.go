package resp

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/broker"
	"fanfare/internal/memnet"
)

// endAfter waits for the end of a connection and checks when it came.
func (p *peer) endAfter(begin time.Time, want time.Duration) {
	p.t.Helper()
	p.closed()
	if got := time.Since(begin).Round(time.Second); got != want {
		p.t.Errorf("the connection ended after %v, want %v", got, want)
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		password string
		timeout  time.Duration
		send     string
		replies  []string
		want     time.Duration
		reason   broker.Reason
	}{
		{"half a command", "", 0, "*1\r\n$4\r\nPI", nil, 10 * time.Second, broker.ReasonProtocol},
		{"half an inline command", "", 0, "PIN", nil, 10 * time.Second, broker.ReasonProtocol},
		{"half a command after a whole one", "", 0, "PING\r\nPIN", []string{"+PONG"}, 10 * time.Second, broker.ReasonProtocol},
		{"no authentication", "x", 0, "", nil, 10 * time.Second, broker.ReasonExpired},
		{"silence", "", 30 * time.Second, "PING\r\n", []string{"+PONG"}, 30 * time.Second, broker.ReasonIdle},
		{"silence after authentication", "x", 30 * time.Second, "AUTH x\r\n", []string{"+OK"}, 30 * time.Second, broker.ReasonIdle},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := start(t, func(c *Config, _ *broker.Config) { c.Timeout, c.RequirePass = tt.timeout, tt.password })
				begin := time.Now()
				p := n.dial()
				if tt.send != "" {
					p.raw(tt.send)
				}
				p.want(tt.replies...).endAfter(begin, tt.want)
				synctest.Wait()
				if got := n.broker.Stats().Ended[tt.reason]; got != 1 {
					t.Errorf("no session ended for the reason %v", tt.reason)
				}
			})
		})
	}
}

func TestPatienceWithThoseWhoDeserveIt(t *testing.T) {
	t.Parallel()
	t.Run("a silent subscriber", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			n := start(t, func(c *Config, _ *broker.Config) { c.Timeout = time.Second })
			p := n.dial().send("SUBSCRIBE a").want("[subscribe a :1]")
			time.Sleep(30 * time.Second) // of the bubble
			p.send("PING").want(`[pong ""]`)
		})
	})
	t.Run("a large command that keeps coming", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			n := start(t, nil)
			const part, parts = 96 << 10, 8
			p := n.dial().raw("*2\r\n$4\r\nECHO\r\n$786432\r\n")
			if err := p.conn.SetDeadline(time.Time{}); err != nil {
				t.Fatal(err)
			}
			for range parts {
				time.Sleep(9 * time.Second) // of the bubble
				p.raw(strings.Repeat("x", part))
			}
			p.raw("\r\n").want(strings.Repeat("x", part*parts))
		})
	})
	t.Run("but not with a trickle", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			n := start(t, nil)
			begin := time.Now()
			p := n.dial().raw("*2\r\n$4\r\nECHO\r\n$786432\r\n")
			for range 4 {
				time.Sleep(2 * time.Second) // of the bubble
				p.raw("x")
			}
			p.endAfter(begin, 10*time.Second)
		})
	})
}

func TestAReaderThatReadsNoRepliesIsPaused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, func(c *Config, _ *broker.Config) { c.ReplyPause = 1 << 20 })
		value := strings.Repeat("v", 100<<10)
		p := n.dial().send("SET k " + value[:60<<10]).want("+OK")
		const gets = 1000
		p.send("GET k" + strings.Repeat("|GET k", gets-1))
		synctest.Wait()
		if got := n.server.Stats().Commands; got > 100 {
			t.Errorf("%d commands were executed for a client that reads nothing", got)
		}
		for range gets {
			p.want(value[:60<<10])
		}
	})
}

func TestBeforeAuthenticationRepliesPauseEarly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, func(c *Config, _ *broker.Config) { c.RequirePass = "x" })
		begin := time.Now()
		p := n.dial()
		p.raw(strings.Repeat("PING\r\n", 10_000))
		synctest.Wait()
		if got := n.server.Stats().ReplyBytes; got > 512<<10 {
			t.Errorf("%d bytes of replies were made for a client that reads nothing", got)
		}
		time.Sleep(11*time.Second - time.Since(begin)) // of the bubble
		synctest.Wait()
		if got := n.broker.Stats().Ended[broker.ReasonExpired]; got != 1 {
			t.Errorf("got %d expired sessions, want 1", got)
		}
	})
}

// failing is a listener whose first accepts fail.
type failing struct {
	net.Listener
	errors []error
}

func (l *failing) Accept() (net.Conn, error) {
	if len(l.errors) > 0 {
		err := l.errors[0]
		l.errors = l.errors[1:]
		return nil, err
	}
	return l.Listener.Accept()
}

func TestAcceptBacksOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, nil)
		full := &net.OpError{Op: "accept", Err: syscall.EMFILE}
		begin := time.Now()
		served := make(chan error, 1)
		second := &failing{memnet.Listen("full", 0), []error{full, full, full, net.ErrClosed}}
		go func() { served <- n.server.Serve(second) }()
		if err := <-served; err == nil || time.Since(begin) != 35*time.Millisecond {
			t.Errorf("served until %v, which came after %v; want 5+10+20 ms", err, time.Since(begin))
		}
		if got := n.server.Stats().AcceptErrors; got != 3 {
			t.Errorf("got %d accept errors, want 3", got)
		}
	})
}
