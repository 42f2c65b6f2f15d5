package kv

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// seconds is a clock that tests turn. The store has to be ticked for its stamps.
type seconds struct{ now int64 }

func (c *seconds) pass(s *Store, n int64) {
	c.now += n * 1000
	s.tick()
}

// evicting returns a store without a goroutine on a clock of its own.
func evicting(p Policy, limit int64) (*Store, *seconds) {
	c := &seconds{1_700_000_000_000}
	return newStore(Config{
		Now: func() int64 { return c.now }, MaxMemory: limit, Eviction: Eviction{Policy: p, LogFactor: 10, DecayTime: 1},
	}), c
}

// write makes room and stores a value of some bytes, as a server does.
func write(s *Store, key string, size int, ttl int64) error {
	if !s.MakeRoom() {
		return ErrOOM
	}
	tx := s.Begin(0, keysOf(key))
	defer tx.End()
	var o SetOptions
	if ttl != 0 {
		o.Deadline = tx.Now() + ttl
	}
	_, err := tx.Set(0, []byte(key), make([]byte, size), o)
	return err
}

func has(s *Store, key string) bool {
	tx := s.Begin(0, keysOf(key))
	defer tx.End()
	return tx.Exists(0, []byte(key))
}

func use(s *Store, key string) bool {
	tx := s.Begin(0, keysOf(key))
	defer tx.End()
	_, ok, _ := tx.Get(0, []byte(key))
	return ok
}

func TestEvictionKeepsTheStoreWithinItsLimit(t *testing.T) {
	t.Parallel()
	for _, p := range Policies {
		if p == PolicyNoEviction {
			continue
		}
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			const limit, size = 1 << 20, 500
			s, c := evicting(p, limit)
			for i := range 100 {
				put(s, i%3, fmt.Sprint("forever", i), 0)
			}
			for i := range 5000 {
				if i%100 == 0 {
					c.pass(s, 1)
				}
				if err := write(s, fmt.Sprint("k", i), size, 1e6+int64(i)); err != nil {
					t.Fatal(err)
				}
				if got := s.Bytes(); got > limit+2*size+4096 {
					t.Fatalf("after %d keys: got %d bytes, limit %d", i, got, limit)
				}
			}
			checkBytes(t, s)
			st := s.Stats()
			left := st.Databases[0].Keys + st.Databases[1].Keys + st.Databases[2].Keys
			if got := int(st.Evicted) + left; got != 5100 || st.Expired != 0 {
				t.Errorf("got %d evicted, %d expired, %d left; want 5100 together", st.Evicted, st.Expired, left)
			}
			if forever := left - st.Databases[0].Expires; p.volatile() && forever != 100 {
				t.Errorf("got %d keys without a time to live, want all 100", forever)
			}
			if left < 1000 {
				t.Errorf("got %d keys left, want as many as fit", left)
			}
		})
	}
}

func TestWithoutAKeyThatMayGoThereIsNoRoom(t *testing.T) {
	t.Parallel()
	for _, p := range []Policy{PolicyVolatileLRU, PolicyVolatileLFU, PolicyVolatileRandom, PolicyVolatileTTL} {
		s, _ := evicting(p, 0)
		for i := range 50 {
			put(s, 0, fmt.Sprint("stays", i), 0)
		}
		put(s, 3, "goes", 1e6)
		s.SetMaxMemory(100)
		before := len(contents(s))
		if s.MakeRoom() {
			t.Errorf("%s: got room", p)
		}
		if got := len(contents(s)); got != before-1 || s.Stats().Evicted != 1 {
			t.Errorf("%s: got %d keys, %d evicted, want %d and 1", p, got, s.Stats().Evicted, before-1)
		}
		s.SetMaxMemory(0)
		if !s.MakeRoom() {
			t.Errorf("%s: got no room without a limit", p)
		}
	}
}

func TestVolatileTTLEvictsInTheOrderOfTheDeadlines(t *testing.T) {
	t.Parallel()
	rec := &recorder{}
	s := newStore(Config{Eviction: Eviction{Policy: PolicyVolatileTTL}, Event: rec.event})
	const n = 300
	for i := range n {
		put(s, i%4, fmt.Sprint("k", i), 1e6+int64(i*7919%n)*1000)
	}
	for i := range n / 10 { // deadlines that were taken back leave the shards' marks too early
		tx := s.BeginAll()
		tx.Persist(i*10%4, fmt.Append(nil, "k", i*10))
		tx.End()
	}
	s.SetEventMask(EventEvicted | EventKeyevent)
	s.SetMaxMemory(1)
	for s.MakeRoom() { // a writer does a part of it only
	}
	events, _ := rec.take()
	var want []string
	for at := range n {
		for i := range n {
			if i*7919%n == at && i%10 != 0 {
				want = append(want, fmt.Sprint(i%4, " evicted k", i))
			}
		}
	}
	if !slices.Equal(events, want) {
		t.Errorf("got  %q\nwant %q", events, want)
	}
	checkBytes(t, s)
}

func TestAKeyWhoseTimeHasPassedIsExpiredAndNotEvicted(t *testing.T) {
	t.Parallel()
	for _, p := range []Policy{PolicyVolatileTTL, PolicyVolatileRandom, PolicyAllKeysLRU, PolicyAllKeysLFU} {
		s, c := evicting(p, 0)
		put(s, 0, "k", 1000)
		c.pass(s, 2)
		s.SetMaxMemory(1)
		s.MakeRoom()
		if st := s.Stats(); st.Expired != 1 || st.Evicted != 0 {
			t.Errorf("%s: got %d expired, %d evicted", p, st.Expired, st.Evicted)
		}
	}
}

func TestWhatIsEvictedIsToldInOrder(t *testing.T) {
	t.Parallel()
	var told []string
	s := newStore(Config{
		Eviction: Eviction{Policy: PolicyAllKeysRandom},
		Event:    func(db int, _ EventClass, event, key string) { told = append(told, fmt.Sprint(db, event, key)) },
		Touched:  func(db int, key []byte, exists bool) { told = append(told, fmt.Sprint(db, string(key), exists)) },
	})
	put(s, 2, "k", 0)
	var w Watcher
	tx := s.Begin(2, keysOf("k"))
	tx.Watch(&w, 2, []byte("k"))
	tx.End()
	s.Follow(true)
	s.SetEventMask(EventEvicted | EventKeyspace)
	s.SetMaxMemory(1)
	s.MakeRoom()
	if got := strings.Join(told, ", "); got != "2kfalse, 2evictedk" {
		t.Errorf("got %s", got)
	}
	tx = s.BeginKeys(&w, nil)
	defer tx.End()
	if !tx.Dirty(&w) {
		t.Error("the watcher does not know")
	}
}

func TestOneEvictsForAllWhoComeTogether(t *testing.T) {
	t.Parallel()
	const limit, size, writers = 2 << 20, 400, 8
	s, _ := evicting(PolicyAllKeysLRU, limit)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range 2000 {
				if err := write(s, fmt.Sprint(w, "-", i), size, 0); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	checkBytes(t, s)
	if got := s.Bytes(); got > limit+writers*(size+200)+4096 || got < limit-writers*(size+200)-4096 {
		t.Errorf("got %d bytes, want about %d", got, limit)
	}
}

func TestALowerLimitIsReachedWithoutAWriter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Eviction: Eviction{Policy: PolicyAllKeysLRU}})
		defer s.Close()
		for i := range 5000 {
			put(s, 0, fmt.Sprint("k", i), 0)
		}
		limit := s.Bytes() / 2
		s.SetMaxMemory(limit)
		synctest.Wait()
		if got := s.Bytes(); got > limit {
			t.Errorf("got %d bytes, limit %d", got, limit)
		}
		s.SetEviction(Eviction{Policy: PolicyNoEviction})
		s.SetMaxMemory(limit / 2)
		synctest.Wait()
		if got := s.Bytes(); got < limit/2 {
			t.Errorf("noeviction: got %d bytes, want more than %d", got, limit/2)
		}
		s.SetEviction(Eviction{Policy: PolicyAllKeysRandom})
		synctest.Wait()
		if got := s.Bytes(); got > limit/2 {
			t.Errorf("another policy: got %d bytes, limit %d", got, limit/2)
		}
	})
}

// Whoever writes first after the limit was lowered does not pay for all of it, but
// nobody makes it worse.
func TestAWriterEvictsForAsMuchAsWasWritten(t *testing.T) {
	t.Parallel()
	s, _ := evicting(PolicyAllKeysRandom, 0)
	const n = 30_000
	for i := range n {
		put(s, 0, fmt.Sprint("k", i), 0)
	}
	s.SetMaxMemory(s.Bytes() / 10)
	if !s.MakeRoom() || s.roomy() {
		t.Fatalf("got %d evicted at once, want a part of %d", s.Stats().Evicted, n)
	}
	before := s.Bytes()
	tx := s.Begin(0, keysOf("large"))
	set(tx, 0, "large", string(make([]byte, 1<<20)))
	tx.End()
	if !s.MakeRoom() || s.Bytes() > before {
		t.Errorf("got %d bytes, want at most %d", s.Bytes(), before)
	}
	checkBytes(t, s)
}

// EXEC sets the limit with locks held that an eviction may wait for.
func TestALimitIsSetWhileAnotherEvicts(t *testing.T) {
	t.Parallel()
	s, _ := evicting(PolicyAllKeysLRU, 100_000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 3000 {
			if err := write(s, fmt.Sprint("k", i), 300, 0); err != nil && !errors.Is(err, ErrOOM) {
				t.Error(err)
			}
		}
	}()
	for i := int64(0); ; i++ {
		tx := s.BeginAll()
		s.SetMaxMemory(100_000 + i%2*1000)
		s.SetEviction(Eviction{Policy: Policies[i%7]})
		tx.End()
		select {
		case <-done:
			checkBytes(t, s)
			return
		default:
		}
	}
}

func TestAnImportEvicts(t *testing.T) {
	t.Parallel()
	from := newStore(Config{})
	for i := range 1000 {
		put(from, 0, fmt.Sprint("k", i), 0)
	}
	limit := from.Bytes() / 2
	to, _ := evicting(PolicyAllKeysLRU, limit)
	restore(t, to, export(t, from))
	if got := to.Bytes(); got > limit+4096 || to.Stats().Evicted == 0 {
		t.Errorf("got %d bytes, %d evicted; limit %d", got, to.Stats().Evicted, limit)
	}
	full, _ := evicting(PolicyVolatileLRU, 100)
	im := full.Import()
	if err := im.Record(export(t, from)[0]); err != nil {
		t.Fatal(err)
	}
	if err := im.Record(export(t, from)[1]); !errors.Is(err, ErrOOM) {
		t.Errorf("without a key that may go: got %v, want %v", err, ErrOOM)
	}
}
