//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// idle is the memory that connections hold while nothing happens: each has one
// subscription to a channel of its own.
type idle struct {
	product     product
	objects     bool // WebSockets
	connections int
	settle      time.Duration // after the last connection
}

func (i idle) run(ctx context.Context, l *lab) (figures, error) {
	if need := uint64(i.connections) + 100; l.files < need { //nolint:gosec // a count
		return nil, fmt.Errorf("%d descriptors are allowed, %d are needed: raise the limit (ulimit -n)", l.files, need)
	}
	var out figures
	err := withRig(ctx, l, i.product, func(r *rig) error {
		before, err := residentBytes(r.server.pid)
		if err != nil {
			return err
		}
		cpu, err := cpuTime(r.server.pid)
		if err != nil {
			return err
		}
		if err := i.connect(ctx, r); err != nil {
			return err
		}
		after, err := cpuTime(r.server.pid)
		if err != nil {
			return err
		}
		atOnce, err := residentBytes(r.server.pid)
		if err != nil {
			return err
		}
		// The loop goes on: pings are answered, as idle browsers do.
		until := time.Now().Add(i.settle)
		if err := r.loop.run(ctx, 0, func() bool { return time.Now().After(until) }); err != nil {
			return err
		}
		rss, err := residentBytes(r.server.pid)
		if err != nil {
			return err
		}
		n := float64(i.connections)
		out = figures{
			"kb":      float64(rss-before) / n / 1024,
			"at once": float64(atOnce-before) / n / 1024,
			"connect": float64((after - cpu).Nanoseconds()) / 1e3 / n,
			"total":   float64(rss) / (1 << 20),
		}
		return nil
	})
	return out, err
}

func (i idle) connect(ctx context.Context, r *rig) error {
	for n := range i.connections {
		channel := fmt.Sprintf("idle:%06d", n)
		var err error
		if i.objects {
			err = r.subscribeObjects(channel, &objects{head: []byte("nothing is published")})
		} else {
			request, answer := dialectOf(i.product).subscribe(subscription{channel, 1})
			err = r.subscribe(request, answer, &sequence{ring: []byte{0}, size: 1})
		}
		if err != nil {
			return fmt.Errorf("connection %d: %w", n, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
