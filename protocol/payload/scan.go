package payload

import (
	"encoding/binary"
	"math/bits"
)

// MaxDepth is the deepest nesting of objects and arrays that is taken for
// JSON. Parsers elsewhere recurse; this bounds what we make them do.
const MaxDepth = 128

// Scan checks the JSON value (RFC 8259) that src begins with, without a blank
// before it, and returns its length in bytes and whether blanks stand between
// its tokens. What follows the value is not looked at, with one exception: a
// number is as long as it can be. It does not check UTF-8, so that a caller
// who has checked the whole text pays for it once. It neither recurses nor
// allocates; its time is linear in the value's length.
func Scan(src []byte) (n int, blanks, ok bool) {
	s := scanner{src: src}
	for {
		opened, ok := s.value()
		if !ok {
			return 0, false, false
		}
		if opened {
			continue
		}
		more, ok := s.after()
		if !ok {
			return 0, false, false
		}
		if !more {
			return s.i, s.blanks, true
		}
	}
}

// Blanks returns how many bytes of JSON white space src begins with.
func Blanks(src []byte) int {
	i := 0
	for i < len(src) && isBlank(src[i]) {
		i++
	}
	return i
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// scanner walks one value. Invariant: src[:i] is the beginning of a value.
type scanner struct {
	src    []byte
	i      int
	blanks bool
	depth  int
	object [MaxDepth / 64]uint64 // one bit per open bracket: an object, else an array
}

// value consumes what begins a value where one is due: a whole scalar, a whole
// empty object or array, or an opening bracket (and, in an object, the first
// key); opened then says that the next value is due at once.
func (s *scanner) value() (opened, ok bool) {
	switch s.next() {
	case '{':
		if !s.open(true) {
			return false, false
		}
		if s.next() == '}' {
			s.close()
			return false, true
		}
		return true, s.key()
	case '[':
		if !s.open(false) {
			return false, false
		}
		if s.next() == ']' {
			s.close()
			return false, true
		}
		return true, true
	case '"':
		return false, s.str()
	case 't':
		return false, s.word("true")
	case 'f':
		return false, s.word("false")
	case 'n':
		return false, s.word("null")
	}
	return false, s.number()
}

// after consumes what may follow a value: closing brackets, and a comma (with
// the key behind it in an object), after which more says that a value is due.
func (s *scanner) after() (more, ok bool) {
	for s.depth > 0 {
		s.skip()
		inObject := s.inObject()
		switch c := s.next(); {
		case c == ',':
			s.i++
			s.skip()
			if inObject {
				return true, s.key()
			}
			return true, true
		case c == '}' && inObject, c == ']' && !inObject:
			s.close()
		default:
			return false, false
		}
	}
	return false, true
}

// key consumes a member's name and its colon.
func (s *scanner) key() bool {
	if s.next() != '"' || !s.str() {
		return false
	}
	s.skip()
	if s.next() != ':' {
		return false
	}
	s.i++
	s.skip()
	return true
}

func (s *scanner) open(object bool) bool {
	if s.depth == MaxDepth {
		return false
	}
	word, bit := s.depth/64, uint64(1)<<(s.depth%64)
	if object {
		s.object[word] |= bit
	} else {
		s.object[word] &^= bit
	}
	s.depth++
	s.i++
	s.skip()
	return true
}

func (s *scanner) close() {
	s.depth--
	s.i++
}

func (s *scanner) inObject() bool {
	d := s.depth - 1
	return s.object[d/64]&(1<<(d%64)) != 0
}

// next is the byte at hand, 0 at the end: no token begins with it.
func (s *scanner) next() byte {
	if s.i < len(s.src) {
		return s.src[s.i]
	}
	return 0
}

func (s *scanner) skip() {
	if n := Blanks(s.src[s.i:]); n > 0 {
		s.i += n
		s.blanks = true
	}
}

func (s *scanner) word(w string) bool {
	end := s.i + len(w)
	if end > len(s.src) || string(s.src[s.i:end]) != w {
		return false
	}
	s.i = end
	return true
}

func (s *scanner) str() bool {
	n := stringEnd(s.src[s.i+1:])
	if n <= 0 {
		return false
	}
	s.i += 1 + n
	return true
}

// number consumes -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *scanner) number() bool {
	if s.next() == '-' {
		s.i++
	}
	if s.next() == '0' {
		s.i++
	} else if !s.digits() {
		return false
	}
	if s.next() == '.' {
		s.i++
		if !s.digits() {
			return false
		}
	}
	if c := s.next(); c != 'e' && c != 'E' {
		return true
	}
	s.i++
	if c := s.next(); c == '+' || c == '-' {
		s.i++
	}
	return s.digits()
}

func (s *scanner) digits() bool {
	begin := s.i
	for s.i < len(s.src) && s.src[s.i]-'0' <= 9 {
		s.i++
	}
	return s.i > begin
}

// stringEnd returns the length of the string's rest that b begins with, the
// closing quote included; 0 where b does not hold a whole legal one. b begins
// behind the opening quote.
func stringEnd(b []byte) int {
	i := 0
	for {
		i += plain(b[i:])
		if i >= len(b) {
			return 0
		}
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			n := escape(b[i:])
			if n == 0 {
				return 0
			}
			i += n
		default: // a control character
			return 0
		}
	}
}

// escape returns the length of the escape sequence b begins with, 0 if it is
// not a legal one.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b[2:]); ok {
			return 6
		}
	}
	return 0
}

// plain returns how many bytes at the beginning of b stand for themselves in a
// JSON string: neither a quote nor a backslash nor a control character. It
// looks at eight bytes at a time.
func plain(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if m := special(binary.LittleEndian.Uint64(b[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special has the high bit set in the lowest byte of x that is a quote, a
// backslash or below 0x20, and is 0 where there is none. Bits above the lowest
// one set may be wrong, because a borrow runs upwards.
func special(x uint64) uint64 {
	quote := x ^ (ones * '"')
	slash := x ^ (ones * '\\')
	return ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*' ')&^x) & highs
}
