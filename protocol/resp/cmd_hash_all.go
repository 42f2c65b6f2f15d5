package resp

import "fanfare/kv"

func init() {
	register(
		&command{
			name: "hgetall", arity: 2, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "hash", group: "hash", since: "2.0.0", complexity: "O(N) for N fields of the hash",
			summary: "Returns the fields of a hash with their values.",
			run:     hgetAll,
		},
		&command{
			name: "hkeys", arity: 2, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "hash", group: "hash", since: "2.0.0", complexity: "O(N) for N fields of the hash",
			summary: "Returns the fields of a hash.",
			run:     hkeys,
		},
		&command{
			name: "hvals", arity: 2, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "hash", group: "hash", since: "2.0.0", complexity: "O(N) for N fields of the hash",
			summary: "Returns the values of a hash.",
			run:     hvals,
		},
		&command{
			name: "hscan", arity: -3, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "hash", group: "hash", since: "2.8.0", complexity: "O(1) per call, O(N) for all N fields of the hash",
			summary: "Returns some fields of a hash with their values and where to go on.",
			run:     func(x *call) { x.scanElements(kv.TypeHash) },
		},
	)
}

func hgetAll(x *call) {
	x.fields(x.w.Map, func(field, value []byte) {
		x.w.Bulk(field)
		x.w.Bulk(value)
	})
}

func hkeys(x *call) { x.fields(x.w.Array, func(field, _ []byte) { x.w.Bulk(field) }) }

func hvals(x *call) { x.fields(x.w.Array, func(_, value []byte) { x.w.Bulk(value) }) }

// fields replies with what begin and write make of each field of the hash.
func (x *call) fields(begin func(n int), write func(field, value []byte)) {
	err := x.tx.HGetAll(x.db, x.args[1], begin, func(field, value []byte) bool {
		write(field, value)
		return !x.conn.replyTooLarge()
	})
	if err != nil {
		x.fail(err)
	}
}
