package resp

import "fanfare/kv"

func init() {
	const fast = flagReadonly | flagFast
	register(
		&command{
			name: "sadd", arity: -3, flags: flagWrite | flagDenyOOM | flagFast, keys: oneKey("RW insert"),
			acl: "set", group: "set", since: "1.0.0", complexity: "O(N) for N members",
			summary: "Puts members into a set and returns how many are new.",
			run:     func(x *call) { x.number(x.tx.SAdd(x.db, x.args[1], x.args[2:])) },
		},
		&command{
			name: "srem", arity: -3, flags: flagWrite | flagFast, keys: oneKey("RW delete"),
			acl: "set", group: "set", since: "1.0.0", complexity: "O(N) for N members",
			summary: "Takes members out of a set, and deletes the set with its last one.",
			run:     func(x *call) { x.number(x.tx.SRem(x.db, x.args[1], x.args[2:])) },
		},
		&command{
			name: "smove", arity: 4, flags: flagWrite | flagFast, keys: twoKeys("RW access delete", "RW insert"),
			acl: "set", group: "set", since: "1.0.0", complexity: "O(1)",
			summary: "Takes a member from one set to another.",
			run:     func(x *call) { x.yes(x.tx.SMove(x.db, x.args[1], x.args[2], x.args[3])) },
		},
		&command{
			name: "sismember", arity: 3, flags: fast, keys: oneKey("RO"),
			acl: "set", group: "set", since: "1.0.0", complexity: "O(1)",
			summary: "Says whether a set has a member.",
			run:     func(x *call) { x.yes(x.tx.SIsMember(x.db, x.args[1], x.args[2])) },
		},
		&command{
			name: "smismember", arity: -3, flags: fast, keys: oneKey("RO access"),
			acl: "set", group: "set", since: "6.2.0", complexity: "O(N) for N members",
			summary: "Says of each of several members whether a set has it.",
			run:     smIsMember,
		},
		&command{
			name: "scard", arity: 2, flags: fast, keys: oneKey("RO"),
			acl: "set", group: "set", since: "1.0.0", complexity: "O(1)",
			summary: "Returns the number of members of a set.",
			run:     func(x *call) { x.number(x.tx.SCard(x.db, x.args[1])) },
		},
		&command{
			name: "smembers", arity: 2, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "set", group: "set", since: "1.0.0", complexity: "O(N) for N members of the set",
			summary: "Returns the members of a set.",
			run:     smembers,
		},
		&command{
			name: "sscan", arity: -3, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "set", group: "set", since: "2.8.0", complexity: "O(1) per call, O(N) for all N members of the set",
			summary: "Returns some members of a set and where to go on.",
			run:     func(x *call) { x.scanElements(kv.TypeSet) },
		},
	)
}

func smIsMember(x *call) {
	if err := x.tx.SMIsMember(x.db, x.args[1], x.args[2:], x.w.Array, x.bit); err != nil {
		x.fail(err)
	}
}

func smembers(x *call) {
	if err := x.tx.SMembers(x.db, x.args[1], x.w.Set, x.member); err != nil {
		x.fail(err)
	}
}

// member appends a member to a reply and says whether there is room for more.
func (x *call) member(member []byte) bool {
	x.w.Bulk(member)
	return !x.conn.replyTooLarge()
}
