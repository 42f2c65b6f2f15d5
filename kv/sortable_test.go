package kv

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// A list keeps its order, forwards and backwards, from any element on.
func TestSortableTakesPartsOfAList(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	if _, err := tx.StoreSorted(0, []byte("l"), slices.Values(keysOf("a", "b", "c", "d"))); err != nil {
		t.Fatal(err)
	}
	l, err := tx.Sortable(0, []byte("l"))
	if err != nil || l.Len != 4 || l.Type != TypeList {
		t.Fatalf("got %v with %d elements, %v; want a list with 4", l.Type, l.Len, err)
	}
	for _, tt := range []struct {
		reverse     bool
		from, count int
		want        string
	}{
		{false, 0, 4, "[a b c d]"}, {false, 1, 2, "[b c]"}, {false, 3, 9, "[d]"}, {false, 4, 1, "[]"},
		{true, 0, 4, "[d c b a]"}, {true, 1, 2, "[c b]"}, {true, 0, 0, "[]"},
	} {
		if got := fmt.Sprintf("%s", l.Elements(nil, tt.reverse, tt.from, tt.count)); got != tt.want {
			t.Errorf("%d from %d, reverse %v: got %s, want %s", tt.count, tt.from, tt.reverse, got, tt.want)
		}
	}
}

func TestOnlyCollectionsWithElementsAreSortable(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	set(tx, 0, "text", "v")
	if _, err := tx.HSet(0, []byte("hash"), keysOf("f", "v")); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"text", "hash"} {
		if _, err := tx.Sortable(0, []byte(key)); !errors.Is(err, ErrWrongType) {
			t.Errorf("%s: got %v, want %v", key, err, ErrWrongType)
		}
	}
	none, err := tx.Sortable(0, []byte("none"))
	if got := none.Elements(nil, false, 0, 9); err != nil || none.Len != 0 || len(got) != 0 {
		t.Errorf("a key that does not exist: got %d elements, %v; want none", none.Len, err)
	}
}

// What is sorted may be stored where it came from; nothing at all deletes.
func TestStoringWhatWasSorted(t *testing.T) {
	t.Parallel()
	var events []string
	s := newStore(Config{Event: func(_ int, _ EventClass, event, key string) { events = append(events, event+" "+key) }})
	s.SetEventMask(EventKeyevent | EventAll)
	tx := s.BeginAll()
	defer tx.End()
	key := []byte("l")
	set(tx, 0, "l", "v")
	tx.Expire(0, key, tx.Now()+1e6, 0)
	events = nil
	if n, err := tx.StoreSorted(0, key, slices.Values(keysOf("b", "a"))); n != 2 || err != nil {
		t.Fatalf("got %d, %v; want 2", n, err)
	}
	if got := tx.Deadline(0, key); got != TTLNoDeadline {
		t.Errorf("got a deadline %d, want none", got)
	}
	l, _ := tx.Sortable(0, key)
	if _, err := tx.StoreSorted(0, key, slices.Values(l.Elements(nil, true, 0, 2))); err != nil {
		t.Fatal(err)
	}
	if l, _ = tx.Sortable(0, key); fmt.Sprintf("%s", l.Elements(nil, false, 0, 2)) != "[a b]" {
		t.Errorf("got %s, want [a b]", l.Elements(nil, false, 0, 2))
	}
	for range 2 {
		if n, err := tx.StoreSorted(0, key, slices.Values([][]byte(nil))); n != 0 || err != nil {
			t.Errorf("got %d, %v; want 0", n, err)
		}
	}
	if got, want := fmt.Sprint(events), "[sortstore l sortstore l del l]"; got != want {
		t.Errorf("got events %s, want %s", got, want)
	}
	if got := s.Bytes(); got == 0 {
		t.Error("the account is empty, though the tables are there")
	}
}

// A refused STORE leaves everything as it was.
func TestStoringWhatWasSortedOverTheLimitChangesNothing(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	set(tx, 0, "l", "v")
	before, bytes := fmt.Sprint(dump(tx)), s.Bytes()
	s.SetMaxMemory(bytes)
	if _, err := tx.StoreSorted(0, []byte("l"), slices.Values(keysOf("one", "two"))); !errors.Is(err, ErrOOM) {
		t.Errorf("got %v, want %v", err, ErrOOM)
	}
	if got := fmt.Sprint(dump(tx)); got != before || s.Bytes() != bytes {
		t.Errorf("got %s in %d bytes, want %s in %d", got, s.Bytes(), before, bytes)
	}
}

func TestATxKnowsWhichShardsItHasLocked(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.Begin(0, keysOf("a", "b"))
	held := map[int]bool{}
	tx.EachShard(func(i int) { held[i] = true })
	tx.End()
	if !held[s.Shard([]byte("a"))] || !held[s.Shard([]byte("b"))] || len(held) > 2 {
		t.Errorf("got shards %v, want those of a and b", held)
	}
	count := 0
	all := s.BeginAll()
	all.EachShard(func(int) { count++ })
	all.End()
	if count != Shards {
		t.Errorf("got %d of all shards, want %d", count, Shards)
	}
}
