package model

import (
	"fmt"
	"slices"
	"sort"
)

// message is one publication in the reference.
//
// The reference counts on its own: places are even for messages, and odd for what
// lies between two. The broker's offsets are learned when they are first seen, and
// then have to rise with the places and stay the same.
type message struct {
	place    int
	channel  string
	payload  string // what a Redis client gets
	json     string // what a browser gets
	time     int64
	key      string
	recorded bool // part of a history when it was published
	conflate bool
	offset   uint64 // 0: not seen yet
	lo, hi   uint64 // the offset lies behind lo and not behind hi
}

// cursor is a place that a peer may come back with.
type cursor struct {
	place  int
	offset uint64
}

// order is what is known of the node's order.
type order struct {
	last    int // place of the last message
	known   []*message
	created []*message // in this step
}

func (o *order) next(m *message) {
	o.last += 2
	m.place = o.last
	o.created = append(o.created, m)
}

// now is the place behind everything published.
func (o *order) now() int { return o.last + 1 }

// finish bounds the offsets of the messages of a step: they lie behind lo and not
// behind hi.
func (o *order) finish(lo, hi uint64) {
	for _, m := range o.created {
		m.lo, m.hi = lo, hi
	}
	o.created = nil
}

// saw takes note of the offset of a message.
func (o *order) saw(m *message, offset uint64) error {
	if m.offset != 0 {
		if m.offset != offset {
			return fmt.Errorf("offset %d of a message that had %d", offset, m.offset)
		}
		return nil
	}
	if offset <= m.lo || offset > m.hi {
		return fmt.Errorf("offset %d of a message that was published between %d and %d", offset, m.lo, m.hi)
	}
	if err := o.between(m.place, offset); err != nil {
		return err
	}
	m.offset = offset
	i := sort.Search(len(o.known), func(i int) bool { return o.known[i].place > m.place })
	o.known = slices.Insert(o.known, i, m)
	return nil
}

// between says whether an offset fits between its neighbours.
func (o *order) between(place int, offset uint64) error {
	i := sort.Search(len(o.known), func(i int) bool { return o.known[i].place >= place })
	if i > 0 {
		if m := o.known[i-1]; offset < m.offset || offset == m.offset && place%2 == 0 {
			return fmt.Errorf("offset %d behind %d, which an earlier message has", offset, m.offset)
		}
	}
	if i < len(o.known) && offset >= o.known[i].offset {
		return fmt.Errorf("offset %d before %d, which a later message has", offset, o.known[i].offset)
	}
	return nil
}
