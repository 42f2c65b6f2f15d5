package kv

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// put stores key with a time to live in milliseconds (0: none).
func put(s *Store, db int, key string, ttl int64) {
	t := s.Begin(db, [][]byte{[]byte(key)})
	defer t.End()
	var o SetOptions
	if ttl != 0 {
		o.Deadline = t.Now() + ttl
	}
	if _, err := t.Set(db, []byte(key), []byte("v"), o); err != nil {
		panic(err)
	}
}

// recorder collects what the callbacks tell.
type recorder struct {
	mu      sync.Mutex
	events  []string
	expired []string
}

func (r *recorder) event(db int, _ EventClass, event, key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, fmt.Sprint(db, " ", event, " ", key))
}

func (r *recorder) keys(keys []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expired = append(r.expired, keys...)
}

func (r *recorder) take() (events, expired []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	events, expired = r.events, r.expired
	r.events, r.expired = nil, nil
	return events, expired
}

// pass lets the bubble's clock go on by d and everybody settle.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// bubble runs f in a synctest bubble with a store that records.
func bubble(t *testing.T, cfg Config, f func(t *testing.T, s *Store, r *recorder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		cfg.Event, cfg.Expired, cfg.Databases = r.event, r.keys, 1
		s := New(cfg)
		defer s.Close()
		s.SetEventMask(EventExpired | EventKeyevent)
		f(t, s, r)
	})
}

func wantLists(t *testing.T, r *recorder, wantEvents, wantExpired []string) {
	t.Helper()
	events, expired := r.take()
	if !slices.Equal(events, wantEvents) {
		t.Errorf("events: got %q, want %q", events, wantEvents)
	}
	if !slices.Equal(expired, wantExpired) {
		t.Errorf("expired: got %q, want %q", expired, wantExpired)
	}
}

func TestKeysAreDeletedInTheMillisecondOfTheirDeadline(t *testing.T) {
	t.Parallel()
	bubble(t, Config{}, func(t *testing.T, s *Store, r *recorder) {
		put(s, 0, "later", 5000)
		synctest.Wait()
		put(s, 0, "soon", 20) // earlier than what the goroutine sleeps for
		put(s, 0, "never", 0)
		pass(19 * time.Millisecond)
		wantLists(t, r, nil, nil)
		pass(time.Millisecond)
		wantLists(t, r, []string{"0 expired soon"}, []string{"soon"})
		pass(4979 * time.Millisecond)
		wantLists(t, r, nil, nil)
		pass(time.Millisecond)
		wantLists(t, r, []string{"0 expired later"}, []string{"later"})
		pass(time.Hour)
		wantLists(t, r, nil, nil)
		if st := s.Stats(); st.Expired != 2 || st.Databases[0] != (DatabaseStats{Keys: 1}) {
			t.Errorf("stats: got %+v, want 2 expired, 1 key", st)
		}
	})
}

func TestAKeyIsAbsentFromItsDeadlineOnWhileDeletionIsPaused(t *testing.T) {
	t.Parallel()
	var paused atomic.Bool
	paused.Store(true)
	bubble(t, Config{Pause: paused.Load}, func(t *testing.T, s *Store, r *recorder) {
		put(s, 0, "k", 10)
		pass(10 * time.Millisecond)
		tx := s.BeginAll()
		if _, ok, err := tx.Get(0, []byte("k")); ok || err != nil {
			t.Errorf("get: got %v, %v, want absent", ok, err)
		}
		if tx.Delete(0, []byte("k")) || tx.Persist(0, []byte("k")) || tx.Exists(0, []byte("k")) {
			t.Error("an expired key took part in a command")
		}
		if got := tx.Size(0); got != 1 {
			t.Errorf("size: got %d, want 1: nothing is deleted while paused", got)
		}
		tx.End()
		pass(time.Second)
		wantLists(t, r, nil, nil)
		paused.Store(false)
		pass(pauseRetry)
		wantLists(t, r, []string{"0 expired k"}, []string{"k"})
	})
}

func TestReplacingAnExpiredKeyReportsItOnceAndKeepsTheNewOne(t *testing.T) {
	t.Parallel()
	var paused atomic.Bool
	paused.Store(true)
	bubble(t, Config{Pause: paused.Load}, func(t *testing.T, s *Store, r *recorder) {
		s.SetEventMask(EventAll | EventNew | EventKeyMiss | EventKeyevent)
		put(s, 0, "k", 10)
		r.take()
		pass(10 * time.Millisecond)
		tx := s.Begin(0, [][]byte{[]byte("k")})
		res, err := tx.Set(0, []byte("k"), []byte("2"), SetOptions{KeepTTL: true, Get: true})
		if err != nil || !res.Done || res.Existed || res.Old != nil {
			t.Errorf("set: got %+v, %v, want done, nothing old", res, err)
		}
		if got := tx.Deadline(0, []byte("k")); got != TTLNoDeadline {
			t.Errorf("deadline: got %d, want none: KEEPTTL keeps no deadline of an expired key", got)
		}
		tx.End()
		paused.Store(false)
		pass(time.Minute)
		wantLists(t, r, []string{"0 expired k", "0 keymiss k", "0 new k", "0 set k"}, nil)
		if got := s.Stats().Expired; got != 1 {
			t.Errorf("expired: got %d, want 1", got)
		}
	})
}

func TestARenewedKeyDoesNotExpireAtItsOldDeadline(t *testing.T) {
	t.Parallel()
	bubble(t, Config{}, func(t *testing.T, s *Store, r *recorder) {
		put(s, 0, "lease", 100)
		for range 20 {
			pass(50 * time.Millisecond)
			put(s, 0, "lease", 100)
		}
		wantLists(t, r, nil, nil)
		pass(100 * time.Millisecond)
		wantLists(t, r, []string{"0 expired lease"}, []string{"lease"})
	})
}

func TestManyKeysExpireInTheOrderOfTheirDeadlines(t *testing.T) {
	t.Parallel()
	bubble(t, Config{}, func(t *testing.T, s *Store, r *recorder) {
		const n = 3000
		want := make([]string, n)
		for i := range n {
			want[i] = fmt.Sprint("k", i)
			put(s, 0, want[i], int64(10+i))
		}
		pass(n * time.Second)
		_, expired := r.take()
		if !slices.Equal(expired, want) {
			t.Errorf("got %d keys %.60q…, want all %d in order", len(expired), expired, n)
		}
		checkBytes(t, s)
	})
}

func TestExpiredCallbackMayUseTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s *Store
		n := 0
		ready := make(chan struct{})
		s = New(Config{Expired: func(keys []string) {
			<-ready
			for _, k := range keys {
				if n++; n < 5 {
					put(s, 0, k, 10)
				}
			}
		}})
		close(ready)
		defer s.Close()
		put(s, 0, "again", 10)
		pass(time.Second)
		if n != 5 {
			t.Errorf("expiries: got %d, want 5", n)
		}
	})
}

func TestTheGoroutineSleepsUntilTheNextDeadline(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64 // Pause is asked per step: a step is work
	cfg := Config{Pause: func() bool { asked.Add(1); return false }}
	bubble(t, cfg, func(t *testing.T, s *Store, _ *recorder) {
		for i := range 100 {
			put(s, 0, fmt.Sprint(i), time.Hour.Milliseconds())
		}
		pass(time.Hour - time.Millisecond)
		if got := asked.Load(); got != 0 {
			t.Errorf("steps before the deadline: got %d, want 0", got)
		}
		pass(time.Millisecond)
		if got := asked.Load(); got == 0 || got > shardCount {
			t.Errorf("steps at the deadline: got %d, want 1 to %d", got, shardCount)
		}
	})
}

func TestAClockThatJumpsIsNoticed(t *testing.T) {
	t.Parallel()
	var jump atomic.Int64
	now := func() int64 { return time.Now().UnixMilli() + jump.Load() }
	bubble(t, Config{Now: now}, func(t *testing.T, s *Store, r *recorder) {
		put(s, 0, "k", time.Hour.Milliseconds())
		pass(time.Second)
		jump.Store(time.Hour.Milliseconds())
		pass(maxSleep)
		wantLists(t, r, []string{"0 expired k"}, []string{"k"})
	})
}

func TestCloseEndsTheGoroutineAndMayBeRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		put(s, 0, "k", 10)
		s.Close()
		s.Close()
		<-time.After(time.Second)
		tx := s.BeginAll()
		defer tx.End()
		if tx.Exists(0, []byte("k")) || tx.Size(0) != 1 {
			t.Error("after Close an expired key is absent, but not deleted")
		}
	})
}

func TestOneStepIsBounded(t *testing.T) {
	t.Parallel()
	now := int64(1)
	s := newStore(Config{Now: func() int64 { return now }})
	for i := range 30000 {
		put(s, i%3, fmt.Sprint(i), 10)
	}
	now = 100
	sh := &s.shards[0]
	for steps := 1; sh.next.Load() <= now; steps++ {
		before := sh.expired
		s.expireStep(sh, now, nil)
		if n := sh.expired - before; n == 0 || n > stepKeys {
			t.Fatalf("step %d deleted %d keys, want 1 to %d", steps, n, stepKeys)
		}
	}
	for db := range 3 {
		if n := sh.spaces[db].keys.count; n != 0 {
			t.Errorf("database %d: %d expired keys left", db, n)
		}
	}
}
