//go:build linux

package main

import (
	"context"
	"fmt"
)

// rooms is many small channels: channel c has 1 + c%3 subscribers among the
// connections, and every publisher goes through all channels in an order of its
// own. Hardly any two deliveries of a connection come from one channel.
type rooms struct {
	product     product
	channels    int // a multiple of four publishes (NATS answers so many together)
	connections int
	publishers  int
	window      int // of each publisher
	passes      int // of each publisher through all channels
}

func (m rooms) run(ctx context.Context, l *lab) (figures, error) {
	var out figures
	err := withRig(ctx, l, m.product, func(r *rig) error {
		d := dialectOf(m.product)
		if err := m.subscribe(r, d); err != nil {
			return err
		}
		var publishers []*publisher
		for i := range m.publishers {
			p, err := r.addPublisher(d, m.commands(d, i), []int{1, 2, 3}, m.passes*m.channels, m.window)
			if err != nil {
				return fmt.Errorf("publisher %d: %w", i, err)
			}
			publishers = append(publishers, p)
		}
		want := func(connection int) int {
			return len(m.held(connection)) * m.publishers * m.passes
		}
		total := 0
		for i := range m.connections {
			total += want(i)
		}
		u, err := r.spend(ctx, publishers, want, startAll(publishers))
		out = perDelivery(u, total)
		return err
	})
	return out, err
}

// channel returns where publisher p's message n of a pass goes: the factor has
// no divisor in common with the number of channels, so each channel comes once.
func (m rooms) channel(p, n int) int {
	return (n*7919 + p*1237) % m.channels
}

// subscription is how every subscriber holds channel c: all deliveries of a run
// have one size.
func (m rooms) subscription(c int) subscription {
	return subscription{fmt.Sprintf("room:%06d", c), 100_000 + c}
}

// held lists the channels of a connection.
func (m rooms) held(connection int) []int {
	var held []int
	for c := range m.channels {
		for k := range 1 + c%3 {
			if (c+31*k)%m.connections == connection {
				held = append(held, c)
			}
		}
	}
	return held
}

func (m rooms) subscribe(r *rig, d *dialect) error {
	rings := make([][]byte, m.publishers)
	for p := range rings {
		for n := range m.channels {
			rings[p] = d.deliver(rings[p], m.subscription(m.channel(p, n)), appendPayload(nil, p, n, payloadSize))
		}
	}
	for i := range m.connections {
		var subs []subscription
		for _, c := range m.held(i) {
			subs = append(subs, m.subscription(c))
		}
		request, answer := d.subscribe(subs...)
		x := &mixture{size: len(rings[0]) / m.channels, payload: payloadSize, rings: rings, orders: m.orders(i), next: make([]int, m.publishers)}
		if err := r.subscribe(request, answer, x); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
	}
	return nil
}

// orders lists, by publisher, the messages of a pass that the connection gets.
func (m rooms) orders(connection int) [][]int32 {
	mine := make([]bool, m.channels)
	for _, c := range m.held(connection) {
		mine[c] = true
	}
	orders := make([][]int32, m.publishers)
	for p := range orders {
		for n := range m.channels {
			if mine[m.channel(p, n)] {
				orders[p] = append(orders[p], int32(n))
			}
		}
	}
	return orders
}

func (m rooms) commands(d *dialect, p int) [][]byte {
	commands := make([][]byte, m.channels)
	for n := range commands {
		commands[n] = d.publish(nil, m.subscription(m.channel(p, n)).name, appendPayload(nil, p, n, payloadSize))
	}
	return commands
}
