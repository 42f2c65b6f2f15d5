package memnet

import (
	"context"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// backlog is how many dialled connections may wait for Accept; one more is refused.
const backlog = 1024

// Listener accepts connections dialled from the same process. Its methods may be called from any number
// of goroutines.
type Listener struct {
	// set at construction
	name    string
	buffer  int
	changed *sync.Cond // on mu

	// guarded by mu
	mu     sync.Mutex
	queue  []*Conn // dialled, not yet accepted
	dialed int
	closed bool
}

var _ net.Listener = (*Listener)(nil)

// Listen returns a listener whose address is name + ":0" and whose connections hold up to buffer bytes
// in each direction (0 or less: DefaultBuffer). Names need not be unique: a listener is reached only
// through its own Dial.
func Listen(name string, buffer int) *Listener {
	l := &Listener{name: name, buffer: buffer}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// Dial connects to the listener. It does not wait for Accept, as a TCP dial does not; it fails with
// syscall.ECONNREFUSED when the listener is closed or 1,024 connections wait already.
func (l *Listener) Dial() (*Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.queue) == backlog {
		return nil, &net.OpError{Op: "dial", Net: "mem", Addr: l.Addr(), Err: syscall.ECONNREFUSED}
	}
	l.dialed++
	client, server := connect(l.buffer, Addr(l.name+":"+strconv.Itoa(l.dialed)), Addr(l.name+":0"))
	l.queue = append(l.queue, server)
	l.changed.Signal()
	return client, nil
}

// DialContext is Dial in the form that http.Transport and Redis clients take; network and address are
// ignored.
func (l *Listener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, &net.OpError{Op: "dial", Net: "mem", Addr: l.Addr(), Err: err}
	}
	c, err := l.Dial()
	if err != nil {
		return nil, err // not c: a nil *Conn in a net.Conn would not be nil
	}
	return c, nil
}

// Accept waits for the next connection; after Close it answers net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 && !l.closed {
		l.changed.Wait()
	}
	if l.closed {
		return nil, l.errClosed("accept")
	}
	c := l.queue[0]
	l.queue = l.queue[1:]
	return c, nil
}

// Close stops accepting. Connections that nobody accepted are closed; accepted ones live on.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return l.errClosed("close")
	}
	l.closed = true
	for _, c := range l.queue {
		_ = c.Close() // nobody but the queue holds it, so it cannot be closed already
	}
	l.queue = nil
	l.changed.Broadcast()
	return nil
}

// Addr is the listener's name with port 0.
func (l *Listener) Addr() net.Addr { return Addr(l.name + ":0") }

func (l *Listener) errClosed(op string) error {
	return &net.OpError{Op: op, Net: "mem", Addr: l.Addr(), Err: net.ErrClosed}
}
