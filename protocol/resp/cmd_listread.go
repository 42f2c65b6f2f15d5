package resp

import (
	"math"

	"fanfare/kv"
)

func init() {
	register(
		&command{
			name: "lrange", arity: 4, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "list", group: "list", since: "1.0.0", complexity: "O(S+N) for N elements behind S nodes",
			summary: "Returns a part of a list.",
			run:     lrange,
		},
		&command{
			name: "llen", arity: 2, flags: flagReadonly | flagFast, keys: oneKey("RO"),
			acl: "list", group: "list", since: "1.0.0", complexity: "O(1)",
			summary: "Returns the number of elements of a list.",
			run: func(x *call) {
				n, err := x.tx.LLen(x.db, x.args[1])
				x.size(n, err)
			},
		},
		&command{
			name: "lindex", arity: 3, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "list", group: "list", since: "1.0.0", complexity: "O(N) for the N nodes up to the element",
			summary: "Returns an element of a list.",
			run:     lindex,
		},
		&command{
			name: "lpos", arity: -3, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "list", group: "list", since: "6.0.6", complexity: "O(N) for N elements that are looked at",
			summary: "Returns where in a list there are elements equal to a given one.",
			run:     lpos,
		},
	)
}

func lrange(x *call) {
	start, stop, ok := x.indexes(2)
	if !ok {
		return
	}
	elements, err := x.tx.LRange(x.db, x.args[1], start, stop)
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Array(elements.Len())
	elements.Each(func(item []byte) bool {
		x.w.Bulk(item)
		return !x.conn.replyTooLarge()
	})
}

// lindex looks at the key before the index, as in Redis.
func lindex(x *call) {
	index := int64(0)
	if x.tx.Holds(x.db, x.args[1], kv.TypeList) {
		var ok bool
		if index, ok = x.intArg(2); !ok {
			return
		}
	}
	item, ok, err := x.tx.LIndex(x.db, x.args[1], index)
	switch {
	case err != nil:
		x.fail(err)
	case !ok:
		x.w.Null()
	default:
		x.w.Bulk(item)
	}
}

// lpos finds elements: LPOS key element [RANK rank] [COUNT n] [MAXLEN n]. Without
// COUNT the reply is one index.
func lpos(x *call) {
	options, many, ok := lposOptions(x)
	if !ok {
		return
	}
	var found []int
	err := x.tx.LPos(x.db, x.args[1], x.args[2], options, func(index int) { found = append(found, index) })
	switch {
	case err != nil:
		x.fail(err)
	case many:
		x.w.Array(len(found))
		for _, index := range found {
			x.w.Int(int64(index))
		}
	case len(found) == 0:
		x.w.Null()
	default:
		x.w.Int(int64(found[0]))
	}
}

// lposOptions reads what follows the element. When it returns false it has replied
// with an error.
func lposOptions(x *call) (o kv.PosOptions, many, ok bool) {
	o = kv.PosOptions{Rank: 1, Count: 1}
	for i := 3; i < len(x.args); i += 2 {
		switch {
		case i+1 == len(x.args):
			x.syntaxError()
			return o, false, false
		case x.option(i, "RANK"):
			o.Rank, ok = x.rank(i + 1)
		case x.option(i, "COUNT"):
			many = true
			o.Count, ok = x.notNegative(i+1, "ERR COUNT can't be negative")
		case x.option(i, "MAXLEN"):
			o.Most, ok = x.notNegative(i+1, "ERR MAXLEN can't be negative")
		default:
			x.syntaxError()
			return o, false, false
		}
		if !ok {
			return o, false, false
		}
	}
	return o, many, true
}

// rank reads the RANK of LPOS. When it returns false it has replied with an error.
func (x *call) rank(i int) (int64, bool) {
	n, ok := x.intArg(i)
	switch {
	case !ok:
	case n == math.MinInt64:
		x.w.Error("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807")
	case n == 0:
		x.w.Error("ERR RANK can't be zero: use 1 to start from the first match, " +
			"2 from the second ... or use negative to start from the end of the list")
	default:
		return n, true
	}
	return 0, false
}

// notNegative reads an argument that is a number from 0 on, else replies with the
// text.
func (x *call) notNegative(i int, text string) (int64, bool) {
	n, ok := parseInt(x.args[i])
	if !ok || n < 0 {
		x.w.Error(text)
		return 0, false
	}
	return n, true
}
