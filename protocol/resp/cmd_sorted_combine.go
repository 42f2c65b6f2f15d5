package resp

import "fanfare/kv"

// What is made of several sorted sets, or sets, whose members have the score 1.
func init() {
	const (
		union        = "O(N log N) for N members in all"
		intersection = "O(N K + M log M) for N members of the smallest of K keys and M in the result"
		difference   = "O(N K + M log M) for N members of the first of K keys and M in the result"
	)
	register(
		combineRow("zunion", union, "Returns the members of any of several sorted sets.", zunion),
		combineRow("zinter", intersection, "Returns the members that are in each of several sorted sets.", zinter),
		combineRow("zdiff", difference, "Returns the members of the first sorted set that are in none of the others.", zdiff),
		combineStoreRow("zunionstore", "2.0.0", union, "Stores the members of any of several sorted sets.", zunion),
		combineStoreRow("zinterstore", "2.0.0", intersection, "Stores the members that are in each of several sorted sets.", zinter),
		combineStoreRow("zdiffstore", "6.2.0", difference, "Stores the members of the first sorted set that are in none of the others.", zdiff),
		&command{
			name: "zintercard", arity: -3, flags: flagReadonly, keys: countedKeys(1, "RO access"),
			acl: "sortedset", group: "sorted-set", since: "7.0.0", complexity: "O(N K) for N members of the smallest of K keys",
			summary: "Counts the members that are in each of several sorted sets.",
			run:     zinterCard,
		},
	)
}

// combining is how the members of a combination are found, and which options there
// are.
type combining struct {
	members func(c *kv.Combination, a kv.Aggregate) []kv.Scored
	weights bool // WEIGHTS and AGGREGATE
}

var (
	zunion = combining{members: (*kv.Combination).Union, weights: true}
	zinter = combining{members: (*kv.Combination).Intersection, weights: true}
	zdiff  = combining{members: func(c *kv.Combination, _ kv.Aggregate) []kv.Scored { return c.Difference() }}
)

func combineRow(name, complexity, summary string, how combining) *command {
	return &command{
		name: name, arity: -3, flags: flagReadonly, keys: countedKeys(1, "RO access"),
		acl: "sortedset", group: "sorted-set", since: "6.2.0", complexity: complexity, summary: summary,
		run: func(x *call) { combine(x, how) },
	}
}

func combineStoreRow(name, since, complexity, summary string, how combining) *command {
	return &command{
		name: name, arity: -4, flags: flagWrite | flagDenyOOM, keys: storedKeys(),
		acl: "sortedset", group: "sorted-set", since: since, complexity: complexity, summary: summary,
		run: func(x *call) { combineStore(x, how) },
	}
}

// combine replies with members: ZUNION numkeys key [key ...] [WEIGHTS weight ...]
// [AGGREGATE SUM | MIN | MAX] [WITHSCORES].
func combine(x *call, how combining) {
	o, ok := x.combination(1, combineOptions{weights: how.weights, scores: true})
	if ok {
		x.scoredList(how.members(o.sets, o.aggregate), o.withScores)
	}
}

// combineStore stores members: ZUNIONSTORE destination numkeys key [key ...]
// [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX].
func combineStore(x *call, how combining) {
	o, ok := x.combination(2, combineOptions{weights: how.weights})
	if ok {
		x.number(x.tx.ZStore(x.db, x.args[1], how.members(o.sets, o.aggregate), x.cmd.name))
	}
}

// zinterCard counts members: ZINTERCARD numkeys key [key ...] [LIMIT limit].
func zinterCard(x *call) {
	o, ok := x.combination(1, combineOptions{limited: true})
	if ok {
		x.w.Int(o.sets.IntersectionSize(o.limit))
	}
}

// combineOptions is what follows the number of keys.
type combineOptions struct {
	// Which options there are.
	weights bool // WEIGHTS and AGGREGATE
	scores  bool // WITHSCORES
	limited bool // LIMIT

	// What they say.
	sets       *kv.Combination
	keys       int
	aggregate  kv.Aggregate
	withScores bool
	limit      int64
}

// combination reads the keys, whose number is argument i, and the options behind
// them. When ok is false it has replied with an error. As in Redis the keys are looked
// up before any option is looked at.
func (x *call) combination(i int, o combineOptions) (combineOptions, bool) {
	n, ok := x.integer(x.args[i])
	if !ok {
		return o, false
	}
	rest := x.args[i+1:]
	switch {
	case n < 1:
		x.w.Error("ERR at least 1 input key is needed for '" + x.cmd.full + "' command")
		return o, false
	case n > int64(len(rest)):
		x.syntaxError()
		return o, false
	}
	var err error
	if o.sets, err = x.tx.ZCombine(x.db, rest[:n]); err != nil {
		x.fail(err)
		return o, false
	}
	o.keys = int(n)
	for at := i + 1 + o.keys; at < len(x.args); {
		used, ok := o.take(x, at)
		if !ok {
			return o, false
		}
		at += used
	}
	return o, true
}

// take reads the option at i and returns how many arguments it has, itself
// included. When ok is false it has replied with an error.
func (o *combineOptions) take(x *call, i int) (used int, ok bool) {
	left := len(x.args) - i
	switch {
	case o.weights && left > o.keys && x.option(i, "WEIGHTS"):
		return 1 + o.keys, o.weigh(x, x.args[i+1:i+1+o.keys])
	case o.weights && left > 1 && x.option(i, "AGGREGATE"):
		return 2, o.aggregateBy(x, i+1)
	case o.scores && x.option(i, "WITHSCORES"):
		o.withScores = true
		return 1, true
	case o.limited && left > 1 && x.option(i, "LIMIT"):
		var err error
		if o.limit, err = kv.ParseInt(x.args[i+1]); err != nil || o.limit < 0 {
			x.w.Error("ERR LIMIT can't be negative")
			return 0, false
		}
		return 2, true
	}
	x.syntaxError()
	return 0, false
}

func (o *combineOptions) weigh(x *call, args [][]byte) bool {
	weights := make([]float64, len(args))
	for i, arg := range args {
		var err error
		if weights[i], err = kv.ParseScore(arg); err != nil {
			x.w.Error("ERR weight value is not a float")
			return false
		}
	}
	o.sets.Weigh(weights)
	return true
}

func (o *combineOptions) aggregateBy(x *call, i int) bool {
	switch {
	case x.option(i, "SUM"):
		o.aggregate = kv.AggregateSum
	case x.option(i, "MIN"):
		o.aggregate = kv.AggregateMin
	case x.option(i, "MAX"):
		o.aggregate = kv.AggregateMax
	default:
		x.syntaxError()
		return false
	}
	return true
}
