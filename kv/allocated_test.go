package kv

import (
	"math"
	"runtime"
	"testing"
)

// Not parallel: it looks at what the whole process allocates.
func TestTheAllocatorTakesWhatTheAccountSays(t *testing.T) {
	var kept any
	// The smallest of several rounds: what a goroutine left behind by another
	// test allocates meanwhile is in some of them only.
	taken := func(n int, allocate func()) int64 {
		least := int64(math.MaxInt64)
		for range 8 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range n {
				allocate()
			}
			runtime.ReadMemStats(&after)
			least = min(least, int64(after.TotalAlloc-before.TotalAlloc)/int64(n))
		}
		return least
	}
	for _, n := range []int{8, 24, 504, 512, 520, 1008, 1016, 1024, 4096, 4864, 16384, 28672, 32752, 32760, 32768, 32776, 40952, 40960, 65536} {
		if got, want := taken(50, func() { kept = make([]*byte, n/8) }), allocatedPointers(n); got < want || got > want+128 {
			t.Errorf("%d bytes with pointers: got %d, want %d", n, got, want)
		}
		if got, want := taken(50, func() { kept = make([]byte, n) }), allocated(n); got < want || got > want+128 {
			t.Errorf("%d bytes without: got %d, want %d", n, got, want)
		}
	}
	for _, n := range []int{2, 4, 16, 32, 64, 256, 1024, 4096} {
		d := new(nodes)
		if got, want := taken(20, func() { d.resize(n) }), d.bytes(); got < want || got > want+128 {
			t.Errorf("a ring of %d nodes: got %d bytes, want %d", n, got, want)
		}
	}
	for _, n := range []int{4, 512, 1 << 14, 1 << 15, 1 << 20} {
		var want int64
		if got := taken(20, func() { kept, want = made(makeBuckets(n)) }); got < want || got > want+128 {
			t.Errorf("an array of %d buckets: got %d bytes, want %d", n, got, want)
		}
	}
	runtime.KeepAlive(kept)
}

func made(b buckets, bytes int64) (*buckets, int64) { return &b, bytes }
