package topic

import "unique"

// set is a set of bytes, one bit each.
type set [4]uint64

func (s *set) add(b byte)      { s[b>>6] |= 1 << (b & 63) }
func (s *set) has(b byte) bool { return s[b>>6]&(1<<(b&63)) != 0 }

// addRange adds the bytes between a and b in either order. Redis compares plain
// chars, which are signed on x86: flipping the sign bit gives that order.
func (s *set) addRange(a, b byte) {
	lo, hi := min(a^0x80, b^0x80), max(a^0x80, b^0x80)
	for v := lo; ; v++ {
		s.add(v ^ 0x80)
		if v == hi {
			return
		}
	}
}

func (s *set) negate() {
	for i := range s {
		s[i] = ^s[i]
	}
}

// only returns the single member of the set; ok is false if there is not
// exactly one.
func (s *set) only() (b byte, ok bool) {
	found := 0
	for v := byte(0); ; v++ {
		if s.has(v) {
			b = v
			found++
		}
		if v == 0xff {
			return b, found == 1
		}
	}
}

// parseClass reads the class whose '[' stands before text[i] and returns its
// members and where the pattern goes on.
func parseClass(text string, i int) (s set, next int) {
	negated := i < len(text) && text[i] == '^'
	if negated {
		i++
	}
	for i < len(text) && text[i] != ']' {
		switch rest := len(text) - i; {
		case text[i] == '\\' && rest >= 2:
			s.add(text[i+1])
			i += 2
		case rest >= 3 && text[i+1] == '-':
			s.addRange(text[i], text[i+2])
			i += 3
		default:
			s.add(text[i])
			i++
		}
	}
	if negated {
		s.negate()
	}
	return s, min(i+1, len(text))
}

// class is a set as patterns and the trie keep it. Equal sets are one object in
// the whole process: the trie compares them by identity, and a million patterns
// with [0-9] pay for its 32 bytes once.
type class struct{ handle unique.Handle[set] }

// anyByte is the class of '?'.
var anyByte = newClass(set{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)})

func newClass(s set) class { return class{unique.Make(s)} }

func (c class) has(b byte) bool {
	s := c.handle.Value()
	return s.has(b)
}
