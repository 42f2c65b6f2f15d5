package conversation

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Kinds of a Value are the bytes that introduce them on the wire.
const (
	kindSimple   = '+'
	kindError    = '-'
	kindInteger  = ':'
	kindBulk     = '$'
	kindArray    = '*'
	kindNull     = '_'
	kindBoolean  = '#'
	kindDouble   = ','
	kindBig      = '('
	kindVerbatim = '='
	kindMap      = '%'
	kindSet      = '~'
	kindPush     = '>'
)

// maxReply bounds one string and one element count that a server may announce.
const maxReply = 512 << 20

// Value is one value of RESP2 or RESP3 as it was received. Maps hold keys and values in turn.
type Value struct {
	Kind  byte // the byte that introduces it on the wire
	Text  string
	Null  bool // RESP2's null bulk string or null array
	Elems []Value
}

// ReadValue reads one value. It is stricter than clients are: every line ends in CR LF, every length is a
// plain decimal number, and an unknown type is an error.
func ReadValue(r *bufio.Reader) (Value, error) {
	line, err := readLine(r)
	if err != nil {
		return Value{}, err
	}
	if line == "" {
		return Value{}, errors.New("empty line where a type was expected")
	}
	v := Value{Kind: line[0], Text: line[1:]}
	switch v.Kind {
	case kindSimple, kindError, kindInteger, kindDouble, kindBig, kindBoolean, kindNull:
		return v, checkScalar(v)
	case kindBulk, kindVerbatim:
		return readText(r, v)
	case kindArray, kindSet, kindPush, kindMap:
		return readElems(r, v)
	}
	return Value{}, fmt.Errorf("unknown type in %q", line)
}

func checkScalar(v Value) error {
	var err error
	switch v.Kind {
	case kindInteger:
		_, err = strconv.ParseInt(v.Text, 10, 64)
	case kindDouble:
		_, err = strconv.ParseFloat(v.Text, 64)
	case kindBoolean:
		if v.Text != "t" && v.Text != "f" {
			err = errors.New("neither t nor f")
		}
	case kindNull:
		if v.Text != "" {
			err = errors.New("text behind a null")
		}
	}
	if err != nil {
		return fmt.Errorf("%c%s: %w", v.Kind, v.Text, err)
	}
	return nil
}

func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		if errors.Is(err, io.EOF) && line != "" {
			return "", fmt.Errorf("half a line %q: %w", line, inside(err))
		}
		return "", err
	}
	if !strings.HasSuffix(line, "\r\n") {
		return "", fmt.Errorf("line %q does not end in CR LF", line)
	}
	return line[:len(line)-2], nil
}

// inside makes the end of the input an error of its own kind: only between values is it a closed connection.
func inside(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readLength gives -1 for RESP2's null.
func readLength(v Value) (int, error) {
	if v.Text == "-1" && (v.Kind == kindBulk || v.Kind == kindArray) {
		return -1, nil
	}
	n, err := strconv.ParseUint(v.Text, 10, 32)
	if err != nil || n > maxReply || strconv.FormatUint(n, 10) != v.Text {
		return 0, fmt.Errorf("length %q of a %c", v.Text, v.Kind)
	}
	return int(n), nil
}

func readText(r *bufio.Reader, v Value) (Value, error) {
	n, err := readLength(v)
	if err != nil {
		return Value{}, err
	}
	if n < 0 {
		return Value{Kind: v.Kind, Null: true}, nil
	}
	b := make([]byte, n+2)
	if _, err := io.ReadFull(r, b); err != nil {
		return Value{}, fmt.Errorf("read string of %d bytes: %w", n, inside(err))
	}
	if string(b[n:]) != "\r\n" {
		return Value{}, fmt.Errorf("string of %d bytes does not end in CR LF", n)
	}
	return Value{Kind: v.Kind, Text: string(b[:n])}, nil
}

func readElems(r *bufio.Reader, v Value) (Value, error) {
	n, err := readLength(v)
	if err != nil {
		return Value{}, err
	}
	if n < 0 {
		return Value{Kind: v.Kind, Null: true}, nil
	}
	if v.Kind == kindMap {
		n *= 2
	}
	v = Value{Kind: v.Kind}
	for range n {
		e, err := ReadValue(r)
		if err != nil {
			return Value{}, fmt.Errorf("read element of a %c: %w", v.Kind, inside(err))
		}
		v.Elems = append(v.Elems, e)
	}
	return v, nil
}

// String writes the value in the notation of the conversation files.
func (v Value) String() string {
	switch v.Kind {
	case kindSimple, kindError:
		return string(v.Kind) + simpleText(v.Text)
	case kindArray, kindSet, kindPush, kindMap:
		if v.Null {
			return "nil[]"
		}
		return v.elems()
	case kindNull:
		return "nil"
	case kindVerbatim:
		kind, text, _ := strings.Cut(v.Text, ":")
		return "=" + kind + ":" + quote(text)
	case kindBulk:
		if v.Null {
			return "nil"
		}
		return bulkText(v.Text)
	}
	return string(v.Kind) + v.Text
}

func (v Value) elems() string {
	open, end := "[", "]"
	switch v.Kind {
	case kindMap:
		open, end = "%{", "}"
	case kindSet, kindPush:
		open = string(v.Kind) + "["
	}
	words := make([]string, len(v.Elems))
	for i, e := range v.Elems {
		words[i] = e.String()
	}
	return open + strings.Join(words, " ") + end
}

func simpleText(s string) string {
	if s != "" && !strings.ContainsAny(s, " []{}\"'\\/") && quote(s) == `"`+s+`"` {
		return s
	}
	return quote(s)
}

func bulkText(s string) string {
	if s != "nil" && isBare(s) {
		return s
	}
	return quote(s)
}

// isBare tells whether a bulk string may stand without quotes.
func isBare(s string) bool {
	if s == "" || s[0] != '_' && !isLetter(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"'[]{}\`, c) >= 0 {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// quote writes any bytes between double quotes, so that unquote gives them back.
func quote(s string) string {
	b := []byte{'"'}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ' || c >= 0x7f:
			b = fmt.Appendf(b, `\x%02x`, c)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}
