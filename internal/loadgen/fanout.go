//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	loadChannel = "load:0001"
	payloadSize = 128
	fullWindow  = 256 // publishes in flight
)

// loadSubscription is every subscriber's of a run with one channel.
var loadSubscription = subscription{loadChannel, 1}

// fanout is one publisher's messages to many subscribers of one channel.
type fanout struct {
	product     product
	subscribers int
	objects     bool // the subscribers are WebSockets
	messages    int
	payload     int
	window      int           // publishes in flight; 0: fullWindow
	interval    time.Duration // between publishes; 0: as fast as the window allows
}

func (f fanout) run(ctx context.Context, l *lab) (figures, error) {
	var out figures
	err := withRig(ctx, l, f.product, func(r *rig) error {
		var clock *latency
		if f.interval > 0 {
			clock = &latency{rig: r}
			r.onTake = clock.arrived
		}
		d := dialectOf(f.product)
		if err := f.connect(r, d); err != nil {
			return err
		}
		p, err := r.addPublisher(d, f.commands(d), []int{f.subscribers}, f.messages, f.inFlight())
		if err != nil {
			return err
		}
		start := p.start
		if clock != nil {
			if start, err = clock.pace(r, p, f.interval); err != nil {
				return err
			}
		}
		u, err := r.spend(ctx, []*publisher{p}, each(f.messages), start)
		if err != nil {
			return err
		}
		out = perDelivery(u, f.messages*f.subscribers)
		if clock != nil {
			clock.report(out)
		}
		return nil
	})
	return out, err
}

// inFlight is the publisher's window. A paced publisher has each message answered
// on its own: a unit of several would leave at once.
func (f fanout) inFlight() int {
	switch {
	case f.interval > 0:
		return 1
	case f.window > 0:
		return f.window
	}
	return fullWindow
}

// ring is how many different messages the run repeats: fewer where they are
// long, and always more than are in flight.
func (f fanout) ring() int {
	if f.payload > 512 {
		return ringMessages / 8
	}
	return ringMessages
}

// connect makes the subscribers, all with the same expectation.
func (f fanout) connect(r *rig, d *dialect) error {
	var ring []byte
	for n := range f.ring() {
		if f.objects {
			ring = appendPayload(ring, 0, n, f.payload)
		} else {
			ring = d.deliver(ring, loadSubscription, appendPayload(nil, 0, n, f.payload))
		}
	}
	request, answer := d.subscribe(loadSubscription)
	for i := range f.subscribers {
		var err error
		if f.objects {
			head := fmt.Appendf(nil, `{"msg":%q,"data":"`, loadChannel)
			err = r.subscribeObjects(loadChannel, &objects{head: head, ring: ring, payload: f.payload})
		} else {
			err = r.subscribe(request, answer, &sequence{ring: ring, size: len(ring) / f.ring()})
		}
		if err != nil {
			return fmt.Errorf("subscriber %d: %w", i, err)
		}
	}
	return nil
}

func (f fanout) commands(d *dialect) [][]byte {
	commands := make([][]byte, f.ring())
	for n := range commands {
		commands[n] = d.publish(nil, loadChannel, appendPayload(nil, 0, n, f.payload))
	}
	return commands
}

// latency publishes at a steady pace and takes the time from the moment a
// message is handed to the kernel until a subscriber has compared it.
type latency struct {
	rig   *rig
	sent  []time.Time // by message
	seen  []int       // by subscriber: deliveries so far
	times []time.Duration
}

// pace makes a timer in the rig's loop that publishes one message per interval.
func (t *latency) pace(r *rig, p *publisher, interval time.Duration) (start func() error, err error) {
	t.seen = make([]int, len(r.checkers))
	p.paced = true
	return r.pace(interval, func() error {
		if p.sent == p.total {
			return nil
		}
		t.sent = append(t.sent, time.Now())
		return p.send(1)
	})
}

func (t *latency) arrived(subscriber int) {
	now := time.Now()
	for n := t.rig.checkers[subscriber].count(); t.seen[subscriber] < n; t.seen[subscriber]++ {
		t.times = append(t.times, now.Sub(t.sent[t.seen[subscriber]]))
	}
}

func (t *latency) report(out figures) {
	slices.Sort(t.times)
	n := len(t.times)
	out["p50"] = float64(t.times[n/2].Microseconds())
	out["p99"] = float64(t.times[n*99/100].Microseconds())
}
