package resp

func init() {
	key := keySpec{first: 2, last: 2, step: 1, access: "RO"}
	register(&command{
		name: "object", arity: -2, group: "generic", since: "2.2.3", complexity: "Depends on subcommand.",
		summary: "A container for commands about how a key is kept.",
		subcommands: []*command{
			{name: "encoding", arity: 3, flags: flagReadonly, keys: key, acl: "keyspace", group: "generic",
				since: "2.2.3", complexity: "O(1)", summary: "Returns the name of the form that a key's value has in memory.",
				run: objectEncoding},
			{name: "freq", arity: 3, flags: flagReadonly, keys: key, acl: "keyspace", group: "generic",
				since: "4.0.0", complexity: "O(1)", summary: "Returns the logarithmic counter of a key's uses.",
				run: func(x *call) { objectNumber(x, x.tx.Frequency) }},
			{name: "idletime", arity: 3, flags: flagReadonly, keys: key, acl: "keyspace", group: "generic",
				since: "2.2.3", complexity: "O(1)", summary: "Returns for how many seconds a key was not used.",
				run: func(x *call) { objectNumber(x, x.tx.IdleTime) }},
			{name: "refcount", arity: 3, flags: flagReadonly, keys: key, acl: "keyspace", group: "generic",
				since: "2.2.3", complexity: "O(1)", summary: "Returns 1: no two keys share a value.",
				run: objectRefCount},
			{name: "help", arity: 2, flags: flagLoading | flagStale, acl: "keyspace", group: "generic", since: "6.2.0",
				complexity: "O(1)", summary: "Lists the subcommands.", run: help},
		},
	})
}

func objectEncoding(x *call) {
	name, ok := x.tx.Encoding(x.db, x.args[2])
	if !ok {
		x.w.Null()
		return
	}
	x.w.BulkString(name)
}

func objectRefCount(x *call) {
	if _, ok := x.tx.Encoding(x.db, x.args[2]); !ok {
		x.w.Null()
		return
	}
	x.w.Int(1)
}

// objectNumber replies what is known of a key.
func objectNumber(x *call, ask func(db int, key []byte) (n int64, ok bool, err error)) {
	n, ok, err := ask(x.db, x.args[2])
	switch {
	case err != nil:
		x.fail(err)
	case !ok:
		x.w.Null()
	default:
		x.w.Int(n)
	}
}
