package kv

import (
	"fmt"
	"testing"
)

// Sets, whose members have no scores, may be combined with sorted sets; here is one.
type plainSet struct{ sorted }

func (p *plainSet) score(member []byte) (float64, bool) {
	_, ok := p.sorted.score(member)
	return 1, ok
}

func (p *plainSet) eachScored(visit func(member []byte, score float64) bool) {
	p.sorted.eachScored(func(member []byte, _ float64) bool { return visit(member, 1) })
}

func TestSetsAreCombinedWithTheScoreOne(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	plain := new(plainSet)
	plain.set([]byte("a"), 50, &DefaultCompact)
	plain.set([]byte("x"), 60, &DefaultCompact)
	if _, err := tx.replaceObject(0, []byte("plain"), plain, EventSet, "sadd"); err != nil {
		t.Fatal(err)
	}
	zadd(t, tx, "z", "c", "b", "a")
	for _, tt := range []struct {
		name string
		find func(c *Combination) []Scored
		want string
	}{
		{"union", func(c *Combination) []Scored { return c.Union(AggregateSum) }, "[{c 0} {b 1} {x 1} {a 3}]"},
		{"intersection", func(c *Combination) []Scored { return c.Intersection(AggregateMin) }, "[{a 1}]"},
		{"difference", func(c *Combination) []Scored { return c.Difference() }, "[{c 0} {b 1}]"},
	} {
		c, err := tx.ZCombine(0, keysOf("z", "plain"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range tt.find(c) {
			got = append(got, fmt.Sprintf("{%s %v}", m.Member, m.Score))
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, got, tt.want)
		}
	}
}

// Both forms, many members, several sets: against maps.
func TestCombinationsAreThoseOfMaps(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	sizes := []int{5, 100, 300}
	maps3 := make([]map[string]float64, len(sizes))
	for k, size := range sizes {
		maps3[k] = map[string]float64{}
		var list []Scored
		for i := range size {
			name := fmt.Sprint("m", i*(k+1))
			maps3[k][name] = float64(i % 7)
			list = append(list, Scored{[]byte(name), float64(i % 7)})
		}
		if _, _, err := tx.ZAdd(0, fmt.Append(nil, "z", k), list, 0); err != nil {
			t.Fatal(err)
		}
	}
	union, common, only := sortedModel{}, sortedModel{}, sortedModel{}
	for k, m := range maps3 {
		for name, score := range m {
			union[name] += score * float64(k+1)
		}
	}
	for name := range union {
		_, in0 := maps3[0][name]
		_, in1 := maps3[1][name]
		_, in2 := maps3[2][name]
		if in0 && in1 && in2 {
			common[name] = max(maps3[0][name], 2*maps3[1][name], 3*maps3[2][name])
		}
		if in0 && !in1 && !in2 {
			only[name] = maps3[0][name]
		}
	}
	combination := func() *Combination {
		c, err := tx.ZCombine(0, keysOf("z0", "z1", "z2"))
		if err != nil {
			t.Fatal(err)
		}
		c.Weigh([]float64{1, 2, 3})
		return c
	}
	for _, tt := range []struct {
		name string
		got  []Scored
		want sortedModel
	}{
		{"union", combination().Union(AggregateSum), union},
		{"intersection", combination().Intersection(AggregateMax), common},
		{"difference", combination().Difference(), only},
	} {
		if _, err := tx.ZStore(0, []byte("d"), tt.got, "zunionstore"); err != nil {
			t.Fatal(err)
		}
		if got, want := textOf(t, tx, "d", &SortedRange{Stop: -1}), tt.want.text(tt.want.list(), false); got != want {
			t.Errorf("%s: got %s\nwant %s", tt.name, got, want)
		}
	}
	if got := combination().IntersectionSize(0); got != int64(len(common)) {
		t.Errorf("size: got %d, want %d", got, len(common))
	}
	if got := combination().IntersectionSize(2); got != min(2, int64(len(common))) {
		t.Errorf("size up to 2: got %d", got)
	}
	checkBytes(t, s)
}
