package resp

func init() {
	const fast = flagReadonly | flagFast
	register(
		&command{
			name: "hget", arity: 3, flags: fast, keys: oneKey("RO access"),
			acl: "hash", group: "hash", since: "2.0.0", complexity: "O(1)",
			summary: "Returns the value of a field of a hash.",
			run:     hget,
		},
		&command{
			name: "hmget", arity: -3, flags: fast, keys: oneKey("RO access"),
			acl: "hash", group: "hash", since: "2.0.0", complexity: "O(N) for N fields",
			summary: "Returns the values of fields of a hash; null for each that does not exist.",
			run:     hmget,
		},
		&command{
			name: "hexists", arity: 3, flags: fast, keys: oneKey("RO"),
			acl: "hash", group: "hash", since: "2.0.0", complexity: "O(1)",
			summary: "Says whether a hash has a field.",
			run:     hexists,
		},
		&command{
			name: "hstrlen", arity: 3, flags: fast, keys: oneKey("RO"),
			acl: "hash", group: "hash", since: "3.2.0", complexity: "O(1)",
			summary: "Returns the number of bytes of the value of a field of a hash.",
			run:     hstrlen,
		},
		&command{
			name: "hlen", arity: 2, flags: fast, keys: oneKey("RO"),
			acl: "hash", group: "hash", since: "2.0.0", complexity: "O(1)",
			summary: "Returns the number of fields of a hash.",
			run:     func(x *call) { x.number(x.tx.HLen(x.db, x.args[1])) },
		},
	)
}

func hget(x *call) { x.value(x.tx.HGet(x.db, x.args[1], x.args[2])) }

// value replies with a bulk string, null if there is none.
func (x *call) value(value []byte, ok bool, err error) {
	switch {
	case err != nil:
		x.fail(err)
	case !ok:
		x.w.Null()
	default:
		x.w.Bulk(value)
	}
}

func hmget(x *call) {
	err := x.tx.HMGet(x.db, x.args[1], x.args[2:], x.w.Array, func(value []byte, ok bool) bool {
		x.value(value, ok, nil)
		return !x.conn.replyTooLarge()
	})
	if err != nil {
		x.fail(err)
	}
}

func hexists(x *call) {
	_, ok, err := x.tx.HGet(x.db, x.args[1], x.args[2])
	x.yes(ok, err)
}

func hstrlen(x *call) {
	value, _, err := x.tx.HGet(x.db, x.args[1], x.args[2])
	x.number(len(value), err)
}
