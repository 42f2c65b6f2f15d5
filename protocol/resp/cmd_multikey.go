package resp

func init() {
	register(
		&command{
			name: "mget", arity: -2, flags: flagReadonly | flagFast, keys: manyKeys("RO access"),
			acl: "string", group: "string", since: "1.0.0", complexity: "O(N) for N keys",
			summary: "Returns the strings of several keys; null for each that does not hold one.",
			run:     mget,
		},
		&command{
			name: "mset", arity: -3, flags: flagWrite | flagDenyOOM, keys: pairKeys("OW update"),
			acl: "string", group: "string", since: "1.0.1", complexity: "O(N) for N keys",
			summary: "Stores several strings at once.",
			run:     mset,
		},
		&command{
			name: "msetnx", arity: -3, flags: flagWrite | flagDenyOOM, keys: pairKeys("OW insert"),
			acl: "string", group: "string", since: "1.0.1", complexity: "O(N) for N keys",
			summary: "Stores several strings at once, if none of the keys exists.",
			run:     msetnx,
		},
	)
}

func mget(x *call) {
	x.w.Array(len(x.args) - 1)
	for _, key := range x.args[1:] {
		if x.conn.replyTooLarge() {
			return
		}
		// A value of another type is answered like a key that does not exist.
		value, ok, err := x.tx.Get(x.db, key)
		if !ok || err != nil {
			x.w.Null()
			continue
		}
		x.w.Bulk(value)
	}
}

func mset(x *call) {
	if len(x.args)%2 == 0 {
		x.wrongArgs()
		return
	}
	if err := x.tx.MSet(x.db, x.args[1:]); err != nil {
		x.fail(err)
		return
	}
	x.w.OK()
}

func msetnx(x *call) {
	if len(x.args)%2 == 0 {
		x.wrongArgs()
		return
	}
	done, err := x.tx.MSetNX(x.db, x.args[1:])
	if err != nil {
		x.fail(err)
		return
	}
	x.bit(done)
}
