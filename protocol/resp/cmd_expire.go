package resp

import "fanfare/kv"

func init() {
	register(
		&command{
			name: "expireat", arity: -3, flags: flagWrite | flagFast, keys: oneKey("RW update"),
			acl: "keyspace", group: "generic", since: "1.2.0", complexity: "O(1)",
			summary: "Has a key expire at a Unix time in seconds.",
			run:     func(x *call) { expire(x, kv.Seconds, 0) },
		},
		&command{
			name: "pexpireat", arity: -3, flags: flagWrite | flagFast, keys: oneKey("RW update"),
			acl: "keyspace", group: "generic", since: "2.6.0", complexity: "O(1)",
			summary: "Has a key expire at a Unix time in milliseconds.",
			run:     func(x *call) { expire(x, kv.Milliseconds, 0) },
		},
		&command{
			name: "expiretime", arity: 2, flags: flagReadonly | flagFast, keys: oneKey("RO access"),
			acl: "keyspace", group: "generic", since: "7.0.0", complexity: "O(1)",
			summary: "Returns when a key expires, as a Unix time in seconds.",
			run:     func(x *call) { x.w.Int(inSeconds(x.tx.Deadline(x.db, x.args[1]))) },
		},
		&command{
			name: "pexpiretime", arity: 2, flags: flagReadonly | flagFast, keys: oneKey("RO access"),
			acl: "keyspace", group: "generic", since: "7.0.0", complexity: "O(1)",
			summary: "Returns when a key expires, as a Unix time in milliseconds.",
			run:     func(x *call) { x.w.Int(x.tx.Deadline(x.db, x.args[1])) },
		},
		&command{
			name: "unlink", arity: -2, flags: flagWrite | flagFast, keys: manyKeys("RM delete"),
			acl: "keyspace", group: "generic", since: "4.0.0", complexity: "O(N) for N keys",
			summary: "Deletes keys and returns how many there were, as DEL does.",
			run:     del,
		},
		&command{
			name: "touch", arity: -2, flags: flagReadonly | flagFast, keys: manyKeys("RO"),
			acl: "keyspace", group: "generic", since: "3.2.1", complexity: "O(N) for N keys",
			summary: "Counts how many of the keys exist, and counts as a use of each.",
			run:     func(x *call) { x.countKeys(x.tx.Touch) },
		},
	)
}

// inSeconds rounds half seconds up, as Redis does, and leaves the answers for
// no key and no deadline as they are.
func inSeconds(ms int64) int64 {
	if ms < 0 {
		return ms
	}
	return ms/1000 + ms%1000/500
}
