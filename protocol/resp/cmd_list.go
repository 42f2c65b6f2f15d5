package resp

import "fanfare/kv"

func init() {
	const push, access = flagWrite | flagDenyOOM | flagFast, "RW insert"
	register(
		&command{
			name: "lpush", arity: -3, flags: push, keys: oneKey(access),
			acl: "list", group: "list", since: "1.0.0", complexity: "O(N) for N elements",
			summary: "Adds elements at the head of a list.",
			run:     func(x *call) { pushElements(x, kv.Left, false) },
		},
		&command{
			name: "rpush", arity: -3, flags: push, keys: oneKey(access),
			acl: "list", group: "list", since: "1.0.0", complexity: "O(N) for N elements",
			summary: "Adds elements at the tail of a list.",
			run:     func(x *call) { pushElements(x, kv.Right, false) },
		},
		&command{
			name: "lpushx", arity: -3, flags: push, keys: oneKey(access),
			acl: "list", group: "list", since: "2.2.0", complexity: "O(N) for N elements",
			summary: "Adds elements at the head of a list, if there is one.",
			run:     func(x *call) { pushElements(x, kv.Left, true) },
		},
		&command{
			name: "rpushx", arity: -3, flags: push, keys: oneKey(access),
			acl: "list", group: "list", since: "2.2.0", complexity: "O(N) for N elements",
			summary: "Adds elements at the tail of a list, if there is one.",
			run:     func(x *call) { pushElements(x, kv.Right, true) },
		},
		&command{
			name: "lpop", arity: -2, flags: flagWrite | flagFast, keys: oneKey("RW access delete"),
			acl: "list", group: "list", since: "1.0.0", complexity: "O(N) for N elements",
			summary: "Takes elements from the head of a list.",
			run:     func(x *call) { popElements(x, kv.Left) },
		},
		&command{
			name: "rpop", arity: -2, flags: flagWrite | flagFast, keys: oneKey("RW access delete"),
			acl: "list", group: "list", since: "1.0.0", complexity: "O(N) for N elements",
			summary: "Takes elements from the tail of a list.",
			run:     func(x *call) { popElements(x, kv.Right) },
		},
		&command{
			name: "lset", arity: 4, flags: flagWrite | flagDenyOOM, keys: oneKey("RW update"),
			acl: "list", group: "list", since: "1.0.0", complexity: "O(N) for the N nodes up to the element",
			summary: "Replaces an element of a list.",
			run:     lset,
		},
		&command{
			name: "linsert", arity: 5, flags: flagWrite | flagDenyOOM, keys: oneKey(access),
			acl: "list", group: "list", since: "2.2.0", complexity: "O(N) for the N elements up to the pivot",
			summary: "Puts an element before or behind another one of a list.",
			run:     linsert,
		},
		&command{
			name: "lrem", arity: 4, flags: flagWrite, keys: oneKey("RW delete"),
			acl: "list", group: "list", since: "1.0.0", complexity: "O(N) for a list of N elements",
			summary: "Removes the elements of a list that are equal to a given one.",
			run:     lrem,
		},
		&command{
			name: "ltrim", arity: 4, flags: flagWrite, keys: oneKey("RW delete"),
			acl: "list", group: "list", since: "1.0.0", complexity: "O(N) for N elements removed",
			summary: "Keeps a part of a list.",
			run:     ltrim,
		},
	)
}

func pushElements(x *call, end kv.End, onlyOld bool) {
	n, err := x.tx.Push(x.db, x.args[1], end, x.args[2:], onlyOld)
	x.size(n, err)
}

// size replies with a number of elements, or with an error.
func (x *call) size(n int, err error) {
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Int(int64(n))
}

// done replies OK, or with an error.
func (x *call) done(err error) {
	if err != nil {
		x.fail(err)
		return
	}
	x.w.OK()
}

const textNegative = "ERR value is out of range, must be positive"

// popElements takes one element, or as many as an argument says, which makes the
// reply an array.
func popElements(x *call, end kv.End) {
	count := int64(1)
	many := len(x.args) > 2
	switch {
	case len(x.args) > 3:
		x.wrongArgs()
		return
	case many:
		n, ok := parseInt(x.args[2])
		if !ok || n < 0 {
			x.w.Error(textNegative)
			return
		}
		count = n
	}
	items, ok, err := x.tx.Pop(x.db, x.args[1], end, count)
	switch {
	case err != nil:
		x.fail(err)
	case !ok && many:
		x.w.NullArray()
	case !ok:
		x.w.Null()
	case many:
		x.elements(items)
	default:
		x.w.Bulk(items[0])
	}
}

// elements replies with an array of elements.
func (x *call) elements(items [][]byte) {
	x.w.Array(len(items))
	for _, item := range items {
		x.w.Bulk(item)
	}
}

// intArg reads an argument. When it returns false it has replied with an error.
func (x *call) intArg(i int) (int64, bool) {
	n, err := kv.ParseInt(x.args[i])
	if err != nil {
		x.fail(err)
	}
	return n, err == nil
}

// lset looks at the key before the index, as in Redis.
func lset(x *call) {
	if x.tx.Holds(x.db, x.args[1], kv.TypeList) {
		index, ok := x.intArg(2)
		if ok {
			x.done(x.tx.LSet(x.db, x.args[1], index, x.args[3]))
		}
		return
	}
	x.done(x.tx.LSet(x.db, x.args[1], 0, nil))
}

func linsert(x *call) {
	after := x.option(2, "AFTER")
	if !after && !x.option(2, "BEFORE") {
		x.syntaxError()
		return
	}
	n, err := x.tx.LInsert(x.db, x.args[1], x.args[3], x.args[4], after)
	x.size(n, err)
}

func lrem(x *call) {
	count, ok := x.intArg(2)
	if !ok {
		return
	}
	n, err := x.tx.LRem(x.db, x.args[1], count, x.args[3])
	x.size(n, err)
}

func ltrim(x *call) {
	if start, stop, ok := x.indexes(2); ok {
		x.done(x.tx.LTrim(x.db, x.args[1], start, stop))
	}
}

// indexes reads two arguments. When it returns false it has replied with an error.
func (x *call) indexes(i int) (start, stop int64, ok bool) {
	if start, ok = x.intArg(i); !ok {
		return 0, 0, false
	}
	stop, ok = x.intArg(i + 1)
	return start, stop, ok
}

// positive reads an argument that is a number from 1 on,
// else replies with the text.
func (x *call) positive(i int, text string) (int64, bool) {
	n, ok := parseInt(x.args[i])
	if !ok || n < 1 {
		x.w.Error(text)
		return 0, false
	}
	return n, true
}
