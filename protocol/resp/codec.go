package resp

import (
	"github.com/tidwall/redcon"

	"fanfare/broker"
	"fanfare/protocol/payload"
)

// Codec2 returns the broker's codec for RESP2, where a delivery is an array:
// `message`, channel, payload, or `pmessage`, pattern, channel, payload, or
// `smessage`, channel, payload.
func Codec2() broker.Codec { return codec("resp2", '*') }

// Codec3 returns the broker's codec for RESP3, where it is a push.
func Codec3() broker.Codec { return codec("resp3", '>') }

func codec(name string, kind byte) broker.Codec {
	return broker.Codec{Name: name, Prefix: prefixes(kind), Body: body}
}

// prefixes returns the function that writes a delivery's beginning: everything
// before the channel.
func prefixes(kind byte) func([]byte, broker.Kind, string) []byte {
	return func(dst []byte, k broker.Kind, pattern string) []byte { return prefix(dst, kind, k, pattern) }
}

func prefix(dst []byte, kind byte, k broker.Kind, pattern string) []byte {
	dst = append(dst, kind)
	switch k {
	case broker.KindPattern:
		dst = append(dst, "4\r\n$8\r\npmessage\r\n"...)
		return redcon.AppendBulkString(dst, pattern)
	case broker.KindShard:
		return append(dst, "3\r\n$8\r\nsmessage\r\n"...)
	default:
		return append(dst, "3\r\n$7\r\nmessage\r\n"...)
	}
}

// body writes channel and payload, the same in both versions.
func body(dst []byte, m *broker.Message) []byte {
	dst = redcon.AppendBulkString(dst, m.Channel)
	return redcon.AppendBulk(dst, payload.Bytes(m.Payload, m.JSON))
}

// Delivery appends a message as the codec of the version writes it, for a
// subscription of kind k to the given name.
func (w *Writer) Delivery(k broker.Kind, name string, m *broker.Message) {
	kind := byte('*')
	if w.proto == proto3 {
		kind = '>'
	}
	w.buf = body(prefix(w.buf, kind, k, name), m)
}
