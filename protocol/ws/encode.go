package ws

import (
	"bytes"
	"strconv"

	"fanfare/broker"
	"fanfare/protocol/payload"
)

// The functions here append one answer: a JSON object and a line feed.

func appendWelcome(dst []byte, session, epoch string, ping, maxFrame int) []byte {
	dst = append(dst, `{"welcome":`...)
	dst = payload.AppendString(dst, []byte(session))
	dst = append(dst, `,"epoch":`...)
	dst = payload.AppendString(dst, []byte(epoch))
	dst = append(dst, `,"ping":`...)
	dst = strconv.AppendInt(dst, int64(ping), 10)
	dst = append(dst, `,"max":`...)
	dst = strconv.AppendInt(dst, int64(maxFrame), 10)
	return append(dst, '}', '\n')
}

// appendNamed appends {"<key>":"<name>","id":…}, such as subbed. A nil id is
// left out, here and below.
func appendNamed(dst []byte, key, name string, id []byte) []byte {
	return appendID(appendNamedOpen(dst, key, name), id)
}

// appendNamedOpen leaves the object open for more members.
func appendNamedOpen(dst []byte, key, name string) []byte {
	dst = append(dst, '{', '"')
	dst = append(dst, key...)
	dst = append(dst, '"', ':')
	return payload.AppendString(dst, []byte(name))
}

// appendRecall appends what an acknowledgement says about the replay behind it.
// Only who asked for a recovery is told how it went.
func appendRecall(dst []byte, r *broker.Recall, asked bool) []byte {
	if r.Keeps {
		dst = append(dst, `,"offset":`...)
		dst = strconv.AppendUint(dst, r.Offset, 10)
	}
	if asked {
		dst = strconv.AppendBool(append(dst, `,"recovered":`...), r.Recovered)
		dst = strconv.AppendInt(append(dst, `,"missed":`...), int64(r.Missed), 10)
	}
	if r.More {
		dst = append(dst, `,"more":true`...)
	}
	return dst
}

// appendReplayed appends a message that was published before the subscription,
// as it would have been delivered live, with "retained":true where it is that.
func appendReplayed(dst []byte, k broker.Kind, pattern string, m *broker.Message) []byte {
	dst = appendPrefix(dst, k, pattern)
	dst = appendBody(dst, m)
	dst = appendOffset(dst, m.Offset)
	if m.Retained {
		dst = append(dst, `,"retained":true`...)
	}
	return append(dst, '}', '\n')
}

func appendOK(dst, id []byte) []byte {
	dst = append(dst, `{"ok":`...)
	dst = append(dst, id...)
	return append(dst, '}', '\n')
}

func appendReceipt(dst, id []byte, r *broker.Receipt) []byte {
	dst = append(dst, `{"ok":`...)
	dst = append(dst, id...)
	dst = append(dst, `,"receivers":`...)
	dst = strconv.AppendInt(dst, int64(r.Receivers), 10)
	return appendTail(dst, r.Offset)
}

func appendHistory(dst, id []byte, epoch string, messages []broker.Message, more bool) []byte {
	dst = append(append(dst, `{"ok":`...), id...)
	dst = append(dst, `,"history":[`...)
	for i := range messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendKept(dst, &messages[i])
	}
	dst = append(dst, `],"epoch":`...)
	dst = payload.AppendString(dst, []byte(epoch))
	if more {
		dst = append(dst, `,"more":true`...)
	}
	return append(dst, '}', '\n')
}

// appendKept appends a message of a history, whose channel has been named.
func appendKept(dst []byte, m *broker.Message) []byte {
	dst = payload.AppendJSON(append(dst, '{'), m.Payload, m.JSON)
	dst = appendOffset(dst, m.Offset)
	return append(appendOrigin(dst, m), '}')
}

func appendWho(dst, id []byte, members []broker.Member, more bool) []byte {
	dst = append(append(dst, `{"ok":`...), id...)
	dst = appendMembers(append(dst, `,"who":`...), members, more)
	return append(dst, '}', '\n')
}

// appendMembers appends an object of the members' data by their names, null for
// those without, and "more" where some are left out.
func appendMembers(dst []byte, members []broker.Member, more bool) []byte {
	dst = append(dst, '{')
	for i := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendName(dst, members[i].Name)
		dst = appendMemberData(append(dst, ':'), &members[i])
	}
	if dst = append(dst, '}'); more {
		dst = append(dst, `,"more":true`...)
	}
	return dst
}

// appendMemberData appends the data alone, or {"b64":"…"} where a Redis client
// gave bytes that are neither text nor JSON.
func appendMemberData(dst []byte, m *broker.Member) []byte {
	if m.Data == nil {
		return append(dst, "null"...)
	}
	begin := len(dst)
	dst = payload.AppendJSON(append(dst, '{'), m.Data, m.JSON)
	if value, ok := bytes.CutPrefix(dst[begin:], []byte(`{"data":`)); ok {
		return append(dst[:begin], value...)
	}
	return append(dst, '}')
}

func appendPong(dst, value, id []byte) []byte {
	dst = append(dst, `{"pong":`...)
	dst = append(dst, value...)
	return appendID(dst, id)
}

// appendFault appends {"err":…,"<verb>":"<name>","text":"…","id":…}. An empty
// verb is left out.
func appendFault(dst []byte, f *fault, verb, name string, id []byte) []byte {
	dst = append(dst, `{"err":`...)
	dst = strconv.AppendInt(dst, int64(f.code), 10)
	if verb != "" {
		dst = append(dst, ',', '"')
		dst = append(dst, verb...)
		dst = append(dst, '"', ':')
		dst = payload.AppendString(dst, []byte(name))
	}
	dst = append(dst, `,"text":`...)
	dst = payload.AppendString(dst, []byte(f.text))
	return appendID(dst, id)
}

func appendID(dst, id []byte) []byte {
	if id != nil {
		dst = append(dst, `,"id":`...)
		dst = append(dst, id...)
	}
	return append(dst, '}', '\n')
}
