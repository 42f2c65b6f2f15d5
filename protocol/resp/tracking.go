package resp

import (
	"sync/atomic"

	"fanfare/broker"
	"fanfare/kv"
)

// tracking lets clients keep what they have read: each is told when a value that it
// may have is no longer the one that is stored.
//
// In the default mode the keys of a reading command are remembered for its
// connection while their shards are locked, and the next change of such a key, under
// the same lock, queues an invalidation and forgets it. So no change falls between
// reading and remembering. The reader is corked from before the read until after the
// reply: an invalidation never overtakes the reply with the value it is about. It is
// queued before the writer's locks are released, and so before the writer's reply:
// whoever has that has made every invalidation certain.
//
// In the broadcast mode nothing is remembered. A connection is told of every key
// with one of its prefixes, once for each command or EXEC, when its locks are
// released: the value may be read once more before that, which costs a client a
// cached value, and never leaves it a wrong one.
//
// As in Redis keys are known by their names alone, whatever their database.
//
// Invariant: locks are taken in the order shard, stripe or prefixes, pushGate, queue.
// Nothing here waits or writes to a socket: a goroutine of its own flushes.
type tracking struct {
	server   *Server
	clients  atomic.Int64 // connections that track
	table    trackingTable
	prefixes prefixTable
	flusher  flusher
	// writers has, for each locked shard, whose transaction has locked it. Only the
	// goroutine that holds the lock writes there, and only while somebody tracks.
	writers [kv.Shards]atomic.Pointer[conn]
}

// tracker is what a connection that tracks, or did, is to the table and the
// prefixes. It is small, because the table keeps it when the connection has gone.
type tracker struct {
	conn    atomic.Pointer[conn]            // nil: it has gone
	options atomic.Pointer[trackingOptions] // nil: off
	broken  atomic.Bool                     // the connection redirected to was not found
	items   atomic.Int64                    // in the table

	prefixes []string // of the broadcast mode, sorted; the reader's
	caching  bool     // CLIENT CACHING was given for the command that comes; the reader's
}

// trackingOptions are those of CLIENT TRACKING ON. They do not change.
type trackingOptions struct {
	redirect                     int64 // 0: to the connection itself
	bcast, optin, optout, noloop bool
}

// tracked returns what the connection tracks with; nil: it does not.
func (i *info) tracked() (*tracker, *trackingOptions) {
	t := i.tracking.Load()
	if t == nil {
		return nil, nil
	}
	if o := t.options.Load(); o != nil {
		return t, o
	}
	return nil, nil
}

// enter makes c known as whoever changes keys of the locked shards.
func (s *tracking) enter(tx *kv.Tx, c *conn) {
	if s.clients.Load() > 0 && !c.entered {
		c.entered = true
		tx.EachShard(func(i int) { s.writers[i].Store(c) })
	}
}

// leave ends enter. It is called before the locks are released.
func (s *tracking) leave(tx *kv.Tx, c *conn) {
	if c.entered {
		c.entered = false
		tx.EachShard(func(i int) { s.writers[i].Store(nil) })
	}
}

// touched is told that a key has changed. Its shard is locked.
func (s *tracking) touched(key []byte) {
	if s.clients.Load() == 0 {
		return
	}
	shard := s.server.store().Shard(key)
	by := s.writers[shard].Load()
	if s.prefixes.any.Load() {
		if by == nil { // it expired, or was evicted
			s.broadcast([]string{string(key)}, nil)
		} else {
			by.touched = append(by.touched, string(key))
		}
	}
	s.table.forget(shard, key, func(t *tracker, m *invalidation) { s.invalidate(t, m, by) })
}

// flushed is told that all keys of a database may be others than they were. Every
// shard is locked.
func (s *tracking) flushed() {
	if s.clients.Load() == 0 {
		return
	}
	s.table.clear()
	m := invalidation{}
	s.server.clients.each(func(c *conn) {
		if t, o := c.info.tracked(); o != nil {
			s.invalidate(t, &m, nil)
		}
	})
}

// remember notes that the connection may keep what the command has read. The shards
// of its keys are locked.
func (c *conn) remember(cmd *command, args [][]byte) {
	t, o := c.info.tracked()
	if o == nil || o.bcast || !cmd.flags.has(flagReadonly) || cmd.flags.has(flagPubSub) ||
		o.optin && !t.caching || o.optout && t.caching {
		return
	}
	var few [8][]byte
	s := &c.server.tracking
	for _, key := range cmd.keys.of(few[:0], args) {
		s.table.add(c.server.store().Shard(key), key, t)
		s.limit()
	}
}

// limit invalidates random keys while the table is too large. A key more goes than
// is added, so that a limit that was lowered is reached in time.
func (s *tracking) limit() {
	most := s.server.settings().trackedKeys
	for range 2 {
		if !s.table.over(most) {
			return
		}
		s.server.stats.untracked.Add(1)
		s.table.forgetAny(func(t *tracker, m *invalidation) { s.invalidate(t, m, nil) })
	}
}

// invalidate tells a client what m says. by is whose command changed the key, nil if
// it is none's.
func (s *tracking) invalidate(t *tracker, m *invalidation, by *conn) {
	c, o := t.conn.Load(), t.options.Load()
	switch {
	case c == nil || o == nil || o.noloop && by != nil && by.info.tracking.Load() == t:
		return
	case o.redirect == 0:
		c.push(m)
		return
	}
	if target := s.server.clients.find(o.redirect); target != nil && target.session.Reason() == broker.ReasonNone {
		target.push(m)
		return
	}
	t.broken.Store(true)
	c.push(&invalidation{broken: o.redirect})
}
