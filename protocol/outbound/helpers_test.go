package outbound

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"fanfare/broker"
	"fanfare/internal/memnet"
	"fanfare/internal/place"
)

// patience is how long a test waits for what has to come.
const patience = 2 * time.Minute

// network makes connected pairs; small makes the kernel's buffers small, so that
// writes are cut short.
type network struct {
	name string
	pair func(t testing.TB) (server, client net.Conn)
	tls  bool
}

func networks() []network {
	return []network{
		{"tcp", func(t testing.TB) (net.Conn, net.Conn) { return dial(t, "tcp", "127.0.0.1:0") }, false},
		{"unix", func(t testing.TB) (net.Conn, net.Conn) {
			return dial(t, "unix", filepath.Join(t.TempDir(), "s"))
		}, false},
		{"tls", func(t testing.TB) (net.Conn, net.Conn) { return dial(t, "tcp", "127.0.0.1:0") }, true},
		{"memory", func(testing.TB) (net.Conn, net.Conn) {
			c, s := memnet.Pipe(8 << 10)
			return s, c
		}, false},
	}
}

// everywhere runs a test over every kind of connection.
func everywhere(t *testing.T, f func(t *testing.T, n network)) {
	for _, n := range networks() {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			f(t, n)
		})
	}
}

func dial(t testing.TB, kind, address string) (server, client net.Conn) {
	t.Helper()
	l, err := net.Listen(kind, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial(kind, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	// Small buffers cut writes short; a much smaller one for reading would let TCP
	// wait for its timers.
	if err := server.(interface{ SetWriteBuffer(int) error }).SetWriteBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	if err := client.(interface{ SetReadBuffer(int) error }).SetReadBuffer(128 << 10); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// rig is a broker with one queue on a connection and its peer.
type rig struct {
	t       testing.TB
	broker  *broker.Broker
	queue   *Queue
	session *broker.Session
	peer    net.Conn // plain text
	in      *bufio.Reader
}

func newBroker(t testing.TB, change ...func(*broker.Config)) *broker.Broker {
	t.Helper()
	cfg := broker.Config{Workers: 2, Codecs: []broker.Codec{{
		Name: "lines",
		Prefix: func(dst []byte, _ broker.Kind, pattern string) []byte {
			return append(dst, pattern...)
		},
		Body: func(dst []byte, m *broker.Message) []byte {
			return append(append(append(dst, m.Channel...), '='), m.Payload...)
		},
		Tail:   func(dst []byte, _ uint64) []byte { return append(dst, '\n') },
		MaxRun: frameMessages,
	}}}
	for _, f := range change {
		f(&cfg)
	}
	b, err := broker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// connect joins a new connection to the broker. The queue's reader runs until
// the session ends, and drops what it reads.
func connect(t testing.TB, b *broker.Broker, n network, change ...func(*Config)) *rig {
	t.Helper()
	server, client := n.pair(t)
	cfg := Config{Conn: server}
	if n.tls {
		certificate, _ := place.Certificate(t)
		cfg.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		client = tls.Client(client, &tls.Config{InsecureSkipVerify: true}) // #nosec G402 -- the test's own certificate
	}
	for _, f := range change {
		f(&cfg)
	}
	q := New(cfg)
	s, err := b.Connect(broker.SessionConfig{Outlet: q})
	if err != nil {
		t.Fatal(err)
	}
	q.Bind(s)
	var wg sync.WaitGroup
	ready := make(chan struct{})
	wg.Go(func() { serve(q, s, ready) })
	t.Cleanup(func() {
		s.End(broker.ReasonKilled)
		_ = client.Close()
		wg.Wait()
	})
	if c, ok := client.(*tls.Conn); ok {
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
	}
	<-ready
	if err := client.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &rig{t, b, q, s, client, bufio.NewReader(client)}
}

// waiting is connect to a new broker for a peer of channel c to whom so many messages
// of so many bytes are on their way: it has not read yet.
func waiting(t testing.TB, n network, messages, size int, change ...func(*Config)) *rig {
	t.Helper()
	r := connect(t, newBroker(t), n, change...)
	r.sub(broker.KindChannel, "c")
	s := publisher(t, r.broker)
	for i := range messages {
		publish(t, s, "c", text(i, size))
	}
	r.drain()
	return r
}

// serve is a transport's reader without a protocol.
func serve(q *Queue, s *broker.Session, ready chan<- struct{}) {
	defer q.Close()
	defer s.Close()
	err := q.Handshake(context.Background())
	close(ready)
	if err != nil {
		return
	}
	for {
		buf, err := q.ReadPooled()
		if err != nil {
			return
		}
		Recycle(buf)
	}
}

func (r *rig) sub(k broker.Kind, names ...string) {
	r.t.Helper()
	if _, _, err := r.session.Subscribe(k, names, nil); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) line() string {
	r.t.Helper()
	line, err := r.in.ReadString('\n')
	if err != nil {
		r.t.Fatalf("after %q: %v", line, err)
	}
	return line[:len(line)-1]
}

func (r *rig) wantLine(want string) {
	r.t.Helper()
	if got := r.line(); got != want {
		r.t.Fatalf("got %.100q, want %.100q", got, want)
	}
}

// wantEnd reads to the end of the connection.
func (r *rig) wantEnd() (rest []byte) {
	r.t.Helper()
	rest, err := io.ReadAll(r.in)
	if err != nil {
		r.t.Fatalf("got %v, want the end of the connection", err)
	}
	return rest
}

// unhurried gives the peer as long to take what is queued at the end as the test waits for it; otherwise it has
// lingerTime.
func (r *rig) unhurried() { r.queue.Finish(time.Now().Add(patience)) }

// hook is an outlet that lets a test act just before a push.
type hook struct {
	*Queue
	before func(*broker.Subscription)
}

func (h *hook) Push(d *broker.Delivery, sub *broker.Subscription) broker.Verdict {
	h.before(sub)
	return h.Queue.Push(d, sub)
}

// publisher is a session that only publishes.
func publisher(t testing.TB, b *broker.Broker) *broker.Session {
	t.Helper()
	q := New(Config{Conn: sinkhole{}})
	s, err := b.Connect(broker.SessionConfig{Outlet: q})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

type sinkhole struct{ net.Conn }

func (sinkhole) SetReadDeadline(time.Time) error  { return nil }
func (sinkhole) SetWriteDeadline(time.Time) error { return nil }
func (sinkhole) Close() error                     { return nil }

func publish(t testing.TB, s *broker.Session, channel string, payload []byte) {
	t.Helper()
	if !s.HasRoom() {
		s.AwaitRoom()
	}
	batch := s.Batch()
	defer batch.Release()
	if err := batch.Add(&broker.Message{Channel: channel, Payload: payload}); err != nil {
		t.Error(err)
	}
	batch.Commit(nil)
}

// text returns a payload that says its number and is n bytes longer.
func text(i, n int) []byte { return fmt.Appendf(nil, "%d %s", i, filler(n)) }

func filler(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + i%26)
	}
	return b
}
