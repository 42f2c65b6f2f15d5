package payload

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAppendJSON(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	tests := []struct {
		name    string
		payload string
		isJSON  bool
		want    string
	}{
		{"text from Redis is a string", "hi", false, `"data":"hi"`},
		{"no bytes are an empty string", "", false, `"data":""`},
		{"an object from Redis is embedded", `{"a":1}`, false, `"data":{"a":1}`},
		{"an array from Redis is embedded", `[1,2]`, false, `"data":[1,2]`},
		{"what is embedded is compacted", "{\r\n \"a\" :\t[ 1 , 2 ]\n}\n", false, `"data":{"a":[1,2]}`},
		{"blanks inside strings stay", `{"a b":" c "}`, false, `"data":{"a b":" c "}`},
		{"a number from Redis is text", "5", false, `"data":"5"`},
		{"a word from Redis is text", "true", false, `"data":"true"`},
		{"a JSON string from Redis is text", `"x"`, false, `"data":"\"x\""`},
		{"a leading blank makes it a string", ` {"a":1}`, false, `"data":" {\"a\":1}"`},
		{"broken JSON is text", `{"a":1`, false, `"data":"{\"a\":1"`},
		{"two values are text", `{}{}`, false, `"data":"{}{}"`},
		{"a line feed is escaped", "a\nb", false, `"data":"a\nb"`},
		{"control characters are escaped", "\x00\x01\t\r\x1f\x7f", false, `"data":"\u0000\u0001\t\r\u001f` + "\x7f\""},
		{"nothing is escaped that need not be", "<&>\u2028", false, "\"data\":\"<&>\u2028\""},
		{"bytes that are no UTF-8 are base64", "\xff\x00", false, `"b64":"/wA="`},
		{"invalid UTF-8 inside a JSON string is base64", "{\"a\":\"\xff\"}", false, `"b64":"eyJhIjoi/yJ9"`},
		{"a surrogate written in UTF-8 is base64", "\xed\xa0\x80", false, `"b64":"7aCA"`},
		{"nesting of 128 is embedded", deep, false, `"data":` + deep},
		{"nesting of 129 is a string", "[" + deep + "]", false, `"data":"[` + deep + `]"`},
		{"number text is not re-encoded", `[1.0,1e2,-0,12345678901234567890]`, false, `"data":[1.0,1e2,-0,12345678901234567890]`},
		{"the order of keys stays, doubles too", `{"b":1,"a":2,"b":3}`, false, `"data":{"b":1,"a":2,"b":3}`},
		{"a browser's JSON is kept: number", `5`, true, `"data":5`},
		{"a browser's JSON is kept: string", `"{\"a\":1}"`, true, `"data":"{\"a\":1}"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := string(AppendJSON([]byte("x"), []byte(tt.payload), tt.isJSON))
			if want := "x" + tt.want; got != want {
				t.Errorf("AppendJSON(%q, %v)\n got %s\nwant %s", tt.payload, tt.isJSON, got, want)
			}
		})
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		payload string
		isJSON  bool
		want    string
	}{
		{"bytes are themselves", `"x"`, false, `"x"`},
		{"an object is its text", `{"a":1}`, true, `{"a":1}`},
		{"a number is its text", `1.0`, true, `1.0`},
		{"a string is its bytes", `"hi"`, true, `hi`},
		{"an empty string is no bytes", `""`, true, ``},
		{"escapes are undone", `"a\"\\\/\b\f\n\r\tz"`, true, "a\"\\/\b\f\n\r\tz"},
		{"code points are UTF-8", `"\u0041\u00e9\u20AC"`, true, "Aé€"},
		{"surrogate pairs are one code point", `"\ud83d\ude00"`, true, "😀"},
		{"half a surrogate pair is U+FFFD", `"\ud83dx\ude00"`, true, "\ufffdx\ufffd"},
		{"two high halves are two U+FFFD", `"\ud83d\ud83d"`, true, "\ufffd\ufffd"},
		{"a half before the end is U+FFFD", `"\ud83d\u"`, true, "\ufffd\\u"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(Bytes([]byte(tt.payload), tt.isJSON)); got != tt.want {
				t.Errorf("Bytes(%s, %v) = %q, want %q", tt.payload, tt.isJSON, got, tt.want)
			}
		})
	}
}

func TestBytesOfPlainStringAreNotCopied(t *testing.T) {
	text := []byte(`"` + strings.Repeat("x", 1000) + `"`)
	if got := testing.AllocsPerRun(100, func() { _ = Bytes(text, true) }); got != 0 {
		t.Errorf("allocations = %v, want 0", got)
	}
}

func TestAppendJSONDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 4096)
	for _, p := range []string{"hello\nworld", `{"a": [1, 2, {"b": null}]}`, "\xff\xfe"} {
		payload := []byte(p)
		if got := testing.AllocsPerRun(100, func() { _ = AppendJSON(dst, payload, false) }); got != 0 {
			t.Errorf("%q: allocations = %v, want 0", p, got)
		}
	}
}

// FuzzAppendJSON holds the rule between the two worlds: whatever is published,
// the line a browser gets is one line of valid UTF-8 that parses and gives back
// what was published.
func FuzzAppendJSON(f *testing.F) {
	for _, s := range []string{"", "hi", "{}", `{"a" : 1}`, "[1,\n2]", "\xff", `"\ud83d"`, "5", "{\"\xff\":1}", "\u2028", "[1e9]"} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, isJSON bool) {
		if isJSON {
			text, ok := Compact(nil, b)
			if !ok {
				return
			}
			b = text
		}
		member := AppendJSON(nil, b, isJSON)
		if bytes.IndexByte(member, '\n') >= 0 || !utf8.Valid(member) {
			t.Fatalf("AppendJSON(%q) = %q: not one line of UTF-8", b, member)
		}
		var m struct {
			Data json.RawMessage `json:"data"`
			B64  *string         `json:"b64"`
		}
		if err := json.Unmarshal([]byte("{"+string(member)+"}"), &m); err != nil {
			t.Fatalf("AppendJSON(%q) = %q: %v", b, member, err)
		}
		checkBack(t, b, isJSON, m.Data, m.B64)
	})
}

// checkBack fails if what was received is not what was published.
func checkBack(t *testing.T, published []byte, isJSON bool, data json.RawMessage, b64 *string) {
	t.Helper()
	var s string
	switch {
	case b64 != nil:
		raw, err := base64.StdEncoding.DecodeString(*b64)
		if err != nil || !bytes.Equal(raw, published) || isJSON || utf8.Valid(published) {
			t.Fatalf("b64 %q gives back %q, %v; published %q", *b64, raw, err, published)
		}
	case isJSON:
		if !bytes.Equal(data, published) {
			t.Fatalf("data %q; published %q", data, published)
		}
		if json.Unmarshal(data, &s) == nil && data[0] == '"' && s != string(Bytes(published, true)) {
			t.Fatalf("Redis clients get %q; the string is %q", Bytes(published, true), s)
		}
	case data[0] == '"':
		if err := json.Unmarshal(data, &s); err != nil || s != string(published) {
			t.Fatalf("data %q gives back %q, %v; published %q", data, s, err, published)
		}
	default:
		var want bytes.Buffer
		if err := json.Compact(&want, published); err != nil || !bytes.Equal(want.Bytes(), data) {
			t.Fatalf("data %q, want %q, %v; published %q", data, want.Bytes(), err, published)
		}
	}
}
