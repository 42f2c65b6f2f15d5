package resp

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/broker"
	"fanfare/kv"
)

// Bounds of the keys that clients wait for.
const (
	maxWaitedConn = 10_000
	maxWaitedNode = 1_000_000
)

// blocked knows the clients that wait for keys, in the order in which they came.
//
// A client is entered in the Tx that found nothing to take. A command that makes a
// key ready marks it, in its Tx too (touched); when that Tx has ended its connection
// serves (serve): it runs the oldest waiter's command again, in a Tx of its own, then
// that of the next, until one finds nothing. Whoever serves holds serving, so when a
// command has been answered everybody who waited for it has been, too.
type blocked struct {
	serving sync.Mutex   // held without any shard's lock; before them
	pending atomic.Int64 // keys marked, those included that are just being served
	waiters atomic.Int64
	held    atomic.Bool // somebody waits for the end of a pause

	mu     sync.Mutex // leaf
	queues map[waitedKey]*waitQueue
	ready  []waitedKey
	places int // in all queues
}

type waitedKey struct {
	db  int
	key string
}

// waitQueue is who waits for a key: those for a list and those for a sorted set. All
// who wait for one type are served alike, so that where the first finds nothing
// nobody does.
type waitQueue struct {
	lists, sorted list.List // of *waiter
	marked        bool
}

func (q *waitQueue) of(kind kv.Type) *list.List {
	if kind == kv.TypeList {
		return &q.lists
	}
	return &q.sorted
}

// touched marks a key that somebody waits for. Its shard is locked.
func (b *blocked) touched(db int, key []byte) {
	if b.waiters.Load() == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[waitedKey{db, string(key)}]; q != nil && !q.marked {
		b.mark(waitedKey{db, string(key)}, q)
	}
}

// touchedDatabase marks every key of a database, which has got the keys of another.
func (b *blocked) touchedDatabase(db int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, q := range b.queues {
		if k.db == db && !q.marked {
			b.mark(k, q)
		}
	}
}

func (b *blocked) mark(k waitedKey, q *waitQueue) {
	q.marked = true
	b.ready = append(b.ready, k)
	b.pending.Add(1)
}

// next returns a marked key, and takes the mark away.
func (b *blocked) next() (k waitedKey, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ready) == 0 {
		b.ready = nil
		return k, false
	}
	k, b.ready = b.ready[0], b.ready[1:]
	if q := b.queues[k]; q != nil {
		q.marked = false
	}
	return k, true
}

// enter puts a waiter into the queues of its keys. The shards of the keys are locked.
// It reports false over the bounds.
func (b *blocked) enter(w *waiter) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(w.keys) > maxWaitedConn || b.places+len(w.keys) > maxWaitedNode {
		w.conn.server.stats.refusedWaits.Add(1)
		return false
	}
	if b.queues == nil {
		b.queues = map[waitedKey]*waitQueue{}
	}
	for _, key := range w.keys {
		k := waitedKey{w.db, string(key)}
		q := b.queues[k]
		if q == nil {
			q = new(waitQueue)
			b.queues[k] = q
		}
		queue := q.of(w.kind)
		if last := queue.Back(); last != nil && last.Value == w {
			continue // the key is named twice
		}
		w.places = append(w.places, place{k, queue.PushBack(w)})
	}
	b.places += len(w.places)
	if b.waiters.Add(1) == 1 {
		w.conn.server.follow(true)
	}
	return true
}

// leave takes a waiter out of all queues.
func (b *blocked) leave(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.places == nil {
		return
	}
	for _, p := range w.places {
		q := b.queues[p.key]
		q.of(w.kind).Remove(p.element)
		if q.lists.Len()+q.sorted.Len() == 0 {
			delete(b.queues, p.key)
		}
	}
	b.places -= len(w.places)
	w.places = nil
	if b.waiters.Add(-1) == 0 {
		w.conn.server.follow(false)
	}
}

// first returns who has waited longest for a key to be of a type.
func (b *blocked) first(k waitedKey, kind kv.Type) *waiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[k]; q != nil {
		if e := q.of(kind).Front(); e != nil {
			return e.Value.(*waiter)
		}
	}
	return nil
}

// len returns the number of keys that are waited for.
func (b *blocked) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queues)
}

// free says whether w, or a client that does not wait yet (nil), may take from a
// key: nobody has waited longer for it.
func (b *blocked) free(db int, key []byte, kind kv.Type, w *waiter) bool {
	if b.waiters.Load() == 0 {
		return true
	}
	first := b.first(waitedKey{db, string(key)}, kind)
	return first == nil || first == w
}

// serve runs the commands of those who wait for keys that have been marked. The
// caller has no Tx.
func (s *Server) serve() {
	b := &s.blocked
	if b.pending.Load() == 0 || s.holdServing() {
		return
	}
	b.serving.Lock()
	defer b.serving.Unlock()
	for {
		k, ok := b.next()
		if !ok {
			return
		}
		for _, kind := range []kv.Type{kv.TypeList, kv.TypeSorted} {
			for s.serveFirst(k, kind) {
			}
		}
		b.pending.Add(-1)
	}
}

// serveFirst runs the command of who has waited longest for a key. It reports false
// when there is nobody, or nothing to take.
func (s *Server) serveFirst(k waitedKey, kind kv.Type) bool {
	w := s.blocked.first(k, kind)
	if w == nil {
		return false
	}
	on := &conn{server: s}
	on.info.tracking.Store(w.conn.info.tracking.Load()) // for NOLOOP
	if !w.attempt(s.store(), on) {
		return false
	}
	s.blocked.leave(w)
	w.wake()
	return true
}

// holdServing says that writes are paused: those who wait are served when the pause
// is over.
func (s *Server) holdServing() bool {
	state := s.pause.state.Load()
	if state == nil || !time.Now().Before(state.until) {
		return false
	}
	if s.blocked.held.CompareAndSwap(false, true) {
		go s.serveAfter(state)
	}
	return true
}

func (s *Server) serveAfter(state *pauseState) {
	timer := time.NewTimer(time.Until(state.until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-state.lifted:
	case <-s.stopping:
		return
	}
	s.blocked.held.Store(false)
	s.serve()
}

// alive says whether somebody still wants what a waiter waits for.
func (w *waiter) alive() bool { return w.conn.session.Reason() == broker.ReasonNone }
