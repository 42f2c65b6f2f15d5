package resp

import "fanfare/kv"

func init() {
	register(
		&command{
			name: "del", arity: -2, flags: flagWrite, keys: manyKeys("RM delete"),
			acl: "keyspace", group: "generic", since: "1.0.0", complexity: "O(N) for N keys",
			summary: "Deletes keys and returns how many there were.",
			run:     del,
		},
		&command{
			name: "exists", arity: -2, flags: flagReadonly | flagFast, keys: manyKeys("RO"),
			acl: "keyspace", group: "generic", since: "1.0.0", complexity: "O(N) for N keys",
			summary: "Counts how many of the keys exist; one named twice counts twice.",
			run:     exists,
		},
		&command{
			name: "type", arity: 2, flags: flagReadonly | flagFast, keys: oneKey("RO"),
			acl: "keyspace", group: "generic", since: "1.0.0", complexity: "O(1)",
			summary: "Returns the type of the value a key holds.",
			run:     func(x *call) { x.w.SimpleString(x.tx.Type(x.db, x.args[1]).String()) },
		},
		&command{
			name: "expire", arity: -3, flags: flagWrite | flagFast, keys: oneKey("RW update"),
			acl: "keyspace", group: "generic", since: "1.0.0", complexity: "O(1)",
			summary: "Gives a key a time to live in seconds.",
			run:     func(x *call) { expire(x, kv.Seconds, x.tx.Now()) },
		},
		&command{
			name: "pexpire", arity: -3, flags: flagWrite | flagFast, keys: oneKey("RW update"),
			acl: "keyspace", group: "generic", since: "2.6.0", complexity: "O(1)",
			summary: "Gives a key a time to live in milliseconds.",
			run:     func(x *call) { expire(x, kv.Milliseconds, x.tx.Now()) },
		},
		&command{
			name: "ttl", arity: 2, flags: flagReadonly | flagFast, keys: oneKey("RO access"),
			acl: "keyspace", group: "generic", since: "1.0.0", complexity: "O(1)",
			summary: "Returns how long a key still lives, in seconds.",
			run:     ttl,
		},
		&command{
			name: "pttl", arity: 2, flags: flagReadonly | flagFast, keys: oneKey("RO access"),
			acl: "keyspace", group: "generic", since: "2.6.0", complexity: "O(1)",
			summary: "Returns how long a key still lives, in milliseconds.",
			run:     func(x *call) { x.w.Int(x.tx.TTL(x.db, x.args[1])) },
		},
		&command{
			name: "persist", arity: 2, flags: flagWrite | flagFast, keys: oneKey("RW update"),
			acl: "keyspace", group: "generic", since: "2.2.0", complexity: "O(1)",
			summary: "Takes the time to live from a key.",
			run:     func(x *call) { x.bit(x.tx.Persist(x.db, x.args[1])) },
		},
	)
}

// bit replies 1 or 0, in RESP3 too.
func (x *call) bit(yes bool) {
	if yes {
		x.w.Int(1)
		return
	}
	x.w.Int(0)
}

func del(x *call) { x.countKeys(x.tx.Delete) }

func exists(x *call) { x.countKeys(x.tx.Exists) }

// countKeys replies with the number of arguments for which f is true.
func (x *call) countKeys(f func(db int, key []byte) bool) {
	n := int64(0)
	for _, key := range x.args[1:] {
		if f(x.db, key) {
			n++
		}
	}
	x.w.Int(n)
}

// ttl rounds half seconds up, as Redis does.
func ttl(x *call) {
	left := x.tx.TTL(x.db, x.args[1])
	if left >= 0 {
		left = (left + 500) / 1000
	}
	x.w.Int(left)
}

// expire gives a key a deadline: EXPIRE key time [NX | XX | GT | LT]. The time
// counts from base, in Unix milliseconds.
func expire(x *call, unit kv.Unit, base int64) {
	condition, ok := expireCondition(x)
	if !ok {
		return
	}
	n, err := kv.ParseInt(x.args[2])
	if err != nil {
		x.fail(err)
		return
	}
	deadline, err := kv.ExpireDeadline(n, unit, base)
	if err != nil {
		x.expireTimeError()
		return
	}
	x.bit(x.tx.Expire(x.db, x.args[1], deadline, condition))
}

var expireConditions = []struct {
	name string
	bit  kv.ExpireCondition
}{{"NX", kv.ExpireNX}, {"XX", kv.ExpireXX}, {"GT", kv.ExpireGT}, {"LT", kv.ExpireLT}}

// expireCondition reads what follows the time. When it returns false it has
// replied with an error.
func expireCondition(x *call) (c kv.ExpireCondition, ok bool) {
	for i := 3; i < len(x.args); i++ {
		known := false
		for _, row := range expireConditions {
			if x.option(i, row.name) {
				c, known = c|row.bit, true
			}
		}
		if !known {
			x.w.Error("ERR Unsupported option " + quoted(x.args[i], len(x.args[i])))
			return c, false
		}
	}
	if err := c.Validate(); err != nil {
		x.fail(err)
		return c, false
	}
	return c, true
}
