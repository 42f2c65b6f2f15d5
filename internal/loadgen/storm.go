//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// storm is connections that come one after the other, subscribe to a channel of
// their own, wait for the acknowledgement and leave.
type storm struct {
	product     product
	objects     bool // WebSockets
	connections int
}

func (s storm) run(ctx context.Context, l *lab) (figures, error) {
	var out figures
	err := withRig(ctx, l, s.product, func(r *rig) error {
		// The first ones pay for what the server prepares only once.
		if err := s.visit(ctx, r, 0, 200); err != nil {
			return err
		}
		before, err := cpuTime(r.server.pid)
		if err != nil {
			return err
		}
		began := time.Now()
		if err := s.visit(ctx, r, 200, s.connections); err != nil {
			return err
		}
		wall := time.Since(began)
		after, err := cpuTime(r.server.pid)
		if err != nil {
			return err
		}
		n := float64(s.connections)
		out = figures{
			"connect": float64((after - before).Nanoseconds()) / 1e3 / n,
			"rate":    n / wall.Seconds() / 1e3,
		}
		return nil
	})
	return out, err
}

// visit makes n connections, numbered from first on.
func (s storm) visit(ctx context.Context, r *rig, first, n int) error {
	for i := range n {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.once(r, fmt.Sprintf("storm:%06d", first+i)); err != nil {
			return fmt.Errorf("connection %d: %w", first+i, err)
		}
	}
	return nil
}

func (s storm) once(r *rig, channel string) error {
	addr := r.server.addr
	if s.objects {
		addr = r.server.http
	}
	w, err := dial(addr, dialOptions{})
	if err != nil {
		return err
	}
	defer w.close()
	if s.objects {
		return upgrade(w, addr, channel, &frames{line: nothingMore})
	}
	request, answer := dialectOf(s.product).subscribe(subscription{channel, 1})
	return r.handshake(w, request, answer)
}

// nothingMore is for a WebSocket that must receive no message.
func nothingMore(b []byte) error {
	return fmt.Errorf("VOID: nothing was published, but %.80q arrived", b)
}
