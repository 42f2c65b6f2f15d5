package payload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCompact(t *testing.T) {
	t.Parallel()
	good := []string{
		`{}`, `[]`, ` { } `, `[ ]`, `0`, `-0`, `-1.5e+10`, `1E5`, `1e-5`, `10`, `true`, `false`, `null`, `""`,
		`"a\u00e9\n"`, `[1,[2,[3]],{"a":{"b":[]}}]`, "\t\n\r 1 \t\n\r", `{"":""}`, `"\/"`, "\"\x7f\"", "\"\u2028\"",
		`{"a":1,"a":2}`, `[[],{},[],"]"]`, `"12345678"`, `"1234567\""`, `"12345678901234567890\\"`,
	}
	for _, text := range good {
		var want bytes.Buffer
		if err := json.Compact(&want, []byte(text)); err != nil {
			t.Fatalf("oracle refuses %q: %v", text, err)
		}
		got, ok := Compact(nil, []byte(text))
		if !ok || string(got) != want.String() {
			t.Errorf("Compact(%q) = %q, %v, want %q", text, got, ok, want.String())
		}
	}
	bad := []string{
		``, ` `, `{`, `[`, `}`, `]`, `{]`, `[}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{1:2}`, `[1,]`, `[,1]`, `[1 2]`,
		`01`, `-`, `+1`, `.5`, `1.`, `1.e5`, `1e`, `1e+`, `--1`, `0x1`, `1_0`, `NaN`, `Infinity`, `tru`, `True`, `nul`, `nulll`,
		`"`, `"a`, `"\"`, `"\x"`, `"\u12"`, `"\u123g"`, "\"a\nb\"", "\"\x00\"", "\"1234567\x1f\"", `'a'`, `1 2`, `{}x`, `"a"b`, `[1]]`,
		"\"\xff\"", "\xef\xbb\xbf{}", "\v1", "\f1", "\u00a01", `/**/1`, `[1,/**/2]`,
	}
	for _, text := range bad {
		if got, ok := Compact([]byte("x"), []byte(text)); ok || string(got) != "x" {
			t.Errorf("Compact(%q) = %q, %v, want a refusal", text, got, ok)
		}
	}
}

func TestScanStopsBehindTheValue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text   string
		want   int
		blanks bool
	}{
		{`{"a":1},2`, 7, false}, {`[1, 2]]`, 6, true}, {`12,`, 2, false}, {`"a" `, 3, false}, {`true}`, 4, false},
		{`1 `, 1, false}, {`[] `, 2, false}, {`[ ]`, 3, true},
	}
	for _, tt := range tests {
		n, blanks, ok := Scan([]byte(tt.text))
		if !ok || n != tt.want || blanks != tt.blanks {
			t.Errorf("Scan(%q) = %d, %v, %v, want %d, %v", tt.text, n, blanks, ok, tt.want, tt.blanks)
		}
	}
}

func TestNestingIsLimited(t *testing.T) {
	t.Parallel()
	for _, bracket := range []string{"[]", `{"a":0}`} {
		nested := func(n int) []byte {
			if bracket == "[]" {
				return []byte(strings.Repeat("[", n) + strings.Repeat("]", n))
			}
			return []byte(strings.Repeat(`{"a":`, n) + "0" + strings.Repeat("}", n))
		}
		if _, ok := Compact(nil, nested(MaxDepth)); !ok {
			t.Errorf("%s nested %d deep is refused", bracket, MaxDepth)
		}
		if _, ok := Compact(nil, nested(MaxDepth+1)); ok {
			t.Errorf("%s nested %d deep is accepted", bracket, MaxDepth+1)
		}
	}
}

// TestScanAgainstEncodingJSON mutates legal documents: most of what comes out
// is nearly legal, where a hand-written scanner goes wrong.
func TestScanAgainstEncodingJSON(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	const alphabet = "{}[]:,\"\\ \n\tu0019aeE+-.tfnrls/\x00\x1f\x7f\xff\xc3\xa9"
	for range 50_000 {
		text := []byte(document(rng, 4))
		for range rng.IntN(3) {
			if len(text) == 0 {
				break
			}
			i := rng.IntN(len(text))
			switch rng.IntN(3) {
			case 0:
				text[i] = alphabet[rng.IntN(len(alphabet))]
			case 1:
				text = append(text[:i], text[i+1:]...)
			default:
				text = append(text[:i], append([]byte{alphabet[rng.IntN(len(alphabet))]}, text[i:]...)...)
			}
		}
		compareWithOracle(t, text)
	}
}

func document(rng *rand.Rand, depth int) string {
	blank := []string{"", "", "", " ", "\n", "\t "}[rng.IntN(6)]
	kind := rng.IntN(6)
	if depth == 0 {
		kind = rng.IntN(4)
	}
	switch kind {
	case 0:
		return blank + []string{"true", "false", "null"}[rng.IntN(3)] + blank
	case 1:
		return []string{"0", "-1", "1.50", "1e9", "-0.0E-7", "123456789012345678901"}[rng.IntN(6)]
	case 2, 3:
		return blank + []string{`"\ud83d\ude00"`, `"a b"`, `"plain text of some length"`, `"é\n\"\\"`, `""`}[rng.IntN(5)]
	}
	var parts []string
	for range rng.IntN(4) {
		part := document(rng, depth-1)
		if kind == 4 {
			part = fmt.Sprintf(`%s"k%d"%s:%s`, blank, rng.IntN(3), blank, part)
		}
		parts = append(parts, part)
	}
	body := strings.Join(parts, ",")
	if kind == 4 {
		return blank + "{" + body + blank + "}"
	}
	return "[" + blank + body + "]" + blank
}

func FuzzCompact(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"\u00e9"],"b":null}`, ` [ ] `, `"\ud800"`, "\"\xff\"", strings.Repeat("[", 130)} {
		f.Add([]byte(s))
	}
	f.Fuzz(compareWithOracle)
}

// compareWithOracle checks Compact against encoding/json, which differs on
// purpose in two points: UTF-8 and depth.
func compareWithOracle(t *testing.T, text []byte) {
	t.Helper()
	got, ok := Compact(nil, text)
	wantOK := json.Valid(text) && utf8.Valid(text) && depth(text) <= MaxDepth
	if ok != wantOK {
		t.Fatalf("Compact(%q) accepts: %v, want %v", text, ok, wantOK)
	}
	if !ok {
		return
	}
	var want bytes.Buffer
	if err := json.Compact(&want, text); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Fatalf("Compact(%q)\n got %q\nwant %q (%v)", text, got, want.Bytes(), err)
	}
}

// depth is the nesting of a legal document.
func depth(text []byte) int {
	deepest, now, inString := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && (c == '{' || c == '['):
			now++
			deepest = max(deepest, now)
		case !inString && (c == '}' || c == ']'):
			now--
		}
	}
	return deepest
}

func BenchmarkAppendJSON(b *testing.B) {
	object := `{"id":123456,"name":"some longer name of a person","tags":["a","b","c"],"text":"` + strings.Repeat("lorem ipsum ", 8) + `"}`
	spaced := strings.ReplaceAll(strings.ReplaceAll(object, ":", ": "), ",", ", ")
	for _, bm := range []struct{ name, payload string }{
		{"kind=text/bytes=128", strings.Repeat("hello, world! 16", 8)},
		{"kind=object", object}, {"kind=object/spaced", spaced},
		{"kind=binary/bytes=128", strings.Repeat("\xff\x00\x01\x02", 32)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			dst, payload := make([]byte, 0, 1024), []byte(bm.payload)
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				AppendJSON(dst, payload, false)
			}
		})
	}
	b.Run("kind=object/oracle=encoding-json", func(b *testing.B) {
		payload := []byte(object)
		b.SetBytes(int64(len(payload)))
		for b.Loop() {
			_ = json.Valid(payload)
		}
	})
}
