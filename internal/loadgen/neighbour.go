//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// neighbour is a channel with one subscriber, published to at a steady pace,
// while somebody else's messages go to very many: how long do the few wait for
// the many?
//
// The generator is busy reading for the many, so it would be late to notice what
// it measures. Therefore the time of arrival is the kernel's, taken when the
// server's bytes reached the subscriber's socket.
type neighbour struct {
	product     product
	subscribers int           // of the big channel
	bigInterval time.Duration // between publishes to it
	interval    time.Duration // between publishes to the small channel
	messages    int           // to the small channel
}

// smallSubscription is the neighbour's. Its name is as long as the big channel's.
var smallSubscription = subscription{"pair:0001", 1}

func (n neighbour) run(ctx context.Context, l *lab) (figures, error) {
	if need := uint64(n.subscribers) + 100; l.files < need {
		return nil, fmt.Errorf("%d descriptors are allowed, %d are needed: raise the limit (ulimit -n)", l.files, need)
	}
	var out figures
	err := withRig(ctx, l, n.product, func(r *rig) error {
		d := dialectOf(n.product)
		crowd := fanout{product: n.product, subscribers: n.subscribers, payload: payloadSize, interval: n.bigInterval}
		crowd.messages = int(n.interval * time.Duration(n.messages) / n.bigInterval)
		if err := crowd.connect(r, d); err != nil {
			return err
		}
		big, err := r.addPublisher(d, crowd.commands(d), []int{n.subscribers}, crowd.messages, 1)
		if err != nil {
			return err
		}
		t, small, err := n.listen(r, d)
		if err != nil {
			return err
		}
		startBig, err := (&latency{rig: r}).pace(r, big, n.bigInterval)
		if err != nil {
			return err
		}
		small.paced = true
		startSmall, err := r.pace(n.interval, func() error { return t.publish(small) })
		if err != nil {
			return err
		}
		want := func(i int) int {
			if i == n.subscribers {
				return n.messages
			}
			return crowd.messages
		}
		u, err := r.spend(ctx, []*publisher{big, small}, want, func() error {
			if err := startBig(); err != nil {
				return err
			}
			return startSmall()
		})
		if err != nil {
			return err
		}
		out = t.report()
		out["cpu"] = perDelivery(u, crowd.messages*n.subscribers+n.messages)["cpu"]
		return nil
	})
	return out, err
}

// stamps are the neighbour's times by message, all from the system's clock.
type stamps struct {
	check *sequence
	sent  []time.Time
	times []time.Duration
}

// publish sends the next message, if one is left.
func (t *stamps) publish(p *publisher) error {
	if p.sent == p.total {
		return nil
	}
	t.sent = append(t.sent, time.Now())
	return p.send(1)
}

// arrived counts what has come with bytes that reached the socket at a time.
func (t *stamps) arrived(at time.Time) {
	for n := t.check.count(); len(t.times) < n; {
		t.times = append(t.times, at.Sub(t.sent[len(t.times)]))
	}
}

func (t *stamps) report() figures {
	slices.Sort(t.times)
	at := func(share int) float64 { return float64(t.times[(len(t.times)-1)*share/1000].Microseconds()) }
	return figures{"p50": at(500), "p99": at(990), "max": at(1000)}
}

// listen makes the neighbour's subscriber and its publisher.
func (n neighbour) listen(r *rig, d *dialect) (*stamps, *publisher, error) {
	var commands [][]byte
	var ring []byte
	for i := range ringMessages {
		payload := appendPayload(nil, 0, i, payloadSize)
		commands = append(commands, d.publish(nil, smallSubscription.name, payload))
		ring = d.deliver(ring, smallSubscription, payload)
	}
	t := &stamps{check: &sequence{ring: ring, size: len(ring) / ringMessages}}
	if err := n.subscribe(r, d, t); err != nil {
		return nil, nil, fmt.Errorf("the neighbour: %w", err)
	}
	p, err := r.addPublisher(d, commands, []int{1}, n.messages, 1)
	return t, p, err
}

func (n neighbour) subscribe(r *rig, d *dialect, t *stamps) error {
	w, err := dial(r.server.addr, dialOptions{})
	if err != nil {
		return err
	}
	request, answer := d.subscribe(smallSubscription)
	if err = r.handshake(w, request, answer); err == nil {
		err = unix.SetsockoptInt(w.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	}
	var p *peer
	if err == nil {
		p, err = r.loop.add(w, func(b []byte) error {
			if err := t.check.take(b); err != nil {
				return err
			}
			t.arrived(p.reached)
			return nil
		})
	}
	if err != nil {
		w.close()
		return err
	}
	p.stamped = true
	r.checkers = append(r.checkers, t.check)
	return nil
}
