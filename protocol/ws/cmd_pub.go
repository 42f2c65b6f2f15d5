package ws

import (
	"encoding/base64"

	"fanfare/broker"
	"fanfare/protocol/payload"
)

func init() {
	register(command{verb: "pub", run: publish, joins: true})
}

// ticket is a publish in the turn's batch that is still to be answered.
type ticket struct {
	id      []byte // nil: only an error is answered
	channel string
}

// publish adds a message to the turn's batch. It is answered when the batch is
// committed, if it has an id, and before its own copy of the message.
func publish(c *conn, r *request) {
	name, f := c.channelOf(r)
	if f != nil {
		c.refusePublish(r, f)
		return
	}
	t := c.t
	if len(t.tickets) == 0 && !c.session.HasRoom() {
		c.wait(t, c.session.AwaitRoom)
		if c.ended() {
			return
		}
	}
	m := broker.Message{Kind: broker.KindChannel, Channel: name}
	if f := t.message(r, &m); f != nil {
		c.refusePublish(r, f)
		return
	}
	if t.batch == nil {
		t.batch = c.session.Batch()
	}
	if err := t.batch.Add(&m); err != nil {
		c.refusePublish(r, c.faultOf(err))
		return
	}
	t.tickets = append(t.tickets, ticket{r.id, name})
}

// refusePublish keeps the answers in the order of the requests.
func (c *conn) refusePublish(r *request, f *fault) {
	c.commit(c.t)
	c.fail(r, f)
}

// commit publishes what is in the batch and answers those who asked, and those
// whose message could not be kept as they wanted.
func (c *conn) commit(t *turn) {
	if len(t.tickets) == 0 {
		return
	}
	t.receipts = t.batch.Commit(t.receipts[:0])
	for i := range t.tickets {
		ticket, receipt := &t.tickets[i], &t.receipts[i]
		switch {
		case receipt.Err != nil:
			c.s.stats.errors.Add(1)
			t.out = appendFault(t.out, c.faultOf(receipt.Err), "pub", ticket.channel, ticket.id)
		case ticket.id != nil:
			t.out = appendReceipt(t.out, ticket.id, receipt)
		}
	}
	clear(t.tickets)
	clear(t.receipts)
	t.tickets = t.tickets[:0]
	t.scratch = t.scratch[:0]
}

// message sets everything of m but its channel.
func (t *turn) message(r *request, m *broker.Message) *fault {
	if f := r.publication(m); f != nil {
		return f
	}
	return t.payload(r, m)
}

// payload sets the message's payload from the request. It stays unchanged until
// the batch is committed: it is part of the frame or of the scratch buffer,
// which keeps old contents when it grows.
func (t *turn) payload(r *request, m *broker.Message) *fault {
	switch {
	case r.data != nil && r.b64 != nil:
		return faultTwoData
	case r.data != nil:
		m.Payload, m.JSON = r.data, true
		if r.blanks {
			begin := len(t.scratch)
			t.scratch = payload.AppendCompact(t.scratch, r.data)
			m.Payload = t.scratch[begin:]
		}
		return nil
	case r.b64 != nil:
		if r.b64[0] != '"' {
			return faultBase64
		}
		begin := len(t.scratch)
		out, err := base64.StdEncoding.AppendDecode(t.scratch, payload.Unquote(r.b64))
		if err != nil {
			return faultBase64
		}
		t.scratch = out
		m.Payload = t.scratch[begin:]
		return nil
	}
	return faultNoData
}
