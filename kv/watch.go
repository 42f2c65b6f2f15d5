package kv

import "sync/atomic"

// Watcher is one connection's WATCH: it becomes dirty when a watched key
// changes. The zero value watches nothing. Its methods, Tx.Watch, Tx.Dirty and
// Store.Unwatch are for one goroutine; the store makes it dirty from any.
type Watcher struct {
	dirty   atomic.Bool
	watches []*watch // owned by the connection
	shards  uint64   // lock set of watches
}

// Len returns the number of keys watched.
func (w *Watcher) Len() int { return len(w.watches) }

// watch is one key of a Watcher, in its shard's map too. Only expired ever
// changes, under the shard's lock (SwapDatabases).
type watch struct {
	w       *Watcher
	key     watchedKey
	shard   int
	hash    uint32
	expired bool // the key was there at WATCH, but had expired
}

type watchedKey struct {
	db  int
	key string
}

// Watch has w become dirty when the key changes: is written, deleted, expires,
// is flushed. Watching it again does nothing. A key that has expired already is
// absent: that it is deleted later is no change.
func (t *Tx) Watch(w *Watcher, db int, key []byte) {
	p := t.find(db, key)
	for _, x := range p.sh.watch[watchedKey{db, string(key)}] {
		if x.w == w {
			return
		}
	}
	i, _ := t.s.hash(key)
	x := &watch{
		w: w, key: watchedKey{db, string(key)}, shard: i, hash: p.h,
		expired: p.e != nil && t.expired(p),
	}
	if p.sh.watch == nil {
		p.sh.watch = make(map[watchedKey][]*watch)
	}
	p.sh.watch[x.key] = append(p.sh.watch[x.key], x)
	w.watches = append(w.watches, x)
	w.shards |= 1 << i
}

// Dirty says whether a key that w watches has changed, or has expired, since it
// was watched: EXEC is to answer null. It needs the locks of the watched keys
// (BeginKeys with w, or BeginAll).
func (t *Tx) Dirty(w *Watcher) bool {
	if w.dirty.Load() {
		return true
	}
	for _, x := range w.watches {
		p := t.find(x.key.db, []byte(x.key.key))
		if p.e != nil && !x.expired && t.expired(p) {
			return true
		}
	}
	return false
}

// Unwatch ends all watches of w, which is clean afterwards. The caller holds no
// Tx.
func (s *Store) Unwatch(w *Watcher) {
	for _, x := range w.watches {
		s.shards[x.shard].unwatch(x)
	}
	w.watches, w.shards = nil, 0
	w.dirty.Store(false)
}

func (sh *shard) unwatch(x *watch) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	list := sh.watch[x.key]
	for i, y := range list {
		if y == x {
			last := len(list) - 1
			list[i], list[last] = list[last], nil
			list = list[:last]
			break
		}
	}
	if len(list) == 0 {
		delete(sh.watch, x.key)
		return
	}
	sh.watch[x.key] = list
}

// touched is told of every change of a key, by commands and by expiry, after
// the change and before its event: exists says whether the key is there now. It
// is the one place that whoever follows keys hangs on.
func (sh *shard) touched(db int, key []byte, exists bool) {
	sh.changes++
	if sh.s.followed.Load() {
		sh.s.cfg.Touched(db, key, exists)
	}
	if len(sh.watch) == 0 {
		return
	}
	for _, x := range sh.watch[watchedKey{db, string(key)}] {
		x.touched(exists)
	}
}

// touchedAll is touched for all keys of a database that is about to be emptied.
func (sh *shard) touchedAll(db int) {
	sh.changes++
	sp := sh.spaces[db]
	for k, list := range sh.watch {
		if k.db != db || sp.keys.find(list[0].hash, []byte(k.key)) == nil {
			continue
		}
		for _, x := range list {
			x.touched(false)
		}
	}
}

// touched makes the watcher dirty, unless all that happened is that a key which
// had expired at WATCH has now also been deleted. (Anything that could be deleted
// afterwards was created before, which made it dirty.)
func (x *watch) touched(exists bool) {
	if exists || !x.expired {
		x.w.dirty.Store(true)
	}
}
