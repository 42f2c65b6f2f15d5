package resp_test

// setForm makes a command for sets.
func (g *generator) setForm() []string {
	switch g.rand.IntN(14) {
	case 0, 1, 2, 3:
		return append([]string{"SADD", g.key()}, g.fieldList()...)
	case 4, 5:
		return append([]string{g.one("SREM", "SMISMEMBER"), g.key()}, g.fieldList()...)
	case 6:
		return []string{"SISMEMBER", g.key(), g.field()}
	case 7:
		return []string{g.one("SMEMBERS", "SCARD"), g.key()}
	case 8:
		return []string{"SMOVE", g.key(), g.key(), g.field()}
	case 9:
		return append([]string{g.one("SINTER", "SUNION", "SDIFF")}, g.keys()...)
	case 10:
		return append([]string{g.one("SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"), g.key()}, g.keys()...)
	case 11:
		return g.interCard()
	case 12:
		args := []string{g.one("SRANDMEMBER", "SRANDMEMBER", "SPOP"), g.key(), g.amount()}
		if g.chance(20) {
			args = append(args, g.one("1", ""))
		}
		return args
	}
	return g.wholeScan("SSCAN")
}

func (g *generator) interCard() []string {
	args := append([]string{"SINTERCARD", g.one("1", "1", "2", "2", "3", "0", "-1", "x", "", "9223372036854775807", "9223372036854775808")}, g.keys()...)
	for g.chance(2) {
		args = append(args, g.one("LIMIT", "limit", "NOPE"))
		if !g.chance(10) {
			args = append(args, g.one("0", "1", "2", "-1", "x", "", "9223372036854775807"))
		}
	}
	return args
}
