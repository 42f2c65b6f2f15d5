package broker

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestARingIsAQueueOfAnySize(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	var r ring[int]
	var want []int
	for i := range 50_000 {
		growing := i/5000%2 == 0
		switch n := rnd.IntN(100); {
		case n == 0:
			even := func(v *int) bool { return *v%2 == 0 }
			r.filter(even)
			want = slices.DeleteFunc(want, func(v int) bool { return !even(&v) })
		case len(want) > 0 && (n < 30 || n < 70 && !growing):
			if got := r.pop(); got != want[0] {
				t.Fatalf("step %d: pop: got %d, want %d", i, got, want[0])
			}
			want = want[1:]
		default:
			r.push(i)
			want = append(want, i)
		}
		if r.n != len(want) {
			t.Fatalf("step %d: %d elements, want %d", i, r.n, len(want))
		}
		for j := range want {
			if got := *r.at(j); got != want[j] {
				t.Fatalf("step %d: element %d: got %d, want %d", i, j, got, want[j])
			}
		}
	}
	for r.n > 0 {
		r.pop()
	}
	if len(r.buf) > 16 {
		t.Errorf("an empty ring keeps room for %d", len(r.buf))
	}
}

// What was popped must not be kept alive by the array.
func TestARingForgetsWhatWasPopped(t *testing.T) {
	t.Parallel()
	var r ring[*int]
	for range 3 {
		r.push(new(int))
	}
	r.pop()
	if r.buf[0] != nil {
		t.Error("the place of what was popped still points to it")
	}
}
