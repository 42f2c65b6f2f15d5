package kv

import (
	"math"
	"runtime"
	"time"
)

const (
	// stepKeys and stepTime bound how long a step of the expiry goroutine holds a shard's lock:
	// after stepTime it deletes at most stepCheck keys more.
	stepKeys  = 128
	stepCheck = 8
	stepTime  = 50 * time.Microsecond

	// pauseRetry is when Config.Pause is asked again.
	pauseRetry = 5 * time.Millisecond

	// maxSleep bounds the sleep: the clock may be set, and entries are stamped with seconds.
	maxSleep = time.Second
)

// wakeBy has the expiry goroutine awake at the deadline.
//
// Invariant: no deadline is missed. The command stores shard.next and then looks
// at wake; the goroutine raises wake and then looks at every shard.next (nap).
// One of the two sees what the other did.
func (s *Store) wakeBy(deadline int64) {
	if deadline < s.wake.Load() {
		s.kickExpiry()
	}
}

// kickExpiry wakes the expiry goroutine, which also evicts.
func (s *Store) kickExpiry() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// expireLoop deletes what has expired, and evicts what writers had no time for,
// until Close.
func (s *Store) expireLoop() {
	defer close(s.stopped)
	timer := time.NewTimer(maxSleep)
	defer timer.Stop()
	for {
		s.tick()
		rest := s.nap(s.sweep())
		if s.relieve() {
			rest = 0
		}
		timer.Reset(rest)
		select {
		case <-s.stop:
			return
		case <-s.kick:
		case <-timer.C:
		}
	}
}

// nap returns how long the goroutine may sleep, and publishes it in wake.
func (s *Store) nap(paused bool) time.Duration {
	if paused {
		return pauseRetry
	}
	s.wake.Store(math.MaxInt64)
	next := int64(math.MaxInt64)
	for i := range s.shards {
		next = min(next, s.shards[i].next.Load())
	}
	s.wake.Store(next)
	now := s.cfg.Now()
	if next-now >= maxSleep.Milliseconds() {
		return maxSleep
	}
	return max(0, time.Duration(next-now)*time.Millisecond)
}

// sweep deletes, step by step, all keys whose deadline has passed. It goes round
// the shards, so that whoever waits for one gets it between two steps. paused
// says that it gave up because Config.Pause asked for it.
func (s *Store) sweep() (paused bool) {
	var keys []string
	for more := true; more; {
		more = false
		now := s.cfg.Now()
		for i := range s.shards {
			sh := &s.shards[i]
			if sh.next.Load() > now {
				continue
			}
			if s.cfg.Pause != nil && s.cfg.Pause() {
				return true
			}
			keys = s.expireStep(sh, now, keys[:0])
			more = more || sh.next.Load() <= now
			if s.cfg.Expired != nil && len(keys) > 0 {
				s.cfg.Expired(keys)
				clear(keys)
			}
			select {
			case <-s.stop:
				return false
			default:
				runtime.Gosched()
			}
		}
	}
	return false
}

// expireStep deletes some expired keys of a shard. It appends them to keys, if
// anybody wants to know.
func (s *Store) expireStep(sh *shard, now int64, keys []string) []string {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	start := time.Now()
	left := stepKeys
	next := int64(math.MaxInt64)
	for db, sp := range sh.spaces {
		if sp == nil {
			continue
		}
		x, ok := sp.deadlines.first()
		for ; ok && x.at <= now && left > 0; x, ok = sp.deadlines.first() {
			if s.cfg.Expired != nil {
				keys = append(keys, string(x.e.key()))
			}
			s.expire(sh, sp, x.e, db)
			if left--; left%stepCheck == 0 && time.Since(start) > stepTime {
				left = 0
			}
		}
		if ok {
			next = min(next, x.at)
		}
		s.settle(sp)
	}
	sh.next.Store(next)
	return keys
}

// expire deletes an entry whose deadline has passed, and reports it.
func (s *Store) expire(sh *shard, sp *space, e *entry, db int) {
	sp.remove(e)
	sh.expired++
	sh.touched(db, e.key(), false)
	s.event(db, EventExpired, "expired", e.key())
}

// replaceExpired deletes p.e, which has expired, for a write that is about to
// store the key anew.
func (t *Tx) replaceExpired(p *place, db int) {
	t.s.expire(p.sh, p.sp, p.e, db)
	p.e = nil
}
