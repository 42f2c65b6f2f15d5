package resp

import (
	"slices"

	"fanfare/broker"
	"fanfare/protocol/payload"
)

func init() {
	register(&command{
		name: "history", arity: -2, flags: flagPubSub | flagLoading | flagStale, group: "pubsub", since: compatible,
		complexity: "O(N) for N messages", summary: "Returns messages that a channel keeps.",
		run: history,
	})
}

// history is HISTORY channel [SINCE epoch offset] [COUNT n] [REV]. On a connection
// with subscriptions it takes a place in the order of messages, so that a client
// that has subscribed before knows which pushes the reply covers. A RESP2
// connection with subscriptions does not get here, and inside EXEC nobody waits.
func history(x *call) {
	query, reverse, text := x.historyQuery()
	if text != "" {
		x.w.Error(text)
		return
	}
	c := x.conn
	if c.subscribed() && !x.inExec {
		place, ok := c.takePlace()
		if !ok {
			return
		}
		query.Before = place + 1
	}
	page, err := c.session.History(string(x.args[1]), query)
	if err != nil {
		x.fail(err)
		return
	}
	if reverse {
		slices.Reverse(page.Messages)
	}
	x.history(&page, query.Since != nil && page.Recovered)
}

func (x *call) history(page *broker.HistoryPage, recovered bool) {
	x.w.Map(4)
	x.w.BulkString("epoch")
	x.w.BulkString(page.Epoch)
	x.w.BulkString("offset")
	x.w.Int(int64(page.Offset)) // #nosec G115 -- a sequence does not reach 2^63
	x.w.BulkString("recovered")
	x.bit(recovered)
	x.w.BulkString("messages")
	x.w.Array(len(page.Messages))
	for i := range page.Messages {
		m := &page.Messages[i]
		x.w.Array(4)
		x.w.Int(int64(m.Offset)) // #nosec G115
		x.w.Int(m.Time)
		if m.From == "" {
			x.w.Null()
		} else {
			x.w.BulkString(m.From)
		}
		x.w.Bulk(payload.Bytes(m.Payload, m.JSON))
	}
}

// historyQuery reads the options, or returns the text of an error. Every option is
// looked at before any number is, as in SET.
func (x *call) historyQuery() (q broker.HistoryQuery, reverse bool, text string) {
	var epoch, offset, count []byte
	for i := 2; i < len(x.args); i++ {
		switch more := len(x.args) - 1 - i; {
		case x.option(i, "REV"):
			reverse = true
		case x.option(i, "COUNT") && more >= 1:
			count = x.args[i+1]
			i++
		case x.option(i, "SINCE") && more >= 2:
			epoch, offset = x.args[i+1], x.args[i+2]
			i += 2
		default:
			return q, false, textSyntax
		}
	}
	if offset != nil {
		n, ok := parseOffset(offset)
		if !ok {
			return q, false, textNotInteger
		}
		q.Since = &broker.Position{Epoch: string(epoch), Offset: n}
	}
	if count != nil {
		n, ok := parseInt(count)
		switch {
		case !ok:
			return q, false, textNotInteger
		case n <= 0:
			return q, false, textNotPositive
		}
		q.Count = int(n)
	}
	return q, reverse, ""
}

// parseOffset reads a place in the order of messages.
func parseOffset(b []byte) (uint64, bool) {
	n, ok := parseInt(b)
	return uint64(n), ok && n >= 0 // #nosec G115 -- not negative where it counts
}
