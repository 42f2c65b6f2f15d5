package kv

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Eviction is done by whoever is about to write, before it takes a lock, and one
// at a time: who has waited for another's evictions mostly finds that there is
// room. What a writer has no time for is left to the expiry goroutine.
//
// The commands themselves never evict. A transaction holds the locks of its own
// keys only, and a key that it is about to write must not go under its hands.

const (
	// evictTime is how long a writer evicts for what others have left.
	evictTime = 500 * time.Microsecond
	// evictCheck is how many evictions there are between two looks at the clock.
	evictCheck = 16
)

// evictor is what the evictions of a store share.
type evictor struct {
	ceiling atomic.Int64 // Bytes as the last writer left it; see evictSome

	mu    sync.Mutex // held before a shard's
	pool  pool
	crowd crowd
}

// MakeRoom deletes keys by the policy until Bytes is at most MaxMemory, and is to
// be called before a command that may grow the store, with no Tx open. False: the
// store is over its limit and there is no key that may go; the command is to be refused
// with ErrOOM. With PolicyNoEviction it does nothing and returns true: the
// write itself is refused then.
//
// It takes at most half a millisecond where the limit was lowered: the rest is then done
// in the background. But what the store has grown by since is always made up for, so
// that a limit is passed by no more than the commands that run at one time. Events:
// evicted, or expired where a key's time had passed.
func (s *Store) MakeRoom() bool {
	if s.roomy() {
		return true
	}
	s.evictor.mu.Lock()
	defer s.evictor.mu.Unlock()
	return s.evictSome()
}

// roomy says that there is nothing to evict for.
func (s *Store) roomy() bool {
	limit := s.limit.Load()
	return limit == 0 || s.bytes.Load() <= limit || !s.evicts.Load()
}

// evictSome evicts until there is room, or evictTime has passed and the store is no
// larger than the last caller left it. It returns false if no key may go. The
// evictor is locked.
func (s *Store) evictSome() bool {
	v := &s.evictor
	defer func() { v.ceiling.Store(s.bytes.Load()) }()
	began := time.Now()
	for n := 1; !s.roomy(); n++ {
		if !s.evictOne() {
			return false
		}
		if n%evictCheck == 0 && s.bytes.Load() <= v.ceiling.Load() && time.Since(began) > evictTime {
			s.kickExpiry()
			return true
		}
	}
	return true
}

// relax lets writers take their time with what the store is over a limit that has
// just been set. It takes no lock: EXEC may call it, which holds some.
func (s *Store) relax() {
	s.evictor.ceiling.Store(s.bytes.Load())
	if !s.roomy() {
		s.kickExpiry()
	}
}

// relieve is the expiry goroutine's part: it evicts a little and says whether there
// is more to do.
func (s *Store) relieve() (more bool) {
	if s.roomy() || s.cfg.Pause != nil && s.cfg.Pause() {
		return false
	}
	return s.MakeRoom() && !s.roomy()
}

// evictOne deletes the key that is to go next; false: there is none.
func (s *Store) evictOne() bool {
	p := s.eviction.Load()
	switch {
	case p.Policy == PolicyVolatileTTL:
		return s.evictFirstDue()
	case p.Policy.random():
		return s.evictAny(p)
	}
	return s.evictWorst(p)
}

// evictAny deletes a random key.
func (s *Store) evictAny(p *Eviction) bool {
	for {
		i := s.evictor.crowd.choose(s, p.Policy)
		if i < 0 {
			return false
		}
		if s.shards[i].evictAny(p) {
			return true
		}
		s.evictor.crowd.forget()
	}
}

func (sh *shard) evictAny(p *Eviction) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	db, e := sh.draw(p.Policy)
	if e != nil {
		sh.evict(db, e)
	}
	return e != nil
}

// evictFirstDue deletes the key that would expire first of all.
func (s *Store) evictFirstDue() bool {
	for {
		first, next := -1, int64(math.MaxInt64)
		for i := range s.shards {
			if at := s.shards[i].next.Load(); at < next {
				first, next = i, at
			}
		}
		if first < 0 {
			return false
		}
		if s.shards[first].evictFirstDue(next) {
			return true
		}
	}
}

// evictFirstDue deletes the shard's earliest key unless it is later than next, which
// is then put right: deadlines that were taken back leave it too early.
func (sh *shard) evictFirstDue(next int64) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	db, x := sh.firstDue()
	due := x.e != nil && x.at <= next
	if due {
		sh.evict(db, x.e)
		_, x = sh.firstDue()
	}
	if x.e == nil {
		x.at = math.MaxInt64
	}
	sh.next.Store(x.at)
	return due
}

// firstDue returns the earliest deadline of the shard; without an entry: there is none.
func (sh *shard) firstDue() (db int, first due) {
	for i, sp := range sh.spaces {
		if sp == nil {
			continue
		}
		if x, ok := sp.deadlines.first(); ok && (first.e == nil || x.at < first.at) {
			db, first = i, x
		}
	}
	return db, first
}

// evict deletes an entry for want of room, and reports it. The shard is locked.
func (sh *shard) evict(db int, e *entry) {
	sp := sh.spaces[db]
	if at := sp.deadlines.at(e); at != 0 && at <= sh.s.cfg.Now() {
		sh.s.expire(sh, sp, e, db)
	} else {
		sp.remove(e)
		sh.evicted++
		sh.touched(db, e.key(), false)
		sh.s.event(db, EventEvicted, "evicted", e.key())
	}
	sh.s.settle(sp)
}
