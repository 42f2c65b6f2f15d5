package payload

import (
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendString appends text as a JSON string with its quotes. text must be
// valid UTF-8. Only what RFC 8259 asks for is escaped; line feeds are.
func AppendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	for {
		n := plain(text)
		dst = append(dst, text[:n]...)
		if n == len(text) {
			return append(dst, '"')
		}
		dst = appendEscape(dst, text[n])
		text = text[n+1:]
	}
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// Unquote returns the bytes of the string whose JSON text, quotes included, is
// text; Scan must have accepted it. Half of a surrogate pair becomes U+FFFD,
// since nothing else can stand for it in UTF-8. The result aliases text where
// there is no escape in it.
func Unquote(text []byte) []byte {
	body := text[1 : len(text)-1]
	i := plain(body)
	if i == len(body) {
		return body
	}
	out := make([]byte, 0, len(body))
	out = append(out, body[:i]...)
	for i < len(body) {
		var n int
		out, n = appendUnescaped(out, body[i:])
		i += n
		n = plain(body[i:])
		out = append(out, body[i:i+n]...)
		i += n
	}
	return out
}

// appendUnescaped appends what the escape sequence at the beginning of b
// stands for, and returns how many bytes it takes. A byte that begins none is
// taken as it is, so that text nobody has scanned cannot make it fail.
func appendUnescaped(dst, b []byte) ([]byte, int) {
	if escape(b) == 0 {
		return append(dst, b[0]), 1
	}
	switch b[1] {
	case 'b':
		return append(dst, '\b'), 2
	case 'f':
		return append(dst, '\f'), 2
	case 'n':
		return append(dst, '\n'), 2
	case 'r':
		return append(dst, '\r'), 2
	case 't':
		return append(dst, '\t'), 2
	case 'u':
		return appendUnicode(dst, b)
	}
	return append(dst, b[1]), 2
}

// appendUnicode appends the code point of \uXXXX, or of the surrogate pair
// \uXXXX\uXXXX.
func appendUnicode(dst, b []byte) ([]byte, int) {
	r, _ := hex4(b[2:])
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(dst, r), 6
	}
	if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
		if low, ok := hex4(b[8:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return utf8.AppendRune(dst, pair), 12
			}
		}
	}
	return utf8.AppendRune(dst, utf8.RuneError), 6
}

// hex4 reads four hexadecimal digits.
func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c-'0' <= 9:
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
