package resp

import (
	"math"
	"strconv"
	"strings"

	"fanfare/kv"
	"fanfare/topic"
)

func init() {
	register(
		&command{
			name: "keys", arity: 2, flags: flagReadonly | flagWholeStore,
			acl: "keyspace dangerous", group: "generic", since: "1.0.0", complexity: "O(N) for N keys in the database",
			summary: "Returns every key that matches a pattern.",
			run:     keys,
		},
		&command{
			name: "scan", arity: -2, flags: flagReadonly | flagWholeStore,
			acl: "keyspace", group: "generic", since: "2.8.0", complexity: "O(1) per call, O(N) for all N keys of the database",
			summary: "Returns some keys of the database and where to go on.",
			run:     scan,
		},
		&command{
			name: "randomkey", arity: 1, flags: flagReadonly | flagWholeStore,
			acl: "keyspace", group: "generic", since: "1.0.0", complexity: "O(1)",
			summary: "Returns any key of the database.",
			run:     randomKey,
		},
	)
}

func keys(x *call) {
	var filter scanFilter
	filter.match(x.args[1])
	x.tx.Each(x.db, filter.visit)
	x.bulks(filter.found)
}

// bulks replies with an array of bulk strings.
func (x *call) bulks(list [][]byte) {
	x.w.Array(len(list))
	for _, b := range list {
		x.w.Bulk(b)
	}
}

func randomKey(x *call) {
	key, ok := x.tx.RandomKey(x.db)
	if !ok {
		x.w.Null()
		return
	}
	x.w.Bulk(key)
}

// scanFilter collects the keys that SCAN and KEYS answer.
type scanFilter struct {
	pattern *topic.Pattern // nil: all
	typed   bool
	typ     string   // if typed: lower case
	found   [][]byte // valid until the transaction ends
}

// match sets the pattern. As in Redis "*" alone means every key, also the empty
// one, which no star matches.
func (f *scanFilter) match(pattern []byte) {
	f.pattern = nil
	if string(pattern) != "*" {
		f.pattern = topic.Compile(string(pattern))
	}
}

func (f *scanFilter) visit(key []byte, typ kv.Type) {
	if (!f.typed || f.typ == typ.String()) && (f.pattern == nil || f.pattern.Match(key)) {
		f.found = append(f.found, key)
	}
}

// scan returns a cursor and keys: SCAN cursor [MATCH pattern] [COUNT n] [TYPE type].
func scan(x *call) {
	cursor, ok := scanCursor(x.args[1])
	if !ok {
		x.w.Error("ERR invalid cursor")
		return
	}
	filter, count, ok := scanOptions(x)
	if !ok {
		return
	}
	cursor = x.tx.Scan(x.db, cursor, count, filter.visit)
	x.w.Array(2)
	x.w.BulkString(strconv.FormatUint(cursor, 10))
	x.bulks(filter.found)
}

// scanOptions reads what follows the cursor. When ok is false it has replied
// with an error. A type that does not exist is one that no key has.
func scanOptions(x *call) (f scanFilter, count int, ok bool) {
	const most = math.MaxInt32 // bounds the visits, too
	count = 10
	for i := 2; i < len(x.args); i += 2 {
		switch {
		case i+1 == len(x.args):
			x.syntaxError()
			return f, 0, false
		case x.option(i, "MATCH"):
			f.match(x.args[i+1])
		case x.option(i, "TYPE"):
			f.typed, f.typ = true, strings.ToLower(string(x.args[i+1]))
		case x.option(i, "COUNT"):
			n, err := kv.ParseInt(x.args[i+1])
			if err != nil {
				x.fail(err)
				return f, 0, false
			}
			if n < 1 {
				x.syntaxError()
				return f, 0, false
			}
			count = int(min(n, most))
		default:
			x.syntaxError()
			return f, 0, false
		}
	}
	return f, count, true
}

// scanCursor reads a cursor as C's strtoul does, which Redis hands it to: a sign
// is allowed, and nothing at all is 0.
func scanCursor(b []byte) (cursor uint64, ok bool) {
	if len(b) == 0 {
		return 0, true
	}
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	cursor, err := strconv.ParseUint(string(b), 10, 64)
	if negative {
		cursor = -cursor
	}
	return cursor, err == nil
}
