package resp

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"fanfare/broker"
	places "fanfare/internal/place"
)

// serveAt runs the node at a further place.
func (n *node) serveAt(p places.Place) {
	p.Serve(n.t, n.server, func(err error) bool { return errors.Is(err, ErrServerClosed) })
}

// askLine sends one inline command and returns what comes until a line feed.
func askLine(t *testing.T, c net.Conn, command string) string {
	t.Helper()
	if _, err := io.WriteString(c, command+"\r\n"); err != nil {
		t.Fatal(err)
	}
	var answer strings.Builder
	for b := make([]byte, 1); b[0] != '\n'; {
		if _, err := io.ReadFull(c, b); err != nil {
			t.Fatal(err)
		}
		answer.Write(b)
	}
	return answer.String()
}

func TestRefusedHandshakesAreCountedAndLogged(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.WarnLevel)
	secure := places.TLS(t)
	n := start(t, func(c *Config, _ *broker.Config) { c.TLS, c.Log = secure.TLS, zap.New(core) })
	n.serveAt(secure)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", secure.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	_ = dial().Close() // who only looks whether the port is open is not refused
	plain := dial()
	if _, err := io.WriteString(plain, "PING\r\n"); err != nil {
		t.Fatal(err)
	}
	if answer, _ := io.ReadAll(plain); strings.Contains(string(answer), "PONG") {
		t.Errorf("a plain command was answered: %q", answer)
	}
	if got := n.server.Stats().RefusedHandshakes; got != 1 {
		t.Errorf("%d refused handshakes are counted, want 1", got)
	}
	if lines := logs.FilterMessage("TLS handshake refused").All(); len(lines) != 1 || lines[0].ContextMap()["remote"] != plain.LocalAddr().String() {
		t.Errorf("got %v, want one line about %v", lines, plain.LocalAddr())
	}
	c, err := secure.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if got := askLine(t, c, "PING"); got != "+PONG\r\n" {
		t.Errorf("got %q over TLS", got)
	}
}

func TestAUnixSocketIsNotEncrypted(t *testing.T) {
	t.Parallel()
	secure, local := places.TLS(t), places.Unix(t)
	n := start(t, func(c *Config, _ *broker.Config) { c.TLS = secure.TLS })
	n.serveAt(secure)
	n.serveAt(local)
	c, err := local.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if got := askLine(t, c, "PING"); got != "+PONG\r\n" {
		t.Errorf("got %q", got)
	}
}

func TestInfoShowsTheTotalsOfOthersSinceTheReset(t *testing.T) {
	t.Parallel()
	total := int64(7)
	n := start(t, func(c *Config, _ *broker.Config) {
		c.Totals = func() map[string]int64 { return map[string]int64{"http_refused_hosts": total} }
	})
	x := &call{conn: &conn{server: n.server}}
	value := func() string {
		for _, line := range infoStats(x) {
			if line[0] == "http_refused_hosts" {
				return line[1]
			}
		}
		return ""
	}
	if got := value(); got != "7" {
		t.Errorf("got %q, want 7", got)
	}
	base := x.totals()
	n.server.baseline.Store(&base)
	total = 9
	if got := value(); got != "2" {
		t.Errorf("after the reset: got %q, want 2", got)
	}
}
