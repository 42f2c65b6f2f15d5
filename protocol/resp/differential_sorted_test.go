package resp_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanfare/internal/conversation"
)

// Commands on sorted sets count the same reads and make the same events as redis-server.
func TestSortedSetsReportAsRedisDoes(t *testing.T) {
	t.Parallel()
	const mask = "KEAmn"
	seed := uint64(time.Now().UnixNano())
	g := &generator{rand: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // G404: a test's stream, not a secret
	redis, fanfare := listen(t, conversation.Redis(t)), listen(t, serveEvents(t, mask))
	redis.commands.exchange(t, [][]string{{"CONFIG", "SET", "notify-keyspace-events", mask}})
	for range 5000 {
		command := g.sortedForm()
		if g.chance(20) {
			command = []string{g.one("DEL", "INCR", "TYPE", "FLUSHDB")}
			if command[0] != "FLUSHDB" {
				command = append(command, g.one("a", "b", "c", "d"))
			}
		}
		want, got := redis.of(t, [][]string{command}), fanfare.of(t, [][]string{command})
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d, %q:\n\tgot  %q\n\twant %q", seed, command, got, want)
		}
		if got, want := fanfare.reads(t), redis.reads(t); got != want {
			t.Fatalf("seed %d, %q: got %s, want %s", seed, command, got, want)
		}
	}
}

// sortedForm makes a command of those that work on sorted sets.
func (g *generator) sortedForm() []string {
	switch n := g.rand.IntN(24); {
	case n < 7:
		return g.zadd()
	case n < 12:
		return g.sortedMembers()
	case n < 16:
		return g.sortedRange()
	case n < 18:
		return g.sortedRemoval()
	case n < 20:
		return g.sortedCombination()
	case n < 22:
		return g.sortedByMember()
	}
	return g.sortedScan()
}

// score is a number that 17 digits and the fewest that are needed write alike, or none at all.
func (g *generator) score() string {
	if g.chance(12) {
		return g.one("x", "", "nan", "1e400", "1e-400", " 1", "1 ", "0x", "1e", "--1", "+-1", "1_0", "0x1_0", ".", "(1", "-", "infin", "e5", "0x.p1", "1p1")
	}
	if g.chance(6) {
		return g.one("inf", "-inf", "+inf", "Infinity", "-INFINITY", "0x10", "0x1p-1", "0X.8", "1e3", "-0", "+2", ".5", "5.", "007", "1E+1", "0e999")
	}
	return strconv.FormatFloat(float64(g.rand.IntN(24)-12)/4, 'f', -1, 64)
}

func (g *generator) member() string {
	if g.chance(30) {
		return g.one("", "\x00", "\xff\xfe", "two words", strings.Repeat("m", 64), strings.Repeat("m", 65), strings.Repeat("m", 300))
	}
	return "m" + strconv.Itoa(g.rand.IntN(9))
}

func (g *generator) zadd() []string {
	args := []string{"ZADD", g.key()}
	for g.chance(3) {
		args = append(args, g.one("NX", "XX", "GT", "LT", "CH", "INCR", "xx", "ch", "incr"))
	}
	for more := true; more; more = g.chance(2) {
		args = append(args, g.score(), g.member())
	}
	if g.chance(100) { // enough for the other form
		for i := range 200 {
			args = append(args, strconv.Itoa(i%5), "n"+strconv.Itoa(g.rand.IntN(500)))
		}
	}
	return args
}

func (g *generator) sortedMembers() []string {
	switch g.rand.IntN(12) {
	case 0, 1:
		return []string{"ZINCRBY", g.key(), g.score(), g.member()}
	case 2, 3:
		return []string{"ZREM", g.key(), g.member(), g.member()}
	case 4:
		return []string{"ZCARD", g.key()}
	case 5:
		return []string{"ZSCORE", g.key(), g.member()}
	case 6:
		return []string{"ZMSCORE", g.key(), g.member(), g.member(), g.member()}
	case 7, 8:
		return []string{g.one("ZRANK", "ZREVRANK"), g.key(), g.member()}
	case 9:
		return []string{g.one("ZPOPMIN", "ZPOPMAX"), g.key()}
	case 10:
		return []string{g.one("ZPOPMIN", "ZPOPMAX"), g.key(), g.one("0", "1", "2", "3", "100", "-1", "x", "", "9223372036854775807", "9223372036854775808")}
	}
	return g.zmpop()
}

func (g *generator) zmpop() []string {
	keys := g.keys()
	args := append([]string{"ZMPOP", g.keyCount(keys)}, keys...)
	args = append(args, g.one("MIN", "MAX", "min", "MAX", "MIN", "NOPE"))
	for g.chance(2) {
		args = append(args, g.one("COUNT", "count", "COUNT", "NOPE"), g.one("1", "2", "10", "0", "-1", "x"))
	}
	return args
}

// keyCount is how many keys there are, or nearly.
func (g *generator) keyCount(keys []string) string {
	if g.chance(12) {
		return g.one("0", "-1", "x", "", "1", "2", "9", "9223372036854775807", "9223372036854775808", "01")
	}
	return strconv.Itoa(len(keys))
}

// scoreBound is an end of a range of scores.
func (g *generator) scoreBound() string {
	if g.chance(10) {
		return g.one("", "(", " 1", "(\t1", "1e400", "-1e400", "((1", "( ", "  ", "(x", "1e-400")
	}
	return g.one("", "", "", "(") + g.score()
}

func (g *generator) rank() string {
	if g.chance(12) {
		return g.one("x", "", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1.5", "01")
	}
	return strconv.Itoa(g.rand.IntN(16) - 8)
}

func (g *generator) limit() []string {
	if g.chance(2) {
		return nil
	}
	args := []string{g.one("LIMIT", "limit"), g.one("0", "1", "2", "-1", "x", "9223372036854775807"), g.one("-1", "0", "1", "2", "-2", "x", "9223372036854775807", "9223372036854775808")}
	if g.chance(20) {
		args = args[:2]
	}
	return args
}

func (g *generator) sortedRange() []string {
	var args []string
	switch g.rand.IntN(6) {
	case 0:
		return []string{"ZCOUNT", g.key(), g.scoreBound(), g.scoreBound()}
	case 1:
		args = []string{g.one("ZRANGE", "ZREVRANGE"), g.key(), g.rank(), g.rank()}
	case 2:
		args = append([]string{g.one("ZRANGEBYSCORE", "ZREVRANGEBYSCORE"), g.key(), g.scoreBound(), g.scoreBound()}, g.limit()...)
	case 3:
		args = append([]string{"ZRANGE", g.key(), g.scoreBound(), g.scoreBound(), g.one("BYSCORE", "byscore")}, g.limit()...)
	case 4:
		args = append([]string{"ZRANGESTORE", g.key(), g.key(), g.scoreBound(), g.scoreBound(), "BYSCORE"}, g.limit()...)
	default:
		args = append([]string{"ZRANGESTORE", g.key(), g.key(), g.rank(), g.rank()}, g.limit()...)
	}
	for g.chance(2) {
		args = append(args, g.one("WITHSCORES", "withscores", "WITHSCORES", "REV", "rev", "BYSCORE", "NOPE"))
	}
	return args
}

func (g *generator) sortedRemoval() []string {
	if g.chance(2) {
		return []string{"ZREMRANGEBYRANK", g.key(), g.rank(), g.rank()}
	}
	return []string{"ZREMRANGEBYSCORE", g.key(), g.scoreBound(), g.scoreBound()}
}

func (g *generator) sortedCombination() []string {
	keys := g.keys()
	name := g.one("ZUNION", "ZINTER", "ZDIFF", "ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE", "ZINTERCARD")
	args := []string{name}
	if strings.HasSuffix(name, "STORE") {
		args = append(args, g.key())
	}
	args = append(append(args, g.keyCount(keys)), keys...)
	for g.chance(2) {
		switch g.rand.IntN(5) {
		case 0:
			args = append(args, g.one("WEIGHTS", "weights"))
			for range keys {
				args = append(args, g.score())
			}
		case 1:
			args = append(args, g.one("AGGREGATE", "aggregate"), g.one("SUM", "MIN", "MAX", "min", "NOPE"))
		case 2:
			args = append(args, g.one("LIMIT", "limit"), g.one("0", "1", "2", "-1", "x"))
		default:
			args = append(args, g.one("WITHSCORES", "withscores", "NOPE"))
		}
	}
	return args
}

// sortedByMember works on a key of its own, whose scores are all equal.
func (g *generator) sortedByMember() []string {
	const key = "lex"
	switch g.rand.IntN(10) {
	case 0, 1, 2:
		return []string{"ZADD", key, "0", g.member(), "0", g.member()}
	case 3:
		return []string{"ZREM", key, g.member()}
	case 4:
		return []string{"ZLEXCOUNT", key, g.memberBound(), g.memberBound()}
	case 5:
		return []string{"ZREMRANGEBYLEX", key, g.memberBound(), g.memberBound()}
	case 6:
		return append([]string{"ZRANGE", key, g.memberBound(), g.memberBound(), g.one("BYLEX", "bylex"), g.one("REV", "LIMIT", "WITHSCORES", "rev")}, g.limit()...)
	case 7:
		return append([]string{"ZRANGESTORE", g.key(), key, g.memberBound(), g.memberBound(), "BYLEX"}, g.limit()...)
	}
	return append([]string{g.one("ZRANGEBYLEX", "ZREVRANGEBYLEX"), key, g.memberBound(), g.memberBound()}, g.limit()...)
}

func (g *generator) memberBound() string {
	if g.chance(8) {
		return g.one("x", "", "++", "--", "[", "(", "+x")
	}
	if g.chance(3) {
		return g.one("-", "+")
	}
	return g.one("[", "(") + g.member()
}

// sortedScan asks for one member or for the answer to wrong arguments, because the order of several is
// nobody's promise.
func (g *generator) sortedScan() []string {
	switch g.rand.IntN(4) {
	case 0:
		return []string{"ZRANDMEMBER", g.key(), g.one("0", "x", "", "-9223372036854775808"), g.one("WITHSCORES", "NOPE")}
	case 1:
		return []string{"ZRANDMEMBER", g.key(), "9223372036854775807", "WITHSCORES"}
	}
	args := []string{"ZSCAN", g.key(), g.one("0", "0", "", "x"), "COUNT", g.one("1000", "1000", "0", "x"), g.one("MATCH", "match"), g.one("m1", "[m]2", "n17")}
	if g.chance(10) {
		args = append(args, g.one("MATCH", "NOPE", "NOVALUES"))
	}
	return args
}
