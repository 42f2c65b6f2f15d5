package resp

import "fanfare/kv"

func init() {
	const smallest = "O(N*M) for N members of the smallest of M sets"
	const all = "O(N) for N members of all sets"
	register(
		&command{
			name: "sinter", arity: -2, flags: flagReadonly, keys: manyKeys("RO access"),
			acl: "set", group: "set", since: "1.0.0", complexity: smallest,
			summary: "Returns the members that several sets have in common.",
			run:     func(x *call) { x.algebra(x.tx.SInter) },
		},
		&command{
			name: "sunion", arity: -2, flags: flagReadonly, keys: manyKeys("RO access"),
			acl: "set", group: "set", since: "1.0.0", complexity: all,
			summary: "Returns the members that any of several sets has.",
			run:     func(x *call) { x.algebra(x.tx.SUnion) },
		},
		&command{
			name: "sdiff", arity: -2, flags: flagReadonly, keys: manyKeys("RO access"),
			acl: "set", group: "set", since: "1.0.0", complexity: all,
			summary: "Returns the members of a set that none of the others has.",
			run:     func(x *call) { x.algebra(x.tx.SDiff) },
		},
		&command{
			name: "sinterstore", arity: -3, flags: flagWrite | flagDenyOOM, keys: resultKeys("RW update"),
			acl: "set", group: "set", since: "1.0.0", complexity: smallest,
			summary: "Stores the members that several sets have in common as a set.",
			run:     func(x *call) { x.number(x.tx.SInterStore(x.db, x.args[1], x.args[2:])) },
		},
		&command{
			name: "sunionstore", arity: -3, flags: flagWrite | flagDenyOOM, keys: resultKeys("OW update"),
			acl: "set", group: "set", since: "1.0.0", complexity: all,
			summary: "Stores the members that any of several sets has as a set.",
			run:     func(x *call) { x.number(x.tx.SUnionStore(x.db, x.args[1], x.args[2:])) },
		},
		&command{
			name: "sdiffstore", arity: -3, flags: flagWrite | flagDenyOOM, keys: resultKeys("OW update"),
			acl: "set", group: "set", since: "1.0.0", complexity: all,
			summary: "Stores the members of a set that none of the others has as a set.",
			run:     func(x *call) { x.number(x.tx.SDiffStore(x.db, x.args[1], x.args[2:])) },
		},
		&command{
			name: "sintercard", arity: -3, flags: flagReadonly, keys: countedKeys(1, "RO access"),
			acl: "set", group: "set", since: "7.0.0", complexity: smallest,
			summary: "Returns how many members several sets have in common, or that there are enough.",
			run:     sinterCard,
		},
	)
}

// resultKeys is the keySpec of a command that stores under its first argument what it
// makes of the keys behind it.
func resultKeys(access string) keySpec {
	return keySpec{first: 1, last: -1, step: 1, access: access, others: "RO access"}
}

// algebra replies with the members that a method of Tx finds in the sets of keys.
func (x *call) algebra(find func(db int, keys [][]byte, visit func(member []byte) bool) error) {
	begin, n := len(x.w.buf), 0
	err := find(x.db, x.args[1:], func(member []byte) bool {
		n++
		return x.member(member)
	})
	if err != nil { // before any member
		x.fail(err)
		return
	}
	x.w.setFrom(begin, n)
}

// sinterCard counts members: SINTERCARD numkeys key [key …] [LIMIT limit]. Of several
// limits the last counts.
func sinterCard(x *call) {
	keys, rest, ok := x.countedKeys(1)
	if !ok {
		return
	}
	limit := int64(0)
	for i := rest; i < len(x.args); i += 2 {
		if !x.option(i, "LIMIT") || i+1 == len(x.args) {
			x.syntaxError()
			return
		}
		n, err := kv.ParseInt(x.args[i+1])
		if err != nil || n < 0 {
			x.w.Error("ERR LIMIT can't be negative")
			return
		}
		limit = n
	}
	n, err := x.tx.SInterCard(x.db, keys, limit)
	x.number(int(n), err)
}

// countedKeys returns the keys that follow their number, which is argument i, and where
// the arguments go on. When it returns false it has replied with an error.
func (x *call) countedKeys(i int) (keys [][]byte, rest int, ok bool) {
	n, err := kv.ParseInt(x.args[i])
	switch most := int64(len(x.args) - i - 1); {
	case err != nil || n < 1:
		x.w.Error("ERR numkeys should be greater than 0")
	case n > most:
		x.w.Error("ERR Number of keys can't be greater than number of args")
	default:
		rest = i + 1 + int(n)
		return x.args[i+1 : rest], rest, true
	}
	return nil, 0, false
}
