package ws

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"fanfare/broker"
	"fanfare/protocol/payload"
)

func TestDeliveryIsOneLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		kind    broker.Kind
		pattern string
		m       broker.Message
		offset  uint64
		want    string
	}{
		{"channel", broker.KindChannel, "", broker.Message{Channel: "a", Payload: []byte("hi"), Time: 5}, 0, `{"msg":"a","data":"hi","time":5}`},
		{"pattern", broker.KindPattern, "a*", broker.Message{Channel: "a", Payload: []byte("1"), JSON: true, Time: 5}, 0, `{"via":"a*","msg":"a","data":1,"time":5}`},
		{"offset and publisher", broker.KindChannel, "", broker.Message{Channel: "a", Payload: []byte("\xff"), Time: 5, From: `u"1`}, 42,
			`{"msg":"a","b64":"/w==","time":5,"from":"u\"1","offset":42}`},
		{"nothing is said that is not known", broker.KindChannel, "", broker.Message{Channel: "a"}, 0, `{"msg":"a","data":""}`},
	}
	for _, tt := range tests {
		c := Codec()
		got := string(c.Tail(c.Body(c.Prefix(nil, tt.kind, tt.pattern), &tt.m), tt.offset))
		if got != tt.want+"\n" {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestEventIsOneLine(t *testing.T) {
	t.Parallel()
	ann := broker.Member{Name: `a"n`, Data: []byte(`{"x":1}`), JSON: true}
	for _, tt := range []struct {
		name  string
		event broker.Event
		want  string
	}{
		{"joined with data", broker.Event{Verb: broker.EventJoined, Channel: "room:1", Member: ann}, `"joined":"room:1","user":"a\"n","data":{"x":1}`},
		{"joined without", broker.Event{Verb: broker.EventJoined, Channel: "r", Member: broker.Member{Name: "u"}}, `"joined":"r","user":"u"`},
		{"updated with text", broker.Event{Verb: broker.EventUpdated, Channel: "r", Member: broker.Member{Name: "u", Data: []byte("a\nb")}}, `"updated":"r","user":"u","data":"a\nb"`},
		{"updated with bytes", broker.Event{Verb: broker.EventUpdated, Channel: "r", Member: broker.Member{Name: "u", Data: []byte{0xff}}}, `"updated":"r","user":"u","b64":"/w=="`},
		{"left has no data", broker.Event{Verb: broker.EventLeft, Channel: "r", Member: ann}, `"left":"r","user":"a\"n"`},
		{"a name that is not UTF-8", broker.Event{Verb: broker.EventLeft, Channel: "r", Member: broker.Member{Name: "a\xffb\n"}}, `"left":"r","user":"a` + "\ufffd" + `b\n"`},
		{"members", broker.Event{Verb: broker.EventMembers, Channel: "r", Count: 501}, `"members":"r","count":501`},
		{"cleared", broker.Event{Verb: broker.EventCleared, Channel: "r"}, `"cleared":"r"`},
		{"forgotten", broker.Event{Verb: broker.EventForgotten, Channel: "r", Offsets: []uint64{1, 1 << 63}}, `"forgotten":"r","offsets":[1,9223372036854775808]`},
		{"occupied", broker.Event{Verb: broker.EventOccupied, Channel: "r"}, `"occupied":"r"`},
		{"vacated", broker.Event{Verb: broker.EventVacated, Channel: "r"}, `"vacated":"r"`},
	} {
		c := Codec()
		got := string(c.Tail(c.Event(c.Prefix(nil, broker.KindPattern, "*"), &tt.event), 0))
		if want := `{"via":"*",` + tt.want + "}\n"; got != want || !json.Valid([]byte(got)) {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, want)
		}
	}
}

// FuzzDelivery holds the promise to browsers: whatever is published, each line
// parses and gives back channel, pattern and payload.
func FuzzDelivery(f *testing.F) {
	f.Add("a", "a*", []byte("hi"), false, uint64(0))
	f.Add("\u2028", `"\`, []byte(`{"a": "b\n"}`), true, uint64(1))
	f.Add("a\nb", "\xff", []byte("\xff{}"), false, uint64(1<<63))
	f.Fuzz(func(t *testing.T, channel, pattern string, data []byte, isJSON bool, offset uint64) {
		if !accepts(channel) || !accepts(pattern) {
			return
		}
		if isJSON {
			var ok bool
			if data, ok = payload.Compact(nil, data); !ok {
				return
			}
		}
		c := Codec()
		m := broker.Message{Channel: channel, Payload: data, JSON: isJSON, Time: 1, From: channel}
		line := c.Tail(c.Body(c.Prefix(nil, broker.KindPattern, pattern), &m), offset)
		if bytes.IndexByte(line, '\n') != len(line)-1 || !utf8.Valid(line) {
			t.Fatalf("%q is not one line of UTF-8", line)
		}
		var got struct {
			Via, Msg, From string
			Data           json.RawMessage
			B64            *string
			Offset         uint64
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if got.Via != pattern || got.Msg != channel || got.From != channel || got.Offset != offset {
			t.Fatalf("%q gives back %+v", line, got)
		}
		if !bytes.Equal(received(t, got.Data, got.B64, isJSON), compacted(data)) {
			t.Fatalf("%q gives back another payload than %q", line, data)
		}
	})
}

// received is the payload that a browser has got, as bytes.
func received(t *testing.T, data json.RawMessage, b64 *string, isJSON bool) []byte {
	t.Helper()
	switch {
	case b64 != nil:
		b, err := base64.StdEncoding.DecodeString(*b64)
		if err != nil {
			t.Fatal(err)
		}
		return b
	case !isJSON && data[0] == '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			t.Fatal(err)
		}
		return []byte(s)
	}
	return data
}

// compacted is data without blanks if it is JSON that is embedded, else data.
func compacted(data []byte) []byte {
	if len(data) > 0 && (data[0] == '{' || data[0] == '[') {
		if out, ok := payload.Compact(nil, data); ok {
			return out
		}
	}
	return data
}

func TestAccepts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"": true, "a:b": true, "é": true, "😀": true, "\u2028": true, "a b": true, "\ufffd": true,
		"\xff": false, "a\x00": false, "\n": false, "\x7f": false, "\u0080": false, "\u009f": false, "\u00a0": true, "\xed\xa0\x80": false,
	} {
		if got := accepts(name); got != want {
			t.Errorf("accepts(%q) = %v, want %v", name, got, want)
		}
	}
}
