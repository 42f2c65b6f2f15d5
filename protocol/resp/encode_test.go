package resp

import (
	"math"
	"testing"

	"fanfare/broker"
)

func TestWriterKnowsBothVersions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, two, three string
		write            func(*Writer)
	}{
		{"null", "$-1\r\n", "_\r\n", (*Writer).Null},
		{"null array", "*-1\r\n", "_\r\n", (*Writer).NullArray},
		{"map", "*4\r\n", "%2\r\n", func(w *Writer) { w.Map(2) }},
		{"set", "*2\r\n", "~2\r\n", func(w *Writer) { w.Set(2) }},
		{"push", "*3\r\n", ">3\r\n", func(w *Writer) { w.Push(3) }},
		{"true", ":1\r\n", "#t\r\n", func(w *Writer) { w.Bool(true) }},
		{"false", ":0\r\n", "#f\r\n", func(w *Writer) { w.Bool(false) }},
		{"verbatim", "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n", func(w *Writer) { w.Verbatim("hi") }},
		{"double", "$3\r\n1.5\r\n", ",1.5\r\n", func(w *Writer) { w.Double(1.5) }},
		{"infinity", "$4\r\n-inf\r\n", ",-inf\r\n", func(w *Writer) { w.Double(math.Inf(-1)) }},
		{"large double", "$5\r\n1e+20\r\n", ",1e+20\r\n", func(w *Writer) { w.Double(1e20) }},
		{"small double", "$4\r\n1e-7\r\n", ",1e-7\r\n", func(w *Writer) { w.Double(1e-7) }},
		{"whole double", "$1\r\n3\r\n", ",3\r\n", func(w *Writer) { w.Double(3) }},
		{"line breaks in an error", "-ERR a  b\r\n", "-ERR a  b\r\n", func(w *Writer) { w.Error("ERR a\r\nb") }},
		{"strings", "*2\r\n$1\r\na\r\n$0\r\n\r\n", "*2\r\n$1\r\na\r\n$0\r\n\r\n", func(w *Writer) { w.Strings([]string{"a", ""}) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for proto, want := range map[int]string{proto2: tt.two, proto3: tt.three} {
				w := Writer{proto: proto}
				tt.write(&w)
				if got := string(w.buf); got != want {
					t.Errorf("RESP%d: got %q, want %q", proto, got, want)
				}
			}
		})
	}
}

func TestCodecsWriteDeliveries(t *testing.T) {
	t.Parallel()
	text := broker.Message{Channel: "c", Payload: []byte("hi")}
	quoted := broker.Message{Channel: "c", Payload: []byte(`"a\"b"`), JSON: true}
	object := broker.Message{Channel: "c", Payload: []byte(`{"a":1}`), JSON: true}
	tests := []struct {
		name    string
		codec   broker.Codec
		kind    broker.Kind
		message broker.Message
		want    string
	}{
		{"message in RESP2", Codec2(), broker.KindChannel, text, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n"},
		{"message in RESP3", Codec3(), broker.KindChannel, text, ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n"},
		{"pattern", Codec3(), broker.KindPattern, text, ">4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$1\r\nc\r\n$2\r\nhi\r\n"},
		{"shard channel", Codec2(), broker.KindShard, text, "*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n"},
		{"a browser's string is its bytes", Codec2(), broker.KindChannel, quoted, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$3\r\na\"b\r\n"},
		{"a browser's object is its text", Codec2(), broker.KindChannel, object, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$7\r\n{\"a\":1}\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pattern := ""
			if tt.kind == broker.KindPattern {
				pattern = "c*"
			}
			if got := string(tt.codec.Body(tt.codec.Prefix(nil, tt.kind, pattern), &tt.message)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			w := Writer{proto: map[string]int{"resp2": proto2, "resp3": proto3}[tt.codec.Name]}
			if w.Delivery(tt.kind, pattern, &tt.message); string(w.buf) != tt.want {
				t.Errorf("brought later: got %q, want %q", w.buf, tt.want)
			}
		})
	}
}

func TestParseIntIsRedis(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "-1": -1, "9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64,
	} {
		if got, ok := parseInt([]byte(text)); !ok || got != want {
			t.Errorf("%q: got %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "-", "-0", "01", "-01", "+1", " 1", "1 ", "1.0", "0x1", "9223372036854775808", "-9223372036854775809", "18446744073709551617",
	} {
		if got, ok := parseInt([]byte(text)); ok {
			t.Errorf("%q: got %d, want none", text, got)
		}
	}
}
