package ws

import (
	"context"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"fanfare/broker"
)

// patience is how long a test waits for what has to come.
const patience = 2 * time.Minute

// rig is a server on loopback with a broker of its own.
type rig struct {
	t      *testing.T
	broker *broker.Broker
	server *Server
	addr   string
	client *http.Client // with TLS
}

func (r *rig) url(plain, secure string) string {
	if r.client != nil {
		return secure + r.addr
	}
	return plain + r.addr
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	return newRigOn(t, broker.Config{}, change)
}

func newRigOn(t *testing.T, bc broker.Config, change func(*Config)) *rig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return newRigAt(t, l, bc, change)
}

func newRigAt(t *testing.T, l net.Listener, bc broker.Config, change func(*Config)) *rig {
	t.Helper()
	bc.Codecs = []broker.Codec{{Name: "raw", Prefix: nothing, Body: func(dst []byte, m *broker.Message) []byte {
		return append(dst, m.Payload...)
	}}, Codec()}
	b, err := broker.New(bc)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Broker: b, Format: 1, Loopback: true, Log: zap.NewNop(), Rate: -1}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		b.Close()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return &rig{t: t, broker: b, server: s, addr: l.Addr().String()}
}

func nothing(dst []byte, _ broker.Kind, _ string) []byte { return dst }

// publish publishes as the node itself: bytes, to every format.
func (r *rig) publish(channel, payload string) int {
	return r.broker.PublishEvent(channel, []byte(payload))
}

// peer is a WebSocket client that reads line by line.
type peer struct {
	t     *testing.T
	ws    *websocket.Conn
	lines []string
	sizes []int // lines per frame
}

// dial connects and takes the welcome.
func (r *rig) dial() *peer {
	r.t.Helper()
	p := r.dialRaw()
	if got := p.line(); !strings.HasPrefix(got, `{"welcome":"`) {
		r.t.Fatalf("first line %s, want a welcome", got)
	}
	return p
}

func (r *rig) dialRaw() *peer {
	r.t.Helper()
	p, status := r.dialWith(nil)
	if p == nil {
		r.t.Fatalf("status %d, want 101", status)
	}
	return p
}

// dialWith connects with more headers. The peer is nil if the handshake was
// refused, or answered by nobody: status 0.
func (r *rig) dialWith(header http.Header) (*peer, int) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	host := header.Get("Host")
	header.Del("Host")
	c, resp, err := websocket.Dial(ctx, r.url("ws://", "wss://")+"/ws", &websocket.DialOptions{
		HTTPClient: r.client, HTTPHeader: header, Host: host,
	})
	status := 0
	if resp != nil {
		status = resp.StatusCode
		if resp.Body != nil {
			_ = resp.Body.Close()
		}
	}
	if err != nil {
		return nil, status
	}
	c.SetReadLimit(-1)
	r.t.Cleanup(func() { _ = c.CloseNow() })
	return &peer{t: r.t, ws: c}, status
}

func (p *peer) send(lines ...string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.ws.Write(ctx, websocket.MessageText, []byte(strings.Join(lines, "\n"))); err != nil {
		p.t.Fatalf("send: %v", err)
	}
}

func (p *peer) read() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, b, err := p.ws.Read(ctx)
	if err != nil {
		return err
	}
	lines := strings.Split(string(b), "\n")
	p.sizes = append(p.sizes, len(lines))
	p.lines = append(p.lines, lines...)
	return nil
}

func (p *peer) line() string {
	p.t.Helper()
	for len(p.lines) == 0 {
		if err := p.read(); err != nil {
			p.t.Fatalf("read: %v", err)
		}
	}
	line := p.lines[0]
	p.lines = p.lines[1:]
	return line
}

var times = regexp.MustCompile(`"time":\d{13}`)

// want checks the next lines; times are written as 0.
func (p *peer) want(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		if got := times.ReplaceAllString(p.line(), `"time":0`); got != want {
			p.t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// nothingMore checks that nothing is on its way to p: the next thing that comes
// is the answer to a question asked now.
func (p *peer) nothingMore() {
	p.t.Helper()
	p.send(`{"ping":"nothing more"}`)
	p.want(`{"pong":"nothing more"}`)
}

// closed reads until the connection is closed and returns the close code.
func (p *peer) closed() websocket.StatusCode {
	p.t.Helper()
	for {
		if err := p.read(); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				p.t.Fatal("the connection was not closed")
			}
			return websocket.CloseStatus(err)
		}
	}
}

// eventually polls the condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}
