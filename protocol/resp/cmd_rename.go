package resp

import (
	"bytes"

	"fanfare/kv"
)

func init() {
	register(
		&command{
			name: "rename", arity: 3, flags: flagWrite, keys: twoKeys("RW access delete", "OW update"),
			acl: "keyspace", group: "generic", since: "1.0.0", complexity: "O(N) for a value of N bytes",
			summary: "Gives a value another key; what that one held is lost.",
			run:     rename,
		},
		&command{
			name: "renamenx", arity: 3, flags: flagWrite | flagFast, keys: twoKeys("RW access delete", "OW insert"),
			acl: "keyspace", group: "generic", since: "1.0.0", complexity: "O(N) for a value of N bytes",
			summary: "Gives a value another key, if that one does not exist.",
			run:     renameNX,
		},
		&command{
			name: "copy", arity: -3, flags: flagWrite | flagDenyOOM, keys: twoKeys("RO access", "OW update"),
			acl: "keyspace", group: "generic", since: "6.2.0", complexity: "O(N) for a value of N bytes",
			summary: "Stores the value of a key under another one as well.",
			run:     copyKey,
		},
		&command{
			name: "move", arity: 3, flags: flagWrite | flagFast, keys: oneKey("RW access update"),
			acl: "keyspace", group: "generic", since: "1.0.0", complexity: "O(1)",
			summary: "Takes a key to another database, if it does not exist there.",
			run:     move,
		},
		&command{
			name: "swapdb", arity: 3, flags: flagWrite | flagFast | flagWholeStore,
			acl: "keyspace dangerous", group: "server", since: "4.0.0",
			complexity: "O(N) for N keys of both databases that are watched",
			summary:    "Exchanges the keys of two databases.",
			run:        swapDB,
		},
	)
}

func rename(x *call) {
	if _, err := x.tx.Rename(x.db, x.args[1], x.args[2], false); err != nil {
		x.fail(err)
		return
	}
	x.w.OK()
}

func renameNX(x *call) {
	done, err := x.tx.Rename(x.db, x.args[1], x.args[2], true)
	if err != nil {
		x.fail(err)
		return
	}
	x.bit(done)
}

const textSameObject = "ERR source and destination objects are the same"

// copyKey copies a value: COPY key key [DB number] [REPLACE].
func copyKey(x *call) {
	from, to := kv.Key{DB: x.db, Key: x.args[1]}, kv.Key{DB: x.db, Key: x.args[2]}
	replace := false
	for i := 3; i < len(x.args); i++ {
		switch {
		case x.option(i, "REPLACE"):
			replace = true
		case x.option(i, "DB") && i+1 < len(x.args):
			i++
			var ok bool
			if to.DB, ok = x.database(i); !ok {
				return
			}
		default:
			x.syntaxError()
			return
		}
	}
	if from.DB == to.DB && bytes.Equal(from.Key, to.Key) {
		x.w.Error(textSameObject)
		return
	}
	done, err := x.tx.Copy(from, to, replace)
	if err != nil {
		x.fail(err)
		return
	}
	x.bit(done)
}

func move(x *call) {
	to, ok := x.database(2)
	switch {
	case !ok:
	case to == x.db:
		x.w.Error(textSameObject)
	default:
		x.bit(x.tx.Move(x.db, to, x.args[1]))
	}
}

// swapDB refuses numbers that are none with a text of its own, those of no
// database with the general one.
func swapDB(x *call) {
	var dbs [2]int64
	for i, which := range []string{"first", "second"} {
		n, err := kv.ParseInt(x.args[i+1])
		if err != nil || n != int64(int32(n)) {
			x.w.Error("ERR invalid " + which + " DB index")
			return
		}
		dbs[i] = n
	}
	most := int64(x.conn.server.store().Databases())
	if min(dbs[0], dbs[1]) < 0 || max(dbs[0], dbs[1]) >= most {
		x.w.Error(textNoDB)
		return
	}
	x.tx.SwapDatabases(int(dbs[0]), int(dbs[1]))
	for _, db := range dbs {
		x.conn.server.blocked.touchedDatabase(int(db))
	}
	if dbs[0] != dbs[1] {
		x.conn.server.tracking.flushed() // Redis leaves clients with the values of the other database
	}
	x.w.OK()
}

// database reads the number of a database. When it returns false it has replied
// with an error.
func (x *call) database(i int) (int, bool) {
	n, err := kv.ParseInt(x.args[i])
	switch {
	case err != nil:
		x.fail(err)
	case n != int64(int32(n)):
		x.w.Error("ERR value is out of range, value must between -2147483648 and 2147483647")
	case n < 0 || n >= int64(x.conn.server.store().Databases()):
		x.w.Error(textNoDB)
	default:
		return int(n), true
	}
	return 0, false
}
