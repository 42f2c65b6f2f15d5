package resp

import (
	"math"

	"fanfare/kv"
)

func init() {
	register(&command{
		name: "hrandfield", arity: -2, flags: flagReadonly, keys: oneKey("RO access"),
		acl: "hash", group: "hash", since: "6.2.0", complexity: "O(N) for N fields returned",
		summary: "Returns fields of a hash, chosen at random, perhaps with their values.",
		run:     hrandField,
	})
}

// textCountRange is the error for the one integer that has no opposite.
const textCountRange = "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"

// hrandField chooses fields: HRANDFIELD key [count [WITHVALUES]].
func hrandField(x *call) {
	if len(x.args) == 2 {
		x.value(x.tx.HRandField(x.db, x.args[1]))
		return
	}
	count, ok := x.signedCount(2)
	withValues := len(x.args) == 4 && x.option(3, "WITHVALUES")
	const most = math.MaxInt64 / 2 // pairs
	switch {
	case !ok:
	case len(x.args) > 3 && !withValues:
		x.syntaxError()
	case withValues && (count < -most || count > most):
		x.w.Error("ERR value is out of range")
	default:
		x.randomFields(count, withValues)
	}
}

// signedCount reads how many elements are to be chosen, of which some may be the same
// if it is negative. When it returns false it has replied with an error.
func (x *call) signedCount(i int) (int64, bool) {
	count, err := kv.ParseInt(x.args[i])
	switch {
	case err != nil:
		x.fail(err)
	case count == math.MinInt64:
		x.w.Error(textCountRange)
	default:
		return count, true
	}
	return 0, false
}

// randomFields replies with fields; with values they are pairs, in RESP2 one after
// the other.
func (x *call) randomFields(count int64, withValues bool) {
	nested := withValues && x.w.proto == proto3
	begin := func(n int64) {
		if withValues && !nested {
			n *= 2
		}
		x.w.Array(int(n))
	}
	err := x.tx.HRandFields(x.db, x.args[1], count, begin, func(field, value []byte) bool {
		if nested {
			x.w.Array(2)
		}
		x.w.Bulk(field)
		if withValues {
			x.w.Bulk(value)
		}
		return !x.conn.replyTooLarge()
	})
	if err != nil {
		x.fail(err)
	}
}
