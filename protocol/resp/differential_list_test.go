package resp_test

import "strconv"

// listForm makes a command on lists: long ones now and then, few different elements.
func (g *generator) listForm() []string {
	switch g.rand.IntN(10) {
	case 0, 1, 2:
		args := []string{g.one("LPUSH", "RPUSH", "RPUSH", "LPUSHX", "RPUSHX"), g.key()}
		for range 1 + g.rand.IntN(8) {
			args = append(args, g.element())
		}
		return args
	case 3:
		return g.popForm()
	case 4:
		return g.lookForm()
	case 5:
		return g.changeForm()
	case 6:
		return g.lposForm()
	case 7:
		return g.moveForm()
	case 8:
		return g.blockingForm()
	}
	return []string{"LTRIM", g.key(), g.position(), g.one("-1", "-2", "100", g.position())}
}

func (g *generator) element() string {
	if g.chance(10) {
		return g.value()
	}
	return g.one("a", "b", "c", "")
}

func (g *generator) howMany() string {
	if g.chance(8) {
		return g.one("0", "-1", "x", "", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "01")
	}
	return strconv.Itoa(1 + g.rand.IntN(6))
}

func (g *generator) popForm() []string {
	args := []string{g.one("LPOP", "RPOP"), g.key()}
	for g.chance(3) {
		args = append(args, g.howMany())
	}
	return args
}

func (g *generator) lookForm() []string {
	switch g.rand.IntN(3) {
	case 0:
		return []string{"LRANGE", g.key(), g.position(), g.position()}
	case 1:
		return []string{"LINDEX", g.key(), g.position()}
	}
	return []string{"LLEN", g.key()}
}

func (g *generator) changeForm() []string {
	switch g.rand.IntN(3) {
	case 0:
		return []string{"LSET", g.key(), g.position(), g.element()}
	case 1:
		return []string{"LINSERT", g.key(), g.one("BEFORE", "AFTER", "before", "NOPE"), g.element(), g.element()}
	}
	return []string{"LREM", g.key(), g.one("0", "1", "-1", "-2", g.position()), g.element()}
}

// lposForm leaves out the least RANK, which Redis refuses since 7.2.
func (g *generator) lposForm() []string {
	args := []string{"LPOS", g.key(), g.element()}
	for g.chance(2) {
		args = append(args, g.one("RANK", "COUNT", "MAXLEN", "rank", "count", "NOPE"))
		if !g.chance(20) {
			args = append(args, g.one("0", "1", "2", "-1", "-2", "5", "x", "9223372036854775807"))
		}
	}
	return args
}

func (g *generator) side() string { return g.one("LEFT", "RIGHT", "LEFT", "RIGHT", "right", "NOPE") }

func (g *generator) moveForm() []string {
	switch g.rand.IntN(3) {
	case 0:
		return []string{"RPOPLPUSH", g.key(), g.key()}
	case 1:
		return []string{"LMOVE", g.key(), g.key(), g.side(), g.side()}
	}
	return append([]string{"LMPOP"}, g.lmpop()...)
}

// lmpop makes what follows LMPOP.
func (g *generator) lmpop() []string {
	keys := g.keys()
	count := strconv.Itoa(len(keys))
	if g.chance(10) {
		count = g.howMany()
	}
	args := append(append([]string{count}, keys...), g.side())
	for g.chance(3) {
		args = append(args, g.one("COUNT", "count", "NOPE"))
		if !g.chance(10) {
			args = append(args, g.howMany())
		}
	}
	return args
}

// blockingForm makes commands that wait for a moment at most.
func (g *generator) blockingForm() []string {
	timeout := g.one("0.001", "1e-3", "0x0.01", "-1", "x", "", "nan", " 1")
	switch g.rand.IntN(4) {
	case 0:
		return append(append([]string{g.one("BLPOP", "BRPOP")}, g.keys()...), timeout)
	case 1:
		return []string{"BRPOPLPUSH", g.key(), g.key(), timeout}
	case 2:
		return []string{"BLMOVE", g.key(), g.key(), g.side(), g.side(), timeout}
	}
	return append([]string{"BLMPOP", timeout}, g.lmpop()...)
}
