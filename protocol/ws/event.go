package ws

import (
	"strconv"
	"strings"

	"fanfare/broker"
	"fanfare/protocol/payload"
)

// eventKeys name the channel that an event is about, and so the event.
var eventKeys = map[broker.EventVerb]string{
	broker.EventJoined: "joined", broker.EventUpdated: "updated", broker.EventLeft: "left", broker.EventMembers: "members",
	broker.EventCleared: "cleared", broker.EventForgotten: "forgotten",
	broker.EventOccupied: "occupied", broker.EventVacated: "vacated",
	broker.EventWithdrawn: "unsubbed",
}

// appendEvent appends what is between the braces of an event:
//
//	"joined":"room:1","user":"u1","data":{}
//	"left":"room:1","user":"u1"
//	"members":"room:1","count":1234
//	"forgotten":"room:1","offsets":[41]
//	"unsubbed":"room:1","err":403
func appendEvent(dst []byte, e *broker.Event) []byte {
	key := eventKeys[e.Verb]
	if e.Pattern {
		key = "punsubbed"
	}
	dst = append(append(append(dst, '"'), key...), '"', ':')
	dst = payload.AppendString(dst, []byte(e.Channel))
	switch e.Verb {
	case broker.EventJoined, broker.EventUpdated:
		dst = appendUser(dst, e.Member.Name)
		if e.Member.Data != nil {
			dst = payload.AppendJSON(append(dst, ','), e.Member.Data, e.Member.JSON)
		}
	case broker.EventLeft:
		dst = appendUser(dst, e.Member.Name)
	case broker.EventMembers:
		dst = strconv.AppendInt(append(dst, `,"count":`...), int64(e.Count), 10)
	case broker.EventWithdrawn:
		if e.Denied {
			dst = append(dst, `,"err":403`...)
		}
	case broker.EventForgotten:
		dst = appendOffsets(append(dst, `,"offsets":`...), e.Offsets)
	}
	return dst
}

func appendUser(dst []byte, name string) []byte {
	return appendName(append(dst, `,"user":`...), name)
}

// appendName appends a member's name. A Redis client can give it any bytes; what
// is not UTF-8 there is replaced, or browsers would close their connections.
func appendName(dst []byte, name string) []byte {
	return payload.AppendString(dst, []byte(strings.ToValidUTF8(name, "\ufffd")))
}

func appendOffsets(dst []byte, offsets []uint64) []byte {
	dst = append(dst, '[')
	for i, offset := range offsets {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, offset, 10)
	}
	return append(dst, ']')
}
