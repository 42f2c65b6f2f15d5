package kv

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"
)

// rankingOf makes a ranking of n members, in the order of their scores.
func rankingOf(n int) (r *ranking, want []ranked) {
	r = new(ranking)
	for i := range n {
		x := ranked{float64(i), newEntry(fmt.Sprint("member:", i), 0)}
		r.insert(x.score, x.e)
		want = append(want, x)
	}
	return r, want
}

func TestRankingEmptiesWhereverElementsAreTaken(t *testing.T) {
	t.Parallel()
	const n = 10_000
	tests := []struct {
		name string
		next func(left int) int // rank of the one to remove
	}{
		{"the lowest, as ZPOPMIN", func(int) int { return 0 }},
		{"the highest, as ZPOPMAX", func(left int) int { return left - 1 }},
		{"from the middle", func(left int) int { return left / 2 }},
		{"anywhere", func(left int) int { return rand.IntN(left) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, want := rankingOf(n)
			for left := n; left > 0; left-- {
				i := tt.next(left)
				x := r.at(i)
				if x != want[i] {
					t.Fatalf("at(%d) of %d: got %v, want %v", i, left, x, want[i])
				}
				r.remove(x.score, x.e)
				want = slices.Delete(want, i, i+1)
				if left%499 == 0 {
					checkRanking(t, r, want)
				}
			}
			if r.count != 0 || r.bytes != 0 || r.root.items != nil || r.root.kids != nil {
				t.Errorf("emptied ranking: got %d elements and %d bytes, want the zero value", r.count, r.bytes)
			}
		})
	}
}

func TestRankingBoundsByScore(t *testing.T) {
	t.Parallel()
	negativeZero, inf := math.Copysign(0, -1), math.Inf(1)
	var r ranking
	for i, score := range []float64{-inf, -1, negativeZero, 0, negativeZero, 0, 1, 1, math.MaxFloat64, inf} {
		r.insert(score, newEntry(fmt.Sprint(9-i), 0))
	}
	tests := []struct {
		name            string
		score           float64
		below, upTo     int
		rank0, rankHigh int // of the members "" and "~"
	}{
		{"-inf is a score like others", -inf, 0, 1, 0, 1},
		{"between two", -0.5, 2, 2, 2, 2},
		{"0 is equal to -0", 0, 2, 6, 2, 6},
		{"-0 is equal to 0", negativeZero, 2, 6, 2, 6},
		{"several that are equal", 1, 6, 8, 6, 8},
		{"the largest that is finite", math.MaxFloat64, 8, 9, 8, 9},
		{"+inf is a score like others", inf, 9, 10, 9, 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := r.below(tt.score, false); got != tt.below {
				t.Errorf("below: got %d, want %d", got, tt.below)
			}
			if got := r.below(tt.score, true); got != tt.upTo {
				t.Errorf("below, inclusive: got %d, want %d", got, tt.upTo)
			}
			if got := r.rank(tt.score, nil); got != tt.rank0 {
				t.Errorf("rank of the empty member: got %d, want %d", got, tt.rank0)
			}
			if got := r.rank(tt.score, []byte("~")); got != tt.rankHigh {
				t.Errorf("rank of a high member: got %d, want %d", got, tt.rankHigh)
			}
		})
	}
	for i := 2; i < 5; i++ { // in the order of their members, whatever the sign
		if a, b := r.at(i).e.key(), r.at(i+1).e.key(); bytes.Compare(a, b) >= 0 {
			t.Errorf("member %q at rank %d is before %q", a, i, b)
		}
	}
}

func TestRankingBoundsByMember(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 60, 5000} {
		var r ranking
		for i := range n {
			r.insert(7, newEntry(fmt.Sprintf("m%05d", 2*i), 0))
		}
		for i := range n {
			member := fmt.Appendf(nil, "m%05d", 2*i)
			between := fmt.Appendf(nil, "m%05d", 2*i+1)
			for _, q := range []struct {
				member    []byte
				inclusive bool
				want      int
			}{{member, false, i}, {member, true, i + 1}, {between, false, i + 1}, {between, true, i + 1}, {nil, true, 0}, {[]byte("n"), false, n}} {
				if got := r.belowMember(q.member, q.inclusive); got != q.want {
					t.Fatalf("%d members: belowMember(%q, %v): got %d, want %d", n, q.member, q.inclusive, got, q.want)
				}
			}
		}
		if got := r.belowMember([]byte("x"), true); got != n {
			t.Errorf("%d members: belowMember of a high one: got %d", n, got)
		}
	}
}

func TestRankingRemovesRanges(t *testing.T) {
	t.Parallel()
	const n = 10_000
	tests := []struct {
		name     string
		from, to int
	}{
		{"nothing", 50, 50},
		{"an empty range", 60, 50},
		{"one element", 5000, 5001},
		{"the lower half", 0, n / 2},
		{"the upper half", n / 2, n},
		{"all but the ends", 1, n - 1},
		{"everything", 0, n},
		{"beyond both ends", -5, n + 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := rankingModel{t: t}
			for i := range n {
				m.insert(float64(i), 'm')
			}
			m.removeRange(tt.from, tt.to)
			checkRanking(t, &m.r, m.want)
			m.insert(3, 'n')
			checkRanking(t, &m.r, m.want)
		})
	}
}

func TestRankingJoinsLeavesThatBecomeNeighbours(t *testing.T) {
	t.Parallel()
	r, want := rankingOf(10_000) // the leaves have 62 elements each
	remove := func(from, to int) {
		r.removeRange(from, to, nil)
		want = slices.Delete(want, from, to)
	}
	border := r.root.kids[0].count
	remove(border, border+50)
	remove(border-50, border)
	remove(border+450, r.count) // some leaves are left below the second child of the root
	if n := len(r.root.kids); n != 2 || r.root.kids[0].node.kids == nil {
		t.Fatalf("the root has %d children, want two that are no leaves", n)
	}
	for r.root.kids[0].node.kids != nil { // until those two are one, and that the root
		remove(0, 1)
	}
	checkRanking(t, r, want)
}

func TestRankingLeavesEnoughBesideASmallLeaf(t *testing.T) {
	t.Parallel()
	const leaf = rankFull - 1
	m := rankingModel{t: t}
	for i := range 3 * leaf {
		m.insert(float64(i), 'm')
	}
	m.removeRange(2*leaf+1, 3*leaf) // the third leaf has one element, and so has the first
	m.removeRange(1, leaf)
	for i := range 30 { // the second must give to one of them
		m.insert(leaf+0.5, 'm')
		if checkRanking(t, &m.r, m.want); i == 29 && len(m.r.root.kids) != 3 {
			t.Fatalf("leaves: got %d, want 3", len(m.r.root.kids))
		}
	}
}

func TestRankingVisitsNothingOutsideItsRanks(t *testing.T) {
	t.Parallel()
	r, _ := rankingOf(100)
	for _, rank := range []int{-1, 100, 1 << 40} {
		r.ascend(rank, func(ranked) bool { t.Errorf("ascend(%d) visits", rank); return false })
		r.descend(rank, func(ranked) bool { t.Errorf("descend(%d) visits", rank); return false })
	}
}

func TestRankingTakesFewBytesInEveryOrder(t *testing.T) {
	t.Parallel()
	const n = 30_000
	tests := []struct {
		name  string
		most  float64 // bytes per element
		score func(i int) float64
	}{
		{"random", 23.5, func(int) float64 { return rand.Float64() }},
		{"rising", 18.5, func(i int) float64 { return float64(i) }},
		{"falling", 18.5, func(i int) float64 { return -float64(i) }},
		{"from both ends to the middle", 25, func(i int) float64 { return float64(i%2*2-1) / float64(i+1) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var r ranking
			for i := range n {
				r.insert(tt.score(i), newEntry(fmt.Sprint(i), 0))
			}
			if got := float64(r.bytes) / n; got > tt.most {
				t.Errorf("bytes per element: got %.1f, want at most %.1f", got, tt.most)
			}
			for i := range n - n/10 { // what stays behind after random removals
				x := r.at(rand.IntN(n - i))
				r.remove(x.score, x.e)
			}
			if got := float64(r.bytes) / (n / 10); got > 33 {
				t.Errorf("bytes per element after removals: got %.1f, want at most 33", got)
			}
		})
	}
}

// Not parallel: it looks at the heap.
func TestRankingAccountIsWhatTheHeapTakes(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's allocator rounds in another way")
	}
	const n = 200_000
	entries := make([]*entry, n)
	for i := range entries {
		entries[i] = newEntry(fmt.Sprint(i), 0)
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what sync.Pool held goes with the second one
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	var r ranking
	for _, e := range entries {
		r.insert(rand.Float64(), e)
	}
	got := heap() - before
	runtime.KeepAlive(entries)
	if ratio := float64(got) / float64(r.bytes); ratio < 0.97 || ratio > 1.03 {
		t.Errorf("heap: %d bytes, the account says %d", got, r.bytes)
	}
}

func TestRankingAsksWithoutAllocating(t *testing.T) {
	r, want := rankingOf(10_000)
	x := want[4321]
	member := x.e.key()
	sum := 0
	got := testing.AllocsPerRun(100, func() {
		sum += r.rank(x.score, member) + r.below(x.score, true) + r.belowMember(member, false)
		sum += int(r.at(1234).score)
		left := 200
		visit := func(ranked) bool { left--; return left%100 > 0 }
		r.ascend(5000, visit)
		r.descend(5000, visit)
	})
	if got != 0 {
		t.Errorf("allocations: got %v, want none", got)
	}
}

func TestRankingPartsTakeWhatTheAccountSays(t *testing.T) {
	t.Parallel()
	if got := int64(reflect.TypeFor[rankNode]().Size()); allocated(int(got)) != rankNodeBytes {
		t.Errorf("a node of %d bytes takes %d, account says %d", got, allocated(int(got)), rankNodeBytes)
	}
	for _, size := range []uintptr{reflect.TypeFor[ranked]().Size(), reflect.TypeFor[rankChild]().Size()} {
		if size != rankedBytes {
			t.Errorf("an element of an array has %d bytes, account says %d", size, rankedBytes)
		}
	}
	if got := allocatedRanked(rankFull); got != 1024 {
		t.Errorf("a full array takes %d bytes, want 1024", got)
	}
}
