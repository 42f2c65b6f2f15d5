package resp

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

func TestSplitWords(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, line, want string }{
		{"blanks separate", " a\tb  c ", `["a" "b" "c"]`},
		{"nothing", " \t", `[]`},
		{"double quotes", `set "a b" ""`, `["set" "a b" ""]`},
		{"escapes", `"\n\r\t\b\a\x41\xfF\"\\\q"`, `["\n\r\t\b\aA\xff\"\\q"]`},
		{"broken hexadecimal escape", `"\xZZ\x4"`, `["xZZx4"]`},
		{"single quotes are literal", `'a\n "b"' 'it\'s'`, `["a\\n \"b\"" "it's"]`},
		{"quote inside a word", `a"b c" d`, `["ab c" "d"]`},
		{"text after the closing quote", `"a"b`, `error`},
		{"open double quote", `"a`, `error`},
		{"open single quote", `'a`, `error`},
		{"backslash at the end of an open quote", `"a\`, `error`},
		{"NUL ends the line", "a\x00b c", `["a"]`},
		{"vertical tab is a blank before a word only", "\va\vb", `["a\vb"]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := splitText(tt.line); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func splitText(line string) string {
	words, ok := splitWords(nil, []byte(line))
	if !ok {
		return "error"
	}
	return fmt.Sprintf("%q", words)
}

// FuzzInline compares with an oracle that works in two steps: it replaces
// quoted parts by characters outside of bytes, then splits at blanks.
func FuzzInline(f *testing.F) {
	for _, seed := range []string{`a b`, `"a\x41 b" c`, `'it\'s' x`, `a"b"c`, `"\`, "\v\f a\v"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		line, _, _ = strings.Cut(line, "\x00")
		if got, want := splitText(line), oracleSplit(line); got != want {
			t.Errorf("%q: got %s, want %s", line, got, want)
		}
	})
}

// oracleSplit writes every byte of a word as one rune above 0xFF (so that it is
// never a blank or a quote), an empty quoted word as a mark, and splits then.
func oracleSplit(line string) string {
	const lift, mark = 0x1000, 0x5000
	var runes []rune
	for i := 0; i < len(line); {
		ch := line[i]
		if ch != '"' && ch != '\'' {
			word := strings.IndexByte(" \n\r\t", ch) < 0
			first := len(runes) == 0 || runes[len(runes)-1] < lift
			if word && !(first && strings.IndexByte("\v\f", ch) >= 0) {
				runes = append(runes, lift+rune(ch))
			} else {
				runes = append(runes, ' ')
			}
			i++
			continue
		}
		text, n, ok := oracleQuoted(line[i:])
		i += n
		if !ok || i < len(line) && strings.IndexByte(" \n\r\t\v\f", line[i]) < 0 {
			return "error"
		}
		runes = append(runes, mark)
		for _, b := range []byte(text) {
			runes = append(runes, lift+rune(b))
		}
		runes = append(runes, ' ')
	}
	words := [][]byte{}
	for word := range strings.FieldsSeq(string(runes)) {
		bytes := []byte{}
		for _, r := range word {
			if r != mark {
				bytes = append(bytes, byte(r-lift))
			}
		}
		words = append(words, bytes)
	}
	return fmt.Sprintf("%q", words)
}

// oracleQuoted reads the quoted part at the beginning of s.
func oracleQuoted(s string) (text string, n int, ok bool) {
	quote := s[0]
	var out strings.Builder
	for i := 1; i < len(s); {
		rest := s[i:]
		switch {
		case rest[0] == quote:
			return out.String(), i + 1, true
		case quote == '\'' && strings.HasPrefix(rest, `\'`):
			out.WriteByte('\'')
			i += 2
		case quote == '"' && len(rest) >= 2 && rest[0] == '\\':
			if len(rest) >= 4 && rest[1] == 'x' {
				if v, err := strconv.ParseUint(rest[2:4], 16, 8); err == nil && strings.Trim(rest[2:4], "0123456789abcdefABCDEF") == "" {
					out.WriteByte(byte(v))
					i += 4
					continue
				}
			}
			plain, ok := map[byte]string{'n': "\n", 'r': "\r", 't': "\t", 'b': "\b", 'a': "\a"}[rest[1]]
			if !ok {
				plain = rest[1:2]
			}
			out.WriteString(plain)
			i += 2
		default:
			out.WriteByte(rest[0])
			i++
		}
	}
	return "", len(s), false
}
