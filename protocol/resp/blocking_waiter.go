package resp

import (
	"container/list"
	"sync/atomic"
	"time"

	"fanfare/kv"
)

// waitState is what has become of a waiter. It changes once, from waiting.
type waitState = uint32

const (
	waiting   waitState = iota
	served              // or answered with an error
	timedOut            // nothing came
	unblocked           // by CLIENT UNBLOCK with ERROR
	ended               // the connection
)

// waiter is a command that waits for one of some keys to hold something it can take.
type waiter struct {
	// set at construction
	conn     *conn
	cmd      *command
	args     [][]byte // its own copy
	db       int
	keys     [][]byte
	kind     kv.Type
	take     func(x *call, key []byte)
	deadline time.Time // zero: it waits for ever

	state  atomic.Uint32
	places []place       // guarded by blocked.mu; nil: it is in no queue
	reply  Writer        // of who serves, until done is closed
	done   chan struct{} // closed when it has been served, and the Tx has ended
}

// place is where a waiter is in the queue of a key.
type place struct {
	key     waitedKey
	element *list.Element
}

// blocking is what a blocking command does.
type blocking struct {
	keys    [][]byte
	kind    kv.Type
	timeout time.Duration // 0: for ever
	// take runs the command on one of the keys, which holds a value of the type, and
	// replies. It is called by whoever serves too: it uses x.args, x.tx, x.db and x.w.
	take func(x *call, key []byte)
	// null replies inside EXEC where there is nothing. When the time is over it is a null
	// array for every command, as in Redis.
	null func(w *Writer)
}

// block takes from the first of the keys that exists, or lets the connection wait for
// one. A key that others wait for is theirs. Inside EXEC nobody waits.
func (x *call) block(b blocking) {
	for _, key := range b.keys {
		switch x.tx.Peek(x.db, key) {
		case kv.TypeNone:
		case b.kind:
			if x.inExec || x.conn.server.blocked.free(x.db, key, b.kind, nil) {
				b.take(x, key)
				return
			}
		default:
			x.fail(kv.ErrWrongType)
			return
		}
	}
	if x.inExec {
		b.null(x.w)
		return
	}
	x.enter(b)
}

// enter lets the connection wait. Its reader does so when the Tx has ended.
func (x *call) enter(b blocking) {
	size := 0
	for _, arg := range x.args {
		size += len(arg)
	}
	w := &waiter{
		conn: x.conn, cmd: x.cmd, args: copyArgs(x.args, size), db: x.db, kind: b.kind,
		take: b.take, reply: Writer{proto: x.w.proto}, done: make(chan struct{}),
	}
	w.keys = x.cmd.keys.of(nil, w.args)[:len(b.keys)]
	if b.timeout > 0 {
		w.deadline = time.Now().Add(b.timeout)
	}
	s := x.conn.server
	switch {
	case s.cfg.Changes == nil:
		x.w.Error(textNoChanges)
		return
	case !s.blocked.enter(w):
		x.w.Error("ERR max number of keys waited for reached")
		return
	}
	for _, key := range b.keys { // those for whom it was left may be gone by now
		if x.tx.Holds(x.db, key, b.kind) {
			s.blocked.touched(x.db, key)
		}
	}
	x.conn.waiter.Store(w)
}

// finish gives the waiter a state if it still waits, and says whether it did.
func (w *waiter) finish(s waitState) bool { return w.state.CompareAndSwap(waiting, s) }

// wake lets the connection's reader look at the state.
func (w *waiter) wake() { w.conn.reconsider() }

// attempt runs the command if there is something to take, for a client that is still
// there. It reports whether the waiter is done with. What the command asks of its
// connection is answered by on: that of the waiter belongs to its reader.
func (w *waiter) attempt(store *kv.Store, on *conn) bool {
	tx := store.Begin(w.db, w.cmd.keys.of(nil, w.args))
	on.server.tracking.enter(tx, on)
	taken := false
	defer func() {
		on.endTx(tx)
		if taken {
			close(w.done)
		}
	}()
	for _, key := range w.keys {
		if !tx.Holds(w.db, key, w.kind) || !w.conn.server.blocked.free(w.db, key, w.kind, w) {
			continue
		}
		if !w.alive() || !w.finish(served) {
			return true // it has gone, nothing was taken
		}
		taken = true
		x := call{conn: on, cmd: w.cmd, args: w.args, db: w.db, tx: tx, w: &w.reply}
		w.take(&x, key)
		return true
	}
	return w.state.Load() != waiting
}
