package kv

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// A node is a list of byte strings whose room is at both ends: random changes, most of
// them there, leave it with the items that a slice has, in a block of a size that the
// allocator gives.
func TestANodeIsAListWithRoomAtBothEnds(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test's stream
	var d node
	var want [][]byte
	for step := range 4000 {
		from := []int{0, len(want), r.IntN(len(want) + 1)}[r.IntN(3)]
		count := 0
		if step/200%2 == 1 || r.IntN(3) == 0 {
			count = min(r.IntN(3), len(want))
			from = min(from, len(want)-count)
		}
		var items [][]byte
		for range r.IntN(3) {
			if len(want) < 60 {
				items = append(items, bytes.Repeat([]byte{byte(r.IntN(256))}, r.IntN(40)))
			}
		}
		capacity := 0
		if r.IntN(2) == 0 {
			capacity = r.IntN(2000)
		}
		d.replace(d.seek(from), d.seek(from+count), count, capacity, items...)
		want = slices.Replace(want, from, from+count, items...)
		p := packed{bytes.Clone(d.data), d.n}
		checkItems(t, step, &p, want)
		if block := len(d.whole()); int64(block) != d.bytes() || (len(d.data) > 0) != (block > 0) || len(d.data)*4 < block && capacity == 0 && count > 0 {
			t.Fatalf("step %d: %d bytes in a block of %d", step, len(d.data), block)
		}
	}
}

// A node is filled in few blocks, whichever end it is filled at, and what a push asks
// for is what it takes.
func TestANodeIsFilledInFewBlocks(t *testing.T) {
	t.Parallel()
	item := bytes.Repeat([]byte{'x'}, 126)
	for _, end := range []End{Left, Right} {
		l, blocks := new(list), 0
		for range 60 {
			before := l.bytes()
			grow := l.growth(end, [][]byte{item}, &DefaultCompact)
			l.push(end, item, &DefaultCompact)
			if got := l.bytes() - before; got != grow {
				t.Fatalf("got %d bytes more, want %d", got, grow)
			}
			if grow > 0 {
				blocks++
			}
		}
		// The exact ones up to 512 bytes, then 1,280, 2,560 and so on up to 8 KiB.
		if blocks > 10 {
			t.Errorf("got %d blocks for one node, want 10 at most", blocks)
		}
		if l.nodes.n != 1 || l.size != nodeBytes {
			t.Errorf("got %d bytes in %d nodes, want %d in one", l.size, l.nodes.n, nodeBytes)
		}
	}
}

// What a node reserves is what elements of the size that came will fill.
func TestANodeReservesNoMoreThanElementsFill(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		listSize      int
		n, size, more int
		want          int
	}{
		{"a small node has the size of what is in it", -2, 4, 512, 128, 512},
		{"a larger one has room for as much again", -2, 5, 640, 128, 1280},
		{"up to its bound, in whole elements", -2, 5, 5 * 1300, 1300, 6 * 1300},
		{"nothing where no second element fits", -2, 1, 4200, 4200, 4200},
		{"nothing above the bound", -2, 1, 9000, 9000, 9000},
		{"a bound of elements counts", 6, 5, 640, 128, 768},
		{"a bound of no elements is one of one", 0, 1, 640, 640, 640},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := Compact{ListSize: tt.listSize}
			if got := c.capacity(tt.n, tt.size, tt.more); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
