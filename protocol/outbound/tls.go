package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	// maxPlain is what is handed to TLS at a time: one record.
	maxPlain = 16 << 10
	// maxCipher is the ciphertext above which no more plain text is taken.
	maxCipher = 64 << 10
	// handshakeTime is how long a TLS handshake may take.
	handshakeTime = 10 * time.Second
)

// tlsSink encrypts in memory, and writes the ciphertext as any other bytes: a
// write by crypto/tls itself would block, and one past it send plain text.
type tlsSink struct {
	conn        *tls.Conn
	below       *cipherConn
	next        sink
	saidGoodbye bool // owned by the flusher
}

func newTLSSink(q *Queue, cfg *tls.Config) *tlsSink {
	below := &cipherConn{Conn: q.cfg.Conn, q: q}
	return &tlsSink{conn: tls.Server(below, cfg), below: below, next: q.socket}
}

// Handshake does the server's part of a TLS handshake, within ten seconds; it
// does nothing without TLS.
func (q *Queue) Handshake(ctx context.Context) error {
	if q.secure == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	if err := q.secure.conn.HandshakeContext(ctx); err != nil {
		return err
	}
	if !q.direct.Load() {
		q.secure.below.owned.Store(true)
		q.Flush()
	}
	return nil
}

// Refused says of an error of Handshake whether a handshake was refused, by either side
// or for want of time. Otherwise the peer left before it had begun one, as those do who
// only look whether a port is open, or the connection was closed by us.
func Refused(err error) bool {
	return err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed)
}

// goodbye queues the close_notify alert, once, and says whether it did. The
// flusher calls it, with no lock held.
func (s *tlsSink) goodbye() bool {
	if s.saidGoodbye || !s.below.owned.Load() {
		return false
	}
	s.saidGoodbye = true
	return s.conn.CloseWrite() == nil
}

// pending is called with the queue's lock held.
func (s *tlsSink) pending() bool { return s.below.cipher != nil }

// write encrypts a record if there is room for it, and writes ciphertext.
func (s *tlsSink) write(b *batch, wait bool) (int, error) {
	plain := s.take(b)
	if len(plain) > 0 {
		if _, err := s.conn.Write(plain); err != nil {
			return 0, err
		}
	}
	return len(plain), s.writeCipher(wait)
}

// take returns the plain text that is to be encrypted now.
func (s *tlsSink) take(b *batch) []byte {
	if b.n == 0 || s.below.waiting() >= maxCipher {
		return nil
	}
	if p := b.pieces[0]; b.n == 1 || len(p) >= maxPlain {
		return p[:min(len(p), maxPlain)]
	}
	b.joined = b.joined[:0]
	for _, p := range b.pieces[:b.n] {
		b.joined = append(b.joined, p[:min(len(p), maxPlain-len(b.joined))]...)
		if len(b.joined) == maxPlain {
			break
		}
	}
	return b.joined
}

func (s *tlsSink) writeCipher(wait bool) error {
	c := batches.Get().(*batch)
	defer batches.Put(c)
	cipher := s.below.takeOut()
	if cipher == nil {
		return nil
	}
	done := 0
	for done < len(*cipher) {
		c.reset()
		c.add((*cipher)[done:])
		n, err := s.next.write(c, wait)
		done += n
		if err != nil {
			s.below.putBack(cipher, done)
			return err
		}
	}
	putBuffer(cipher)
	return nil
}

// cipherConn is what crypto/tls takes for its connection. Until the handshake is
// over (for net/http: until the connection is ours) it writes to the socket;
// from then on it collects, and lets a flusher write.
type cipherConn struct {
	net.Conn
	q      *Queue
	owned  atomic.Bool
	cipher *[]byte // guarded by q.mu; nil when empty
}

// waiting returns the number of bytes collected.
func (c *cipherConn) waiting() int {
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	if c.cipher == nil {
		return 0
	}
	return len(*c.cipher)
}

// takeOut empties the collection and returns it.
func (c *cipherConn) takeOut() *[]byte {
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	taken := c.cipher
	c.cipher = nil
	return taken
}

// putBack puts what is left of the bytes before those collected meanwhile.
func (c *cipherConn) putBack(taken *[]byte, done int) {
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	*taken = append((*taken)[:0], (*taken)[done:]...)
	if c.cipher != nil {
		*taken = append(*taken, *c.cipher...)
		putBuffer(c.cipher)
	}
	c.cipher = taken
}

// Write collects the bytes. Those that do not come from the flusher (an alert,
// a key update) start a flush.
func (c *cipherConn) Write(b []byte) (int, error) {
	if !c.owned.Load() {
		return c.Conn.Write(b)
	}
	c.q.mu.Lock()
	if c.q.state == closed {
		c.q.mu.Unlock()
		return 0, net.ErrClosed
	}
	if c.cipher == nil {
		c.cipher = getBuffer()
	}
	*c.cipher = append(*c.cipher, b...)
	if c.q.state == idle {
		// The caller holds crypto/tls's lock for writing, which a flush here would
		// wait for when it has plain text to encrypt.
		c.q.block()
		return len(b), nil
	}
	c.q.mu.Unlock()
	return len(b), nil
}

// SetDeadline and SetWriteDeadline leave the write deadline to the queue once it
// writes: crypto/tls sets an expired one when it closes, and what is queued would
// be lost.
func (c *cipherConn) SetDeadline(t time.Time) error {
	if c.owned.Load() {
		return c.SetReadDeadline(t)
	}
	return c.Conn.SetDeadline(t)
}

func (c *cipherConn) SetWriteDeadline(t time.Time) error {
	if c.owned.Load() {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}
