package ws

import (
	"strconv"
	"unicode"
	"unicode/utf8"

	"fanfare/broker"
	"fanfare/protocol/payload"
)

// frameMessages is how many deliveries are merged for one frame. Measured in
// Chromium, more per frame makes the page slower again.
const frameMessages = 128

// Codec returns the broker's codec for browsers. A delivery is one JSON object
// with a line feed behind it and none inside it:
//
//	{"via":"room:*","msg":"room:1","data":ANY,"time":1700000000123,"from":"u1","offset":42}
func Codec() broker.Codec {
	return broker.Codec{
		Name:    "json",
		Prefix:  appendPrefix,
		Body:    appendBody,
		Tail:    appendTail,
		Event:   appendEvent,
		Accepts: accepts,
		MaxRun:  frameMessages,
	}
}

func appendPrefix(dst []byte, k broker.Kind, pattern string) []byte {
	if k != broker.KindPattern {
		return append(dst, '{')
	}
	dst = append(dst, `{"via":`...)
	dst = payload.AppendString(dst, []byte(pattern))
	return append(dst, ',')
}

func appendBody(dst []byte, m *broker.Message) []byte {
	dst = append(dst, `"msg":`...)
	dst = payload.AppendString(dst, []byte(m.Channel))
	dst = append(dst, ',')
	dst = payload.AppendJSON(dst, m.Payload, m.JSON)
	return appendOrigin(dst, m)
}

// appendOrigin appends when the message was published and by whom, as far as
// that is known.
func appendOrigin(dst []byte, m *broker.Message) []byte {
	if m.Time != 0 {
		dst = append(dst, `,"time":`...)
		dst = strconv.AppendInt(dst, m.Time, 10)
	}
	if m.From != "" {
		dst = append(dst, `,"from":`...)
		dst = payload.AppendString(dst, []byte(m.From))
	}
	return dst
}

func appendTail(dst []byte, offset uint64) []byte {
	return append(appendOffset(dst, offset), '}', '\n')
}

func appendOffset(dst []byte, offset uint64) []byte {
	if offset == 0 {
		return dst
	}
	return strconv.AppendUint(append(dst, `,"offset":`...), offset, 10)
}

// accepts says whether a name can be a channel's or a pattern's for a browser:
// UTF-8, since nothing else can be said in JSON, and without control
// characters, which end up in logs and terminals.
func accepts(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case c < ' ', c == 0x7f:
			return false
		case c >= utf8.RuneSelf:
			return acceptsUnicode(name)
		}
	}
	return true
}

func acceptsUnicode(name string) bool {
	if !utf8.ValidString(name) {
		return false
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}
