package resp

// commandExec is the row that dispatch treats apart: where EXEC itself is
// refused, the transaction is gone too.
var commandExec = &command{
	name: "exec", arity: 1, flags: flagNoScript | flagLoading | flagStale | flagSkipSlowlog | flagImmediate,
	acl: "transaction", group: "transactions", since: "1.2.0", complexity: "Depends on the commands queued",
	summary: "Executes the queued commands, nothing coming between.",
}

func init() {
	commandExec.run = exec
	const common = flagNoScript | flagLoading | flagStale | flagFast | flagAllowBusy
	register(
		commandExec,
		&command{
			name: "multi", arity: 1, flags: common | flagImmediate,
			acl: "transaction", group: "transactions", since: "1.2.0", complexity: "O(1)",
			summary: "Queues the commands that follow, up to EXEC or DISCARD.", run: multi,
		},
		&command{
			name: "discard", arity: 1, flags: common | flagImmediate,
			acl: "transaction", group: "transactions", since: "2.0.0", complexity: "O(N) for N commands queued",
			summary: "Forgets the queued commands.", run: discard,
		},
		&command{
			name: "watch", arity: -2, flags: common | flagImmediate, keys: manyKeys("RO"),
			acl: "transaction", group: "transactions", since: "2.2.0", complexity: "O(N) for N keys",
			summary: "Lets the next EXEC fail if one of the keys has changed by then.", run: watch,
		},
		&command{
			name: "unwatch", arity: 1, flags: common,
			acl: "transaction", group: "transactions", since: "2.2.0", complexity: "O(N) for N keys",
			summary: "Forgets the watched keys.", run: unwatch,
		},
	)
}

func multi(x *call) {
	if x.conn.tx.open {
		x.w.Error(textNestedMulti)
		return
	}
	x.conn.openTransaction()
	x.w.OK()
}

func exec(x *call) {
	if !x.conn.tx.open {
		x.w.Error(textExecNoMulti)
		return
	}
	x.conn.exec()
}

func discard(x *call) {
	if !x.conn.tx.open {
		x.w.Error(textDiscardNoMulti)
		return
	}
	x.conn.discard()
	x.w.OK()
}

// maxWatched bounds the keys a connection watches.
const maxWatched = 100_000

func watch(x *call) {
	c := x.conn
	switch {
	case c.tx.open:
		x.w.Error(textWatchInMulti)
		return
	case c.tx.watcher.Len()+len(x.args)-1 > maxWatched:
		x.w.Error("ERR max number of watched keys reached")
		return
	}
	for _, key := range x.args[1:] {
		x.tx.Watch(&c.tx.watcher, x.db, key)
	}
	x.w.OK()
}

// unwatch forgets the watches. Inside EXEC they have been checked, and are
// forgotten at its end.
func unwatch(x *call) {
	if !x.inExec {
		x.conn.unwatch()
	}
	x.w.OK()
}
