package resp

import "fanfare/kv"

// Members of sorted sets and their scores.
func init() {
	register(
		&command{
			name: "zadd", arity: -4, flags: flagWrite | flagDenyOOM | flagFast, keys: oneKey("RW update"),
			acl: "sortedset", group: "sorted-set", since: "1.2.0", complexity: "O(log N) per member, for N members",
			summary: "Gives members of a sorted set their scores, perhaps only under a condition.",
			run:     zadd,
		},
		&command{
			name: "zincrby", arity: 4, flags: flagWrite | flagDenyOOM | flagFast, keys: oneKey("RW access update"),
			acl: "sortedset", group: "sorted-set", since: "1.2.0", complexity: "O(log N) for N members",
			summary: "Adds to the score of a member.",
			run:     zincrBy,
		},
		&command{
			name: "zrem", arity: -3, flags: flagWrite | flagFast, keys: oneKey("RW delete"),
			acl: "sortedset", group: "sorted-set", since: "1.2.0", complexity: "O(log N) per member, for N members",
			summary: "Takes members out of a sorted set.",
			run:     zrem,
		},
		&command{
			name: "zcard", arity: 2, flags: flagReadonly | flagFast, keys: oneKey("RO"),
			acl: "sortedset", group: "sorted-set", since: "1.2.0", complexity: "O(1)",
			summary: "Returns the number of members.",
			run:     zcard,
		},
		&command{
			name: "zscore", arity: 3, flags: flagReadonly | flagFast, keys: oneKey("RO access"),
			acl: "sortedset", group: "sorted-set", since: "1.2.0", complexity: "O(1)",
			summary: "Returns the score of a member.",
			run:     zscore,
		},
		&command{
			name: "zmscore", arity: -3, flags: flagReadonly | flagFast, keys: oneKey("RO access"),
			acl: "sortedset", group: "sorted-set", since: "6.2.0", complexity: "O(N) for N members asked for",
			summary: "Returns the scores of several members; null for each that is not there.",
			run:     zmscore,
		},
		&command{
			name: "zrank", arity: -3, flags: flagReadonly | flagFast, keys: oneKey("RO access"),
			acl: "sortedset", group: "sorted-set", since: "2.0.0", complexity: "O(log N) for N members",
			summary: "Returns how many members come before one, by score.",
			run:     func(x *call) { zrank(x, false) },
		},
		&command{
			name: "zrevrank", arity: -3, flags: flagReadonly | flagFast, keys: oneKey("RO access"),
			acl: "sortedset", group: "sorted-set", since: "2.0.0", complexity: "O(log N) for N members",
			summary: "Returns how many members come behind one, by score.",
			run:     func(x *call) { zrank(x, true) },
		},
		&command{
			name: "zscan", arity: -3, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "sortedset", group: "sorted-set", since: "2.8.0", complexity: "O(1) per call, O(N) for all N members",
			summary: "Returns some members with their scores and where to go on.",
			run:     func(x *call) { x.scanElements(kv.TypeSorted) },
		},
	)
}

// zaddFlags are the conditions that ZADD names.
var zaddFlags = []struct {
	name string
	flag kv.ZAddFlags
}{{"NX", kv.ZAddNX}, {"XX", kv.ZAddXX}, {"GT", kv.ZAddGT}, {"LT", kv.ZAddLT}}

// zadd changes scores: ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member
// [score member ...].
func zadd(x *call) {
	flags, changed, increment, at := zaddOptions(x)
	pairs := x.args[at:]
	if len(pairs) == 0 || len(pairs)%2 != 0 {
		x.syntaxError()
		return
	}
	switch {
	case flags&kv.ZAddNX != 0 && flags&kv.ZAddXX != 0:
		x.w.Error("ERR XX and NX options at the same time are not compatible")
		return
	case flags&kv.ZAddGT != 0 && flags&(kv.ZAddNX|kv.ZAddLT) != 0, flags&kv.ZAddLT != 0 && flags&kv.ZAddNX != 0:
		x.w.Error("ERR GT, LT, and/or NX options at the same time are not compatible")
		return
	case increment && len(pairs) > 2:
		x.w.Error("ERR INCR option supports a single increment-element pair")
		return
	}
	list, ok := x.scored(pairs)
	switch {
	case !ok:
	case increment:
		x.increment(list[0], flags)
	default:
		added, updated, err := x.tx.ZAdd(x.db, x.args[1], list, flags)
		if changed {
			added += updated
		}
		x.number(added, err)
	}
}

// zaddOptions reads what follows the key and returns where the scores begin.
func zaddOptions(x *call) (flags kv.ZAddFlags, changed, increment bool, at int) {
	for at = 2; at < len(x.args); at++ {
		known := false
		for _, f := range zaddFlags {
			if x.option(at, f.name) {
				flags, known = flags|f.flag, true
			}
		}
		switch {
		case known:
		case x.option(at, "CH"):
			changed = true
		case x.option(at, "INCR"):
			increment = true
		default:
			return flags, changed, increment, at
		}
	}
	return flags, changed, increment, at
}

// scored reads scores and members in turn. When it returns false it has replied with
// an error.
func (x *call) scored(pairs [][]byte) ([]kv.Scored, bool) {
	list := make([]kv.Scored, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		score, err := kv.ParseScore(pairs[i])
		if err != nil {
			x.fail(err)
			return nil, false
		}
		list = append(list, kv.Scored{Member: pairs[i+1], Score: score})
	}
	return list, true
}

// increment adds to a score and replies with the new one, or null if flags do not
// allow that.
func (x *call) increment(by kv.Scored, flags kv.ZAddFlags) {
	score, done, err := x.tx.ZIncrBy(x.db, x.args[1], by.Member, by.Score, flags)
	x.score(score, done, err)
}

// score replies with a score; null if there is none.
func (x *call) score(score float64, ok bool, err error) {
	switch {
	case err != nil:
		x.fail(err)
	case !ok:
		x.w.Null()
	default:
		x.w.Double(score)
	}
}

func zincrBy(x *call) {
	if list, ok := x.scored(x.args[2:]); ok {
		x.increment(list[0], 0)
	}
}

func zrem(x *call) { x.number(x.tx.ZRem(x.db, x.args[1], x.args[2:])) }

func zcard(x *call) { x.number(x.tx.ZCard(x.db, x.args[1])) }

func zscore(x *call) { x.score(x.tx.ZScore(x.db, x.args[1], x.args[2])) }

func zmscore(x *call) {
	members, begun := x.args[2:], false
	err := x.tx.ZMScore(x.db, x.args[1], members, func(score float64, there bool) {
		if !begun {
			x.w.Array(len(members))
			begun = true
		}
		x.score(score, there, nil)
	})
	if err != nil {
		x.fail(err)
	}
}

// zrank replies with a rank: ZRANK key member [WITHSCORE].
func zrank(x *call, reverse bool) {
	withScore := x.option(3, "WITHSCORE")
	switch {
	case len(x.args) > 4:
		x.wrongArgs()
		return
	case len(x.args) > 3 && !withScore:
		x.syntaxError()
		return
	}
	rank, score, ok, err := x.tx.ZRank(x.db, x.args[1], x.args[2], reverse)
	switch {
	case err != nil:
		x.fail(err)
	case !ok && withScore:
		x.w.NullArray()
	case !ok:
		x.w.Null()
	case withScore:
		x.w.Array(2)
		x.w.Int(int64(rank))
		x.w.Double(score)
	default:
		x.w.Int(int64(rank))
	}
}
