package broker

import (
	"fmt"
	"testing"
)

// What an outlet may leave out is marked, and alone in its delivery: then the
// newest one can be kept without taking a range apart.
func TestDeliveriesOfConflatedChannelsAreMarkedAndAlone(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "price:*", Slow: SlowConflate, Presence: true}, {Match: "chat:*"}},
		func(c *Config) { c.Workers = 1 })
	stuck, p := connect(t, b), connect(t, b, asTold)
	gate := make(chan struct{})
	stuck.gate = gate
	stuck.sub(KindChannel, "first")
	p.sub(KindChannel, "price:1", "chat:1")
	p.sub(KindPattern, "*:2")
	p.pub("first", "x") // the worker is held up here: what follows may merge
	for range 3 {
		p.pub("price:1", "p")
	}
	p.join("price:1", "ann", "", 0) // an event must not be left out
	for range 3 {
		p.pub("chat:1", "c")
	}
	p.pub("chat:2", "c")
	p.pub("price:2", "p")
	p.pub("price:2", "p")
	p.pub("chat:2", "c")
	close(gate)
	settle(t, b)
	want := []push{
		{true, 1, 2}, {true, 1, 3}, {true, 1, 4}, {false, 1, 5}, {false, 3, 9},
		{false, 1, 10}, {true, 1, 11}, {true, 1, 12}, {false, 1, 13},
	}
	if got := fmt.Sprint(p.pushes); got != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v (conflate, messages, sequence)\n%q", got, want, p.lines())
	}
}

func TestConflationFollowsTheRules(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, nil)
	p := connect(t, b)
	p.sub(KindChannel, "a")
	want := []push{}
	for i, slow := range []Slow{SlowDisconnect, SlowConflate, SlowDisconnect} {
		if err := b.SetRules([]Rule{{Match: "a", Slow: slow}}); err != nil {
			t.Fatal(err)
		}
		p.pub("a", "x")
		settle(t, b)
		want = append(want, push{slow == SlowConflate, 1, uint64(i + 1)})
	}
	if got := fmt.Sprint(p.pushes); got != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
