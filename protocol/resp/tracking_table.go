package resp

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"fanfare/kv"
)

// Limits of the table besides tracking-table-max-keys, which bounds neither how long
// keys are nor how many clients have each.
const (
	maxTrackedItems = 16 << 20  // pairs of key and connection
	maxTrackedBytes = 256 << 20 // of keys
)

// trackingTable knows which connections may have kept what a key held. It has a
// stripe for each shard of the store, so that their locks never wait for each other
// but for forgetAny.
//
// What belongs to a connection that has gone stays until its key changes, as in
// Redis, or until there is more of that than of everything else.
type trackingTable struct {
	stripes [kv.Shards]trackingStripe
	keys    atomic.Int64
	items   atomic.Int64
	bytes   atomic.Int64
	dead    atomic.Int64 // about how many items belong to connections that have gone
}

type trackingStripe struct {
	mu   sync.Mutex
	keys map[string]trackers // guarded by mu
	_    [48]byte            // two stripes never share a cache line
}

// trackers is a set. Most keys have been read by one connection.
type trackers struct {
	one  *tracker
	more map[*tracker]struct{} // the others; nil: none
}

func (h *trackers) has(t *tracker) bool {
	_, more := h.more[t]
	return more || h.one == t
}

func (h *trackers) len() int { return 1 + len(h.more) }

func (h *trackers) each(f func(*tracker)) {
	f(h.one)
	for t := range h.more {
		f(t)
	}
}

// add remembers that t has read a key.
func (x *trackingTable) add(shard int, key []byte, t *tracker) {
	s := &x.stripes[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	h, known := s.keys[string(key)]
	switch {
	case !known:
		if s.keys == nil {
			s.keys = map[string]trackers{}
		}
		h.one = t
		x.keys.Add(1)
		x.bytes.Add(int64(len(key)))
	case h.has(t):
		return
	case h.more == nil:
		h.more = map[*tracker]struct{}{t: {}}
	default:
		h.more[t] = struct{}{}
	}
	s.keys[string(key)] = h
	x.items.Add(1)
	t.items.Add(1)
}

// forget takes a key out and tells those who have it.
func (x *trackingTable) forget(shard int, key []byte, tell func(*tracker, *invalidation)) {
	s := &x.stripes[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, known := s.keys[string(key)]; known {
		x.take(s, string(key), h, tell)
	}
}

// take is called with the stripe locked. That those who have the key are told before
// it is unlocked keeps a change of the key from passing while they are not.
func (x *trackingTable) take(s *trackingStripe, key string, h trackers, tell func(*tracker, *invalidation)) {
	delete(s.keys, key)
	x.keys.Add(-1)
	x.bytes.Add(-int64(len(key)))
	m := invalidation{keys: []string{key}}
	h.each(func(t *tracker) {
		x.drop(t)
		tell(t, &m)
	})
}

// drop counts an item that goes.
func (x *trackingTable) drop(t *tracker) {
	x.items.Add(-1)
	t.items.Add(-1)
	if t.conn.Load() == nil {
		x.dead.Add(-1)
	}
}

// over says whether there is more than is allowed; 0 keys: any number.
func (x *trackingTable) over(keys int64) bool {
	return keys > 0 && x.keys.Load() > keys || x.items.Load() > maxTrackedItems || x.bytes.Load() > maxTrackedBytes
}

// forgetAny forgets a key of no particular choice.
func (x *trackingTable) forgetAny(tell func(*tracker, *invalidation)) {
	first := rand.IntN(kv.Shards) // #nosec G404 -- no secret
	for i := range kv.Shards {
		s := &x.stripes[(first+i)%kv.Shards]
		if x.forgetAnyOf(s, tell) {
			return
		}
	}
}

func (x *trackingTable) forgetAnyOf(s *trackingStripe, tell func(*tracker, *invalidation)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, h := range s.keys { // begins anywhere
		x.take(s, key, h, tell)
		return true
	}
	return false
}

// clear forgets all keys.
func (x *trackingTable) clear() {
	for i := range x.stripes {
		s := &x.stripes[i]
		s.mu.Lock()
		for key, h := range s.keys {
			x.keys.Add(-1)
			x.bytes.Add(-int64(len(key)))
			h.each(x.drop)
		}
		s.keys = nil
		s.mu.Unlock()
	}
}

// sweepFrom is how many items of connections that have gone are put up with anyway.
const sweepFrom = 1 << 12

// leave is told that a connection has gone.
func (x *trackingTable) leave(t *tracker) {
	if dead := x.dead.Add(t.items.Load()); dead > sweepFrom && dead > x.items.Load()/2 {
		x.dead.Store(0)
		x.sweep()
	}
}

// sweep takes out what belongs to connections that have gone, stripe by stripe.
func (x *trackingTable) sweep() {
	for i := range x.stripes {
		x.sweepStripe(&x.stripes[i])
	}
}

func (x *trackingTable) sweepStripe(s *trackingStripe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, h := range s.keys {
		var kept trackers
		h.each(func(t *tracker) {
			switch {
			case t.conn.Load() == nil:
				x.items.Add(-1)
				t.items.Add(-1)
			case kept.one == nil:
				kept.one = t
			case kept.more == nil:
				kept.more = map[*tracker]struct{}{t: {}}
			default:
				kept.more[t] = struct{}{}
			}
		})
		switch {
		case kept.one == nil:
			delete(s.keys, key)
			x.keys.Add(-1)
			x.bytes.Add(-int64(len(key)))
		case kept.len() != h.len():
			s.keys[key] = kept
		}
	}
}
