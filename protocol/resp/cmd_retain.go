package resp

import (
	"errors"

	"fanfare/broker"
	"fanfare/kv"
	"fanfare/protocol/payload"
)

func init() {
	const remembering = flagPubSub | flagLoading | flagStale | flagFast
	register(
		&command{
			name: "retain", arity: -3, flags: remembering | flagPublish, group: "pubsub", since: compatible,
			complexity: "O(N) for N receivers", summary: "Publishes a message that later subscribers get first.",
			run: retain,
		},
		&command{
			name: "retained", arity: -2, flags: remembering, group: "pubsub", since: compatible,
			complexity: "O(N) for N channels", summary: "Returns the retained messages of channels.",
			run: retained,
		},
		&command{
			name: "unretain", arity: -2, flags: remembering | flagAnnounces, group: "pubsub", since: compatible,
			complexity: "O(N) for N channels", summary: "Removes the retained messages of channels.",
			run: unretain,
		},
	)
}

// retain is RETAIN channel message [EX seconds | PX milliseconds].
func retain(x *call) {
	var life span
	for i := 3; i < len(x.args); i += 2 {
		if !life.take(x, i) {
			x.conn.commit() // replies keep the order of the commands
			x.syntaxError()
			return
		}
	}
	ttl, err := life.duration()
	if err != nil {
		x.conn.commit()
		x.spanError(err)
		return
	}
	m := x.message(broker.KindChannel)
	m.Retain, m.TTL = true, ttl
	x.publish(&m)
}

// spanError replies with an error of span.duration.
func (x *call) spanError(err error) {
	if errors.Is(err, kv.ErrExpireTime) {
		x.expireTimeError()
		return
	}
	x.fail(err)
}

// retained asks for everything before it replies: an error is the whole reply.
func retained(x *call) {
	type found struct {
		broker.RetainedMessage
		there bool
	}
	list := make([]found, len(x.args)-1)
	size := 0
	for i, channel := range x.args[1:] {
		if size > x.conn.server.cfg.MaxReply {
			break // dispatch ends the connection, whatever else is written
		}
		var err error
		list[i].RetainedMessage, list[i].there, err = x.conn.session.Retained(string(channel))
		if err != nil {
			x.fail(err)
			return
		}
		size += len(list[i].Payload)
	}
	x.w.Array(len(list))
	for i := range list {
		if list[i].there {
			x.retained(&list[i].RetainedMessage)
		} else {
			x.w.Null()
		}
	}
}

func (x *call) retained(m *broker.RetainedMessage) {
	x.w.Array(4)
	x.w.Bulk(payload.Bytes(m.Payload, m.JSON))
	x.w.Int(m.Time)
	if m.TTL < 0 {
		x.w.Int(-1)
	} else {
		x.w.Int(m.TTL.Milliseconds())
	}
	if m.Offset == 0 {
		x.w.Null()
	} else {
		x.w.Int(int64(m.Offset)) // #nosec G115 -- a sequence does not reach 2^63
	}
}

func unretain(x *call) {
	removed := int64(0)
	for _, channel := range x.args[1:] {
		there, err := x.conn.session.Unretain(string(channel))
		if err != nil {
			x.fail(err)
			return
		}
		if there {
			removed++
		}
	}
	x.w.Int(removed)
}
