package outbound

import (
	"net"
	"time"
)

// Conn is a Queue in the shape of a net.Conn, for net/http and for a WebSocket
// library that reads from it and writes control frames to it.
//
// Write queues the bytes as one raw frame and never blocks; nothing is kept of
// the caller's slice. Close makes pending and future reads fail and seals the
// queue; what is queued is still written. Write deadlines are ignored: the
// queue has its own. Before Own, a Conn of a Direct queue writes to the socket.
type Conn struct{ q *Queue }

// Conn returns the queue as a net.Conn.
func (q *Queue) Conn() *Conn { return &Conn{q} }

// Queue returns the queue behind the connection.
func (c *Conn) Queue() *Queue { return c.q }

// Own ends the direct writing of Config.Direct: from now on the queue alone
// writes.
func (q *Queue) Own() {
	if q.secure != nil {
		q.secure.below.owned.Store(true)
	}
	q.direct.Store(false)
}

// Read reads plain text.
func (c *Conn) Read(b []byte) (int, error) { return c.q.plain.Read(b) }

// Write queues a frame.
func (c *Conn) Write(b []byte) (int, error) {
	if c.q.direct.Load() {
		return c.q.plain.Write(b)
	}
	c.q.Frame(append([]byte(nil), b...))
	return len(b), nil
}

// Close seals the queue and wakes the reader.
func (c *Conn) Close() error {
	q := c.q
	if q.direct.Load() {
		return q.plain.Close()
	}
	q.mu.Lock()
	q.sealed = true
	q.dropAllHeld()
	q.dropSlots()
	q.wakeReader()
	q.flushLocked()
	return nil
}

// LocalAddr returns the socket's address.
func (c *Conn) LocalAddr() net.Addr { return c.q.cfg.Conn.LocalAddr() }

// RemoteAddr returns the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.q.cfg.Conn.RemoteAddr() }

// SetDeadline sets the read deadline, and before Own the write deadline too.
func (c *Conn) SetDeadline(t time.Time) error {
	if c.q.direct.Load() {
		return c.q.cfg.Conn.SetDeadline(t)
	}
	return c.q.SetReadDeadline(t)
}

// SetReadDeadline sets the read deadline.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.q.SetReadDeadline(t) }

// SetWriteDeadline does nothing after Own.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.q.direct.Load() {
		return c.q.cfg.Conn.SetWriteDeadline(t)
	}
	return nil
}
