package resp

import (
	"math"

	"fanfare/kv"
)

func init() {
	const common = flagWrite | flagDenyOOM | flagFast
	keys := oneKey("RW access update")
	register(
		&command{
			name: "incr", arity: 2, flags: common, keys: keys,
			acl: "string", group: "string", since: "1.0.0", complexity: "O(1)",
			summary: "Adds one to the integer a key holds; a key that does not exist counts as 0.",
			run:     func(x *call) { x.count(1) },
		},
		&command{
			name: "decr", arity: 2, flags: common, keys: keys,
			acl: "string", group: "string", since: "1.0.0", complexity: "O(1)",
			summary: "Subtracts one from the integer a key holds; a key that does not exist counts as 0.",
			run:     func(x *call) { x.count(-1) },
		},
		&command{
			name: "incrby", arity: 3, flags: common, keys: keys,
			acl: "string", group: "string", since: "1.0.0", complexity: "O(1)",
			summary: "Adds a number to the integer a key holds; a key that does not exist counts as 0.",
			run:     incrBy,
		},
		&command{
			name: "decrby", arity: 3, flags: common, keys: keys,
			acl: "string", group: "string", since: "1.0.0", complexity: "O(1)",
			summary: "Subtracts a number from the integer a key holds; a key that does not exist counts as 0.",
			run:     decrBy,
		},
		&command{
			name: "incrbyfloat", arity: 3, flags: common, keys: keys,
			acl: "string", group: "string", since: "2.6.0", complexity: "O(1)",
			summary: "Adds a floating point number to the number a key holds; a key that does not exist counts as 0.",
			run:     incrByFloat,
		},
	)
}

func incrBy(x *call) {
	delta, err := kv.ParseInt(x.args[2])
	if err != nil {
		x.fail(err)
		return
	}
	x.count(delta)
}

func decrBy(x *call) {
	delta, err := kv.ParseInt(x.args[2])
	switch {
	case err != nil:
		x.fail(err)
	case delta == math.MinInt64: // has no opposite
		x.w.Error("ERR decrement would overflow")
	default:
		x.count(-delta)
	}
}

// count adds delta to the key's integer.
func (x *call) count(delta int64) {
	sum, err := x.tx.IncrBy(x.db, x.args[1], delta)
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Int(sum)
}

// incrByFloat replies with a bulk string in RESP3 too.
func incrByFloat(x *call) {
	sum, err := x.tx.IncrByFloat(x.db, x.args[1], x.args[2])
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Bulk(sum)
}
