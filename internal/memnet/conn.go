package memnet

import (
	"errors"
	"io"
	"net"
	"time"
)

// DefaultBuffer is the size in bytes of each direction's buffer where none is given.
const DefaultBuffer = 64 << 10

// Addr is the address of a listener or of one end of a connection, written like host:port so that code
// that splits addresses can work with it.
type Addr string

// Network is "mem".
func (Addr) Network() string { return "mem" }

// String is the address itself.
func (a Addr) String() string { return string(a) }

// Conn is one end of a connection. Its methods may be called from any number of goroutines; two
// concurrent Writes never mix their bytes. Errors are *net.OpError around os.ErrDeadlineExceeded,
// net.ErrClosed (this end was closed) or syscall.EPIPE (the other end was closed, or CloseWrite came
// first); the end of what the peer sent is a bare io.EOF, as it is for TCP.
type Conn struct {
	// set at construction
	in, out       *stream
	local, remote Addr
}

var _ net.Conn = (*Conn)(nil)

// Pipe returns the two ends of a connection that holds up to buffer bytes in each direction
// (0 or less: DefaultBuffer). What is written before a Close can still be read by the other end.
func Pipe(buffer int) (client, server *Conn) {
	return connect(buffer, "mem:1", "mem:0")
}

func connect(buffer int, client, server Addr) (*Conn, *Conn) {
	if buffer <= 0 {
		buffer = DefaultBuffer
	}
	up, down := newStream(buffer), newStream(buffer)
	return &Conn{in: down, out: up, local: client, remote: server},
		&Conn{in: up, out: down, local: server, remote: client}
}

// Read reads what the peer wrote, waiting for at least one byte. A passed read deadline comes before
// bytes that are there, as in package net.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.wrap("read", err)
}

// Write writes all of p, waiting while the peer's buffer is full.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.wrap("write", err)
}

// Close closes both directions and wakes everybody who waits: this end with net.ErrClosed, a peer that
// reads with the rest and io.EOF, a peer that writes with syscall.EPIPE. A second Close is an error, as
// for a socket.
func (c *Conn) Close() error {
	first := c.out.closeWriter()
	c.in.closeReader()
	if !first {
		return c.wrap("close", errLocalClosed)
	}
	return nil
}

// CloseWrite tells the peer that nothing more comes (its Read drains, then answers io.EOF); this end can
// still read.
func (c *Conn) CloseWrite() error {
	if !c.out.end() {
		return c.wrap("close", errLocalClosed)
	}
	return nil
}

// LocalAddr is this end's address.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines. The zero time means none; it wakes those already waiting too.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline sets the moment after which Read fails, also for a Read that waits already.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if !c.in.setReadDeadline(t) {
		return c.wrap("set", errLocalClosed)
	}
	return nil
}

// SetWriteDeadline sets the moment after which Write fails, also for a Write that waits already.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if !c.out.setWriteDeadline(t) {
		return c.wrap("set", errLocalClosed)
	}
	return nil
}

// wrap dresses an error as package net does.
func (c *Conn) wrap(op string, err error) error {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return err
	case errors.Is(err, errLocalClosed):
		err = net.ErrClosed
	}
	return &net.OpError{Op: op, Net: "mem", Source: c.local, Addr: c.remote, Err: err}
}
