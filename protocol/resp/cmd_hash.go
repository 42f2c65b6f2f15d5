package resp

func init() {
	const write = flagWrite | flagDenyOOM | flagFast
	register(
		&command{
			name: "hset", arity: -4, flags: write, keys: oneKey("RW update"),
			acl: "hash", group: "hash", since: "2.0.0", complexity: "O(N) for N fields",
			summary: "Stores values of fields of a hash and returns how many fields are new.",
			run:     hset,
		},
		&command{
			name: "hmset", arity: -4, flags: write, keys: oneKey("RW update"),
			acl: "hash", group: "hash", since: "2.0.0", complexity: "O(N) for N fields",
			summary: "Stores values of fields of a hash; HSET does it, too.",
			run:     hmset,
		},
		&command{
			name: "hsetnx", arity: 4, flags: write, keys: oneKey("RW insert"),
			acl: "hash", group: "hash", since: "2.0.0", complexity: "O(1)",
			summary: "Stores the value of a field of a hash if the field does not exist.",
			run:     hsetNX,
		},
		&command{
			name: "hdel", arity: -3, flags: flagWrite | flagFast, keys: oneKey("RW delete"),
			acl: "hash", group: "hash", since: "2.0.0", complexity: "O(N) for N fields",
			summary: "Deletes fields of a hash, and the hash with its last one.",
			run:     hdel,
		},
	)
}

func hset(x *call) {
	if added, ok := x.storeFields(); ok {
		x.w.Int(int64(added))
	}
}

func hmset(x *call) {
	if _, ok := x.storeFields(); ok {
		x.w.OK()
	}
}

// storeFields stores the fields and values behind the key and returns how many fields
// are new. When ok is false it has replied with an error.
func (x *call) storeFields() (added int, ok bool) {
	if len(x.args)%2 != 0 {
		x.wrongArgs()
		return 0, false
	}
	added, err := x.tx.HSet(x.db, x.args[1], x.args[2:])
	if err != nil {
		x.fail(err)
		return 0, false
	}
	return added, true
}

func hsetNX(x *call) { x.yes(x.tx.HSetNX(x.db, x.args[1], x.args[2], x.args[3])) }

func hdel(x *call) { x.number(x.tx.HDel(x.db, x.args[1], x.args[2:])) }

// number replies with what a command has counted.
func (x *call) number(n int, err error) {
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Int(int64(n))
}

// yes replies with 1 or 0.
func (x *call) yes(is bool, err error) {
	if err != nil {
		x.fail(err)
		return
	}
	x.bit(is)
}
