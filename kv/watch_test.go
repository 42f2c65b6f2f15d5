package kv

import "testing"

func TestWhatMakesAWatcherDirty(t *testing.T) {
	t.Parallel()
	key := []byte("k")
	tests := []struct {
		name   string
		ttl    int64 // of the key before WATCH; 0: none, -1: no key
		before func(w *world)
		after  func(w *world)
		want   bool
	}{
		{"nothing happened", 0, nil, func(*world) {}, false},
		{"overwritten", 0, nil, func(w *world) { set(w.tx, 0, "k", "2") }, true},
		{"overwritten with the same value", 0, nil, func(w *world) { set(w.tx, 0, "k", "v") }, true},
		{"created", -1, nil, func(w *world) { set(w.tx, 0, "k", "2") }, true},
		{"read", 0, nil, func(w *world) { get(w.tx, 0, "k") }, false},
		{"another key written", 0, nil, func(w *world) { set(w.tx, 0, "other", "2") }, false},
		{"the key of another database written", 0, nil, func(w *world) { set(w.tx, 1, "k", "2") }, false},
		{"deleted", 0, nil, func(w *world) { w.tx.Delete(0, key) }, true},
		{"deleted though absent", -1, nil, func(w *world) { w.tx.Delete(0, key) }, false},
		{"deadline set", 0, nil, func(w *world) { w.tx.Expire(0, key, 10_000, 0) }, true},
		{"deadline refused", 0, nil, func(w *world) { w.tx.Expire(0, key, 10_000, ExpireXX) }, false},
		{"deadline in the past", 0, nil, func(w *world) { w.tx.Expire(0, key, 1, 0) }, true},
		{"persisted", 100, nil, func(w *world) { w.tx.Persist(0, key) }, true},
		{"persisted without a deadline", 0, nil, func(w *world) { w.tx.Persist(0, key) }, false},
		{"expired, not deleted", 100, nil, func(w *world) { w.pass(100) }, true},
		{"expired and deleted", 100, nil, func(w *world) { w.pass(100); w.sweep() }, true},
		{"had expired before, deleted later", 100, func(w *world) { w.pass(100) }, (*world).sweep, false},
		{"had expired before, deleted, created", 100, func(w *world) { w.pass(100) },
			func(w *world) { w.sweep(); set(w.tx, 0, "k", "2") }, true},
		{"had expired before, replaced", 100, func(w *world) { w.pass(100) }, func(w *world) { set(w.tx, 0, "k", "2") }, true},
		{"had expired before, flushed", 100, func(w *world) { w.pass(100) }, func(w *world) { w.tx.FlushAll() }, false},
		{"flushed", 0, nil, func(w *world) { w.tx.FlushAll() }, true},
		{"flushed though absent", -1, nil, func(w *world) { set(w.tx, 0, "other", "v"); w.tx.FlushAll() }, false},
		{"another database flushed", 0, nil, func(w *world) { w.tx.Flush(1) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			if tt.ttl >= 0 {
				put(w.s, 0, "k", tt.ttl)
			}
			w.begin()
			if tt.before != nil {
				tt.before(w)
			}
			var watcher Watcher
			w.tx.Watch(&watcher, 0, key)
			w.tx.Watch(&watcher, 0, key)
			if got := watcher.Len(); got != 1 {
				t.Errorf("a key watched twice: got %d watches, want 1", got)
			}
			tt.after(w)
			if got := w.tx.Dirty(&watcher); got != tt.want {
				t.Errorf("dirty: got %v, want %v", got, tt.want)
			}
			w.tx.End()
			w.s.Unwatch(&watcher)
			w.begin()
			set(w.tx, 0, "k", "3")
			if w.tx.Dirty(&watcher) || watcher.Len() != 0 {
				t.Error("still watching after Unwatch")
			}
			w.tx.End()
		})
	}
}

// world is a store without goroutine on a clock that stands, with a Tx of all shards.
type world struct {
	s   *Store
	tx  *Tx
	now int64
}

func newWorld() *world {
	w := &world{now: 1000}
	w.s = newStore(Config{Now: func() int64 { return w.now }})
	return w
}

func (w *world) begin() { w.tx = w.s.BeginAll() }

func (w *world) pass(ms int64) {
	w.tx.End()
	w.now += ms
	w.begin()
}

func (w *world) sweep() {
	w.tx.End()
	w.s.sweep()
	w.begin()
}

func TestWatchersOfOneKeyAreIndependent(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.begin()
	var a, b Watcher
	w.tx.Watch(&a, 0, []byte("k"))
	w.tx.Watch(&b, 0, []byte("k"))
	w.tx.Watch(&b, 1, []byte("x"))
	w.tx.End()
	w.s.Unwatch(&a)
	w.begin()
	defer w.tx.End()
	set(w.tx, 0, "k", "v")
	if w.tx.Dirty(&a) || !w.tx.Dirty(&b) {
		t.Errorf("dirty: got %v, %v, want only the one still watching", w.tx.Dirty(&a), w.tx.Dirty(&b))
	}
}
