package kv

import (
	"math"
	"math/rand/v2"
)

// The exact order of use of all keys would cost two pointers a key and a lock of
// its own. Redis' way costs neither and comes near it: of a few random keys, and
// of the best that former samples have left in a pool, the worst goes.

// crowd knows how many keys of each shard may be evicted, so that each key is as
// likely to be looked at as any other. It is a few evictions old.
type crowd struct {
	keys   [shardCount]int
	total  int
	left   int // choices until it is counted anew
	policy Policy
}

// crowdAge is how many choices are made with one count.
const crowdAge = 256

// choose returns a shard, by the number of its keys; -1: none has a key that may go.
func (c *crowd) choose(s *Store, p Policy) int {
	if c.left <= 0 || c.policy != p {
		c.recount(s, p)
	}
	if c.total == 0 {
		return -1
	}
	c.left--
	n := rand.IntN(c.total) //nolint:gosec // no secret
	for i, keys := range c.keys {
		if n -= keys; n < 0 {
			return i
		}
	}
	return -1
}

// forget has the keys counted before the next choice.
func (c *crowd) forget() { c.left = 0 }

func (c *crowd) recount(s *Store, p Policy) {
	*c = crowd{left: crowdAge, policy: p}
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		c.keys[i] = sh.evictable(p)
		sh.mu.Unlock()
		c.total += c.keys[i]
	}
	c.left = min(c.left, c.total) // few keys: soon wrong
}

// evictable is the number of keys that may go.
func (sh *shard) evictable(p Policy) (n int) {
	for _, sp := range sh.spaces {
		n += sp.evictable(p)
	}
	return n
}

func (sp *space) evictable(p Policy) int {
	switch {
	case sp == nil:
		return 0
	case p.volatile():
		return sp.deadlines.count
	}
	return sp.keys.count
}

// draw returns a random entry that may go; nil: there is none.
func (sh *shard) draw(p Policy) (db int, e *entry) {
	n := sh.evictable(p)
	if n == 0 {
		return 0, nil
	}
	n = rand.IntN(n) //nolint:gosec // no secret
	for db, sp := range sh.spaces {
		count := sp.evictable(p)
		switch {
		case n >= count:
			n -= count
		case p.volatile():
			return db, sp.deadlines.get(n).e
		default:
			return db, sp.keys.random()
		}
	}
	return 0, nil
}

// poolSize is how many candidates are kept from one eviction to the next.
const poolSize = 16

// pool has the worst keys that the samples have found, the very worst last.
type pool struct {
	list   [poolSize]candidate
	n      int
	policy Policy // the scores are its
}

// candidate is a key that may go. It is named and not pointed to, because it may be
// changed or gone when its turn comes.
type candidate struct {
	score uint32 // the higher the sooner
	db    int
	key   []byte
}

// add takes a key into the pool if it is worse than the best there.
func (p *pool) add(score uint32, db int, key []byte) {
	at := p.n
	for at > 0 && p.list[at-1].score > score {
		at--
	}
	free := p.n
	if p.n == poolSize {
		if at == 0 {
			return
		}
		at, free = at-1, 0 // the best makes room
	} else {
		p.n++
	}
	// The buffer of the one that leaves is used again.
	buffer := p.list[free].key[:0]
	if free < at {
		copy(p.list[free:at], p.list[free+1:at+1])
	} else {
		copy(p.list[at+1:free+1], p.list[at:free])
	}
	if cap(buffer) > keptKey {
		buffer = nil
	}
	p.list[at] = candidate{score, db, append(buffer, key...)}
}

// keptKey bounds the buffers of a pool.
const keptKey = 256

// worst takes the worst one out. It is valid until add.
func (p *pool) worst() (c *candidate, ok bool) {
	if p.n == 0 {
		return nil, false
	}
	p.n--
	return &p.list[p.n], true
}

// score says how soon an entry is to go. It is the same for an entry until it is
// used again, and less from then on (only a counter's decay raises it).
func (s *Store) score(p *Eviction, e *entry) uint32 {
	now := s.seconds.Load()
	if p.Policy.counts() {
		return math.MaxUint8 - uint32(e.decayed(now, p.DecayTime))
	}
	return math.MaxUint32 - (now - e.idle(now))
}

// evictWorst takes a sample and deletes the worst key of the pool.
func (s *Store) evictWorst(p *Eviction) bool {
	v := &s.evictor
	if v.pool.policy != p.Policy {
		v.pool.n, v.pool.policy = 0, p.Policy
	}
	for {
		i := v.crowd.choose(s, p.Policy)
		if i < 0 {
			return false
		}
		if !s.shards[i].sample(p, &v.pool) {
			v.crowd.forget()
			continue
		}
		for c, ok := v.pool.worst(); ok; c, ok = v.pool.worst() {
			if s.evictCandidate(p, c) {
				return true
			}
		}
	}
}

// sample takes some of the shard's keys into the pool; false: there is none.
func (sh *shard) sample(p *Eviction, to *pool) (found bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for range p.Samples {
		db, e := sh.draw(p.Policy)
		if e == nil {
			return false
		}
		to.add(sh.s.score(p, e), db, e.key())
	}
	return true
}

// evictCandidate deletes a candidate, unless it is gone or was used since it was
// found.
func (s *Store) evictCandidate(p *Eviction, c *candidate) bool {
	i, h := s.hash(c.key)
	sh := &s.shards[i]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sp := sh.spaces[c.db]
	if sp == nil {
		return false
	}
	e := sp.keys.find(h, c.key)
	if e == nil || p.Policy.volatile() && e.due == 0 || s.score(p, e) < c.score {
		return false
	}
	sh.evict(c.db, e)
	return true
}
