package resp

import (
	"strconv"

	"github.com/tidwall/redcon"

	"fanfare/kv"
)

// Versions of the protocol.
const (
	proto2 = 2
	proto3 = 3
)

// Writer appends replies to a buffer, each in the form the connection's
// protocol version has for it: RESP2 as redcon writes it, RESP3 with the types
// redcon does not know. It is used by one goroutine.
type Writer struct {
	buf   []byte
	proto int
	// failure is the last error that was appended, until somebody takes it.
	failure string
}

// OK appends the simple string OK.
func (w *Writer) OK() { w.buf = redcon.AppendOK(w.buf) }

// SimpleString appends a simple string; line breaks in it become blanks.
func (w *Writer) SimpleString(s string) { w.buf = redcon.AppendString(w.buf, s) }

// Error appends an error. The text begins with its code ("ERR …") and no dash;
// line breaks in it become blanks.
func (w *Writer) Error(text string) {
	w.failure = text
	w.buf = redcon.AppendError(w.buf, text)
}

// Int appends an integer.
func (w *Writer) Int(n int64) { w.buf = redcon.AppendInt(w.buf, n) }

// Bulk appends a bulk string.
func (w *Writer) Bulk(b []byte) { w.buf = redcon.AppendBulk(w.buf, b) }

// BulkString appends a bulk string.
func (w *Writer) BulkString(s string) { w.buf = redcon.AppendBulkString(w.buf, s) }

// Null appends the null of a value: `$-1`, in RESP3 `_`.
func (w *Writer) Null() {
	if w.proto == proto3 {
		w.buf = append(w.buf, "_\r\n"...)
		return
	}
	w.buf = redcon.AppendNull(w.buf)
}

// NullArray appends the null of an array: `*-1`, in RESP3 `_`.
func (w *Writer) NullArray() {
	if w.proto == proto3 {
		w.buf = append(w.buf, "_\r\n"...)
		return
	}
	w.buf = append(w.buf, "*-1\r\n"...)
}

// Array begins an array of n values, which the caller appends next.
func (w *Writer) Array(n int) { w.buf = redcon.AppendArray(w.buf, n) }

// Map begins a map of n pairs; in RESP2 an array of 2n values.
func (w *Writer) Map(n int) {
	if w.proto == proto3 {
		w.head('%', n)
		return
	}
	w.Array(2 * n)
}

// Set begins a set of n values; in RESP2 an array.
func (w *Writer) Set(n int) {
	if w.proto == proto3 {
		w.head('~', n)
		return
	}
	w.Array(n)
}

// Push begins a push of n values; in RESP2 an array.
func (w *Writer) Push(n int) {
	if w.proto == proto3 {
		w.head('>', n)
		return
	}
	w.Array(n)
}

// Bool appends a boolean; in RESP2 the integer 1 or 0.
func (w *Writer) Bool(b bool) {
	switch {
	case w.proto == proto3 && b:
		w.buf = append(w.buf, "#t\r\n"...)
	case w.proto == proto3:
		w.buf = append(w.buf, "#f\r\n"...)
	case b:
		w.Int(1)
	default:
		w.Int(0)
	}
}

// Double appends a floating point number; in RESP2 a bulk string. The text is that
// of kv.AppendScore, as in Redis 7.2; earlier releases write 17 digits.
func (w *Writer) Double(f float64) {
	var scratch [32]byte
	text := kv.AppendScore(scratch[:0], f)
	if w.proto != proto3 {
		w.Bulk(text)
		return
	}
	w.buf = append(w.buf, ',')
	w.buf = append(w.buf, text...)
	w.buf = append(w.buf, "\r\n"...)
}

// Verbatim appends a text for people; in RESP2 a bulk string.
func (w *Writer) Verbatim(text string) {
	if w.proto != proto3 {
		w.BulkString(text)
		return
	}
	w.head('=', len(text)+len("txt:"))
	w.buf = append(w.buf, "txt:"...)
	w.buf = append(w.buf, text...)
	w.buf = append(w.buf, "\r\n"...)
}

// Strings appends an array of bulk strings.
func (w *Writer) Strings(list []string) {
	w.Array(len(list))
	for _, s := range list {
		w.BulkString(s)
	}
}

// SimpleStrings appends a set of simple strings, as COMMAND INFO has them.
func (w *Writer) SimpleStrings(list []string) {
	w.Set(len(list))
	for _, s := range list {
		w.SimpleString(s)
	}
}

func (w *Writer) head(kind byte, n int) {
	w.buf = append(w.buf, kind)
	w.buf = strconv.AppendInt(w.buf, int64(n), 10)
	w.buf = append(w.buf, "\r\n"...)
}
