package broker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A session's list against a plain map, across the border between list and map.
func TestSubscriptionsHeldAreAMap(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	var held subscriptions
	want := map[string]*Subscription{}
	for step := range 20_000 {
		name := fmt.Sprint(r.IntN(12 + step/1000))
		if r.IntN(2) == 0 {
			sub := &Subscription{holder: &holder{name: name}}
			held.put(sub)
			want[name] = sub
		} else {
			held.remove(name)
			delete(want, name)
		}
		if held.len() != len(want) || len(held.all()) != len(want) || held.get(name) != want[name] {
			t.Fatalf("step %d: %d held, want %d", step, held.len(), len(want))
		}
		names := held.names(100)
		slices.Sort(names)
		for i, n := range names {
			if held.get(n) != want[n] || want[n] == nil || i > 0 && names[i-1] == n {
				t.Fatalf("step %d: names are %q", step, names)
			}
		}
		if got := len(held.names(3)); got != min(3, len(want)) {
			t.Fatalf("step %d: %d names, want at most 3", step, got)
		}
	}
}
