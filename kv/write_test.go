package kv

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// dump is all that a client can see of a store.
func dump(t *Tx) map[string]string {
	all := map[string]string{}
	for db := range t.s.cfg.Databases {
		t.Each(db, func(key []byte, typ Type) {
			p := t.find(db, key)
			all[fmt.Sprint(db, "/", string(key))] = fmt.Sprint(typ, p.e.kind, " ", exportOf(p.e), " ", p.sp.deadlines.at(p.e))
		})
	}
	return all
}

// exportOf is all there is to say of an entry's value.
func exportOf(e *entry) string {
	var x exports
	x.add(e, 0, 0)
	return string(x.data)
}

// refusals are the writes that have something to refuse, on a store that has
// "n" 5, "s" text and "o", which is of another type.
var refusals = []struct {
	name string
	want error
	run  func(t *Tx) error
}{
	{"INCRBY of a text", ErrNotInteger, func(t *Tx) error { _, err := t.IncrBy(0, []byte("s"), 1); return err }},
	{"INCRBY beyond 64 bits", ErrOverflow, func(t *Tx) error { _, err := t.IncrBy(0, []byte("n"), 1<<63-1); return err }},
	{"INCRBY of another type", ErrWrongType, func(t *Tx) error { _, err := t.IncrBy(0, []byte("o"), 1); return err }},
	{"INCRBYFLOAT of a text", ErrNotFloat, func(t *Tx) error { _, err := t.IncrByFloat(0, []byte("s"), []byte("1")); return err }},
	{"INCRBYFLOAT by a text", ErrNotFloat, func(t *Tx) error { _, err := t.IncrByFloat(0, []byte("n"), []byte("x")); return err }},
	{"INCRBYFLOAT to infinity", ErrInfinite, func(t *Tx) error { _, err := t.IncrByFloat(0, []byte("n"), []byte("inf")); return err }},
	{"INCRBYFLOAT of another type", ErrWrongType, func(t *Tx) error { _, err := t.IncrByFloat(0, []byte("o"), []byte("1")); return err }},
	{"APPEND to another type", ErrWrongType, func(t *Tx) error { _, err := t.Append(0, []byte("o"), []byte("x")); return err }},
	{"APPEND over the limit", ErrStringTooLong, func(t *Tx) error { _, err := t.Append(0, []byte("s"), make([]byte, 1000)); return err }},
	{"SETRANGE of another type", ErrWrongType, func(t *Tx) error { _, err := t.SetRange(0, []byte("o"), 0, []byte("x")); return err }},
	{"SETRANGE over the limit", ErrStringTooLong, func(t *Tx) error { _, err := t.SetRange(0, []byte("s"), 1000, []byte("x")); return err }},
	{"SETRANGE of a new key over the limit", ErrStringTooLong, func(t *Tx) error { _, err := t.SetRange(0, []byte("x"), 1<<62, []byte("x")); return err }},
	{"RENAME of nothing", ErrNoKey, func(t *Tx) error { _, err := t.Rename(0, []byte("x"), []byte("s"), false); return err }},
}

func TestRefusedWritesChangeNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			events := 0
			s := newStore(Config{MaxString: 1000, Event: func(int, EventClass, string, string) { events++ }})
			tx := s.BeginAll()
			defer tx.End()
			set(tx, 0, "n", "5")
			set(tx, 0, "s", "text")
			if _, err := tx.HSet(0, []byte("o"), [][]byte{[]byte("f"), []byte("v")}); err != nil {
				t.Fatal(err)
			}
			s.SetEventMask(EventAll | EventNew | EventKeyevent)
			before, bytes := dump(tx), s.Bytes()
			if err := tt.run(tx); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if got := dump(tx); fmt.Sprint(got) != fmt.Sprint(before) || s.Bytes() != bytes || events != 0 {
				t.Errorf("got %v, %d bytes, %d events, want %v, %d bytes, none", got, s.Bytes(), events, before, bytes)
			}
			checkBytes(t, s)
		})
	}
}

func TestWritesOverTheMemoryLimitChangeNothing(t *testing.T) {
	t.Parallel()
	large := bytes.Repeat([]byte("x"), 5000)
	for name, run := range map[string]func(t *Tx) error{
		"INCRBY":      func(t *Tx) error { _, err := t.IncrBy(0, []byte("new"), 1); return err },
		"INCRBYFLOAT": func(t *Tx) error { _, err := t.IncrByFloat(0, []byte("new"), []byte("1")); return err },
		"APPEND":      func(t *Tx) error { _, err := t.Append(0, []byte("s"), large); return err },
		"SETRANGE":    func(t *Tx) error { _, err := t.SetRange(0, []byte("s"), 1, large); return err },
		"SETRANGE behind the end": func(t *Tx) error {
			_, err := t.SetRange(0, []byte("s"), 5000, []byte("x"))
			return err
		},
		"MSET whose first pair would fit": func(t *Tx) error { return t.MSet(0, [][]byte{[]byte("s"), []byte("TEXT"), []byte("b"), large}) },
		"MSETNX":                          func(t *Tx) error { _, err := t.MSetNX(0, [][]byte{[]byte("b"), large}); return err },
		"COPY": func(t *Tx) error {
			_, err := t.Copy(Key{0, []byte("l")}, Key{1, []byte("s")}, true)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(Config{})
			tx := s.BeginAll()
			defer tx.End()
			set(tx, 0, "s", "text")
			set(tx, 0, "l", string(large))
			set(tx, 1, "s", "other")
			before, size := dump(tx), s.Bytes()
			s.SetMaxMemory(size)
			if err := run(tx); !errors.Is(err, ErrOOM) {
				t.Errorf("got %v, want %v", err, ErrOOM)
			}
			if got := dump(tx); fmt.Sprint(got) != fmt.Sprint(before) || s.Bytes() != size {
				t.Errorf("got %v, %d bytes, want %v, %d bytes", got, s.Bytes(), before, size)
			}
			s.SetMaxMemory(10 * size)
			if err := run(tx); err != nil {
				t.Errorf("with room: got %v", err)
			}
			checkBytes(t, s)
			if s.SetMaxMemory(-1); s.MaxMemory() != 0 {
				t.Errorf("without a limit: got %d", s.MaxMemory())
			}
		})
	}
}

// RENAME and MOVE are how an operator makes order in a store that is full.
func TestRenameAndMoveAreNeverRefusedForMemory(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	set(tx, 0, "k", "v")
	s.SetMaxMemory(1)
	if ok, err := tx.Rename(0, []byte("k"), bytes.Repeat([]byte("K"), 1000), false); !ok || err != nil {
		t.Errorf("rename: got %v, %v", ok, err)
	}
	if !tx.Move(0, 1, bytes.Repeat([]byte("K"), 1000)) {
		t.Error("move: got false")
	}
	checkBytes(t, s)
}

func TestASpareByteIsNotWorthAnError(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	set(tx, 0, "k", strings.Repeat("v", 3000))
	s.SetMaxMemory(s.Bytes() + 1500)
	if n, err := tx.Append(0, []byte("k"), make([]byte, 1000)); n != 4000 || err != nil {
		t.Errorf("got %d, %v, want 4000", n, err)
	}
	checkBytes(t, s)
}

func TestAppendCopiesSeldom(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	key, blocks, was := []byte("k"), 0, (*byte)(nil)
	for range 1 << 16 {
		if _, err := tx.Append(0, key, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if at := &tx.find(0, key).e.block[0]; at != was {
			was = at
			blocks++
		}
	}
	if v, _, _ := tx.Get(0, key); len(v) != 1<<16 || len(bytes.Trim(v, "x")) > 0 {
		t.Errorf("got %d bytes", len(v))
	}
	if blocks > 20 {
		t.Errorf("blocks for 65,536 appends: got %d, want at most 20", blocks)
	}
	checkBytes(t, s)
}

func TestReadsAndWritesInPlaceAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := newStore(Config{})
	keys := keysOf("counter", "a", "b", "c")
	tx := s.BeginAll()
	for _, k := range keys {
		set(tx, 0, string(k), "100000")
	}
	tx.End()
	for name, tt := range map[string]struct {
		want float64
		run  func(t *Tx)
	}{
		"SET of the same size": {0, func(t *Tx) { _, _ = t.Set(0, keys[0], []byte("123456"), SetOptions{}) }},
		"SET with GET":         {0, func(t *Tx) { _, _ = t.Set(0, keys[0], []byte("654321"), SetOptions{Get: true}) }},
		"INCR":                 {0, func(t *Tx) { _, _ = t.IncrBy(0, keys[0], 1) }},
		"MGET": {0, func(t *Tx) {
			for _, k := range keys {
				_, _, _ = t.Get(0, k)
			}
		}},
		"SETNX of a key that exists": {0, func(t *Tx) { _, _ = t.MSetNX(0, keys) }},
	} {
		got := testing.AllocsPerRun(1000, func() {
			t := s.Begin(0, keys)
			tt.run(t)
			t.End()
		})
		if got > tt.want {
			t.Errorf("%s: got %v allocations, want %v", name, got, tt.want)
		}
	}
}

func TestMemoryUsageIsThatOfTheAccount(t *testing.T) {
	t.Parallel()
	now := int64(5)
	s := newStore(Config{Now: func() int64 { return now }})
	tx := s.BeginAll()
	defer tx.End()
	if _, ok := tx.MemoryUsage(0, []byte("k")); ok {
		t.Error("of no key: got ok")
	}
	set(tx, 0, "k", strings.Repeat("v", 100))
	before := s.Bytes()
	small, _ := tx.MemoryUsage(0, []byte("k"))
	set(tx, 0, "k", strings.Repeat("v", 10_000))
	large, _ := tx.MemoryUsage(0, []byte("k"))
	if got, want := large-small, s.Bytes()-before; got != want {
		t.Errorf("growth: got %d, want %d", got, want)
	}
	tx.Expire(0, []byte("k"), 10, 0)
	if got, _ := tx.MemoryUsage(0, []byte("k")); got != large+dueBytes {
		t.Errorf("with a deadline: got %d, want %d", got, large+dueBytes)
	}
	now, tx.now = 10, 0
	if _, ok := tx.MemoryUsage(0, []byte("k")); ok {
		t.Error("of an expired key: got ok")
	}
}

func TestTheClassOfAnEventSaysWhereItGoes(t *testing.T) {
	t.Parallel()
	for mask, want := range map[EventClass]EventClass{
		EventAll | EventKeyspace:                 EventString | EventKeyspace,
		EventAll | EventKeyevent:                 EventString | EventKeyevent,
		EventAll | EventKeyevent | EventKeyspace: EventString | EventKeyspace | EventKeyevent,
	} {
		var got EventClass
		s := newStore(Config{Event: func(_ int, c EventClass, _, _ string) { got = c }})
		s.SetEventMask(mask)
		put(s, 0, "k", 0)
		if got != want {
			t.Errorf("mask %v: got %v, want %v", mask, got, want)
		}
	}
}

// What is moved about by many at once is neither lost nor doubled.
func TestKeysThatWanderStayOne(t *testing.T) {
	t.Parallel()
	s := New(Config{Databases: 2})
	defer s.Close()
	tx := s.BeginAll()
	set(tx, 0, "0", "treasure")
	tx.End()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 4))
			for range 3000 {
				from, to := fmt.Append(nil, rnd.IntN(8)), fmt.Append(nil, rnd.IntN(8))
				db := rnd.IntN(2)
				switch rnd.IntN(20) {
				case 0:
					tx := s.BeginAll()
					tx.SwapDatabases(0, 1)
					tx.End()
				case 1, 2:
					tx := s.Begin(db, [][]byte{from})
					tx.Move(db, 1-db, from)
					tx.End()
				default:
					tx := s.Begin(db, [][]byte{from, to})
					_, _ = tx.Rename(db, from, to, false)
					tx.End()
				}
			}
		})
	}
	wg.Wait()
	tx = s.BeginAll()
	defer tx.End()
	all := dump(tx)
	if len(all) != 1 || !strings.Contains(fmt.Sprint(all), "treasure") {
		t.Errorf("got %v, want one treasure", all)
	}
	checkBytes(t, s)
}

func TestEachVisitsEveryKeyOnce(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	visits := map[string]int{}
	for i := range 5000 {
		key := fmt.Sprint("key", i)
		visits[key] = 0
		set(tx, 3, key, "v")
	}
	tx.Each(3, func(key []byte, _ Type) { visits[string(key)]++ })
	for key, n := range visits {
		if n != 1 {
			t.Errorf("%s: got %d visits", key, n)
		}
	}
	if len(visits) != 5000 {
		t.Errorf("got %d keys", len(visits))
	}
}
