package kv

import "math/bits"

// Tx is the right to run commands on some keys: it holds the locks of their
// shards, from Begin to End. It belongs to one goroutine, which must not hold
// two of the same store (deadlock). Call End by defer, or nobody else gets at
// these keys.
//
// Methods panic when they are given a key that hashes to a shard which is not
// locked: that is a wrong key list at Begin, not input.
//
// Keys and values that are passed in are copied. Byte slices that come out
// point into the store: they must not be written to, and are valid until End
// where a method does not say more.
type Tx struct {
	s     *Store
	held  uint64 // bit i: shard i is locked
	now   int64  // 0: the clock was not asked yet
	after []func()

	untouched bool   // by NoTouch
	kept      []byte // by keep
}

// maxKept bounds what an ended Tx holds on to.
const maxKept = 64 << 10

// allShards is the lock set of commands on the whole store.
const allShards = ^uint64(0)

// Begin locks the shards of keys and returns the Tx. It allocates nothing. The
// locks cover the keys in every database; db says where they are meant to be
// looked for and is not used to choose locks. No keys: nothing is locked, and
// only After, Now and End may be called.
func (s *Store) Begin(_ int, keys [][]byte) *Tx {
	var set uint64
	for _, k := range keys {
		i, _ := s.hash(k)
		set |= 1 << i
	}
	return s.begin(set)
}

// BeginKeys is Begin for EXEC: it locks the shards of keys of any databases and
// those of the keys that w watches (w may be nil). The watched keys must be
// locked too: otherwise of two transactions that each watch what the other
// writes, both would succeed.
func (s *Store) BeginKeys(w *Watcher, keys []Key) *Tx {
	var set uint64
	if w != nil {
		set = w.shards
	}
	for _, k := range keys {
		i, _ := s.hash(k.Key)
		set |= 1 << i
	}
	return s.begin(set)
}

// BeginAll locks every shard: for Size, Flush, FlushAll, Scan, Each, RandomKey,
// SwapDatabases, and EXEC with one of these inside.
func (s *Store) BeginAll() *Tx { return s.begin(allShards) }

// begin locks a set of shards in ascending order, which excludes deadlock.
func (s *Store) begin(set uint64) *Tx {
	t, ok := s.txs.Get().(*Tx)
	if !ok {
		t = &Tx{s: s}
	}
	t.held = set
	for ; set != 0; set &= set - 1 {
		s.shards[bits.TrailingZeros64(set)].mu.Lock()
	}
	return t
}

// End gives the locks back and then runs what After has collected, in order.
// The Tx must not be used any more, nor ended twice: the next Begin may get it.
func (t *Tx) End() {
	for set := t.held; set != 0; set &= set - 1 {
		t.s.shards[bits.TrailingZeros64(set)].mu.Unlock()
	}
	t.held, t.now, t.untouched = 0, 0, false
	if cap(t.kept) > maxKept {
		t.kept = nil
	}
	for i, f := range t.after {
		t.after[i] = nil
		f()
	}
	t.after = t.after[:0]
	t.s.txs.Put(t)
}

// After has f called by End once no lock is held. f must not use the Tx.
func (t *Tx) After(f func()) { t.after = append(t.after, f) }

// Now returns the time of the Tx in Unix milliseconds. It is the same for all
// its commands, so that a transaction never sees a key expire half way.
func (t *Tx) Now() int64 {
	if t.now == 0 {
		t.now = t.s.cfg.Now()
	}
	return t.now
}

// shard returns the locked shard of a key, and the key's hash.
func (t *Tx) shard(key []byte) (*shard, uint32) {
	i, h := t.s.hash(key)
	if t.held&(1<<i) == 0 {
		panic("kv: the shard of this key is not locked by the Tx")
	}
	return &t.s.shards[i], h
}

// all panics unless every shard is locked.
func (t *Tx) all() {
	if t.held != allShards {
		panic("kv: this needs a Tx of BeginAll")
	}
}

// keep copies bytes of the store that a command answers after it has changed them.
// They are valid until End, or the next such command.
func (t *Tx) keep(b []byte) []byte {
	t.kept = append(t.kept[:0], b...)
	return t.kept
}

// place is where a key is or would be.
type place struct {
	sh *shard
	sp *space // nil: the database has no key in this shard
	e  *entry // nil: no such key; it may have expired
	h  uint32
}

// find looks a key up, whether expired or not.
func (t *Tx) find(db int, key []byte) place {
	var p place
	p.sh, p.h = t.shard(key)
	if p.sp = p.sh.spaces[db]; p.sp != nil {
		p.e = p.sp.keys.find(p.h, key)
	}
	return p
}

// live returns the entry if it exists for commands: there, and not expired.
func (t *Tx) live(p place) *entry {
	if p.e == nil || t.expired(p) {
		return nil
	}
	return p.e
}

// expired says whether the deadline of p.e, which is not nil, has passed.
func (t *Tx) expired(p place) bool {
	return p.e.due != 0 && p.sp.deadlines.at(p.e) <= t.Now()
}

// read looks a key up for a reading command: it counts, and reports a miss.
func (t *Tx) read(db int, key []byte) *entry {
	e := t.look(db, key)
	if e != nil {
		t.used(e)
	}
	return e
}

// look is read for commands that do not use the value.
func (t *Tx) look(db int, key []byte) *entry {
	p := t.find(db, key)
	e := t.live(p)
	t.count(p.sh, db, key, e != nil)
	return e
}

// count notes the outcome of a read.
func (t *Tx) count(sh *shard, db int, key []byte, hit bool) {
	if hit {
		sh.hits++
		return
	}
	sh.misses++
	t.s.event(db, EventKeyMiss, "keymiss", key)
}
