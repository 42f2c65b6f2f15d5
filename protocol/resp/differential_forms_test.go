package resp_test

import (
	"slices"
	"strconv"
	"testing"
)

// wideForm makes a command of those that work on parts of strings, on several keys, and on several
// databases.
func (g *generator) wideForm() []string {
	switch g.rand.IntN(22) {
	case 8, 9, 10:
		return g.hashForm()
	case 11, 12, 13:
		return g.setForm()
	case 14, 15, 16, 17:
		return g.listForm()
	case 18, 19, 20, 21:
		return g.sortedForm()
	case 0:
		return g.counter()
	case 1:
		return g.part()
	case 2:
		return g.setGet()
	case 3:
		return g.pairs()
	case 4:
		return g.absoluteExpiry()
	case 5, 6:
		return g.carry()
	}
	return g.search()
}

func (g *generator) counter() []string {
	switch g.rand.IntN(4) {
	case 0:
		return []string{g.one("INCR", "DECR"), g.key()}
	case 1:
		return []string{"INCRBYFLOAT", g.key(), g.one("0.1", "-1.5", "1e3", g.float(), g.value())}
	}
	return []string{g.one("INCRBY", "DECRBY"), g.key(), g.one("1", "-7", "9223372036854775807", "-9223372036854775808", g.value())}
}

func (g *generator) position() string {
	if g.chance(10) {
		return g.one("x", "", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "536870912", "99999999999")
	}
	return strconv.Itoa(g.rand.IntN(30) - 10)
}

func (g *generator) part() []string {
	switch g.rand.IntN(4) {
	case 0:
		return []string{"APPEND", g.key(), g.value()}
	case 1:
		return []string{"STRLEN", g.key()}
	case 2:
		return []string{"SETRANGE", g.key(), g.position(), g.value()}
	}
	return []string{g.one("GETRANGE", "SUBSTR"), g.key(), g.position(), g.position()}
}

func (g *generator) setGet() []string {
	switch g.rand.IntN(5) {
	case 0:
		return []string{"SETNX", g.key(), g.value()}
	case 1:
		return []string{g.one("SETEX", "PSETEX"), g.key(), g.life(), g.value()}
	case 2:
		return []string{"GETSET", g.key(), g.value()}
	case 3:
		return []string{"GETDEL", g.key()}
	}
	args := []string{"GETEX", g.key()}
	for g.chance(2) {
		switch option := g.one("EX", "px", "EXAT", "PXAT", "PERSIST", "persist", "NX", "KEEPTTL", ""); option {
		case "EX", "px", "EXAT", "PXAT":
			args = append(args, option, g.absolute(option))
		default:
			args = append(args, option)
		}
	}
	return args
}

func (g *generator) pairs() []string {
	if g.chance(3) {
		return append([]string{"MGET"}, g.keys()...)
	}
	args := []string{g.one("MSET", "MSET", "MSETNX")}
	for _, key := range g.keys() {
		args = append(args, key, g.value())
	}
	return args
}

func (g *generator) absoluteExpiry() []string {
	switch g.rand.IntN(4) {
	case 0:
		return []string{g.one("EXPIRETIME", "PEXPIRETIME"), g.key()}
	case 1:
		return append([]string{g.one("UNLINK", "TOUCH")}, g.keys()...)
	case 2:
		return append([]string{"EXPIREAT", g.key(), g.one("1", "-1", "33177117420", g.absolute("EXAT"))}, g.expireOptions()...)
	}
	return append([]string{"PEXPIREAT", g.key(), g.one("1", "33177117420001", "33177117420500", g.absolute("PXAT"))}, g.expireOptions()...)
}

func (g *generator) database() string {
	return g.one("0", "0", "1", "1", "2", "15", "16", "-1", "x", "", "2147483648", "99999999999")
}

func (g *generator) carry() []string {
	switch g.rand.IntN(6) {
	case 0:
		return []string{"MOVE", g.key(), g.database()}
	case 1:
		return []string{"SWAPDB", g.database(), g.database()}
	case 2, 3:
		return []string{g.one("RENAME", "RENAMENX"), g.key(), g.key()}
	}
	args := []string{"COPY", g.key(), g.key()}
	for g.chance(2) {
		if g.chance(2) {
			args = append(args, g.one("REPLACE", "replace", "NOPE", ""))
		} else {
			args = append(args, g.one("DB", "db"), g.database())
		}
	}
	return args
}

// search asks for at most one key, because the order of several is nobody's promise.
func (g *generator) search() []string {
	if g.chance(2) {
		return []string{"KEYS", g.one("a", "[b]", "c*", "\\d", "?x", "", "[^a-z]?k*1")}
	}
	args := []string{"SCAN", g.one("0", "0", "", "x", "+0", " 0", "18446744073709551616"), "COUNT", g.one("100", "1000", "0", "-1", "x", "")}
	args = append(args, g.one("MATCH", "match"), g.one("a", "[b]", "c*"))
	if g.chance(2) {
		args = append(args, g.one("TYPE", "type"), g.one("string", "STRING", "hash", "nope", ""))
	}
	if g.chance(10) {
		args = append(args, g.one("MATCH", "NOPE", ""))
	}
	return args
}

// compareKeys iterates over the databases of both servers and compares the keys, however they come.
func (p pair) compareKeys(t *testing.T, g *generator, when string) {
	t.Helper()
	for db := range 16 {
		count := strconv.Itoa(1 + g.rand.IntN(5))
		want, got := p[0].scanAll(t, db, count), p[1].scanAll(t, db, count)
		if !slices.Equal(got, want) {
			t.Fatalf("%s: keys of database %d by SCAN COUNT %s:\n\tgot  %q\n\twant %q", when, db, count, got, want)
		}
	}
}

// scanAll returns the keys of a database as SCAN finds them, sorted, each once.
func (w *wire) scanAll(t *testing.T, db int, count string) []string {
	t.Helper()
	var found []string
	w.exchange(t, [][]string{{"SELECT", strconv.Itoa(db)}})
	for cursor := "0"; ; {
		v := w.exchange(t, [][]string{{"SCAN", cursor, "COUNT", count}})[0]
		for _, e := range v.Elems[1].Elems {
			found = append(found, e.Text)
		}
		if cursor = v.Elems[0].Text; cursor == "0" {
			break
		}
	}
	all := w.exchange(t, [][]string{{"KEYS", "*"}})[0]
	var listed []string
	for _, e := range all.Elems {
		listed = append(listed, e.Text)
	}
	slices.Sort(found)
	slices.Sort(listed)
	if found = slices.Compact(found); !slices.Equal(found, listed) {
		t.Fatalf("database %d: SCAN found %q, KEYS %q", db, found, listed)
	}
	return found
}
