package resp_test

import (
	"slices"
	"strings"
)

// field is one of few fields or members, so that they meet.
func (g *generator) field() string {
	if g.chance(25) {
		return g.one("", "\x00\xff", "a\r\nb", strings.Repeat("f", 65), "9223372036854775807", "-9223372036854775808", "70000", "-32769", "007", "-0")
	}
	return g.one("f", "g", "h", "1", "2", "-3", "40000")
}

func (g *generator) fieldList() []string {
	list := make([]string, 1+g.rand.IntN(4))
	for i := range list {
		list[i] = g.field()
	}
	return list
}

// amount is how many elements are asked for where the choice is random: none or all.
func (g *generator) amount() string {
	if g.chance(5) {
		return g.one("x", "", "-9223372036854775808", "9223372036854775808", "1.5", "+1")
	}
	return g.one("0", "1000", "9223372036854775807")
}

// asksForAll tells whether a command without its last argument would choose at random.
func asksForAll(args []string) bool {
	return len(args) == 3 && slices.Contains([]string{"HRANDFIELD", "SRANDMEMBER", "SPOP"}, args[0])
}

// wholeScan asks for all elements at once.
func (g *generator) wholeScan(command string) []string {
	args := []string{command, g.key(), g.one("0", "0", "0", "", "x", " 0", "18446744073709551616"), "COUNT", g.one("1000", "1000", "9223372036854775807", "0", "-1", "x")}
	if g.chance(2) {
		args = append(args, g.one("MATCH", "match"), g.one("*", "[fg]", "?", "", "-*", "4*"))
	}
	if g.chance(10) {
		args = append(args, g.one("MATCH", "COUNT", "TYPE", "NOPE", ""))
	}
	return args
}

// hashForm makes a command for hashes.
func (g *generator) hashForm() []string {
	switch g.rand.IntN(12) {
	case 0, 1, 2:
		args := []string{g.one("HSET", "HSET", "HMSET"), g.key()}
		for _, f := range g.fieldList() {
			args = append(args, f, g.value())
		}
		return args
	case 3:
		return []string{"HSETNX", g.key(), g.field(), g.value()}
	case 4:
		return append([]string{g.one("HDEL", "HDEL", "HMGET"), g.key()}, g.fieldList()...)
	case 5:
		return []string{g.one("HGET", "HEXISTS", "HSTRLEN"), g.key(), g.field()}
	case 6:
		return []string{g.one("HGETALL", "HKEYS", "HVALS", "HLEN"), g.key()}
	case 7, 8:
		return []string{"HINCRBY", g.key(), g.field(), g.one("1", "-7", "9223372036854775807", "-9223372036854775808", g.value())}
	case 9:
		return []string{"HINCRBYFLOAT", g.key(), g.field(), g.one("0.1", "-1.5", "1e3", "inf", g.float(), g.value())}
	case 10:
		args := []string{"HRANDFIELD", g.key(), g.amount()}
		if g.chance(2) {
			args = append(args, g.one("WITHVALUES", "withvalues", "NOPE", ""))
		}
		return args
	}
	return g.wholeScan("HSCAN")
}
