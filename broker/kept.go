package broker

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/kv"
	"fanfare/topic"
)

// memory is what channels with a rule remember. Histories and the index over
// members are here; retained messages and the members' data are values in a store
// of their own, whose clock ends them and whose budget bounds them.
//
// Lock order: stripe, shard of the store, subscription writer, log; the names are
// a leaf. A message of a channel that remembers is appended to the log under the
// channel's stripe, so that what is remembered is in the order of the log.
type memory struct {
	seed    maphash.Seed
	stripes [keptStripes]keptStripe
	store   *kv.Store
	limit   int64        // of bytes
	bytes   atomic.Int64 // of all histories
	count   atomic.Int64 // channels with something kept
	// dropped is the highest offset that a channel of which nothing is known any
	// more may have had.
	dropped atomic.Uint64
	evicted atomic.Int64 // channels that lost their history for the limit
	terms   atomic.Uint64
	changes atomic.Uint64 // of histories; the store counts those of its values
	// importing keeps what is not complete yet from being forgotten.
	importing atomic.Bool
	exports   atomic.Uint64 // so far
	evicting  sync.Mutex
	retained  index
	history   index
}

const keptStripes = 256

type keptStripe struct {
	mu      sync.Mutex
	byName  map[string]*kept
	crowded []*kept // those whose subscribers are to be told the number of members
}

// kept is what one channel remembers. Its stripe is locked.
type kept struct {
	name    string
	indexed bool // there is or was a history
	history history
	members map[string]member
	term    uint64 // of the members; another one after they were removed together
	crowded bool   // in the stripe's list
	shown   uint64 // the last export that has it
}

// index is an ordered set of channels.
type index struct {
	mu    sync.Mutex
	names topic.Names
}

// add reports whether the name is new.
func (x *index) add(name string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.names.Add(name)
}

// remove reports whether the name was there.
func (x *index) remove(name string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.names.Remove(name)
}

// indexStep is how many names are looked at before others get at the index.
const indexStep = 4096

// match calls f for the names that p matches, in order, until f returns false. A
// name that comes or goes meanwhile may be among them or not.
func (x *index) match(p *topic.Pattern, f func(name string) bool) {
	var names []string
	for next, first := "", true; first || next != ""; first = false {
		x.mu.Lock()
		names, next = x.names.Match(names[:0], p, next, indexStep, indexStep)
		x.mu.Unlock()
		for _, name := range names {
			if !f(name) {
				return
			}
		}
	}
}

func newMemory(cfg Config, expired func(keys []string), pause func() bool) *memory {
	m := &memory{seed: maphash.MakeSeed(), limit: cfg.MaxHistory}
	for i := range m.stripes {
		m.stripes[i].byName = make(map[string]*kept)
	}
	m.store = kv.New(kv.Config{Databases: 1, MaxMemory: cfg.MaxState, Expired: expired, Pause: pause})
	return m
}

func now() int64 { return time.Now().UnixMilli() }

// locked is a stripe whose lock is held.
type locked struct {
	m *memory
	s *keptStripe
}

// lock locks the channel's stripe. Nobody holds two.
func (m *memory) lock(channel string) locked {
	s := &m.stripes[maphash.String(m.seed, channel)%keptStripes]
	s.mu.Lock()
	return locked{m, s}
}

func (l locked) unlock() { l.s.mu.Unlock() }

// kept returns what the channel remembers, nil if nothing is known of it.
func (l locked) kept(channel string) *kept { return l.s.byName[channel] }

// keep is kept for a channel that is about to remember something.
func (l locked) keep(channel string) *kept {
	if k := l.s.byName[channel]; k != nil {
		return k
	}
	k := &kept{name: strings.Clone(channel), term: l.m.terms.Add(1)} // the name may be a view of a read buffer
	k.history.begin(l.m.dropped.Load())
	k.history.fixed = keptBytes + int64(len(k.name))
	l.s.byName[k.name] = k
	l.m.count.Add(1)
	return k
}

// change accounts for a change of a history's bytes.
func (l locked) change(n int64) {
	if n != 0 {
		l.m.bytes.Add(n)
	}
}

// release forgets a channel of which nothing is left.
func (l locked) release(k *kept) {
	if k == nil || k.history.entries.n > 0 || len(k.members) > 0 {
		return
	}
	raise(&l.m.dropped, max(k.history.last, k.history.floor))
	l.change(-k.history.forgetLost())
	delete(l.s.byName, k.name)
	l.m.count.Add(-1)
	l.m.history.remove(k.name)
}

// raise makes v at least n.
func raise(v *atomic.Uint64, n uint64) {
	for {
		old := v.Load()
		if old >= n || v.CompareAndSwap(old, n) {
			return
		}
	}
}

// each calls f for everything that is kept, stripe by stripe, with the stripe
// locked.
func (m *memory) each(f func(l locked, k *kept)) {
	for i := range m.stripes {
		m.eachOf(i, f)
	}
}

func (m *memory) eachOf(stripe int, f func(l locked, k *kept)) {
	s := &m.stripes[stripe]
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.byName {
		f(locked{m, s}, k)
	}
}

// evict takes the history from the channels with the oldest last message, if all
// histories together have become too large. It frees more than it must: it has
// to look at all of them. No lock is held.
func (m *memory) evict() {
	if m.bytes.Load() <= m.limit {
		return
	}
	m.evicting.Lock()
	defer m.evicting.Unlock()
	if m.bytes.Load() <= m.limit {
		return
	}
	for _, a := range m.ages() {
		if m.bytes.Load() <= m.limit-m.limit/16 {
			return
		}
		l := m.lock(a.name)
		if k := l.kept(a.name); k != nil && k.history.last == a.last {
			l.change(k.history.drop(a.last))
			m.evicted.Add(1)
			if m.count.Load() > maxQuiet {
				l.release(k) // not only at the next sweep: names come faster
			}
		}
		l.unlock()
	}
}

// age says which message was a channel's last.
type age struct {
	name string
	last uint64
}

// ages returns the channels with a history, those of the oldest last message
// first.
func (m *memory) ages() []age {
	var list []age
	m.each(func(_ locked, k *kept) {
		if k.history.entries.n > 0 || k.history.lost.n > 0 {
			list = append(list, age{k.name, k.history.last})
		}
	})
	slices.SortFunc(list, func(a, b age) int { return cmp.Compare(a.last, b.last) })
	return list
}

// maxQuiet is up to how many channels in all those are remembered that have nothing
// left but their offsets: as long as they are, whoever returns to one recovers.
const maxQuiet = 65536

const (
	sweepTurn  = time.Second
	sweepParts = 16 // a sweep of all stripes takes so many turns
)

// tend looks after what is kept: it removes messages that have become too old,
// and tells the numbers of members of large channels.
func (b *Broker) tend() {
	ticker := time.NewTicker(sweepTurn)
	defer ticker.Stop()
	for turn := 0; ; turn++ {
		select {
		case <-b.stopped:
			return
		case <-ticker.C:
		}
		if b.memory.count.Load() == 0 || b.memory.importing.Load() {
			continue
		}
		for i := range b.memory.stripes {
			b.tellCrowded(i)
			if i%sweepParts == turn%sweepParts {
				b.sweep(i)
			}
		}
	}
}

// tellCrowded announces how many members there are in large channels where that
// has changed.
func (b *Broker) tellCrowded(stripe int) {
	s := &b.memory.stripes[stripe]
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.crowded {
		k.crowded = false
		if s.byName[k.name] == k { // else it emptied meanwhile, and everybody was told
			b.announce(k.name, &Event{Verb: EventMembers, Channel: k.name, Count: len(k.members)})
		}
	}
	s.crowded = nil
}

// sweep removes messages that have become too old from a stripe's histories, and
// what is known of quiet channels if there are too many.
func (b *Broker) sweep(stripe int) {
	at := now()
	b.memory.eachOf(stripe, func(l locked, k *kept) {
		if rule := b.ruleNamed(k.name); rule.History.TTL > 0 {
			l.change(k.history.expire(at, rule.History.TTL, rule.History.Size))
		}
		if l.m.count.Load() > maxQuiet {
			l.release(k)
		}
	})
}
