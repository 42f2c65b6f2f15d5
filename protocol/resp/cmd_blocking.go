package resp

import (
	"errors"
	"math"
	"time"

	"fanfare/kv"
)

func init() {
	const common, access = flagWrite | flagNoScript | flagBlocking, "RW access delete"
	lastIsTimeout := keySpec{first: 1, last: -2, step: 1, access: access}
	register(
		&command{
			name: "blpop", arity: -3, flags: common, keys: lastIsTimeout,
			acl: "list", group: "list", since: "2.0.0", complexity: "O(N) for N keys",
			summary: "Takes an element from the head of the first list that has any, and waits for one.",
			run:     func(x *call) { blockingPop(x, takeLeft) },
		},
		&command{
			name: "brpop", arity: -3, flags: common, keys: lastIsTimeout,
			acl: "list", group: "list", since: "2.0.0", complexity: "O(N) for N keys",
			summary: "Takes an element from the tail of the first list that has any, and waits for one.",
			run:     func(x *call) { blockingPop(x, takeRight) },
		},
		&command{
			name: "blmove", arity: 6, flags: common | flagDenyOOM, keys: twoKeys(access, "RW insert"),
			acl: "list", group: "list", since: "6.2.0", complexity: "O(1)",
			summary: "Takes an element from an end of a list to an end of another one, and waits for one.",
			run:     blmove,
		},
		&command{
			name: "brpoplpush", arity: 4, flags: common | flagDenyOOM, keys: twoKeys(access, "RW insert"),
			acl: "list", group: "list", since: "2.2.0", complexity: "O(1)",
			summary: "Takes an element from the tail of a list to the head of another one, and waits for one.",
			run: func(x *call) {
				blockingMove(x, func(x *call, _ []byte) { moveElement(x, kv.Right, kv.Left) })
			},
		},
		&command{
			name: "blmpop", arity: -5, flags: flagWrite | flagBlocking, keys: countedKeys(2, access),
			acl: "list", group: "list", since: "7.0.0", complexity: "O(N+M) for N keys and M elements",
			summary: "Takes elements from the first list that has any, and waits for some.",
			run:     blmpop,
		},
	)
}

// blockingPop is BLPOP and its like: key [key …] timeout.
func blockingPop(x *call, take func(x *call, key []byte)) {
	last := len(x.args) - 1
	if timeout, ok := x.waitFor(last); ok {
		x.block(blocking{keys: x.args[1:last], kind: kv.TypeList, timeout: timeout, take: take, null: (*Writer).NullArray})
	}
}

func takeLeft(x *call, key []byte) { takeElement(x, key, kv.Left) }

func takeRight(x *call, key []byte) { takeElement(x, key, kv.Right) }

func takeElement(x *call, key []byte, end kv.End) {
	items, _, err := x.tx.Pop(x.db, key, end, 1)
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Array(2)
	x.w.Bulk(key)
	x.w.Bulk(items[0])
}

func blmove(x *call) {
	if _, _, ok := x.listEnds(3); ok {
		blockingMove(x, func(x *call, _ []byte) { lmove(x) })
	}
}

// blockingMove waits for the list that an element is taken from. As in Redis the other
// one is looked at when there is an element.
func blockingMove(x *call, take func(x *call, key []byte)) {
	if timeout, ok := x.waitFor(len(x.args) - 1); ok {
		x.block(blocking{keys: x.args[1:2], kind: kv.TypeList, timeout: timeout, take: take, null: (*Writer).Null})
	}
}

// blmpop is BLMPOP timeout numkeys key [key …] LEFT | RIGHT [COUNT n].
func blmpop(x *call) {
	m, ok := x.multiPop(2, "LEFT", "RIGHT")
	if !ok {
		return
	}
	if timeout, ok := x.waitFor(1); ok {
		x.block(blocking{keys: m.keys, kind: kv.TypeList, timeout: timeout, take: takeElements, null: (*Writer).NullArray})
	}
}

// takeElements is BLMPOP on one key.
func takeElements(x *call, key []byte) {
	m, ok := x.multiPop(2, "LEFT", "RIGHT")
	if !ok {
		return
	}
	items, _, err := x.tx.Pop(x.db, key, kv.End(x.option(m.where, "RIGHT")), m.count)
	if err != nil {
		x.fail(err)
		return
	}
	x.poppedElements(key, items)
}

// waitFor reads how many seconds a command waits; 0: for ever. Parts of a millisecond
// count as a whole one. When it returns false it has replied with an error.
func (x *call) waitFor(i int) (time.Duration, bool) {
	ms, err := kv.ParseTimeout(x.args[i])
	switch {
	case errors.Is(err, kv.ErrOverflow), ms > math.MaxInt64-x.tx.Now():
		x.w.Error("ERR timeout is out of range")
	case err != nil:
		x.w.Error("ERR timeout is not a float or out of range")
	case ms < 0:
		x.w.Error("ERR timeout is negative")
	case ms > longestWait:
		return 0, true
	default:
		return time.Duration(ms) * time.Millisecond, true
	}
	return 0, false
}

// longestWait is longer than anybody waits, in milliseconds; what exceeds it is for
// ever.
const longestWait = 100 * 365 * 24 * 3600 * 1000
