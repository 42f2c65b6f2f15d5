package resp

import "fanfare/kv"

func init() {
	register(
		&command{
			name: "lmove", arity: 5, flags: flagWrite | flagDenyOOM, keys: twoKeys("RW access delete", "RW insert"),
			acl: "list", group: "list", since: "6.2.0", complexity: "O(1)",
			summary: "Takes an element from an end of a list to an end of another one.",
			run:     lmove,
		},
		&command{
			name: "rpoplpush", arity: 3, flags: flagWrite | flagDenyOOM, keys: twoKeys("RW access delete", "RW insert"),
			acl: "list", group: "list", since: "1.2.0", complexity: "O(1)",
			summary: "Takes an element from the tail of a list to the head of another one.",
			run:     func(x *call) { moveElement(x, kv.Right, kv.Left) },
		},
		&command{
			name: "lmpop", arity: -4, flags: flagWrite, keys: countedKeys(1, "RW access delete"),
			acl: "list", group: "list", since: "7.0.0", complexity: "O(N+M) for N keys and M elements",
			summary: "Takes elements from the first of several lists that has any.",
			run:     lmpop,
		},
	)
}

// end reads an end of a list.
func (x *call) end(i int) (kv.End, bool) {
	right := x.option(i, "RIGHT")
	return kv.End(right), right || x.option(i, "LEFT")
}

// listEnds reads two of them. When it returns false it has replied with an error.
func (x *call) listEnds(i int) (from, to kv.End, ok bool) {
	from, first := x.end(i)
	to, second := x.end(i + 1)
	if !first || !second {
		x.syntaxError()
	}
	return from, to, first && second
}

func lmove(x *call) {
	if from, to, ok := x.listEnds(3); ok {
		moveElement(x, from, to)
	}
}

// moveElement moves an element between the lists of the first two arguments.
func moveElement(x *call, from, to kv.End) {
	item, ok, err := x.tx.LMove(x.db, x.args[1], from, x.args[2], to)
	switch {
	case err != nil:
		x.fail(err)
	case !ok:
		x.w.Null()
	default:
		x.w.Bulk(item)
	}
}

// multiPop is what LMPOP and its like say: numkeys key [key …] WHERE [COUNT n].
type multiPop struct {
	keys  [][]byte
	where int // argument
	count int64
}

// multiPop reads the arguments from i on, the words for where being those given. When
// it returns false it has replied with an error.
func (x *call) multiPop(i int, words ...string) (m multiPop, ok bool) {
	n, ok := x.positive(i, "ERR numkeys should be greater than 0")
	if !ok {
		return m, false
	}
	first := int64(i) + 1
	if n > int64(len(x.args))-first-1 {
		x.syntaxError()
		return m, false
	}
	m = multiPop{keys: x.args[first : first+n], where: int(first + n), count: 1}
	known := false
	for _, word := range words {
		known = known || x.option(m.where, word)
	}
	rest := x.args[m.where+1:]
	switch {
	case known && len(rest) == 0:
		return m, true
	case known && len(rest) >= 2 && equalFold(rest[0], "COUNT"):
		if m.count, ok = x.positive(m.where+2, textNotPositive); !ok {
			return m, false
		}
		if len(rest) == 2 {
			return m, true
		}
	}
	x.syntaxError()
	return m, false
}

func lmpop(x *call) {
	m, ok := x.multiPop(1, "LEFT", "RIGHT")
	if !ok {
		return
	}
	for _, key := range m.keys {
		items, ok, err := x.tx.Pop(x.db, key, kv.End(x.option(m.where, "RIGHT")), m.count)
		switch {
		case err != nil:
			x.fail(err)
			return
		case ok:
			x.poppedElements(key, items)
			return
		}
	}
	x.w.NullArray()
}

// poppedElements replies with a key and what was taken from it.
func (x *call) poppedElements(key []byte, items [][]byte) {
	x.w.Array(2)
	x.w.Bulk(key)
	x.elements(items)
}
