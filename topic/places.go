package topic

import (
	"math/bits"
	"slices"
)

// places answers "where in this name" for whole sets of positions at once, 64 to
// a machine word. Trying a segment of m elements at each of n positions takes up
// to n·m steps, and a trie of segments many times that: somebody who subscribes to
// "*[ab]?[ab]…" in all variations makes one publication cost minutes. With sets of
// positions an element is taken once for all positions (Shift-And, turned round),
// and a node of a trie is entered once. It costs a table per name, so it is used
// where plain trying has been seen, or is bound, to take long.
type places struct {
	channel string
	bytes   [256]positions // where a byte stands; nil: nowhere
	classes map[class]positions
	free    []positions
}

// positions is a set of positions in a name, from 0 to its length.
type positions []uint64

func newPlaces(channel string) *places {
	pl := &places{channel: channel, classes: make(map[class]positions)}
	for i := range len(channel) {
		at := &pl.bytes[channel[i]]
		if *at == nil {
			*at = pl.none()
		}
		(*at)[i>>6] |= 1 << (i & 63)
	}
	return pl
}

func (pl *places) none() positions { return make(positions, len(pl.channel)/64+1) }

// of returns where bytes of the class stand.
func (pl *places) of(c class) positions {
	if at, ok := pl.classes[c]; ok {
		return at
	}
	at := pl.none()
	for i := range len(pl.channel) {
		if c.has(pl.channel[i]) {
			at[i>>6] |= 1 << (i & 63)
		}
	}
	pl.classes[c] = at
	return at
}

// from returns all positions from pos on, as a set of the caller's own.
func (pl *places) from(pos int) positions {
	p := pl.none()
	for i := pos; i <= len(pl.channel); i++ {
		p[i>>6] |= 1 << (i & 63)
	}
	return p
}

// copied returns a copy of p; release gives it back.
func (pl *places) copied(p positions) positions {
	if last := len(pl.free) - 1; last >= 0 {
		c := pl.free[last]
		pl.free = pl.free[:last]
		copy(c, p)
		return c
	}
	return slices.Clone(p)
}

func (pl *places) release(p positions) { pl.free = append(pl.free, p) }

// find returns the first place in the name where the segment matches, or -1.
func (pl *places) find(s *segment) int {
	p := pl.from(0)
	w := s.wild
	for i := range len(s.lit) {
		at := pl.bytes[s.lit[i]]
		if w != nil && w.at == i {
			at = pl.of(w.class)
			w = w.next
		}
		if !p.pass(at) {
			return -1
		}
	}
	return p.first() - len(s.lit)
}

// passAll moves each position over the literal bytes, and reports whether any is
// left.
func (pl *places) passAll(p positions, lit string) bool {
	for i := range len(lit) {
		if !p.pass(pl.bytes[lit[i]]) {
			return false
		}
	}
	return true
}

// pass drops the positions that are not in at, moves the others on by one and
// reports whether any is left.
func (p positions) pass(at positions) bool {
	if at == nil {
		return false
	}
	var carry, left uint64
	for i, v := range p {
		v &= at[i]
		p[i] = v<<1 | carry
		carry = v >> 63
		left |= p[i]
	}
	return left != 0
}

// meets reports whether the sets have a position in common.
func (p positions) meets(at positions) bool {
	for i := range at {
		if p[i]&at[i] != 0 {
			return true
		}
	}
	return false
}

// first returns the lowest position of a set that is not empty.
func (p positions) first() int {
	for i, v := range p {
		if v != 0 {
			return i<<6 + bits.TrailingZeros64(v)
		}
	}
	return 0
}
