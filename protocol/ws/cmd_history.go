package ws

import (
	"slices"

	"fanfare/broker"
)

func init() {
	register(command{verb: "history", run: history})
}

const (
	// defaultLimit is the number of messages in an answer that names none.
	defaultLimit = 100
	// maxPage is how many bytes of payload an answer holds, unless a single
	// message has more. Without it a peer could ask for a gigabyte in one line.
	maxPage = 1 << 20
)

// history answers with the newest messages of a channel that are older than
// "before", oldest first.
func history(c *conn, r *request) {
	name, f := c.question(r)
	if f != nil {
		c.fail(r, f)
		return
	}
	query := broker.HistoryQuery{Before: r.before, Count: defaultLimit}
	if r.hasBefore {
		query.Before = max(r.before, 1) // below 0 there is as little as below 1
	}
	if r.limit != 0 {
		query.Count = r.limit
	}
	page, err := c.session.History(name, query)
	if err != nil {
		c.fail(r, c.faultOf(err))
		return
	}
	messages, more := newest(page.Messages)
	c.t.out = appendHistory(c.t.out, r.id, page.Epoch, messages, more)
}

// newest returns the last of the messages that fit into one answer, at least
// one, and whether some were left out.
func newest(messages []broker.Message) (_ []broker.Message, more bool) {
	size := 0
	for i, m := range slices.Backward(messages) {
		size += len(m.Payload)
		if size > maxPage && i < len(messages)-1 {
			return messages[i+1:], true
		}
	}
	return messages, false
}
