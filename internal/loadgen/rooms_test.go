//go:build linux

package main

import (
	"strings"
	"testing"
)

var fewRooms = rooms{product: redis, channels: 240, connections: 20, publishers: 3, window: 8, passes: 2}

func TestRoomsHaveOneToThreeSubscribersAndAreAllPublishedTo(t *testing.T) {
	t.Parallel()
	m := rooms{channels: 10_000, connections: 100, publishers: 8}
	subscribers := make([]int, m.channels)
	for i := range m.connections {
		for _, c := range m.held(i) {
			subscribers[c]++
		}
	}
	for c, got := range subscribers {
		if want := 1 + c%3; got != want {
			t.Fatalf("channel %d has %d subscribers, want %d", c, got, want)
		}
	}
	for p := range m.publishers {
		seen := make([]bool, m.channels)
		for n := range m.channels {
			seen[m.channel(p, n)] = true
		}
		for c, ok := range seen {
			if !ok {
				t.Fatalf("publisher %d never publishes to channel %d", p, c)
			}
		}
	}
}

// roomOf returns a mixture as a connection of the rooms has it, and the
// deliveries it must accept, publisher by publisher.
func roomOf(d *dialect, m rooms, connection int) (*mixture, [][]byte) {
	x := &mixture{payload: payloadSize, orders: m.orders(connection), next: make([]int, m.publishers)}
	var want [][]byte
	for p := range m.publishers {
		var ring []byte
		for n := range m.channels {
			ring = d.deliver(ring, m.subscription(m.channel(p, n)), appendPayload(nil, p, n, payloadSize))
		}
		x.rings = append(x.rings, ring)
		x.size = len(ring) / m.channels
		for _, n := range x.orders[p] {
			want = append(want, ring[int(n)*x.size:int(n+1)*x.size])
		}
	}
	return x, want
}

func TestARoomGetsItsOwnMessagesAndNoOthers(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*dialect{"redis": &respDialect, "nats": &natsDialect} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, want := roomOf(d, fewRooms, 5)
			for _, delivery := range want {
				if err := x.take(delivery); err != nil {
					t.Fatal(err)
				}
			}
			if got := x.count(); got != len(want) || got != len(fewRooms.held(5))*fewRooms.publishers {
				t.Errorf("got %d deliveries, want %d", got, len(want))
			}
			x, want = roomOf(d, fewRooms, 5)
			if err := x.take(want[1]); err == nil || !strings.Contains(err.Error(), "VOID") {
				t.Errorf("the first missing: got %v, want the run to be void", err)
			}
			x, _ = roomOf(d, fewRooms, 5)
			_, others := roomOf(d, fewRooms, 6)
			if err := x.take(others[0]); err == nil || !strings.Contains(err.Error(), "VOID") {
				t.Errorf("another connection's: got %v, want the run to be void", err)
			}
		})
	}
}

func TestAMixturePassesOverTheServersOwnLinesBetweenDeliveries(t *testing.T) {
	t.Parallel()
	x, want := roomOf(&natsDialect, fewRooms, 0)
	for _, piece := range []string{"PI", "NG\r", "\n" + string(want[0]) + natsPing, string(want[1])} {
		if err := x.take([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if x.count() != 2 {
		t.Errorf("got %d deliveries, want 2", x.count())
	}
	if err := x.take([]byte(natsPing + string(want[3]))); err == nil {
		t.Error("a delivery missing behind a line was accepted")
	}
}

func TestOneDeliveryTooManyVoidsARun(t *testing.T) {
	t.Parallel()
	x, want := roomOf(&respDialect, fewRooms, 0)
	for _, delivery := range want[:2] {
		if err := x.take(delivery); err != nil {
			t.Fatal(err)
		}
	}
	r := &rig{checkers: []checker{x}}
	if err := r.silent(each(2)); err != nil {
		t.Error(err)
	}
	if err := r.silent(each(1)); err == nil || !strings.Contains(err.Error(), "VOID") {
		t.Errorf("got %v, want the run to be void", err)
	}
}
