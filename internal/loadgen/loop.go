//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// stallLimit is how long nothing may arrive before a run with deliveries is void.
const stallLimit = 20 * time.Second

// peer is one connection in the loop.
type peer struct {
	wire
	received func(b []byte) error // each piece that was read; valid during the call
	unsent   []byte               // what the socket did not take at once
	watched  uint32               // the events now asked for
	timer    bool                 // not a connection: what it says is no arrival
	stamped  bool                 // its socket has SO_TIMESTAMPNS
	reached  time.Time            // stamped: when the last bytes read had reached the socket
}

// loop serves the connections of one run in one thread.
type loop struct {
	epoll  int
	peers  map[int32]*peer
	events []unix.EpollEvent
	buf    []byte
}

func newLoop() (*loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	return &loop{epoll: fd, peers: map[int32]*peer{}, events: make([]unix.EpollEvent, 1024), buf: make([]byte, 256<<10)}, nil
}

// add takes over a connection whose handshake is done. The loop closes it.
func (l *loop) add(w wire, received func(b []byte) error) (*peer, error) {
	if err := unix.SetNonblock(w.fd, true); err != nil {
		return nil, fmt.Errorf("make a socket non-blocking: %w", err)
	}
	p := &peer{wire: w, received: received, watched: unix.EPOLLIN}
	ev := unix.EpollEvent{Events: p.watched, Fd: int32(w.fd)}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, w.fd, &ev); err != nil {
		return nil, fmt.Errorf("watch a socket: %w", err)
	}
	l.peers[ev.Fd] = p
	return p, nil
}

// close ends all connections of the loop.
func (l *loop) close() {
	for _, p := range l.peers {
		p.wire.close()
	}
	_ = unix.Close(l.epoll)
}

// run serves until done holds; it asks after each round of ready connections
// and at least four times a second. Nothing arriving for stall is an error; 0:
// silence is what is expected.
func (l *loop) run(ctx context.Context, stall time.Duration, done func() bool) error {
	const quarterSecond = 250 // milliseconds
	last := time.Now()
	for !done() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, err := unix.EpollWait(l.epoll, l.events, quarterSecond)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for sockets: %w", err)
		}
		arrived, err := l.serveAll(l.events[:n])
		if err != nil {
			return err
		}
		if arrived {
			last = time.Now()
		} else if stall > 0 && time.Since(last) > stall {
			return fmt.Errorf("VOID: nothing arrived for %v and deliveries are missing", stall)
		}
	}
	return nil
}

// serveAll handles ready connections; arrived: one of them is no timer.
func (l *loop) serveAll(events []unix.EpollEvent) (arrived bool, err error) {
	for _, ev := range events {
		if err := l.serve(ev); err != nil {
			return false, err
		}
		arrived = arrived || !l.peers[ev.Fd].timer
	}
	return arrived, nil
}

// serve handles one ready connection: at most one read, so that none starves.
func (l *loop) serve(ev unix.EpollEvent) error {
	p := l.peers[ev.Fd]
	if ev.Events&unix.EPOLLOUT != 0 {
		if err := l.flush(p); err != nil {
			return err
		}
	}
	if ev.Events&^unix.EPOLLOUT == 0 {
		return nil
	}
	n, err := p.read(l.buf)
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return fmt.Errorf("VOID: a connection broke: %w", err)
	case n == 0:
		return errors.New("VOID: the server closed a connection")
	}
	return p.received(l.buf[:n])
}

// read reads what there is, and when it came where the socket says so.
func (p *peer) read(b []byte) (int, error) {
	if !p.stamped {
		return unix.Read(p.fd, b)
	}
	var control [128]byte
	n, size, _, _, err := unix.Recvmsg(p.fd, b, control[:], 0)
	if err != nil {
		return n, err
	}
	p.reached = time.Now() // where the kernel does not say it
	messages, err := unix.ParseSocketControlMessage(control[:size])
	if err != nil {
		return n, err
	}
	for _, m := range messages {
		if m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= 16 {
			p.reached = time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
		}
	}
	return n, nil
}

// send writes b; what the socket does not take now follows when it does.
func (l *loop) send(p *peer, b []byte) error {
	if len(p.unsent) > 0 {
		p.unsent = append(p.unsent, b...)
		return nil
	}
	n, err := unix.Write(p.fd, b)
	if err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("VOID: write: %w", err)
	}
	if n = max(n, 0); n == len(b) {
		return nil
	}
	p.unsent = append(p.unsent, b[n:]...)
	return l.watch(p, unix.EPOLLIN|unix.EPOLLOUT)
}

func (l *loop) flush(p *peer) error {
	b := p.unsent
	p.unsent = nil
	if err := l.send(p, b); err != nil {
		return err
	}
	if len(p.unsent) == 0 {
		return l.watch(p, unix.EPOLLIN)
	}
	return nil
}

func (l *loop) watch(p *peer, events uint32) error {
	if p.watched == events {
		return nil
	}
	p.watched = events
	ev := unix.EpollEvent{Events: events, Fd: int32(p.fd)}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, p.fd, &ev); err != nil {
		return fmt.Errorf("watch a socket: %w", err)
	}
	return nil
}
