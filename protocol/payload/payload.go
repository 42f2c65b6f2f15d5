package payload

import (
	"encoding/base64"
	"unicode/utf8"
)

// AppendJSON appends the payload as the JSON member a browser receives,
// `"data":…` or `"b64":"…"`, without a comma on either side. The member never
// contains a raw line feed, and it is always valid UTF-8.
//
// With isJSON the payload must be compacted JSON text (see Compact) and is
// appended as it is. Otherwise it is bytes, and the kind of member follows
// from them. dst and payload must not overlap.
func AppendJSON(dst, payload []byte, isJSON bool) []byte {
	if isJSON {
		return append(append(dst, `"data":`...), payload...)
	}
	if !utf8.Valid(payload) {
		dst = append(dst, `"b64":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, payload)
		return append(dst, '"')
	}
	dst = append(dst, `"data":`...)
	if structured(payload) {
		if out, ok := Compact(dst, payload); ok {
			return out
		}
	}
	return AppendString(dst, payload)
}

// Bytes returns what a Redis client receives: the payload itself, or, where it
// is the JSON text of a string, that string's bytes. The result may alias
// payload; it is a copy only where the string holds escapes.
func Bytes(payload []byte, isJSON bool) []byte {
	if !isJSON || len(payload) < 2 || payload[0] != '"' {
		return payload
	}
	return Unquote(payload)
}

// structured tells whether bytes may be taken for JSON at all.
func structured(payload []byte) bool {
	return len(payload) > 0 && (payload[0] == '{' || payload[0] == '[')
}

// Compact appends the one JSON value that is the whole of text, without the
// blanks between its tokens; everything else keeps its bytes (numbers, escapes,
// the order of keys). It reports false, with dst as it was, where text is not
// exactly one JSON value, is nested deeper than MaxDepth, or is not UTF-8.
// Blanks around the value are allowed.
func Compact(dst, text []byte) ([]byte, bool) {
	begin := Blanks(text)
	n, blanks, ok := Scan(text[begin:])
	if !ok {
		return dst, false
	}
	end := begin + n
	if end+Blanks(text[end:]) != len(text) || !utf8.Valid(text) {
		return dst, false
	}
	if !blanks {
		return append(dst, text[begin:end]...), true
	}
	return AppendCompact(dst, text[begin:end]), true
}

// AppendCompact appends a value that Scan has accepted, without the blanks
// between its tokens.
func AppendCompact(dst, value []byte) []byte {
	for i := 0; i < len(value); {
		switch c := value[i]; {
		case c == '"':
			end := i + 1 + stringEnd(value[i+1:])
			dst = append(dst, value[i:end]...)
			i = end
		case isBlank(c):
			i++
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}
