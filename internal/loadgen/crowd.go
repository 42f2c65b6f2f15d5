//go:build linux

package main

import (
	"context"
	"fmt"
)

// crowd is the chat case: many publishers on one channel, each waiting for the
// answer to its publish before the next.
type crowd struct {
	product     product
	publishers  int
	subscribers int
	messages    int // of all publishers together
}

// crowdRing is how many different messages each publisher repeats.
const crowdRing = 1024

func (c crowd) run(ctx context.Context, l *lab) (figures, error) {
	var out figures
	err := withRig(ctx, l, c.product, func(r *rig) error {
		d := dialectOf(c.product)
		if err := c.subscribe(r, d); err != nil {
			return err
		}
		share := c.messages / c.publishers
		var publishers []*publisher
		for i := range c.publishers {
			p, err := r.addPublisher(d, c.commands(d, i), []int{c.subscribers}, share, 1)
			if err != nil {
				return fmt.Errorf("publisher %d: %w", i, err)
			}
			publishers = append(publishers, p)
		}
		u, err := r.spend(ctx, publishers, each(share*c.publishers), startAll(publishers))
		out = perDelivery(u, share*c.publishers*c.subscribers)
		return err
	})
	return out, err
}

func (c crowd) subscribe(r *rig, d *dialect) error {
	rings := make([][]byte, c.publishers)
	for p := range rings {
		for n := range crowdRing {
			rings[p] = d.deliver(rings[p], loadSubscription, appendPayload(nil, p, n, payloadSize))
		}
	}
	request, answer := d.subscribe(loadSubscription)
	for i := range c.subscribers {
		m := &mixture{size: len(rings[0]) / crowdRing, payload: payloadSize, rings: rings, next: make([]int, c.publishers)}
		if err := r.subscribe(request, answer, m); err != nil {
			return fmt.Errorf("subscriber %d: %w", i, err)
		}
	}
	return nil
}

func (c crowd) commands(d *dialect, publisher int) [][]byte {
	commands := make([][]byte, crowdRing)
	for n := range commands {
		commands[n] = d.publish(nil, loadChannel, appendPayload(nil, publisher, n, payloadSize))
	}
	return commands
}
