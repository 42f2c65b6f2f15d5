package kv

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
)

// zadd gives members the scores 0, 1, 2 …
func zadd(t testing.TB, tx *Tx, key string, members ...string) {
	t.Helper()
	list := make([]Scored, len(members))
	for i, m := range members {
		list[i] = Scored{[]byte(m), float64(i)}
	}
	if _, _, err := tx.ZAdd(0, []byte(key), list, 0); err != nil {
		t.Fatal(err)
	}
}

// sortedRefusals are what commands on sorted sets refuse, on a store that has a
// sorted set "z", with an infinite score of "i", and a string "s".
var sortedRefusals = []struct {
	name string
	want error
	run  func(t *Tx) error
}{
	{"ZADD", ErrWrongType, func(t *Tx) error { _, _, err := t.ZAdd(0, []byte("s"), []Scored{{[]byte("m"), 1}}, 0); return err }},
	{"ZADD XX", ErrWrongType, func(t *Tx) error {
		_, _, err := t.ZAdd(0, []byte("s"), []Scored{{[]byte("m"), 1}}, ZAddXX)
		return err
	}},
	{"ZINCRBY", ErrWrongType, func(t *Tx) error { _, _, err := t.ZIncrBy(0, []byte("s"), []byte("m"), 1, 0); return err }},
	{"ZINCRBY of infinity by its opposite", ErrNaN, func(t *Tx) error {
		_, _, err := t.ZIncrBy(0, []byte("z"), []byte("i"), math.Inf(-1), 0)
		return err
	}},
	{"ZREM", ErrWrongType, func(t *Tx) error { _, err := t.ZRem(0, []byte("s"), keysOf("m")); return err }},
	{"ZPOPMIN", ErrWrongType, func(t *Tx) error { _, err := t.ZPop(0, []byte("s"), 1, false); return err }},
	{"ZREMRANGEBYRANK", ErrWrongType, func(t *Tx) error { _, err := t.ZRemRange(0, []byte("s"), &SortedRange{Stop: -1}); return err }},
	{"ZRANGESTORE", ErrWrongType, func(t *Tx) error {
		_, err := t.ZRangeStore(0, []byte("z"), []byte("s"), &SortedRange{Stop: -1})
		return err
	}},
	{"ZUNIONSTORE", ErrWrongType, func(t *Tx) error { _, err := t.ZCombine(0, keysOf("z", "s")); return err }},
	{"ZCARD", ErrWrongType, func(t *Tx) error { _, err := t.ZCard(0, []byte("s")); return err }},
	{"ZSCORE", ErrWrongType, func(t *Tx) error { _, _, err := t.ZScore(0, []byte("s"), nil); return err }},
	{"ZMSCORE", ErrWrongType, func(t *Tx) error {
		return t.ZMScore(0, []byte("s"), keysOf("m"), func(float64, bool) { panic("visited") })
	}},
	{"ZRANK", ErrWrongType, func(t *Tx) error { _, _, _, err := t.ZRank(0, []byte("s"), nil, false); return err }},
	{"ZRANGE", ErrWrongType, func(t *Tx) error { _, _, err := t.ZRange(0, []byte("s"), &SortedRange{}); return err }},
	{"ZRANDMEMBER", ErrWrongType, func(t *Tx) error { _, _, err := t.ZRandMember(0, []byte("s"), 1); return err }},
}

func TestRefusedSortedCommandsChangeNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range sortedRefusals {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			events := 0
			s := newStore(Config{Event: func(int, EventClass, string, string) { events++ }})
			tx := s.BeginAll()
			defer tx.End()
			set(tx, 0, "s", "text")
			zadd(t, tx, "z", "a", "b")
			if _, _, err := tx.ZIncrBy(0, []byte("z"), []byte("i"), math.Inf(1), 0); err != nil {
				t.Fatal(err)
			}
			s.SetEventMask(EventAll | EventNew | EventKeyevent)
			before, size := dump(tx), s.Bytes()
			if err := tt.run(tx); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if got := dump(tx); !maps.Equal(got, before) || s.Bytes() != size || events != 0 {
				t.Errorf("got %v, %d bytes, %d events, want %v, %d bytes, none", got, s.Bytes(), events, before, size)
			}
			checkBytes(t, s)
		})
	}
}

func TestSortedWritesOverTheMemoryLimitChangeNothing(t *testing.T) {
	t.Parallel()
	large := bytes.Repeat([]byte("x"), 5000)
	for name, run := range map[string]func(t *Tx) error{
		"ZADD of a new key": func(t *Tx) error { _, _, err := t.ZAdd(0, []byte("new"), []Scored{{[]byte("m"), 1}}, 0); return err },
		"ZADD whose first member would fit": func(t *Tx) error {
			_, _, err := t.ZAdd(0, []byte("z"), []Scored{{[]byte("m"), 1}, {large, 1}}, 0)
			return err
		},
		"ZINCRBY": func(t *Tx) error { _, _, err := t.ZIncrBy(0, []byte("z"), large, 1, 0); return err },
		"ZRANGESTORE": func(t *Tx) error {
			_, err := t.ZRangeStore(0, []byte("s"), []byte("z"), &SortedRange{Stop: -1})
			return err
		},
		"ZUNIONSTORE": func(t *Tx) error {
			c, err := t.ZCombine(0, keysOf("z", "z"))
			if err != nil {
				return err
			}
			_, err = t.ZStore(0, []byte("new"), c.Union(AggregateSum), "zunionstore")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(Config{})
			tx := s.BeginAll()
			defer tx.End()
			set(tx, 0, "s", "text")
			zadd(t, tx, "z", "a", "b", string(large[:2000]))
			before, size := dump(tx), s.Bytes()
			s.SetMaxMemory(size)
			if err := run(tx); !errors.Is(err, ErrOOM) {
				t.Errorf("got %v, want %v", err, ErrOOM)
			}
			if got := dump(tx); !maps.Equal(got, before) || s.Bytes() != size {
				t.Errorf("got %v, %d bytes, want %v, %d bytes", got, s.Bytes(), before, size)
			}
			s.SetMaxMemory(10 * size)
			if err := run(tx); err != nil {
				t.Errorf("with room: got %v", err)
			}
			checkBytes(t, s)
		})
	}
}

// What takes away needs no memory.
func TestRemovalsAreNeverRefusedForMemory(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	zadd(t, tx, "z", "a", "b", "c", "d")
	s.SetMaxMemory(1)
	_, errRem := tx.ZRem(0, []byte("z"), keysOf("a"))
	_, errPop := tx.ZPop(0, []byte("z"), 1, true)
	_, errRange := tx.ZRemRange(0, []byte("z"), &SortedRange{Stop: -1})
	if err := errors.Join(errRem, errPop, errRange); err != nil || tx.Exists(0, []byte("z")) {
		t.Errorf("got %v, exists %v", err, tx.Exists(0, []byte("z")))
	}
	checkBytes(t, s)
}

// No command adds more than it has reserved, so that the limit holds.
func TestASortedSetGrowsByNoMoreThanWasReserved(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 5, 64, 65, 200} {
		z, compact := new(sorted), &DefaultCompact
		for i := range 300 {
			member := fmt.Appendf(nil, "%0*d", size, i)
			before, reserved := z.bytes(), z.growth([]Scored{{member, float64(i)}})
			z.set(member, float64(i), compact)
			if got := z.bytes() - before; got > reserved {
				t.Errorf("member %d of %d bytes: grew by %d, reserved %d", i, size, got, reserved)
			}
		}
	}
}

func TestMembersByNameWhereScoresAreEqual(t *testing.T) {
	t.Parallel()
	for name, compact := range map[string]Compact{"packed": DefaultCompact, "spread": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(Config{})
			s.SetCompact(compact)
			tx := s.BeginAll()
			defer tx.End()
			if _, _, err := tx.ZAdd(0, []byte("z"), []Scored{{[]byte("b"), 0}, {[]byte("a"), 0}, {[]byte("c"), 0}, {nil, 0}, {[]byte("ab"), 0}}, 0); err != nil {
				t.Fatal(err)
			}
			for _, tt := range []struct{ min, max, want string }{
				{"-", "+", "=0 a=0 ab=0 b=0 c=0 "},
				{"[a", "[b", "a=0 ab=0 b=0 "},
				{"(a", "(b", "ab=0 "},
				{"[", "(a", "=0 "},
				{"(", "[aa", "a=0 "},
				{"[d", "+", ""},
				{"+", "-", ""},
				{"-", "-", ""},
				{"[c", "[a", ""},
			} {
				from, errFrom := ParseMemberBound([]byte(tt.min))
				to, errTo := ParseMemberBound([]byte(tt.max))
				if err := errors.Join(errFrom, errTo); err != nil {
					t.Fatal(err)
				}
				if got := textOf(t, tx, "z", &SortedRange{By: RangeByMember, MinMember: from, MaxMember: to}); got != tt.want {
					t.Errorf("%s to %s: got %q, want %q", tt.min, tt.max, got, tt.want)
				}
			}
		})
	}
	for _, text := range []string{"", "a", "++", "--", "+a"} {
		if _, err := ParseMemberBound([]byte(text)); !errors.Is(err, ErrMemberBound) {
			t.Errorf("%q: got %v, want %v", text, err, ErrMemberBound)
		}
	}
}

func TestEveryMemberMayBeChosen(t *testing.T) {
	t.Parallel()
	const members, draws = 20, 20_000
	for name, compact := range map[string]Compact{"packed": DefaultCompact, "spread": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(Config{})
			s.SetCompact(compact)
			tx := s.BeginAll()
			defer tx.End()
			for i := range members {
				zadd(t, tx, "z", fmt.Sprint("m", i))
			}
			for _, count := range []int64{1, 5, 19, -1, -7} {
				chosen := map[string]int{}
				total := 0
				for total < draws {
					n, list, err := tx.ZRandMember(0, []byte("z"), count)
					if err != nil || n != max(count, -count) {
						t.Fatalf("got %d, %v", n, err)
					}
					different := map[string]bool{}
					for member := range list {
						chosen[string(member)]++
						different[string(member)] = true
						total++
						n--
					}
					if n != 0 || count > 0 && len(different) != int(count) {
						t.Fatalf("count %d: %d are missing, %d different", count, n, len(different))
					}
				}
				for i := range members {
					got := float64(chosen[fmt.Sprint("m", i)])
					if want := float64(total) / members; math.Abs(got-want) > 6*math.Sqrt(want) {
						t.Errorf("count %d: m%d was chosen %v times, want about %v", count, i, got, want)
					}
				}
			}
			n, list, _ := tx.ZRandMember(0, []byte("z"), members+5)
			for range list {
				n--
			}
			if n != 0 {
				t.Errorf("more than there are: %d missing", n)
			}
		})
	}
}

// A member that is there all the time is visited, whatever comes and goes meanwhile.
func TestAScanOfASortedSetMissesNothing(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	for i := range 1000 {
		zadd(t, tx, "z", fmt.Sprint("stays", i), fmt.Sprint("goes", i))
	}
	found := map[string]string{}
	for cursor, step := uint64(0), 0; step == 0 || cursor != 0; step++ {
		list, ok, err := tx.Elements(0, []byte("z"), TypeSorted)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		cursor = list.Scan(cursor, 10, func(member, score []byte) { found[string(member)] = string(score) })
		if _, err := tx.ZRem(0, []byte("z"), keysOf(fmt.Sprint("goes", 7*step%1000), fmt.Sprint("goes", 11*step%1000))); err != nil {
			t.Fatal(err)
		}
		if step%3 == 0 {
			zadd(t, tx, "z", fmt.Sprint("new", step))
		}
	}
	for i := range 1000 {
		if got, ok := found[fmt.Sprint("stays", i)]; !ok || got != "0" {
			t.Fatalf("stays%d: got %q, %v", i, got, ok)
		}
	}
	checkBytes(t, s)
}

// What was taken out stays as it was, though the set changes.
func TestPoppedMembersStayValid(t *testing.T) {
	t.Parallel()
	for name, compact := range map[string]Compact{"packed": DefaultCompact, "spread": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(Config{})
			s.SetCompact(compact)
			tx := s.BeginAll()
			defer tx.End()
			zadd(t, tx, "z", "first", "second", "third", "fourth")
			list, err := tx.ZPop(0, []byte("z"), 2, false)
			if err != nil {
				t.Fatal(err)
			}
			zadd(t, tx, "z", "XXXXX", "YYYYYY", "ZZZZZ")
			if got := fmt.Sprintf("%s %s", list[0].Member, list[1].Member); got != "first second" {
				t.Errorf("got %s, want first second", got)
			}
		})
	}
}

func TestSamplesAreDifferentNumbers(t *testing.T) {
	t.Parallel()
	for count := range 10 {
		list := sample(count, 10)
		slices.Sort(list)
		if len(slices.Compact(list)) != count || count > 0 && (list[0] < 0 || list[count-1] > 9) {
			t.Errorf("got %v, want %d different ones", list, count)
		}
	}
}
