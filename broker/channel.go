package broker

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// holder owns the pointer to the set of subscriptions of one channel or
// pattern. The set is swapped under the log's lock, so that its position in the
// order of messages is known; it may be read without.
type holder struct {
	name string
	kind Kind
	set  atomic.Pointer[subscribers]
}

// channel is a name that messages are published to, or was lately.
type channel struct {
	holder
	formats formatSet             // those that can express the name
	match   atomic.Pointer[match] // the patterns that match, while the root is the same
	ruled   atomic.Pointer[ruled] // its rule, while the rules are the same
	pins    int                   // subscribers' hold; guarded by the stripe's lock
	dead    bool                  // left the table; guarded by the log's lock
}

// match is the result of a look-up in the pattern index.
type match struct {
	generation uint64 // of the root it was made from
	patterns   []*holder
}

// maxCachedPatterns bounds a match kept with a channel: somebody who subscribes
// to 100,000 patterns that all match must not fill the memory with results.
const maxCachedPatterns = 32

const (
	stripes = 64
	// maxIdle channels without subscribers are kept in all, to save publishers
	// the look-up of patterns that cost more than the rest of the publish.
	maxIdle = 65536
)

// channelTable finds channels by name. Channels that nothing pins stay until
// others push them out, so the table also is the cache of matches.
type channelTable struct {
	seed    maphash.Seed
	kind    Kind
	accepts func(name string) formatSet
	log     *log
	stripes [stripes]stripe
}

type stripe struct {
	mu   sync.RWMutex
	byID map[string]*channel
	idle int
}

func newChannelTable(kind Kind, l *log, accepts func(string) formatSet) *channelTable {
	t := &channelTable{seed: maphash.MakeSeed(), kind: kind, accepts: accepts, log: l}
	for i := range t.stripes {
		t.stripes[i].byID = make(map[string]*channel)
	}
	return t
}

func (t *channelTable) stripe(name string) *stripe {
	return &t.stripes[maphash.String(t.seed, name)%stripes]
}

// get returns the channel, made if it is not there. It may be dead by the time
// the caller holds the log's lock.
func (t *channelTable) get(name string) *channel {
	s := t.stripe(name)
	s.mu.RLock()
	c := s.byID[name]
	s.mu.RUnlock()
	if c != nil {
		return c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.getLocked(s, name)
}

func (t *channelTable) getLocked(s *stripe, name string) *channel {
	if c := s.byID[name]; c != nil {
		return c
	}
	c := &channel{formats: t.accepts(name)}
	// The caller's name may be a view of a read buffer.
	c.name, c.kind = string([]byte(name)), t.kind
	s.byID[c.name] = c
	s.idle++
	t.evict(s, c)
	return c
}

// evict removes an idle channel other than keep if the stripe has too many.
func (t *channelTable) evict(s *stripe, keep *channel) {
	if s.idle <= maxIdle/stripes {
		return
	}
	for name, c := range s.byID { // the map's own order is random enough
		if c.pins > 0 || c == keep {
			continue
		}
		delete(s.byID, name)
		s.idle--
		t.log.mu.Lock()
		c.dead = true
		t.log.mu.Unlock()
		return
	}
}

// pin returns the channel and keeps it in the table until unpin.
func (t *channelTable) pin(name string) *channel {
	s := t.stripe(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := t.getLocked(s, name)
	if c.pins++; c.pins == 1 {
		s.idle--
	}
	return c
}

func (t *channelTable) unpin(c *channel) {
	s := t.stripe(c.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.pins--; c.pins == 0 {
		s.idle++
		t.evict(s, nil)
	}
}

// find returns the channel if it is known, else nil.
func (t *channelTable) find(name string) *channel {
	s := t.stripe(name)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byID[name]
}

// each calls f for every known channel, in no order.
func (t *channelTable) each(f func(*channel)) {
	for i := range t.stripes {
		s := &t.stripes[i]
		s.mu.RLock()
		for _, c := range s.byID {
			f(c)
		}
		s.mu.RUnlock()
	}
}
