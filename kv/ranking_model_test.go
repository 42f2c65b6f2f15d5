package kv

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
)

// compareRanked is the order of a ranking, said in another way.
func compareRanked(a, b ranked) int {
	return cmp.Or(cmp.Compare(a.score, b.score), bytes.Compare(a.e.key(), b.e.key()))
}

// checkRanking holds the invariants of the tree, and its elements against want.
func checkRanking(t *testing.T, r *ranking, want []ranked) {
	t.Helper()
	leafDepth, taken := -1, int64(-rankNodeBytes) // the root is part of the struct
	var got []ranked
	var walk func(n *rankNode, depth int) int
	walk = func(n *rankNode, depth int) (count int) {
		taken += rankNodeBytes
		for _, c := range []int{cap(n.items), cap(n.kids)} {
			if taken += allocatedRanked(c); c > rankFull {
				t.Fatalf("an array has %d places, want at most %d", c, rankFull)
			}
		}
		if len(n.items) < cap(n.items)/3 || len(n.kids) < cap(n.kids)/3 {
			t.Fatalf("%d of %d items, %d of %d children: too much is free", len(n.items), cap(n.items), len(n.kids), cap(n.kids))
		}
		for _, x := range n.items[len(n.items):cap(n.items)] {
			if x.e != nil {
				t.Fatal("a free place holds on to an entry")
			}
		}
		for _, k := range n.kids[len(n.kids):cap(n.kids)] {
			if k.node != nil {
				t.Fatal("a free place holds on to a node")
			}
		}
		if n.kids == nil {
			if leafDepth < 0 {
				leafDepth = depth
			}
			if depth != leafDepth {
				t.Fatalf("leaves at depths %d and %d", leafDepth, depth)
			}
			got = append(got, n.items...)
			return len(n.items)
		}
		if len(n.kids) != len(n.items) {
			t.Fatalf("%d children have %d first elements", len(n.kids), len(n.items))
		}
		for i, k := range n.kids {
			at := len(got)
			below := walk(k.node, depth+1)
			if below != k.count || below == 0 {
				t.Fatalf("child has %d elements, its parent says %d", below, k.count)
			}
			if n.items[i] != got[at] {
				t.Fatalf("first element of a child: got %v, want %v", n.items[i], got[at])
			}
			if i > 0 && len(n.kids[i-1].node.items)+len(k.node.items) <= rankSparse {
				t.Fatal("two small neighbours were not joined")
			}
			count += below
		}
		return count
	}
	if count := walk(&r.root, 0); count != r.count {
		t.Fatalf("count: got %d, want %d", r.count, count)
	}
	if r.bytes != taken {
		t.Fatalf("bytes: got %d, want %d", r.bytes, taken)
	}
	if len(r.root.kids) == 1 {
		t.Fatal("the root has one child")
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %d elements, want %d, or in another order", len(got), len(want))
	}
}

// checkQuestions asks everything about one element, or one that is not there.
func checkQuestions(t *testing.T, r *ranking, want []ranked, x ranked) {
	t.Helper()
	member := x.e.key()
	place, found := slices.BinarySearchFunc(want, x, compareRanked)
	if got := r.rank(x.score, member); got != place {
		t.Fatalf("rank(%v, %q): got %d, want %d", x.score, member, got, place)
	}
	if found && r.at(place).e != want[place].e {
		t.Fatalf("at(%d): got %q, want %q", place, r.at(place).e.key(), want[place].e.key())
	}
	for _, inclusive := range []bool{false, true} {
		below := sort.Search(len(want), func(i int) bool {
			return want[i].score > x.score || !inclusive && want[i].score == x.score
		})
		if got := r.below(x.score, inclusive); got != below {
			t.Fatalf("below(%v, %v): got %d, want %d", x.score, inclusive, got, below)
		}
	}
}

// checkWalks holds some steps of both iterations from a rank against want.
func checkWalks(t *testing.T, r *ranking, want []ranked, rank, steps int) {
	t.Helper()
	var up, down []ranked
	r.ascend(rank, func(x ranked) bool {
		up = append(up, x)
		return len(up) < steps
	})
	r.descend(rank, func(x ranked) bool {
		down = append(down, x)
		return len(down) < steps
	})
	var wantUp, wantDown []ranked
	if rank >= 0 && rank < len(want) {
		wantUp = want[rank:min(rank+steps, len(want))]
		wantDown = slices.Clone(want[max(0, rank+1-steps) : rank+1])
		slices.Reverse(wantDown)
	}
	if !slices.Equal(up, wantUp) {
		t.Fatalf("%d steps up from %d of %d: got %d other elements", steps, rank, len(want), len(up))
	}
	if !slices.Equal(down, wantDown) {
		t.Fatalf("%d steps down from %d of %d: got %d other elements", steps, rank, len(want), len(down))
	}
}

// rankingModel runs operations on a ranking and on a sorted slice.
type rankingModel struct {
	t    *testing.T
	r    ranking
	want []ranked
	made int
}

// insert adds a new member; prefix says where it goes among equal scores.
func (m *rankingModel) insert(score float64, prefix byte) {
	x := ranked{score, newEntry(fmt.Sprint(string(prefix), m.made), 0)}
	m.made++
	m.r.insert(x.score, x.e)
	i, _ := slices.BinarySearchFunc(m.want, x, compareRanked)
	m.want = slices.Insert(m.want, i, x)
}

// remove takes out the element at a rank, if there is one.
func (m *rankingModel) remove(rank int) {
	if rank < len(m.want) {
		m.r.remove(m.want[rank].score, m.want[rank].e)
		m.want = slices.Delete(m.want, rank, rank+1)
	}
}

func (m *rankingModel) removeRange(from, to int) {
	var removed []ranked
	m.r.removeRange(from, to, func(x ranked) { removed = append(removed, x) })
	from, to = max(from, 0), min(to, len(m.want))
	if from >= to {
		from, to = 0, 0
	}
	if !slices.Equal(removed, m.want[from:to]) {
		m.t.Fatalf("removeRange(%d, %d) reported %d elements, or others", from, to, len(removed))
	}
	m.want = slices.Delete(m.want, from, to)
}

func TestRankingIsASortedSlice(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		most   int // elements
		steps  int
		score  func(rng *rand.Rand, step int) float64
		grow   int // inserts of ten operations while there are fewer than most
		ranges bool
	}{
		{"scores that differ", 3000, 12000, func(rng *rand.Rand, _ int) float64 { return rng.NormFloat64() }, 7, false},
		{"few scores, many members each", 3000, 12000, func(rng *rand.Rand, _ int) float64 { return float64(rng.IntN(5)) }, 7, false},
		{"all scores equal", 3000, 12000, func(*rand.Rand, int) float64 { return 1 }, 7, false},
		{"scores that rise", 3000, 12000, func(_ *rand.Rand, step int) float64 { return float64(step) }, 7, false},
		{"scores that fall", 3000, 12000, func(_ *rand.Rand, step int) float64 { return float64(-step) }, 7, false},
		{"ranges come and go", 6000, 20000, func(rng *rand.Rand, _ int) float64 { return float64(rng.IntN(100)) }, 9, true},
		{"a handful", 5, 3000, func(rng *rand.Rand, _ int) float64 { return float64(rng.IntN(3)) }, 6, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 0))
			m := rankingModel{t: t}
			grow := tt.grow
			for step := range tt.steps {
				switch n := len(m.want); {
				case n == 0 || rng.IntN(10) < grow:
					m.insert(tt.score(rng, step), byte('a'+rng.IntN(26)))
				case tt.ranges && rng.IntN(20) == 0:
					from := rng.IntN(n)
					m.removeRange(from, from+rng.IntN(min(n, 300)))
				default:
					m.remove(rng.IntN(n))
				}
				switch len(m.want) { // up and down in turns
				case 0:
					grow = tt.grow
				case tt.most:
					grow = 10 - tt.grow
				}
				if len(m.want) < 10 || step%61 == 0 {
					checkRanking(t, &m.r, m.want)
				}
				x := ranked{tt.score(rng, step), newEntry(string(byte('a'+rng.IntN(26))), 0)}
				if n := len(m.want); n > 0 && rng.IntN(2) == 0 {
					x = m.want[rng.IntN(n)]
				}
				checkQuestions(t, &m.r, m.want, x)
				checkWalks(t, &m.r, m.want, rng.IntN(len(m.want)+2)-1, rng.IntN(150)+1)
			}
		})
	}
}

// FuzzRanking runs operations from the input against a sorted slice. An operation
// is four bytes: what to do, how often, and where.
func FuzzRanking(f *testing.F) {
	f.Add([]byte("i\xff\x00\x07i\xff\x80\x00d\xff\x00\x00r\x10\x00\x20"))
	f.Add([]byte("i\xff\x00\x00i\xff\x00\x00i\xff\x00\x01r\xff\x00\x40d\x80\x10\x00"))
	f.Add([]byte("i\xff\x01\x01i\xff\x02\xffd\xff\x00\x80d\xff\x00\x80d\xff\x00\x80"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := rankingModel{t: t}
		for ops = ops[:min(len(ops), 120)]; len(ops) >= 4; ops = ops[4:] {
			often, where := int(ops[1]), int(binary.BigEndian.Uint16(ops[2:]))
			switch ops[0] % 4 {
			case 'r' % 4:
				m.removeRange(where-100, where-100+2*often)
			case 'd' % 4:
				for range often {
					m.remove(where % max(1, len(m.want)))
				}
			default: // equal scores, or such that rise or fall from one to the next
				step := float64(int(ops[3])%3 - 1)
				for i := range often {
					m.insert(float64(where>>4)+step*float64(i), byte('a'+i%26))
				}
			}
			checkRanking(t, &m.r, m.want)
			if len(m.want) > 0 {
				checkQuestions(t, &m.r, m.want, m.want[where%len(m.want)])
				checkWalks(t, &m.r, m.want, where%len(m.want), often+1)
			}
		}
	})
}
