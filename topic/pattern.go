package topic

import (
	"math"
	"slices"
)

// maxNesting is how many groups of stars may precede the last element. Redis
// gives up at that depth of its recursion, so such a pattern matches nothing.
const maxNesting = 1000

// complexStars is the number of groups of stars from which a pattern is complex.
// A shared tree of such patterns can be made to cost more than trying each
// (thousands of chains of stars crossing on a long name), so they are tried.
const complexStars = 3

// Pattern is a compiled glob in the language of Redis (see the package
// documentation). It is immutable and safe for concurrent use.
//
// There may be a million of them: the struct is kept to 48 bytes, and one look at
// it turns most names away.
type Pattern struct {
	text string
	segs []segment // what stands between groups of stars; see open

	min   uint32 // no shorter name matches
	last  byte   // what a matching name ends in, if fixed
	fixed bool
	open  bool // ends in a star; the empty segment behind it is left out of segs
	never bool
}

// Compile compiles a glob of any bytes. It never fails: a pattern that can match
// no name, such as "[]a", compiles to one whose Never is true. The cost is linear
// in len(glob), the memory about 50 bytes, 24 per group of stars and 24 per '?' or
// class beside the text, which is kept, not copied.
func Compile(glob string) *Pattern {
	c := compiler{text: glob, lit: make([]byte, 0, len(glob)), segs: make([]segment, 0, 4)}
	for c.pos < len(glob) {
		c.element()
	}
	c.cut()
	return c.pattern()
}

// String returns the text the pattern was compiled from.
func (p *Pattern) String() string { return p.text }

// Prefix returns the literal bytes every matching name begins with; "" if there
// are none. Sorted names can be searched from there to the end of that prefix.
func (p *Pattern) Prefix() string {
	return p.segs[0].start()
}

// Complex reports whether the pattern has three or more groups of stars. An
// Index tries each complex pattern that shares its beginning with the name, so
// callers should cap how many of them a client may hold.
func (p *Pattern) Complex() bool { return p.stars() >= complexStars }

// Never reports whether no name at all can match.
func (p *Pattern) Never() bool { return p.never }

// stars returns the number of groups of stars.
func (p *Pattern) stars() int {
	if p.open {
		return len(p.segs)
	}
	return len(p.segs) - 1
}

// tail returns what follows the last star; empty if the pattern ends in one.
func (p *Pattern) tail() *segment {
	if p.open {
		return &nothing
	}
	return &p.segs[len(p.segs)-1]
}

// nothing is the segment of no element.
var nothing segment

// compiler is the state of one Compile: the segments so far and the open one.
type compiler struct {
	text  string
	pos   int
	start int // where the open segment began in text
	lit   []byte
	wild  *wild // the first of the open segment
	end   **wild
	segs  []segment
	never bool
}

// pattern returns what was read.
func (c *compiler) pattern() *Pattern {
	p := &Pattern{text: c.text, never: c.never || c.nesting() > maxNesting}
	shortest := 0
	for i := range c.segs {
		shortest += len(c.segs[i].lit)
	}
	p.min = uint32(min(shortest, math.MaxUint32)) //nolint:gosec // G115: bounded
	if p.open = len(c.segs) > 1 && c.segs[len(c.segs)-1].lit == ""; p.open {
		c.segs = c.segs[:len(c.segs)-1]
	}
	p.segs = slices.Clone(c.segs)
	p.last, p.fixed = p.tail().last()
	return p
}

// element reads one element of the text.
func (c *compiler) element() {
	b := c.text[c.pos]
	c.pos++
	switch b {
	case '*':
		for c.pos < len(c.text) && c.text[c.pos] == '*' {
			c.pos++
		}
		c.cut()
	case '?':
		c.addWild(anyByte)
	case '[':
		var s set
		s, c.pos = parseClass(c.text, c.pos)
		c.addSet(s)
	case '\\':
		if c.pos < len(c.text) {
			b = c.text[c.pos]
			c.pos++
		}
		c.lit = append(c.lit, b)
	default:
		c.lit = append(c.lit, b)
	}
}

// addSet adds a class, as what it amounts to: a class of one byte is a literal,
// which keeps escapes such as "[*]" in the fast part of the index.
func (c *compiler) addSet(s set) {
	if s == (set{}) {
		c.never = true
		return
	}
	if b, ok := s.only(); ok {
		c.lit = append(c.lit, b)
		return
	}
	c.addWild(newClass(s))
}

func (c *compiler) addWild(set class) {
	w := &wild{at: len(c.lit), class: set}
	if c.wild == nil {
		c.wild = w
	} else {
		*c.end = w
	}
	c.end = &w.next
	c.lit = append(c.lit, '?')
}

// cut ends the open segment. Its bytes are a piece of the text itself unless
// escapes or classes made them differ.
func (c *compiler) cut() {
	s := segment{wild: c.wild}
	if end := c.start + len(c.lit); end <= len(c.text) && c.text[c.start:end] == string(c.lit) {
		s.lit = c.text[c.start:end]
	} else {
		s.lit = string(c.lit)
	}
	c.segs = append(c.segs, s)
	c.lit, c.wild, c.start = c.lit[:0], nil, c.pos
}

// nesting returns how deep Redis recurses to match: once per group of stars that
// something follows.
func (c *compiler) nesting() int {
	if c.segs[len(c.segs)-1].lit == "" {
		return len(c.segs) - 2
	}
	return len(c.segs) - 1
}
