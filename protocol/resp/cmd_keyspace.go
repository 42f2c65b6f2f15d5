package resp

import "fanfare/kv"

func init() {
	register(
		&command{
			name: "dbsize", arity: 1, flags: flagReadonly | flagFast | flagWholeStore,
			acl: "keyspace", group: "server", since: "1.0.0", complexity: "O(1)",
			summary: "Returns the number of keys in the selected database.",
			run:     func(x *call) { x.w.Int(int64(x.tx.Size(x.db))) },
		},
		&command{
			name: "flushdb", arity: -1, flags: flagWrite | flagWholeStore,
			acl: "keyspace dangerous", group: "server", since: "1.0.0", complexity: "O(1)",
			summary: "Deletes every key of the selected database.",
			run:     func(x *call) { flush(x, func(t *kv.Tx) { t.Flush(x.db) }) },
		},
		&command{
			name: "flushall", arity: -1, flags: flagWrite | flagWholeStore,
			acl: "keyspace dangerous", group: "server", since: "1.0.0", complexity: "O(1)",
			summary: "Deletes every key of every database.",
			run:     func(x *call) { flush(x, (*kv.Tx).FlushAll) },
		},
	)
}

// flush accepts ASYNC and SYNC and does the same for both: the keys are gone at
// once, and their memory is the garbage collector's business.
func flush(x *call, empty func(*kv.Tx)) {
	if len(x.args) > 2 || len(x.args) == 2 && !x.option(1, "ASYNC") && !x.option(1, "SYNC") {
		x.syntaxError()
		return
	}
	empty(x.tx)
	x.conn.server.tracking.flushed()
	x.w.OK()
}
