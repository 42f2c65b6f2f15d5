package kv

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// stage stores a value in two steps and in parts.
func stage(t *testing.T, s *Store, key, value string, deadline int64) (existed bool) {
	t.Helper()
	k := []byte(key)
	tx := s.Begin(0, [][]byte{k})
	defer tx.End()
	staged, err := tx.Stage(0, k, len(value))
	if err != nil {
		t.Fatal(err)
	}
	half := len(value) / 2
	staged.Put(deadline, []byte(value[:half]), nil, []byte(value[half:]))
	return staged.Existed
}

// Two stores that get the same values, one by Set and one by Stage and Put, are the
// same, to the byte and to the event.
func TestStageAndPutDoAsSet(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	now := int64(1000)
	var one, two recorder
	mask := EventKeyevent | EventString | EventGeneric | EventNew | EventExpired
	a := newStore(Config{Event: one.event, Now: func() int64 { return now }})
	b := newStore(Config{Event: two.event, Now: func() int64 { return now }})
	b.seed = a.seed // the same keys stand together
	a.SetEventMask(mask)
	b.SetEventMask(mask)
	for i := range 3000 {
		now += int64(rnd.IntN(3))
		key, value := fmt.Sprint("k", rnd.IntN(200)), fmt.Sprint(i, string(bytes.Repeat([]byte("v"), rnd.IntN(300))))
		deadline := int64(0)
		if rnd.IntN(2) == 0 {
			deadline = now + int64(rnd.IntN(400)) - 20
		}
		tx := a.Begin(0, [][]byte{[]byte(key)})
		r, err := tx.Set(0, []byte(key), []byte(value), SetOptions{Deadline: deadline})
		tx.End()
		if got := stage(t, b, key, value, deadline); err != nil || got != r.Existed {
			t.Fatalf("step %d: existed: got %v, want %v (%v)", i, got, r.Existed, err)
		}
		if a.Bytes() != b.Bytes() {
			t.Fatalf("step %d: bytes: got %d, want %d", i, b.Bytes(), a.Bytes())
		}
	}
	wantEvents, _ := one.take()
	if got, _ := two.take(); !slices.Equal(got, wantEvents) {
		t.Error("the events are not those of Set")
	}
	x, y := a.BeginAll(), b.BeginAll()
	defer x.End()
	defer y.End()
	for i := range 200 {
		key := fmt.Append(nil, "k", i)
		v, ok, _ := x.Get(0, key)
		w, got, _ := y.Get(0, key)
		if ok != got || !bytes.Equal(v, w) || x.Deadline(0, key) != y.Deadline(0, key) {
			t.Errorf("%s: got %q, want %q", key, w, v)
		}
	}
	checkBytes(t, b)
}

// A stage that is refused changes nothing, also not a value that has expired.
func TestARefusedStageChangesNothing(t *testing.T) {
	t.Parallel()
	now := int64(1000)
	var r recorder
	s := newStore(Config{MaxMemory: 40_000, Event: r.event, Now: func() int64 { return now }})
	s.SetEventMask(EventKeyevent | EventExpired)
	stage(t, s, "kept", "value", 0)
	stage(t, s, "ends", "value", 5000)
	stage(t, s, "ended", "value", 2000)
	now = 3000
	before := s.Bytes()
	for _, key := range []string{"kept", "ends", "ended", "new"} {
		tx := s.Begin(0, [][]byte{[]byte(key)})
		if _, err := tx.Stage(0, []byte(key), 60_000); !errors.Is(err, ErrOOM) {
			t.Errorf("%s: got %v, want %v", key, err, ErrOOM)
		}
		tx.End()
	}
	if events, _ := r.take(); s.Bytes() != before || len(events) != 0 {
		t.Errorf("bytes: got %d, want %d; events %q", s.Bytes(), before, events)
	}
	tx := s.BeginAll()
	defer tx.End()
	if get(tx, 0, "kept") != "value" || tx.Deadline(0, []byte("ends")) != 5000 || tx.Exists(0, []byte("new")) {
		t.Error("a refused stage changed something")
	}
	checkBytes(t, s)
}

// What a stage that is given up has taken is given back.
func TestAStageThatIsGivenUpLeaksNothing(t *testing.T) {
	t.Parallel()
	s := newStore(Config{MaxMemory: 100_000})
	key := []byte("key")
	stage(t, s, "key", "value", 0)
	want := s.Bytes()
	for range 100 { // each would take a third of the limit
		tx := s.Begin(0, [][]byte{key})
		if _, err := tx.Stage(0, key, 30_000); err != nil {
			t.Fatal(err)
		}
		tx.End()
		stage(t, s, "key", "other", 0)
	}
	if s.Bytes() != want {
		t.Errorf("bytes: got %d, want %d", s.Bytes(), want)
	}
	tx := s.Begin(0, [][]byte{key})
	if _, err := tx.Stage(0, key, 30_000); err != nil {
		t.Fatal(err)
	}
	tx.Delete(0, key) // another change than a write
	tx.End()
	if got := s.Bytes(); got >= want {
		t.Errorf("bytes without the key: got %d, with it %d", got, want)
	}
	checkBytes(t, s)
}

// A value that has expired and is still there is replaced as if it were not.
func TestAStagePutsInThePlaceOfWhatHasExpired(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, s *Store, r *recorder) {
		stage(t, s, "key", "old", time.Now().UnixMilli()+1000)
		r.take()
		<-time.After(time.Second) // the expiry goroutine may come before or after
		if stage(t, s, "key", "new", 0) {
			t.Error("what has expired does not exist")
		}
		pass(time.Minute)
		tx := s.BeginAll()
		defer tx.End()
		if got := get(tx, 0, "key"); got != "new" || tx.Deadline(0, []byte("key")) != TTLNoDeadline {
			t.Errorf("got %q, deadline %d", got, tx.Deadline(0, []byte("key")))
		}
		if events, _ := r.take(); len(events) != 1 || events[0] != "0 expired key" {
			t.Errorf("events: got %q, want one expiry", events)
		}
		checkBytes(t, s)
	})
}
