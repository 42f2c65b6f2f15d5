package outbound

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"fanfare/broker"
	"fanfare/internal/place"
)

// recording keeps the bytes that the peer reads below TLS.
type recording struct {
	net.Conn
	data bytes.Buffer
}

func (c *recording) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.data.Write(b[:n])
	return n, err
}

// The peer of a connection that ends in order is told so (RFC 8446 section
// 6.1): else it could not tell the end from a cut.
func TestTLSEndsWithCloseNotify(t *testing.T) {
	t.Parallel()
	var wire *recording
	n := network{name: "tls", tls: true, pair: func(t testing.TB) (net.Conn, net.Conn) {
		server, client := dial(t, "tcp", "127.0.0.1:0")
		wire = &recording{Conn: client}
		return server, wire
	}}
	b := newBroker(t)
	r := connect(t, b, n, func(c *Config) { c.TLS.MaxVersion = tls.VersionTLS12 }) // shows the types of records
	r.queue.Uncork(append(make([]byte, 1<<20), '\n'))
	r.unhurried()
	r.session.End(broker.ReasonQuit)
	r.line()
	r.wantEnd()
	const alert = 21
	last := byte(0)
	for rest := wire.data.Bytes(); len(rest) > 0; {
		last = rest[0]
		rest = rest[5+int(binary.BigEndian.Uint16(rest[3:])):]
	}
	if last != alert {
		t.Errorf("the last record is of type %d, want an alert", last)
	}
}

// Nobody waits for a peer that does not finish its handshake: neither who pushes
// to it, nor who ends it.
func TestAPeerThatStallsTheHandshakeHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	server, client := dial(t, "tcp", "127.0.0.1:0")
	defer client.Close()
	certificate, _ := place.Certificate(t)
	q := New(Config{Conn: server, TLS: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}})
	b := newBroker(t)
	s, err := b.Connect(broker.SessionConfig{Outlet: q})
	if err != nil {
		t.Fatal(err)
	}
	q.Bind(s)
	served := make(chan struct{})
	go func() {
		serve(q, s, make(chan struct{}))
		close(served)
	}()
	if _, _, err := s.Subscribe(broker.KindChannel, []string{"c"}, nil); err != nil {
		t.Fatal(err)
	}
	publish(t, publisher(t, b), "c", []byte("x"))
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.End(broker.ReasonShutdown)
	<-served
}

// connectTLS is connect over TLS to a new broker. wire is the peer's end without TLS.
func connectTLS(t *testing.T) (r *rig, wire net.Conn) {
	t.Helper()
	n := network{name: "tls", tls: true, pair: func(t testing.TB) (net.Conn, net.Conn) {
		server, client := dial(t, "tcp", "127.0.0.1:0")
		wire = client
		return server, client
	}}
	r = connect(t, newBroker(t), n)
	return r, wire
}

// crypto/tls holds its lock for writing while it writes an alert; a flush at that
// moment, with something queued, would wait for the same lock.
func TestAnAlertDoesNotWaitForItself(t *testing.T) {
	t.Parallel()
	r, wire := connectTLS(t)
	own := []byte("pushed and not flushed yet\n")
	r.queue.mu.Lock()
	r.queue.entries = append(r.queue.entries, entry{own: &own, kind: copied})
	r.queue.pushBytes += int64(len(own))
	r.queue.dirty = true
	r.queue.mu.Unlock()
	record := make([]byte, 5+32)
	copy(record, []byte{23, 3, 3, 0, 32}) // application data that nobody encrypted
	if _, err := wire.Write(record); err != nil {
		t.Fatal(err)
	}
	<-r.session.Done() // the reader has got over the alert
}

// A record that crypto/tls writes from the reader's goroutine, such as the alert
// after nonsense, leaves too, behind what was queued.
func TestTLSAlertsOfTheReaderAreWritten(t *testing.T) {
	t.Parallel()
	r, wire := connectTLS(t)
	r.queue.Uncork([]byte("hello\n"))
	r.wantLine("hello")
	if _, err := wire.Write([]byte("this is not a record of TLS at all")); err != nil {
		t.Fatal(err)
	}
	_, err := io.ReadAll(r.in)
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("remote error")) {
		t.Errorf("got %v, want the server's alert", err)
	}
}
