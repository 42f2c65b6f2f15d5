package resp

import (
	"math"
	"strconv"

	"fanfare/kv"
)

// scanElements runs HSCAN, SSCAN and ZSCAN, whose key holds the given type:
// command key cursor [MATCH pattern] [COUNT n], for hashes also [NOVALUES]. As in
// Redis the key is looked at before the options are: without a key they may be
// anything. The reply is flat in RESP3, too.
func (x *call) scanElements(typ kv.Type) {
	cursor, ok := scanCursor(x.args[2])
	if !ok {
		x.w.Error("ERR invalid cursor")
		return
	}
	elements, ok, err := x.tx.Elements(x.db, x.args[1], typ)
	switch {
	case err != nil:
		x.fail(err)
		return
	case !ok:
		x.scanned(0, nil)
		return
	}
	filter := elementFilter{values: typ != kv.TypeSet}
	count, ok := filter.options(x, typ)
	if !ok {
		return
	}
	cursor = elements.Scan(cursor, count, filter.visit)
	x.scanned(cursor, filter.found)
}

// scanned replies with a cursor and what was found.
func (x *call) scanned(cursor uint64, found [][]byte) {
	x.w.Array(2)
	x.w.BulkString(strconv.FormatUint(cursor, 10))
	x.manyBulks(found)
}

// manyBulks replies with an array of bulk strings, which may be too many.
func (x *call) manyBulks(list [][]byte) {
	x.w.Array(len(list))
	for _, b := range list {
		if x.conn.replyTooLarge() {
			return
		}
		x.w.Bulk(b)
	}
}

// elementFilter collects the elements that match, each with its value if there are
// values.
type elementFilter struct {
	scanFilter
	values bool
}

func (f *elementFilter) visit(element, value []byte) {
	if f.pattern != nil && !f.pattern.Match(element) {
		return
	}
	f.found = append(f.found, element)
	if f.values {
		f.found = append(f.found, value)
	}
}

// options reads what follows the cursor. When ok is false it has replied with an
// error.
func (f *elementFilter) options(x *call, typ kv.Type) (count int, ok bool) {
	const most = math.MaxInt32 // bounds the visits, too
	count = 10
	for i := 3; i < len(x.args); i++ {
		switch {
		case x.option(i, "NOVALUES") && typ == kv.TypeHash:
			f.values = false
		case i+1 == len(x.args):
			x.syntaxError()
			return 0, false
		case x.option(i, "MATCH"):
			i++
			f.match(x.args[i])
		case x.option(i, "COUNT"):
			i++
			n, err := kv.ParseInt(x.args[i])
			if err != nil {
				x.fail(err)
				return 0, false
			}
			if n < 1 {
				x.syntaxError()
				return 0, false
			}
			count = int(min(n, most))
		default:
			x.syntaxError()
			return 0, false
		}
	}
	return count, true
}
