package resp

import "fanfare/kv"

func init() {
	register(
		&command{
			name: "hincrby", arity: 4, flags: flagWrite | flagDenyOOM | flagFast, keys: oneKey("RW access update"),
			acl: "hash", group: "hash", since: "2.0.0", complexity: "O(1)",
			summary: "Adds a number to the integer of a field of a hash; a field that does not exist counts as 0.",
			run:     hincrBy,
		},
		&command{
			name: "hincrbyfloat", arity: 4, flags: flagWrite | flagDenyOOM | flagFast, keys: oneKey("RW access update"),
			acl: "hash", group: "hash", since: "2.6.0", complexity: "O(1)",
			summary: "Adds a floating point number to the number of a field of a hash; a field that does not exist counts as 0.",
			run:     hincrByFloat,
		},
	)
}

func hincrBy(x *call) {
	delta, err := kv.ParseInt(x.args[3])
	if err != nil {
		x.fail(err)
		return
	}
	sum, err := x.tx.HIncrBy(x.db, x.args[1], x.args[2], delta)
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Int(sum)
}

// hincrByFloat replies with a bulk string in RESP3 too.
func hincrByFloat(x *call) {
	sum, err := x.tx.HIncrByFloat(x.db, x.args[1], x.args[2], x.args[3])
	x.value(sum, true, err)
}
