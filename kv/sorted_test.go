package kv

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// recountSorted is what a sorted set takes if every part of it is looked at.
func recountSorted(o object) int64 {
	z := o.(*sorted)
	n := sortedBytes + recountForm(&z.packed, z.dict)
	if z.dict == nil {
		return n
	}
	return n + rankingBytes + recountRanking(&z.ranking.root) - rankNodeBytes // the root is part of the struct
}

func recountRanking(node *rankNode) int64 {
	n := rankNodeBytes + node.arrays()
	for _, k := range node.kids {
		n += recountRanking(k.node)
	}
	return n
}

// sortedModel is a sorted set as simple as it gets.
type sortedModel map[string]float64

// list returns the members in order.
func (m sortedModel) list() []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(m[a], m[b]), strings.Compare(a, b)) })
	return names
}

// text is what the members with some ranks look like, in order or in reverse.
func (m sortedModel) text(names []string, reverse bool) string {
	names = slices.Clone(names)
	if reverse {
		slices.Reverse(names)
	}
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "%s=%v ", name, m[name]+0)
	}
	return b.String()
}

func textOf(t *testing.T, tx *Tx, key string, r *SortedRange) string {
	t.Helper()
	n, members, err := tx.ZRange(0, []byte(key), r)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for member, score := range members {
		fmt.Fprintf(&b, "%s=%v ", member, score+0)
		n--
	}
	if n != 0 {
		t.Errorf("%d members more or less than said", n)
	}
	return b.String()
}

// sortedScenario is one random change after the other, to a store and to the model.
type sortedScenario struct {
	t    *testing.T
	rand *rand.Rand
	s    *Store
	tx   *Tx
	m    sortedModel
}

func (c *sortedScenario) name() string { return fmt.Sprint("m", c.rand.IntN(60)) }

func (c *sortedScenario) score() float64 {
	if c.rand.IntN(20) == 0 {
		return []float64{math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1e300, 5e-324}[c.rand.IntN(5)]
	}
	return float64(c.rand.IntN(20)-10) / 4
}

// change makes one command of those that change a sorted set.
func (c *sortedScenario) change(key []byte) {
	c.t.Helper()
	switch n := c.rand.IntN(20); {
	case n < 9:
		c.add(key)
	case n < 12:
		c.increment(key)
	case n < 15:
		names := []string{c.name(), c.name(), c.name()}
		removed := 0
		for _, name := range names {
			if _, ok := c.m[name]; ok {
				removed++
			}
			delete(c.m, name)
		}
		if got, err := c.tx.ZRem(0, key, keysOf(names...)); err != nil || got != removed {
			c.t.Fatalf("ZRem: got %d, %v, want %d", got, err, removed)
		}
	case n < 17:
		c.pop(key)
	default:
		r, names := c.rangeOf()
		for _, name := range names {
			delete(c.m, name)
		}
		if got, err := c.tx.ZRemRange(0, key, r); err != nil || got != len(names) {
			c.t.Fatalf("ZRemRange: got %d, %v, want %d", got, err, len(names))
		}
	}
}

func (c *sortedScenario) add(key []byte) {
	c.t.Helper()
	flags := []ZAddFlags{0, 0, 0, ZAddNX, ZAddXX, ZAddGT, ZAddLT, ZAddXX | ZAddGT}[c.rand.IntN(8)]
	var list []Scored
	added, updated := 0, 0
	for range 1 + c.rand.IntN(4) {
		name, score := c.name(), c.score()
		list = append(list, Scored{[]byte(name), score})
		old, ok := c.m[name]
		switch {
		case !ok && flags&ZAddXX == 0:
			added++
		case ok && flags&ZAddNX == 0 && score != old && (flags&ZAddGT == 0 || score > old) && (flags&ZAddLT == 0 || score < old):
			updated++
		default:
			continue
		}
		c.m[name] = score
	}
	gotAdded, gotUpdated, err := c.tx.ZAdd(0, key, list, flags)
	if err != nil || gotAdded != added || gotUpdated != updated {
		c.t.Fatalf("ZAdd %v, flags %d: got %d, %d, %v, want %d, %d", list, flags, gotAdded, gotUpdated, err, added, updated)
	}
}

func (c *sortedScenario) increment(key []byte) {
	c.t.Helper()
	name, by := c.name(), c.score()
	want := c.m[name] + by
	if _, ok := c.m[name]; !ok {
		want = by
	}
	got, done, err := c.tx.ZIncrBy(0, key, []byte(name), by, 0)
	if math.IsNaN(want) {
		if err != ErrNaN { //nolint:errorlint // the very error
			c.t.Fatalf("ZIncrBy: got %v, want %v", err, ErrNaN)
		}
		return
	}
	if err != nil || !done || got != want {
		c.t.Fatalf("ZIncrBy: got %v, %v, %v, want %v", got, done, err, want)
	}
	c.m[name] = want
}

func (c *sortedScenario) pop(key []byte) {
	c.t.Helper()
	names, highest := c.m.list(), c.rand.IntN(2) == 0
	count := min(c.rand.IntN(4), len(names))
	want := names[:count]
	if highest {
		want = names[len(names)-count:]
	}
	text := c.m.text(want, highest)
	got, err := c.tx.ZPop(0, key, int64(count), highest)
	var b strings.Builder
	for _, x := range got {
		fmt.Fprintf(&b, "%s=%v ", x.Member, x.Score+0)
	}
	if err != nil || b.String() != text {
		c.t.Fatalf("ZPop: got %s, %v, want %s", &b, err, text)
	}
	for _, name := range want {
		delete(c.m, name)
	}
}

// rangeOf makes a range by rank or score, and says which members are in it, in
// ascending order.
func (c *sortedScenario) rangeOf() (*SortedRange, []string) {
	names := c.m.list()
	if c.rand.IntN(2) == 0 {
		r := &SortedRange{Start: int64(c.rand.IntN(80) - 40), Stop: int64(c.rand.IntN(80) - 40)}
		start, stop := r.Start, r.Stop
		if start < 0 {
			start += int64(len(names))
		}
		if stop < 0 {
			stop += int64(len(names))
		}
		var in []string
		for i, name := range names {
			if int64(i) >= start && int64(i) <= stop {
				in = append(in, name)
			}
		}
		return r, in
	}
	r := &SortedRange{By: RangeByScore, MinScore: ScoreBound{c.score(), c.rand.IntN(2) == 0}, MaxScore: ScoreBound{c.score(), c.rand.IntN(2) == 0}}
	return r, slices.DeleteFunc(names, func(name string) bool {
		score := c.m[name]
		return score < r.MinScore.Score || r.MinScore.Exclusive && score == r.MinScore.Score ||
			score > r.MaxScore.Score || r.MaxScore.Exclusive && score == r.MaxScore.Score
	})
}

// check compares everything that can be asked.
func (c *sortedScenario) check(key string) {
	c.t.Helper()
	names := c.m.list()
	if got, want := textOf(c.t, c.tx, key, &SortedRange{Stop: -1}), c.m.text(names, false); got != want {
		c.t.Fatalf("got %s\nwant %s", got, want)
	}
	if got, want := textOf(c.t, c.tx, key, &SortedRange{Stop: -1, Reverse: true}), c.m.text(names, true); got != want {
		c.t.Fatalf("reverse: got %s\nwant %s", got, want)
	}
	if exists := c.tx.Exists(0, []byte(key)); exists != (len(names) > 0) {
		c.t.Fatalf("exists: %v with %d members", exists, len(names))
	}
	r, in := c.rangeOf()
	if got, want := textOf(c.t, c.tx, key, r), c.m.text(in, false); got != want {
		c.t.Fatalf("range %+v: got %s\nwant %s", r, got, want)
	}
	c.checkLimit(key)
	name := c.name()
	rank, score, ok, err := c.tx.ZRank(0, []byte(key), []byte(name), false)
	if at := slices.Index(names, name); err != nil || ok != (at >= 0) || ok && (rank != at || score != c.m[name]) {
		c.t.Fatalf("rank of %s: got %d, %v, %v, want %d", name, rank, ok, err, at)
	}
	rank, _, _, _ = c.tx.ZRank(0, []byte(key), []byte(name), true)
	if at := slices.Index(names, name); ok && rank != len(names)-1-at {
		c.t.Fatalf("reverse rank of %s: got %d, want %d", name, rank, len(names)-1-at)
	}
}

// checkLimit compares ranges of scores with a limit.
func (c *sortedScenario) checkLimit(key string) {
	c.t.Helper()
	r, in := c.rangeOf()
	if r.By != RangeByScore {
		return
	}
	r.Limited, r.Offset, r.Limit = true, int64(c.rand.IntN(8)-1), int64(c.rand.IntN(8)-1)
	if r.Reverse = c.rand.IntN(2) == 0; r.Reverse {
		slices.Reverse(in)
	}
	if r.Offset < 0 || r.Offset > int64(len(in)) {
		in = nil
	} else if in = in[r.Offset:]; r.Limit >= 0 {
		in = in[:min(int(r.Limit), len(in))]
	}
	if got, want := textOf(c.t, c.tx, key, r), c.m.text(in, false); got != want {
		c.t.Fatalf("range %+v: got %s\nwant %s", r, got, want)
	}
}

func TestSortedSetsAreThoseOfTheModel(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for name, compact := range map[string]Compact{
		"always packed": {SortedEntries: 1000, SortedValue: 1000},
		"never packed":  {},
		"in between":    {SortedEntries: 12, SortedValue: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(Config{})
			s.SetCompact(compact)
			tx := s.BeginAll()
			defer tx.End()
			c := &sortedScenario{t: t, rand: rand.New(rand.NewPCG(seed, 0)), s: s, tx: tx, m: sortedModel{}}
			for range 3000 {
				c.change([]byte("z"))
				c.check("z")
				if c.rand.IntN(30) == 0 {
					checkBytes(t, s)
				}
			}
			checkBytes(t, s)
		})
	}
}

func TestASmallSortedSetIsPackedUntilItOutgrowsTheForm(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	s.SetCompact(Compact{SortedEntries: 3, SortedValue: 5})
	tx := s.BeginAll()
	defer tx.End()
	encoding := func(key string) string { return tx.find(0, []byte(key)).e.object().encoding() }
	add := func(key string, members ...string) {
		t.Helper()
		for i, m := range members {
			if _, _, err := tx.ZAdd(0, []byte(key), []Scored{{[]byte(m), float64(i)}}, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	add("few", "a", "b", "c")
	add("many", "a", "b", "c", "d")
	add("short", "12345")
	add("long", "123456")
	for key, want := range map[string]string{"few": "listpack", "many": "skiplist", "short": "listpack", "long": "skiplist"} {
		if got := encoding(key); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
	if _, err := tx.ZRem(0, []byte("many"), keysOf("a", "b")); err != nil || encoding("many") != "skiplist" {
		t.Errorf("with fewer members: got %s, %v, want skiplist", encoding("many"), err)
	}
	if _, err := tx.ZRangeStore(0, []byte("copy"), []byte("many"), &SortedRange{Stop: -1}); err != nil || encoding("copy") != "listpack" {
		t.Errorf("stored: got %s, %v, want listpack", encoding("copy"), err)
	}
	checkBytes(t, s)
}
