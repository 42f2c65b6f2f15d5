package topic

import (
	"slices"
	"strings"
	"unsafe"
)

// Matching keeps two positions, in the pattern and in the name, and never goes
// back behind a star: the first and the last segment are fixed to the ends of the
// name, and each one between takes the leftmost place after its predecessor. A
// later place could only leave less for the rest. So there is no recursion and no
// backtracking; literal segments cost one pass over the name, a segment with
// classes at most its length times the name's, by the word once that is much.

// widePlaces is the number of elements tried, at most, for one segment with
// classes in one name before sets of positions are used.
const widePlaces = 16 << 10

// segment is a piece of a pattern without stars. It matches names of exactly
// len(lit) bytes.
type segment struct {
	lit  string // one byte per element; at a wild position without meaning
	wild *wild  // the elements that are not literals, ascending
}

// wild is an element that is a class. They are a list because nearly all segments
// have none, and each segment is paid for in every pattern.
type wild struct {
	at    int
	class class
	next  *wild
}

// Match reports whether the pattern matches the whole channel name. It does not
// keep channel. It allocates only for a segment with classes between two stars
// whose length times the name's is more than 16 KiB.
func (p *Pattern) Match(channel []byte) bool { return p.MatchString(view(channel)) }

// MatchString is Match for a string.
func (p *Pattern) MatchString(channel string) bool {
	n := len(channel)
	if p.never || n < int(p.min) {
		return false
	}
	if n == 0 {
		return p.text == ""
	}
	if p.fixed && channel[n-1] != p.last {
		return false
	}
	head, tail := &p.segs[0], p.tail()
	stars := p.stars()
	if stars == 0 {
		return n == len(head.lit) && head.matches(channel)
	}
	rest := n - len(tail.lit)
	if !head.matches(channel[:len(head.lit)]) || !tail.matches(channel[rest:]) {
		return false
	}
	return findAll(p.segs[1:stars], channel[len(head.lit):rest])
}

// findAll reports whether name contains the segments one after the other.
func findAll(segs []segment, name string) bool {
	for i := range segs {
		at := segs[i].find(name)
		if at < 0 {
			return false
		}
		name = name[at+len(segs[i].lit):]
	}
	return true
}

// matches reports whether the segment matches name, which has its length.
func (s *segment) matches(name string) bool {
	if s.wild == nil {
		return name == s.lit
	}
	from := 0
	for w := s.wild; w != nil; w = w.next {
		if name[from:w.at] != s.lit[from:w.at] || !w.class.has(name[w.at]) {
			return false
		}
		from = w.at + 1
	}
	return name[from:] == s.lit[from:]
}

// find returns the first place in name where the segment matches, or -1.
func (s *segment) find(name string) int {
	if s.wild == nil {
		return strings.Index(name, s.lit)
	}
	if len(s.lit)*len(name) > widePlaces {
		return newPlaces(name).find(s)
	}
	start := s.start()
	for at := 0; at+len(s.lit) <= len(name); at++ {
		skip := strings.Index(name[at:], start)
		if skip < 0 {
			return -1
		}
		at += skip
		if at+len(s.lit) <= len(name) && s.matches(name[at:at+len(s.lit)]) {
			return at
		}
	}
	return -1
}

// start returns the literal bytes before the first class.
func (s *segment) start() string {
	if s.wild != nil {
		return s.lit[:s.wild.at]
	}
	return s.lit
}

// last returns the last byte if there is one and it is a literal.
func (s *segment) last() (b byte, ok bool) {
	end := len(s.lit) - 1
	if end < 0 {
		return 0, false
	}
	for w := s.wild; w != nil; w = w.next {
		if w.at == end {
			return 0, false
		}
	}
	return s.lit[end], true
}

// reversed returns the segment read backwards.
func (s *segment) reversed() segment {
	lit := []byte(s.lit)
	slices.Reverse(lit)
	r := segment{lit: string(lit)}
	for w := s.wild; w != nil; w = w.next {
		r.wild = &wild{at: len(lit) - 1 - w.at, class: w.class, next: r.wild}
	}
	return r
}

// view returns b as a string that shares its bytes. Callers drop it before they
// return, so it never outlives or changes under its owner's hands.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // G103: read only, dropped before the caller returns
}
