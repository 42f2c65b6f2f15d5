package resp

import "fanfare/kv"

func init() {
	register(
		&command{
			name: "spop", arity: -2, flags: flagWrite | flagFast, keys: oneKey("RW access delete"),
			acl: "set", group: "set", since: "1.0.0", complexity: "O(N) for N members returned",
			summary: "Takes members, chosen at random, out of a set and returns them.",
			run:     spop,
		},
		&command{
			name: "srandmember", arity: -2, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "set", group: "set", since: "1.0.0", complexity: "O(N) for N members returned",
			summary: "Returns members of a set, chosen at random.",
			run:     srandMember,
		},
	)
}

// spop takes members away: SPOP key [count].
func spop(x *call) {
	switch len(x.args) {
	case 2:
		x.value(x.tx.SPop(x.db, x.args[1]))
	case 3:
		x.spopCount()
	default:
		x.syntaxError()
	}
}

// spopCount takes members away whether or not the reply becomes too large: that many
// were asked for.
func (x *call) spopCount() {
	count, err := kv.ParseInt(x.args[2])
	if err != nil || count < 0 {
		x.w.Error("ERR value is out of range, must be positive")
		return
	}
	if err := x.tx.SPopCount(x.db, x.args[1], count, x.w.Set, x.w.Bulk); err != nil {
		x.fail(err)
	}
}

// srandMember chooses members: SRANDMEMBER key [count].
func srandMember(x *call) {
	switch len(x.args) {
	case 2:
		x.value(x.tx.SRandMember(x.db, x.args[1]))
	case 3:
		count, ok := x.signedCount(2)
		if !ok {
			return
		}
		err := x.tx.SRandMembers(x.db, x.args[1], count, func(n int64) { x.w.Array(int(n)) }, x.member)
		if err != nil {
			x.fail(err)
		}
	default:
		x.syntaxError()
	}
}
