//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// rig is one run: a server started for it, the connections to it, and what its
// subscribers have received.
type rig struct {
	server   *server
	loop     *loop
	checkers []checker
	onTake   func(subscriber int) // after each piece that a subscriber received; nil: nothing
}

// withRig starts product, hands the run to f and ends everything f has begun.
func withRig(ctx context.Context, l *lab, p product, f func(r *rig) error) error {
	return withLaunch(ctx, l, launch{product: p}, f)
}

// withLaunch is withRig for a server that is started in a way of its own.
func withLaunch(ctx context.Context, l *lab, how launch, f func(r *rig) error) error {
	s, err := l.start(ctx, how)
	if err != nil {
		return err
	}
	defer s.stop()
	lp, err := newLoop()
	if err != nil {
		return err
	}
	defer lp.close()
	if err := f(&rig{server: s, loop: lp}); err != nil {
		return fmt.Errorf("%w (%s says: %s)", err, how.product, s.stderr)
	}
	return nil
}

// subscribe connects a subscriber and waits for its acknowledgement. What it
// receives from then on goes to c.
func (r *rig) subscribe(request, answer []byte, c streamChecker) error {
	w, err := dial(r.server.addr, dialOptions{})
	if err != nil {
		return err
	}
	if err := r.handshake(w, request, answer); err != nil {
		w.close()
		return err
	}
	return r.adopt(w, c, c.take)
}

// streamChecker is a checker that takes the bytes of the connection as they come.
type streamChecker interface {
	checker
	take(b []byte) error
}

func (r *rig) handshake(w wire, request, answer []byte) error {
	if err := r.greet(w); err != nil {
		return err
	}
	return w.ask(request, answer)
}

// greet does what the server's protocol asks for before the first command.
func (r *rig) greet(w wire) error {
	if r.server.product == nats {
		return skipInfo(w)
	}
	return nil
}

// subscribeObjects connects a WebSocket subscriber.
func (r *rig) subscribeObjects(channel string, o *objects) error {
	w, err := dial(r.server.http, dialOptions{})
	if err != nil {
		return err
	}
	f := &frames{line: o.line}
	if err := upgrade(w, r.server.http, channel, f); err != nil {
		w.close()
		return err
	}
	var p *peer
	f.pong = func(frame []byte) error { return r.loop.send(p, frame) }
	if err := r.adopt(w, o, f.take); err != nil {
		return err
	}
	p = r.loop.peers[int32(w.fd)] //nolint:gosec // a descriptor
	return nil
}

// connect makes a connection that is no subscriber.
func (r *rig) connect(received func(b []byte) error) (*peer, error) {
	w, err := dial(r.server.addr, dialOptions{})
	if err != nil {
		return nil, err
	}
	p, err := r.loop.add(w, received)
	if err != nil {
		w.close()
	}
	return p, err
}

// every calls f in the loop at a steady pace from now on: as often as the
// interval has passed, even where the loop was late.
func (r *rig) every(interval time.Duration, f func() error) error {
	start, err := r.pace(interval, f)
	if err != nil {
		return err
	}
	return start()
}

// pace is every with a start of its own.
func (r *rig) pace(interval time.Duration, f func() error) (start func() error, err error) {
	w, arm, err := newTimer(interval)
	if err != nil {
		return nil, err
	}
	clock, err := r.loop.add(w, func(b []byte) error {
		for range expirations(b) {
			if err := f(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.close()
		return nil, err
	}
	clock.timer = true
	return arm, nil
}

func (r *rig) adopt(w wire, c checker, take func([]byte) error) error {
	i := len(r.checkers)
	received := take
	if r.onTake != nil {
		received = func(b []byte) error {
			if err := take(b); err != nil {
				return err
			}
			r.onTake(i)
			return nil
		}
	}
	if _, err := r.loop.add(w, received); err != nil {
		w.close()
		return err
	}
	r.checkers = append(r.checkers, c)
	return nil
}

// deliveries returns how many have arrived at all subscribers together.
func (r *rig) deliveries() int {
	n := 0
	for _, c := range r.checkers {
		n += c.count()
	}
	return n
}

// usage is what a stretch of a run has cost.
type usage struct {
	cpu  time.Duration // of the server
	wall time.Duration
}

// wants says how many deliveries a subscriber must receive.
type wants func(subscriber int) int

// each wants the same number for every subscriber.
func each(n int) wants { return func(int) int { return n } }

// startAll is the start of a run whose publishers all begin at once.
func startAll(publishers []*publisher) func() error {
	return func() error {
		for _, p := range publishers {
			if err := p.start(); err != nil {
				return err
			}
		}
		return nil
	}
}

// spend runs the publishers until each subscriber has received what it must
// and each publisher all answers.
func (r *rig) spend(ctx context.Context, publishers []*publisher, want wants, start func() error) (usage, error) {
	began := time.Now()
	before, err := cpuTime(r.server.pid)
	if err != nil {
		return usage{}, err
	}
	if err := start(); err != nil {
		return usage{}, err
	}
	if err := r.loop.run(ctx, stallLimit, func() bool { return r.complete(publishers, want) }); err != nil {
		return usage{}, fmt.Errorf("after %d deliveries: %w", r.deliveries(), err)
	}
	after, err := cpuTime(r.server.pid)
	if err != nil {
		return usage{}, err
	}
	u := usage{cpu: after - before, wall: time.Since(began)}
	return u, r.silent(want)
}

func (r *rig) complete(publishers []*publisher, want wants) bool {
	for _, p := range publishers {
		if !p.done() {
			return false
		}
	}
	for i, c := range r.checkers {
		if c.count() < want(i) {
			return false
		}
	}
	return true
}

// silent fails if a subscriber received more than was published for it.
func (r *rig) silent(want wants) error {
	for i, c := range r.checkers {
		if got := c.count(); got != want(i) {
			return fmt.Errorf("VOID: subscriber %d received %d deliveries, want %d", i, got, want(i))
		}
	}
	return nil
}

// skipInfo reads the line a NATS server begins with.
func skipInfo(w wire) error {
	buf := make([]byte, 8192)
	for got := 0; ; {
		n, err := w.Read(buf[got:])
		if err != nil {
			return fmt.Errorf("greeting of the server: %w", err)
		}
		if got += n; bytes.IndexByte(buf[:got], '\n') >= 0 {
			return w.write([]byte("CONNECT {\"verbose\":false,\"pedantic\":false}\r\n"))
		}
	}
}

// figures are the results of one run by column.
type figures map[string]float64

// perDelivery returns the figures every fan-out reports.
func perDelivery(u usage, deliveries int) figures {
	n := float64(deliveries)
	return figures{
		"cpu":  float64(u.cpu.Nanoseconds()) / 1e3 / n,
		"rate": n / u.wall.Seconds() / 1e6,
	}
}
