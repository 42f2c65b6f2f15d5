package resp

import (
	"math"

	"fanfare/kv"
)

// Members of sorted sets that are taken out from one end, or chosen at random.
func init() {
	register(
		&command{
			name: "zpopmin", arity: -2, flags: flagWrite | flagFast, keys: oneKey("RW access delete"),
			acl: "sortedset", group: "sorted-set", since: "5.0.0", complexity: "O(M log N) for N members, M of which are taken",
			summary: "Takes out the members with the lowest scores and returns them.",
			run:     func(x *call) { zpop(x, false) },
		},
		&command{
			name: "zpopmax", arity: -2, flags: flagWrite | flagFast, keys: oneKey("RW access delete"),
			acl: "sortedset", group: "sorted-set", since: "5.0.0", complexity: "O(M log N) for N members, M of which are taken",
			summary: "Takes out the members with the highest scores and returns them.",
			run:     func(x *call) { zpop(x, true) },
		},
		&command{
			name: "zmpop", arity: -4, flags: flagWrite, keys: countedKeys(1, "RW access delete"),
			acl: "sortedset", group: "sorted-set", since: "7.0.0", complexity: "O(K + M log N) for K keys and N members, M of which are taken",
			summary: "Takes members out of the first sorted set that is not empty, from either end.",
			run:     zmpop,
		},
		&command{
			name: "zrandmember", arity: -2, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "sortedset", group: "sorted-set", since: "6.2.0", complexity: "O(M log N) for N members, M of which are returned",
			summary: "Returns members chosen at random, perhaps with their scores.",
			run:     zrandMember,
		},
	)
}

// textNotNegative is the error for a count of members to take out.
const textNotNegative = "ERR value is out of range, must be positive"

// zpop takes members out: ZPOPMIN key [count]. Without a count a member and its score
// are not nested in RESP3.
func zpop(x *call, highest bool) {
	count := int64(1)
	if len(x.args) > 2 {
		var err error
		count, err = kv.ParseInt(x.args[2])
		switch {
		case len(x.args) > 3:
			x.syntaxError()
			return
		case err != nil || count < 0:
			x.w.Error(textNotNegative)
			return
		}
	}
	list, err := x.tx.ZPop(x.db, x.args[1], count, highest)
	switch {
	case err != nil:
		x.fail(err)
	case len(x.args) > 2:
		x.scoredList(list, true)
	default:
		x.w.Array(2 * len(list))
		for _, m := range list {
			x.w.Bulk(m.Member)
			x.w.Double(m.Score)
		}
	}
}

// zmpop takes members out of the first key that has any:
// ZMPOP numkeys key [key ...] MIN | MAX [COUNT count].
func zmpop(x *call) {
	pop, ok := x.zmpopArgs(1)
	if !ok {
		return
	}
	for _, key := range pop.keys {
		list, err := x.tx.ZPop(x.db, key, pop.count, pop.highest)
		switch {
		case err != nil:
			x.fail(err)
			return
		case len(list) > 0:
			x.popped(key, list)
			return
		}
	}
	x.w.NullArray()
}

// popped replies with a key and what was taken out of it, which is nested in RESP2,
// too.
func (x *call) popped(key []byte, list []kv.Scored) {
	x.w.Array(2)
	x.w.Bulk(key)
	x.w.Array(len(list))
	nested := scoredReply{w: x.w, scores: true, nested: true}
	for _, m := range list {
		if x.conn.replyTooLarge() {
			return
		}
		nested.element(m.Member, m.Score)
	}
}

// zmpopArgs is what ZMPOP and BZMPOP are told.
type zmpopArgs struct {
	keys    [][]byte
	highest bool
	count   int64
}

// zmpopArgs reads numkeys, which is argument i, and what follows it. When ok is false
// it has replied with an error.
func (x *call) zmpopArgs(i int) (a zmpopArgs, ok bool) {
	n, err := kv.ParseInt(x.args[i])
	if err != nil || n < 1 {
		x.w.Error("ERR numkeys should be greater than 0")
		return a, false
	}
	rest := x.args[i+1:]
	if n >= int64(len(rest)) {
		x.syntaxError()
		return a, false
	}
	end := i + 1 + int(n)
	a.keys, a.highest = rest[:n], x.option(end, "MAX")
	if !a.highest && !x.option(end, "MIN") {
		x.syntaxError()
		return a, false
	}
	for at := end + 1; at < len(x.args); at += 2 {
		if a.count != 0 || !x.option(at, "COUNT") || at+1 == len(x.args) {
			x.syntaxError()
			return a, false
		}
		if !x.zmpopCount(&a, at+1) {
			return a, false
		}
	}
	a.count = max(1, a.count)
	return a, true
}

// zmpopCount reads the count, which is argument i. When it returns false it has
// replied with an error.
func (x *call) zmpopCount(a *zmpopArgs, i int) bool {
	count, err := kv.ParseInt(x.args[i])
	if err != nil || count < 1 {
		x.w.Error(textNotPositive)
		return false
	}
	a.count = count
	return true
}

// zrandMember chooses members: ZRANDMEMBER key [count [WITHSCORES]].
func zrandMember(x *call) {
	if len(x.args) == 2 {
		zrandOne(x)
		return
	}
	count, ok := x.signedCount(2)
	withScores := len(x.args) == 4 && x.option(3, "WITHSCORES")
	const most = math.MaxInt64 / 2 // pairs
	switch {
	case !ok:
		return
	case len(x.args) > 3 && !withScores:
		x.syntaxError()
		return
	case withScores && (count < -most || count > most):
		x.w.Error("ERR value is out of range")
		return
	}
	n, members, err := x.tx.ZRandMember(x.db, x.args[1], count)
	if err != nil {
		x.fail(err)
		return
	}
	w := x.scoredArray(int(n), withScores)
	for member, score := range members {
		if x.conn.replyTooLarge() {
			return
		}
		w.element(member, score)
	}
}

func zrandOne(x *call) {
	n, members, err := x.tx.ZRandMember(x.db, x.args[1], 1)
	if err != nil {
		x.fail(err)
		return
	}
	if n == 0 {
		x.w.Null()
	}
	for member := range members {
		x.w.Bulk(member)
	}
}
