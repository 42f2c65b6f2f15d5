package kv

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"
)

// taken returns how many bytes f allocates. Nothing may run beside it.
func taken(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A key can be named as often as a command may have arguments. What that takes depends on
// the members there are, not on how often they come.
//
//nolint:paralleltest // measures what the process allocates
func TestAUnionOfOneKeyManyTimesTakesNoMoreMemory(t *testing.T) {
	const members, times, most = 1000, 2000, 1 << 20
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	for i := range members {
		member := fmt.Append(nil, "m", i)
		if _, _, err := tx.ZAdd(0, []byte("z"), []Scored{{member, 1}}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.SAdd(0, []byte("s"), [][]byte{member}); err != nil {
			t.Fatal(err)
		}
	}
	names := func(name string) (keys [][]byte) {
		for range times {
			keys = append(keys, []byte(name))
		}
		return keys
	}
	for _, tt := range []struct {
		rule string
		key  string
	}{{"of a sorted set", "z"}, {"of a set", "s"}} {
		keys := names(tt.key)
		var list []Scored
		got := taken(func() {
			c, err := tx.ZCombine(0, keys)
			if err != nil {
				t.Fatal(err)
			}
			list = c.Union(AggregateSum)
		})
		if len(list) != members || list[0].Score != times {
			t.Errorf("%s: %d members, the first %v", tt.rule, len(list), list[0].Score)
		}
		if got > most {
			t.Errorf("%s: %d bytes, want at most %d", tt.rule, got, most)
		}
	}
}

// However many are asked for, no more is done than is visited; and many come as evenly as few.
func TestAnyNumberMayBeDrawn(t *testing.T) {
	t.Parallel()
	const members, visits = 600, 60_000 // more than are kept packed
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	for i := range members {
		member := fmt.Append(nil, "m", i)
		_, errSet := tx.SAdd(0, []byte("s"), [][]byte{member})
		_, errHash := tx.HSet(0, []byte("h"), [][]byte{member, []byte("v")})
		_, _, errSorted := tx.ZAdd(0, []byte("z"), []Scored{{member, float64(i)}}, 0)
		if errSet != nil || errHash != nil || errSorted != nil {
			t.Fatal(errSet, errHash, errSorted)
		}
	}
	begin := func(int64) {}
	for _, tt := range []struct {
		rule string
		draw func(count int64, visit func(member []byte) bool) error
	}{
		{"of a set", func(count int64, visit func([]byte) bool) error {
			return tx.SRandMembers(0, []byte("s"), count, begin, visit)
		}},
		{"of a hash", func(count int64, visit func([]byte) bool) error {
			return tx.HRandFields(0, []byte("h"), count, begin, func(field, _ []byte) bool { return visit(field) })
		}},
		{"of a sorted set", func(count int64, visit func([]byte) bool) error {
			_, list, err := tx.ZRandMember(0, []byte("z"), count)
			list(func(member []byte, _ float64) bool { return visit(member) })
			return err
		}},
	} {
		drawn, n := map[string]int{}, 0
		err := tt.draw(-math.MaxInt64, func(member []byte) bool {
			drawn[string(member)]++
			n++
			return n < visits
		})
		if err != nil || n != visits || len(drawn) != members {
			t.Errorf("%s: %d drawn, %d different, %v", tt.rule, n, len(drawn), err)
		}
		for member, times := range drawn {
			if times < 40 || times > 180 { // 100 are expected, 10 the standard deviation
				t.Errorf("%s: %s came %d times", tt.rule, member, times)
			}
		}
	}
}

// SORT makes of one element as many as it has patterns: it must not run until memory ends.
func TestStoringWithoutEndEndsAtTheLimit(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	s.SetMaxMemory(1 << 20)
	tx := s.BeginAll()
	defer tx.End()
	n := 0
	_, err := tx.StoreSorted(0, []byte("l"), func(yield func([]byte) bool) {
		for yield([]byte("element")) && n <= 1<<20 {
			n++
		}
	})
	if !errors.Is(err, ErrOOM) || n > 1<<18 || tx.Exists(0, []byte("l")) {
		t.Errorf("got %v after %d elements, want %v", err, n, ErrOOM)
	}
}

// askedSet counts how often somebody looks for a member.
type askedSet struct {
	sorted
	asked int
}

func (a *askedSet) score(member []byte) (float64, bool) {
	a.asked++
	return a.sorted.score(member)
}

// Each member is not looked for in every key where that is more than all keys have together.
func TestADifferenceFromManySmallKeysLooksIntoNone(t *testing.T) {
	t.Parallel()
	const members, times = 1000, 500
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	for i := range members {
		if _, _, err := tx.ZAdd(0, []byte("z"), []Scored{{fmt.Append(nil, "m", i), float64(i)}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	small := new(askedSet)
	small.set([]byte("m0"), 1, &DefaultCompact)
	small.set([]byte("x"), 1, &DefaultCompact)
	if _, err := tx.replaceObject(0, []byte("small"), small, EventSorted, "zadd"); err != nil {
		t.Fatal(err)
	}
	keys := keysOf("z", "none")
	for range times {
		keys = append(keys, []byte("small"))
	}
	c, err := tx.ZCombine(0, keys)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Difference(); len(got) != members-1 || string(got[0].Member) != "m1" || small.asked > members {
		t.Errorf("%d members, looked %d times", len(got), small.asked)
	}
}
