package kv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// algebra are the commands, and what they mean: whether a member that is in these of the sets is in the result.
var algebra = []struct {
	name  string
	visit func(t *Tx, keys [][]byte, visit func(member []byte) bool) error
	store func(t *Tx, key []byte, keys [][]byte) (int, error)
	is    func(in []bool) bool
}{
	{
		"SINTER", func(t *Tx, keys [][]byte, visit func([]byte) bool) error { return t.SInter(0, keys, visit) },
		func(t *Tx, key []byte, keys [][]byte) (int, error) { return t.SInterStore(0, key, keys) },
		func(in []bool) bool { return !slices.Contains(in, false) },
	},
	{
		"SUNION", func(t *Tx, keys [][]byte, visit func([]byte) bool) error { return t.SUnion(0, keys, visit) },
		func(t *Tx, key []byte, keys [][]byte) (int, error) { return t.SUnionStore(0, key, keys) },
		func(in []bool) bool { return slices.Contains(in, true) },
	},
	{
		"SDIFF", func(t *Tx, keys [][]byte, visit func([]byte) bool) error { return t.SDiff(0, keys, visit) },
		func(t *Tx, key []byte, keys [][]byte) (int, error) { return t.SDiffStore(0, key, keys) },
		func(in []bool) bool { return in[0] && !slices.Contains(in[1:], true) },
	},
}

// randomSets fills the keys 0 to 5, of which some get no member.
func randomSets(t *testing.T, tx *Tx, rnd *rand.Rand) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	for k := range 6 {
		key := strconv.Itoa(k)
		all[key] = map[string]bool{}
		texts, size := rnd.IntN(3) == 0, []int{0, 1, 5, 10, 200}[rnd.IntN(5)]
		tx.Delete(0, []byte(key))
		for range size {
			m := randomMember(rnd, texts, 2+2*size)
			all[key][m] = true
			if _, err := tx.SAdd(0, []byte(key), keysOf(m)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

func TestSetsAreCombinedByTheirMeaning(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 8))
	s := newStore(Config{Compact: few})
	tx := s.BeginAll()
	defer tx.End()
	for range 500 {
		all := randomSets(t, tx, rnd)
		var keys []string
		for range 1 + rnd.IntN(5) {
			keys = append(keys, strconv.Itoa(rnd.IntN(6)))
		}
		command := algebra[rnd.IntN(3)]
		want := map[string]bool{}
		for _, one := range all {
			for m := range one {
				in := make([]bool, len(keys))
				for i, k := range keys {
					in[i] = all[k][m]
				}
				if command.is(in) {
					want[m] = true
				}
			}
		}
		got := []string{}
		if err := command.visit(tx, keysOf(keys...), func(m []byte) bool {
			got = append(got, string(m))
			return true
		}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		if !slices.Equal(got, sortedKeys(want)) {
			t.Fatalf("%s %v of %v: got %v", command.name, keys, all, got)
		}
		first := 0
		_ = command.visit(tx, keysOf(keys...), func([]byte) bool {
			first++
			return false
		})
		if first != min(1, len(want)) {
			t.Fatalf("%s %v: %d visits after the end was asked for", command.name, keys, first)
		}
		to := strconv.Itoa(rnd.IntN(8)) // also one of the keys
		n, err := command.store(tx, []byte(to), keysOf(keys...))
		if err != nil || n != len(want) || !slices.Equal(membersOf(t, tx, to), sortedKeys(want)) || tx.Exists(0, []byte(to)) != (n > 0) {
			t.Fatalf("%s of %v: got %d, %v, want %d", command.name, keys, n, err, len(want))
		}
		checkBytes(t, s)
	}
}

func TestCountingEndsAtTheLimit(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	_, _ = tx.SAdd(0, []byte("a"), keysOf("1", "2", "3", "x"))
	_, _ = tx.SAdd(0, []byte("b"), keysOf("1", "2", "3"))
	for limit, want := range []int64{3, 1, 2, 3, 3} {
		if got, err := tx.SInterCard(0, keysOf("a", "b"), int64(limit)); got != want || err != nil {
			t.Errorf("limit %d: got %d, %v, want %d", limit, got, err, want)
		}
	}
}

// collectionRefusals are writes on a store that has a full hash "h", a set "s" and a string "t".
var collectionRefusals = []struct {
	name string
	want error
	run  func(t *Tx) error
}{
	{"HSET of another type", ErrWrongType, func(t *Tx) error { _, err := t.HSet(0, []byte("t"), keysOf("f", "v")); return err }},
	{"HSETNX of another type", ErrWrongType, func(t *Tx) error { _, err := t.HSetNX(0, []byte("s"), nil, nil); return err }},
	{"HDEL of another type", ErrWrongType, func(t *Tx) error { _, err := t.HDel(0, []byte("s"), keysOf("1")); return err }},
	{"HINCRBY of a text", ErrHashInteger, func(t *Tx) error { _, err := t.HIncrBy(0, []byte("h"), []byte("text"), 1); return err }},
	{"HINCRBY of nothing but a field", ErrHashInteger, func(t *Tx) error { _, err := t.HIncrBy(0, []byte("h"), []byte("empty"), 1); return err }},
	{"HINCRBY beyond 64 bits", ErrOverflow, func(t *Tx) error { _, err := t.HIncrBy(0, []byte("h"), []byte("n"), 1<<63-1); return err }},
	{"HINCRBY below 64 bits", ErrOverflow, func(t *Tx) error { _, err := t.HIncrBy(0, []byte("h"), []byte("m"), -1<<63); return err }},
	{"HINCRBY of another type", ErrWrongType, func(t *Tx) error { _, err := t.HIncrBy(0, []byte("t"), []byte("n"), 1); return err }},
	{"HINCRBYFLOAT of a text", ErrHashFloat, func(t *Tx) error { _, err := t.HIncrByFloat(0, []byte("h"), []byte("text"), []byte("1")); return err }},
	{"HINCRBYFLOAT by a text", ErrNotFloat, func(t *Tx) error { _, err := t.HIncrByFloat(0, []byte("h"), []byte("n"), []byte("x")); return err }},
	{"HINCRBYFLOAT by infinity", ErrNotFinite, func(t *Tx) error { _, err := t.HIncrByFloat(0, []byte("t"), []byte("n"), []byte("inf")); return err }},
	{"HINCRBYFLOAT of infinity", ErrInfinite, func(t *Tx) error { _, err := t.HIncrByFloat(0, []byte("h"), []byte("inf"), []byte("1")); return err }},
	{"SADD to another type", ErrWrongType, func(t *Tx) error { _, err := t.SAdd(0, []byte("h"), keysOf("1")); return err }},
	{"SREM of another type", ErrWrongType, func(t *Tx) error { _, err := t.SRem(0, []byte("h"), keysOf("text")); return err }},
	{"SPOP of another type", ErrWrongType, func(t *Tx) error { _, _, err := t.SPop(0, []byte("h")); return err }},
	{"SPOP of several of another type", ErrWrongType, func(t *Tx) error { return t.SPopCount(0, []byte("h"), 9, nil, nil) }},
	{"SMOVE from another type", ErrWrongType, func(t *Tx) error { _, err := t.SMove(0, []byte("h"), []byte("s"), []byte("text")); return err }},
	{"SMOVE to another type", ErrWrongType, func(t *Tx) error { _, err := t.SMove(0, []byte("s"), []byte("t"), []byte("1")); return err }},
	{"SINTERSTORE of another type", ErrWrongType, func(t *Tx) error { _, err := t.SInterStore(0, []byte("s"), keysOf("none", "h")); return err }},
	{"SDIFFSTORE of another type", ErrWrongType, func(t *Tx) error { _, err := t.SDiffStore(0, []byte("s"), keysOf("none", "h")); return err }},
}

// collectionGrowths are writes for which a store that is full has no room.
var collectionGrowths = map[string]func(t *Tx) error{
	"HSET of a new key": func(t *Tx) error { _, err := t.HSet(0, []byte("new"), keysOf("f", "v")); return err },
	"HSET whose first pair fits": func(t *Tx) error {
		_, err := t.HSet(0, []byte("h"), [][]byte{[]byte("n"), []byte("6"), []byte("b"), make([]byte, 5000)})
		return err
	},
	"HSETNX":            func(t *Tx) error { _, err := t.HSetNX(0, []byte("h"), []byte("b"), make([]byte, 5000)); return err },
	"HINCRBY":           func(t *Tx) error { _, err := t.HIncrBy(0, []byte("new"), []byte("n"), 1); return err },
	"HINCRBYFLOAT":      func(t *Tx) error { _, err := t.HIncrByFloat(0, []byte("new"), []byte("n"), []byte("1")); return err },
	"SADD of a new key": func(t *Tx) error { _, err := t.SAdd(0, []byte("new"), keysOf("1")); return err },
	"SADD of a text":    func(t *Tx) error { _, err := t.SAdd(0, []byte("s"), keysOf("4", "text")); return err },
	"SUNIONSTORE":       func(t *Tx) error { _, err := t.SUnionStore(0, []byte("t"), keysOf("s")); return err },
}

func collections(tx *Tx) {
	set(tx, 0, "t", "text")
	_, _ = tx.HSet(0, []byte("h"), keysOf("n", "5", "m", "-1", "text", "x", "empty", "", "inf", "inf"))
	_, _ = tx.SAdd(0, []byte("s"), keysOf("1", "2", "3"))
}

func TestRefusedWritesToCollectionsChangeNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range collectionRefusals {
		events := 0
		s := newStore(Config{Event: func(int, EventClass, string, string) { events++ }})
		tx := s.BeginAll()
		collections(tx)
		s.SetEventMask(EventAll | EventNew | EventKeyevent)
		before, bytes := dump(tx), s.Bytes()
		if err := tt.run(tx); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
		if got := dump(tx); fmt.Sprint(got) != fmt.Sprint(before) || s.Bytes() != bytes || events != 0 {
			t.Errorf("%s: got %v, %d bytes, %d events, want %v, %d bytes, none", tt.name, got, s.Bytes(), events, before, bytes)
		}
		checkBytes(t, s)
		tx.End()
	}
}

func TestCollectionsThatDoNotFitChangeNothing(t *testing.T) {
	t.Parallel()
	for name, run := range collectionGrowths {
		s := newStore(Config{})
		tx := s.BeginAll()
		collections(tx)
		before, size := dump(tx), s.Bytes()
		s.SetMaxMemory(size)
		if err := run(tx); !errors.Is(err, ErrOOM) {
			t.Errorf("%s: got %v, want %v", name, err, ErrOOM)
		}
		if got := dump(tx); fmt.Sprint(got) != fmt.Sprint(before) || s.Bytes() != size {
			t.Errorf("%s: got %v, %d bytes, want %v, %d bytes", name, got, s.Bytes(), before, size)
		}
		for _, free := range []func() error{
			func() error { _, err := tx.SMove(0, []byte("s"), []byte("moved"), []byte("1")); return err },
			func() error { _, err := tx.HDel(0, []byte("h"), keysOf("n", "m")); return err },
			func() error { _, err := tx.SRem(0, []byte("s"), keysOf("2")); return err },
			func() error { _, _, err := tx.SPop(0, []byte("s")); return err },
		} {
			if err := free(); err != nil {
				t.Errorf("what takes away: got %v", err)
			}
		}
		s.SetMaxMemory(10 * size)
		collections(tx)
		if err := run(tx); err != nil {
			t.Errorf("%s, with room: got %v", name, err)
		}
		checkBytes(t, s)
		tx.End()
	}
}
