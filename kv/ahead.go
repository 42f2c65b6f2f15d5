package kv

import "unsafe"

// Most of the time of a small command goes into waiting for memory: with many keys
// neither the bucket nor the entry is in a cache. Whoever knows several keys in
// advance, as a pipeline does, has them fetched all at once, while other work is done.
//
// What is fetched says where the next thing is: bucket, first entry, second entry, and
// for a large collection the same of a member. So all keys take one step before any
// takes the next. It is written out in steps, with a lock for each, because a lock that
// is held would be waited for longer than memory is.

// MaxAhead is how many hints Prefetch looks at.
const MaxAhead = 16

// Hint is what a command that is about to come will look for.
type Hint struct {
	Key    []byte
	Member []byte // field or member of the collection under the key; nil: none
}

// target is where the things of a hint are.
type target struct {
	shard       int
	key, member uint32 // hashes
	again       bool   // the key is that of the hint before
}

// The steps, in order: those of a key, then those of a member.
const (
	stepBucket = iota
	stepFirst
	stepSecond
	keySteps // so many

	memberSteps = 2 * keySteps // the last step of a member is before this
)

// Prefetch has the processor fetch what commands on a database that are about to come
// will look at. It changes nothing, waits for nobody, and looks at the first MaxAhead
// hints. The caller holds no Tx.
func (s *Store) Prefetch(db int, hints []Hint) {
	var targets [MaxAhead]target
	hints = hints[:min(len(hints), MaxAhead)]
	last := keySteps
	before := target{shard: -1}
	for i := range hints {
		t := &targets[i]
		t.shard, t.key = s.hash(hints[i].Key)
		t.again = t.key == before.key && t.shard == before.shard
		before = *t
		if hints[i].Member != nil {
			t.member, last = memberHash(hints[i].Member), memberSteps
		}
	}
	for step := range last {
		for i := range hints {
			if of := step >= keySteps; of && hints[i].Member != nil || !of && !targets[i].again {
				s.ahead(db, step, &targets[i], &hints[i])
			}
		}
	}
}

// ahead takes one step for one hint, unless the shard is locked: a hint is not worth
// waiting for.
func (s *Store) ahead(db, step int, t *target, hint *Hint) {
	sh := &s.shards[t.shard]
	if !sh.mu.TryLock() {
		return
	}
	if sp := sh.spaces[db]; sp != nil {
		if step < keySteps {
			sp.keys.fetch(step, t.key)
		} else if d := dictOf(sp.keys.find(t.key, hint.Key)); d != nil {
			d.fetch(step-keySteps, t.member)
		}
	}
	sh.mu.Unlock()
}

// dictOf returns the dict of a large collection; nil: it is none.
func dictOf(e *entry) *dict {
	if e == nil {
		return nil
	}
	switch o := e.object().(type) {
	case *hash:
		return o.dict
	case *sorted:
		return o.dict
	case *memberSet:
		if d, ok := o.members.(*dictSet); ok {
			return &d.dict
		}
	}
	return nil
}

// fetch takes one step towards the entry with a hash: most entries are the first of
// their bucket, and nearly all others the second.
func (t *table) fetch(step int, h uint32) {
	if t.count == 0 {
		return
	}
	b, i := t.bucket(h)
	if b.segments[i>>segmentBits] == nil {
		return
	}
	if step == stepBucket {
		prefetch(unsafe.Pointer(b.slot(i))) // #nosec G103 -- nothing is written there
		return
	}
	e := b.head(i)
	if step == stepSecond && e != nil && e.hash != h {
		e.next.fetch()
	} else if step == stepFirst {
		e.fetch()
	}
}

// fetch prefetches an entry, which may be nil, with the beginning of a block that lies
// behind it.
func (e *entry) fetch() {
	if e != nil {
		prefetchTwo(unsafe.Pointer(e)) // #nosec G103 -- nothing is written there
	}
}
