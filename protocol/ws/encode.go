package ws

import (
	"strconv"

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
	dst = append(dst, '{', '"')
	dst = append(dst, key...)
	dst = append(dst, '"', ':')
	dst = payload.AppendString(dst, []byte(name))
	return appendID(dst, id)
}

func appendOK(dst, id []byte) []byte {
	dst = append(dst, `{"ok":`...)
	dst = append(dst, id...)
	return append(dst, '}', '\n')
}

func appendReceivers(dst, id []byte, receivers int) []byte {
	dst = append(dst, `{"ok":`...)
	dst = append(dst, id...)
	dst = append(dst, `,"receivers":`...)
	dst = strconv.AppendInt(dst, int64(receivers), 10)
	return append(dst, '}', '\n')
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
