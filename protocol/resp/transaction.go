package resp

import (
	"fanfare/kv"
)

// transaction is the state of MULTI and WATCH.
type transaction struct {
	open   bool // between MULTI and EXEC or DISCARD
	failed bool // a command was refused: EXEC aborts
	queue  []queued
	bytes  int // of the queued arguments
	// watcher outlives the transaction: EXEC, DISCARD and UNWATCH clear it.
	watcher kv.Watcher
	// storeStats is what INFO shows inside EXEC, taken before its locks.
	storeStats *kv.Stats
	// newcomers are the subscriptions that EXEC made; what they bring follows its
	// reply.
	newcomers newcomers
}

// queued is a command that waits for EXEC. Its arguments are its own copy.
type queued struct {
	cmd  *command
	args [][]byte
}

// enqueue queues a command of an open transaction. The queue is bounded as one
// command is.
func (c *conn) enqueue(cmd *command, args [][]byte) {
	t := &c.tx
	size := 0
	for _, arg := range args {
		size += len(arg)
	}
	if t.bytes+size > c.server.cfg.MaxCommand || len(t.queue) >= c.server.cfg.MaxArgs {
		t.failed = true
		c.w.Error("ERR transaction is longer than max-command")
		return
	}
	t.bytes += size
	t.queue = append(t.queue, queued{cmd, copyArgs(args, size)})
	c.info.multi.Store(int64(len(t.queue)))
	c.w.SimpleString("QUEUED")
}

// copyArgs copies arguments into one block of the given size.
func copyArgs(args [][]byte, size int) [][]byte {
	block := make([]byte, 0, size)
	own := make([][]byte, len(args))
	for i, arg := range args {
		begin := len(block)
		block = append(block, arg...)
		own[i] = block[begin:len(block):len(block)]
	}
	return own
}

// openTransaction begins to queue commands.
func (c *conn) openTransaction() {
	c.tx.open = true
	c.info.multi.Store(0)
}

// discard forgets the queue and the watches.
func (c *conn) discard() {
	c.tx.open, c.tx.failed, c.tx.queue, c.tx.bytes = false, false, nil, 0
	c.info.multi.Store(-1)
	c.unwatch()
}

func (c *conn) unwatch() {
	if c.tx.watcher.Len() > 0 {
		c.server.store().Unwatch(&c.tx.watcher)
	}
}

// exec runs the queue under the locks of all its keys and of the watched ones.
// Room for its messages is waited for before, with no lock held.
func (c *conn) exec() {
	defer c.discard()
	if c.tx.failed {
		c.w.Error(textExecAbort)
		return
	}
	plan := c.plan()
	if plan.publishes && !c.awaitRoom() {
		return
	}
	if plan.stats {
		stats := c.server.store().Stats()
		c.tx.storeStats = &stats
		defer func() { c.tx.storeStats = nil }()
	}
	c.execLocked(plan)
	c.server.serve()
}

// execPlan is what a queue needs before it can run.
type execPlan struct {
	keys      []kv.Key
	all       bool // a command needs every lock
	publishes bool
	stats     bool // a command reads the store's statistics
}

func (c *conn) plan() execPlan {
	var plan execPlan
	var keys [][]byte
	for _, q := range c.tx.queue {
		plan.all = plan.all || q.cmd.locksAll(q.args)
		plan.publishes = plan.publishes || q.cmd.flags.has(flagPublish|flagAnnounces)
		plan.stats = plan.stats || q.cmd.flags.has(flagStoreStats)
		// The locks cover a key in every database, so that SELECT needs no
		// thought here.
		keys = q.cmd.keys.of(keys[:0], q.args)
		for _, key := range keys {
			plan.keys = append(plan.keys, kv.Key{DB: c.db, Key: key})
		}
	}
	return plan
}

func (c *conn) execLocked(plan execPlan) {
	store := c.server.store()
	var tx *kv.Tx
	if plan.all {
		tx = store.BeginAll()
	} else {
		tx = store.BeginKeys(&c.tx.watcher, plan.keys)
	}
	c.server.tracking.enter(tx, c)
	defer c.endTx(tx)
	c.touch(tx)
	if tx.Dirty(&c.tx.watcher) {
		c.w.NullArray()
		return
	}
	c.w.Array(len(c.tx.queue))
	limit := len(c.w.buf) + c.server.cfg.MaxReply
	for _, q := range c.tx.queue {
		x := call{conn: c, cmd: q.cmd, args: q.args, db: c.db, tx: tx, w: &c.w, inExec: true}
		q.cmd.run(&x)
		c.remember(q.cmd, q.args)
		c.account(q.cmd, q.args, true)
		if len(c.w.buf) > limit {
			return // dispatch ends the connection
		}
	}
}
