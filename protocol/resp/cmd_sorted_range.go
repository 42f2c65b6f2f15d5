package resp

import (
	"math"

	"fanfare/kv"
)

// Ranges of sorted sets: by rank, by score, and by member where scores are equal.
func init() {
	register(
		zrangeRow("zrange", "1.2.0", "Returns the members in a range of ranks, scores or members.",
			zrangeForm{free: true}),
		zrangeRow("zrevrange", "1.2.0", "Returns the members in a range of ranks, the highest score first.",
			zrangeForm{reverse: true}),
		zrangeRow("zrangebyscore", "1.0.5", "Returns the members in a range of scores.",
			zrangeForm{by: kv.RangeByScore}),
		zrangeRow("zrevrangebyscore", "2.2.0", "Returns the members in a range of scores, the highest score first.",
			zrangeForm{by: kv.RangeByScore, reverse: true}),
		zrangeRow("zrangebylex", "2.8.9", "Returns the members in a range of members, of a set whose scores are all equal.",
			zrangeForm{by: kv.RangeByMember}),
		zrangeRow("zrevrangebylex", "2.8.9", "Returns the members in a range of members, the last first, of a set whose scores are all equal.",
			zrangeForm{by: kv.RangeByMember, reverse: true}),
		&command{
			name: "zrangestore", arity: -5, flags: flagWrite | flagDenyOOM, keys: twoKeys("OW update", "RO access"),
			acl: "sortedset", group: "sorted-set", since: "6.2.0", complexity: "O(log N + M log M) for N members and M in the range",
			summary: "Stores the members in a range of ranks, scores or members.",
			run:     zrangeStore,
		},
		&command{
			name: "zcount", arity: 4, flags: flagReadonly | flagFast, keys: oneKey("RO access"),
			acl: "sortedset", group: "sorted-set", since: "2.0.0", complexity: "O(log N) for N members",
			summary: "Counts the members in a range of scores.",
			run:     func(x *call) { zcount(x, kv.RangeByScore) },
		},
		&command{
			name: "zlexcount", arity: 4, flags: flagReadonly | flagFast, keys: oneKey("RO access"),
			acl: "sortedset", group: "sorted-set", since: "2.8.9", complexity: "O(log N) for N members",
			summary: "Counts the members in a range of members, of a set whose scores are all equal.",
			run:     func(x *call) { zcount(x, kv.RangeByMember) },
		},
		zremrangeRow("zremrangebyrank", "2.0.0", "Takes out the members in a range of ranks.", kv.RangeByRank),
		zremrangeRow("zremrangebyscore", "1.2.0", "Takes out the members in a range of scores.", kv.RangeByScore),
		zremrangeRow("zremrangebylex", "2.8.9", "Takes out the members in a range of members, of a set whose scores are all equal.",
			kv.RangeByMember),
	)
}

func zrangeRow(name, since, summary string, form zrangeForm) *command {
	return &command{
		name: name, arity: -4, flags: flagReadonly, keys: oneKey("RO access"),
		acl: "sortedset", group: "sorted-set", since: since, complexity: "O(log N + M) for N members and M in the range",
		summary: summary,
		run:     func(x *call) { zrange(x, form) },
	}
}

func zremrangeRow(name, since, summary string, by kv.RangeBy) *command {
	return &command{
		name: name, arity: 4, flags: flagWrite, keys: oneKey("RW delete"),
		acl: "sortedset", group: "sorted-set", since: since, complexity: "O(log N + M log N) for N members and M in the range",
		summary: summary,
		run:     func(x *call) { zremrange(x, by) },
	}
}

// zrangeForm is what the name of a command says of the range already.
type zrangeForm struct {
	free    bool // it is for options to say
	by      kv.RangeBy
	reverse bool
	store   bool // the first argument is the key to store under
}

// zrangeOptions are the options behind a range.
type zrangeOptions struct {
	r      kv.SortedRange
	typed  bool // by BYSCORE or BYLEX
	turned bool // by REV
	scores bool // WITHSCORES
}

// zrange replies with members: ZRANGE key start stop [BYSCORE | BYLEX] [REV]
// [LIMIT offset count] [WITHSCORES].
func zrange(x *call, form zrangeForm) {
	r, withScores, ok := form.read(x, x.args[2:])
	if !ok {
		return
	}
	n, members, err := x.tx.ZRange(x.db, x.args[1], r)
	if err != nil {
		x.fail(err)
		return
	}
	w := x.scoredArray(n, withScores)
	for member, score := range members {
		if x.conn.replyTooLarge() {
			return
		}
		w.element(member, score)
	}
}

// zrangeStore stores members: ZRANGESTORE destination key start stop [BYSCORE | BYLEX]
// [REV] [LIMIT offset count].
func zrangeStore(x *call) {
	r, _, ok := zrangeForm{free: true, store: true}.read(x, x.args[3:])
	if ok {
		x.number(x.tx.ZRangeStore(x.db, x.args[1], x.args[2], r))
	}
}

// read reads a range and the options behind it. When ok is false it has replied with
// an error. As in Redis every option is looked at before the range is.
func (f zrangeForm) read(x *call, args [][]byte) (r *kv.SortedRange, withScores, ok bool) {
	o := &zrangeOptions{r: kv.SortedRange{By: f.by, Reverse: f.reverse}, typed: !f.free, turned: !f.free}
	for i := len(x.args) - len(args) + 2; i < len(x.args); i++ {
		used, ok := o.take(x, i, f.store)
		if !ok {
			return nil, false, false
		}
		i += used
	}
	switch {
	case o.r.Limited && o.r.Limit != -1 && o.r.By == kv.RangeByRank:
		x.w.Error("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
		return nil, false, false
	case o.scores && o.r.By == kv.RangeByMember:
		x.w.Error("ERR syntax error, WITHSCORES not supported in combination with BYLEX")
		return nil, false, false
	}
	o.r.Limited = o.r.Limited && o.r.By != kv.RangeByRank
	first, last := args[0], args[1]
	if o.r.Reverse && o.r.By != kv.RangeByRank {
		first, last = last, first
	}
	return &o.r, o.scores, x.ends(&o.r, first, last)
}

// take reads the option at i and returns how many arguments it has. When ok is false
// it has replied with an error.
func (o *zrangeOptions) take(x *call, i int, store bool) (used int, ok bool) {
	switch {
	case !store && x.option(i, "WITHSCORES"):
		o.scores = true
	case x.option(i, "LIMIT") && i+2 < len(x.args):
		return 2, o.limit(x, x.args[i+1], x.args[i+2])
	case !o.turned && x.option(i, "REV"):
		o.turned, o.r.Reverse = true, true
	case !o.typed && x.option(i, "BYSCORE"):
		o.typed, o.r.By = true, kv.RangeByScore
	case !o.typed && x.option(i, "BYLEX"):
		o.typed, o.r.By = true, kv.RangeByMember
	default:
		x.syntaxError()
		return 0, false
	}
	return 0, true
}

// limit reads what follows LIMIT.
func (o *zrangeOptions) limit(x *call, offset, count []byte) bool {
	var ok bool
	o.r.Limited = true
	if o.r.Offset, ok = x.integer(offset); !ok {
		return false
	}
	o.r.Limit, ok = x.integer(count)
	return ok
}

// integer reads an integer. When ok is false it has replied with an error.
func (x *call) integer(arg []byte) (n int64, ok bool) {
	n, err := kv.ParseInt(arg)
	if err != nil {
		x.fail(err)
	}
	return n, err == nil
}

// ends reads the ends of a range. When it returns false it has replied with an error.
func (x *call) ends(r *kv.SortedRange, first, last []byte) bool {
	var errFirst, errLast error
	switch r.By {
	case kv.RangeByScore:
		r.MinScore, errFirst = kv.ParseScoreBound(first)
		r.MaxScore, errLast = kv.ParseScoreBound(last)
	case kv.RangeByMember:
		r.MinMember, errFirst = kv.ParseMemberBound(first)
		r.MaxMember, errLast = kv.ParseMemberBound(last)
	default:
		r.Start, errFirst = kv.ParseInt(first)
		r.Stop, errLast = kv.ParseInt(last)
	}
	if errFirst == nil {
		errFirst = errLast
	}
	if errFirst != nil {
		x.fail(errFirst)
	}
	return errFirst == nil
}

func zcount(x *call, by kv.RangeBy) {
	r := kv.SortedRange{By: by}
	if x.ends(&r, x.args[2], x.args[3]) {
		n, _, err := x.tx.ZRange(x.db, x.args[1], &r)
		x.number(n, err)
	}
}

func zremrange(x *call, by kv.RangeBy) {
	r := kv.SortedRange{By: by}
	if x.ends(&r, x.args[2], x.args[3]) {
		x.number(x.tx.ZRemRange(x.db, x.args[1], &r))
	}
}

// scoredReply writes members with or without their scores.
type scoredReply struct {
	w      *Writer
	scores bool
	nested bool // each member and its score are an array, as in RESP3
}

// scoredArray begins a reply of n members.
func (x *call) scoredArray(n int, scores bool) scoredReply {
	r := scoredReply{w: x.w, scores: scores, nested: scores && x.w.proto == proto3}
	if scores && !r.nested {
		n = min(n, math.MaxInt/2) * 2
	}
	x.w.Array(n)
	return r
}

func (r scoredReply) element(member []byte, score float64) {
	if r.nested {
		r.w.Array(2)
	}
	r.w.Bulk(member)
	if r.scores {
		r.w.Double(score)
	}
}

// scoredList replies with members.
func (x *call) scoredList(list []kv.Scored, scores bool) {
	w := x.scoredArray(len(list), scores)
	for _, m := range list {
		if x.conn.replyTooLarge() {
			return
		}
		w.element(m.Member, m.Score)
	}
}
