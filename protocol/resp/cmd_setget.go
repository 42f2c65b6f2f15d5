package resp

import "fanfare/kv"

// The commands that were there before SET and GET had options, and those that
// read and do something else in one step.
func init() {
	register(
		&command{
			name: "setnx", arity: 3, flags: flagWrite | flagDenyOOM | flagFast, keys: oneKey("OW insert"),
			acl: "string", group: "string", since: "1.0.0", complexity: "O(1)",
			summary: "Stores a string under a key that does not exist yet.",
			run:     setNX,
		},
		&command{
			name: "setex", arity: 4, flags: flagWrite | flagDenyOOM, keys: oneKey("OW update"),
			acl: "string", group: "string", since: "2.0.0", complexity: "O(1)",
			summary: "Stores a string with a time to live in seconds.",
			run:     func(x *call) { setWithLife(x, &lifeEX) },
		},
		&command{
			name: "psetex", arity: 4, flags: flagWrite | flagDenyOOM, keys: oneKey("OW update"),
			acl: "string", group: "string", since: "2.6.0", complexity: "O(1)",
			summary: "Stores a string with a time to live in milliseconds.",
			run:     func(x *call) { setWithLife(x, &lifePX) },
		},
		&command{
			name: "getset", arity: 3, flags: flagWrite | flagDenyOOM | flagFast, keys: oneKey("RW access update"),
			acl: "string", group: "string", since: "1.0.0", complexity: "O(1)",
			summary: "Stores a string and returns the one that was there.",
			run:     getSet,
		},
		&command{
			name: "getdel", arity: 2, flags: flagWrite | flagFast, keys: oneKey("RW access delete"),
			acl: "string", group: "string", since: "6.2.0", complexity: "O(1)",
			summary: "Returns the string a key holds and deletes the key.",
			run:     getDel,
		},
		&command{
			name: "getex", arity: -2, flags: flagWrite | flagFast, keys: oneKey("RW access update"),
			acl: "string", group: "string", since: "6.2.0", complexity: "O(1)",
			summary: "Returns the string a key holds and changes how long the key lives.",
			run:     getEx,
		},
	)
}

var (
	lifeEX = setLife{"EX", kv.Seconds, false}
	lifePX = setLife{"PX", kv.Milliseconds, false}
)

func setNX(x *call) {
	result, err := x.tx.Set(x.db, x.args[1], x.args[2], kv.SetOptions{Condition: kv.SetNX})
	if err != nil {
		x.fail(err)
		return
	}
	x.bit(result.Done)
}

// setWithLife stores a value: SETEX key life value.
func setWithLife(x *call, life *setLife) {
	deadline, ok := x.deadline(life, x.args[2])
	if !ok {
		return
	}
	if _, err := x.tx.Set(x.db, x.args[1], x.args[3], kv.SetOptions{Deadline: deadline}); err != nil {
		x.fail(err)
		return
	}
	x.w.OK()
}

func getSet(x *call) {
	result, err := x.tx.Set(x.db, x.args[1], x.args[2], kv.SetOptions{Get: true})
	switch {
	case err != nil:
		x.fail(err)
	case !result.Existed:
		x.w.Null()
	default:
		x.w.Bulk(result.Old)
	}
}

func getDel(x *call) {
	value, ok, err := x.tx.Get(x.db, x.args[1])
	switch {
	case err != nil:
		x.fail(err)
	case !ok:
		x.w.Null()
	default:
		x.tx.Delete(x.db, x.args[1])
		x.w.Bulk(value)
	}
}

// getEx reads and sets or takes the time to live:
// GETEX key [EX s | PX ms | EXAT unix-s | PXAT unix-ms | PERSIST].
// As in Redis the number is looked at only if the key exists.
func getEx(x *call) {
	life, amount, persist, ok := getExOptions(x)
	if !ok {
		return
	}
	value, found, err := x.tx.Get(x.db, x.args[1])
	switch {
	case err != nil:
		x.fail(err)
		return
	case !found:
		x.w.Null()
		return
	case persist:
		x.tx.Persist(x.db, x.args[1])
	case life != nil:
		deadline, ok := x.deadline(life, amount)
		if !ok {
			return
		}
		x.tx.Expire(x.db, x.args[1], deadline, 0)
	}
	x.w.Bulk(value)
}

// getExOptions reads what follows the key. When ok is false it has replied with
// an error.
func getExOptions(x *call) (life *setLife, amount []byte, persist, ok bool) {
	for i := 2; i < len(x.args); i++ {
		switch next := x.life(i); {
		case x.option(i, "PERSIST") && life == nil:
			persist = true
		case next != nil && i+1 < len(x.args) && !persist && (life == nil || life == next):
			life = next
			i++
			amount = x.args[i]
		default:
			x.syntaxError()
			return nil, nil, false, false
		}
	}
	return life, amount, persist, true
}
