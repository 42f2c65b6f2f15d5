package topic

import (
	"bytes"
	"slices"
	"strings"
)

// maxClasses is how many different classes may leave one node. Each costs a test
// per visit, each new one a comparison with all and a copy of their list; what
// comes beyond hangs on the node's residual list. '?' is not counted.
const maxClasses = 64

// node is a place in the trie: the patterns below it share all elements on the
// way to it. The way into a node is its label, then what it carries applies.
// Nothing a reader can reach is ever changed: a transaction edits the nodes it
// created (owner) and copies every other one first, fork and extra with it.
type node[T comparable] struct {
	owner uint64
	label string // literal bytes; with the first one the parent's fork chooses
	fork  *fork[T]
	extra *extra[T]
	exact *bag[T] // the pattern ends here, and so must the name
	all   *bag[T] // whatever is left of the name, even nothing, matches
}

// fork holds the children that go on with a literal byte. With a million patterns
// a match is a row of cache misses, so the keys live in the struct while they fit:
// it is one line of 64 bytes.
type fork[T comparable] struct {
	kids []*node[T]
	keys []byte // the first byte of each child's label, unordered; in room if short
	room [16]byte
}

func newFork[T comparable](kids []*node[T], keys []byte) *fork[T] {
	f := &fork[T]{kids: kids}
	f.keys = append(f.room[:0], keys...)
	return f
}

// extra holds what few nodes have.
type extra[T comparable] struct {
	classes  []edge[T] // one byte out of a class
	rev      *node[T]  // a star, then the final segment: from the end of the name
	fwd      *node[T]  // a star, then a segment that may stand anywhere
	residual *bag[T]   // patterns that are tried one by one
}

type edge[T comparable] struct {
	class class
	to    *node[T]
}

// kid returns the child whose label begins with b, or nil.
func (n *node[T]) kid(b byte) *node[T] {
	if n.fork == nil {
		return nil
	}
	if i := bytes.IndexByte(n.fork.keys, b); i >= 0 {
		return n.fork.kids[i]
	}
	return nil
}

// kidSlot returns where that child is kept, with room made for it if create is
// set; else nil if there is none.
func (n *node[T]) kidSlot(b byte, create bool) **node[T] {
	if n.fork != nil {
		if i := bytes.IndexByte(n.fork.keys, b); i >= 0 {
			return &n.fork.kids[i]
		}
	}
	if !create {
		return nil
	}
	if n.fork == nil {
		n.fork = newFork[T](nil, nil)
	}
	// Grown by exactly one: most forks stay small, and spare room would be paid
	// for by every one of them.
	kids := make([]*node[T], len(n.fork.kids)+1)
	last := copy(kids, n.fork.kids)
	n.fork.keys = append(n.fork.keys, b)
	n.fork.kids = kids
	return &kids[last]
}

// classSlot is kidSlot for a class; nil also if the node has no room for it.
func (n *node[T]) classSlot(c class, create bool) **node[T] {
	if n.extra != nil {
		for i := range n.extra.classes {
			if n.extra.classes[i].class == c {
				return &n.extra.classes[i].to
			}
		}
	}
	if !create {
		return nil
	}
	ext := n.extended()
	if c != anyByte && len(ext.classes) >= maxClasses {
		return nil
	}
	ext.classes = append(slices.Clip(ext.classes), edge[T]{class: c})
	return &ext.classes[len(ext.classes)-1].to
}

// extended returns the node's extra, made if there is none.
func (n *node[T]) extended() *extra[T] {
	if n.extra == nil {
		n.extra = &extra[T]{}
	}
	return n.extra
}

// residual returns the node's list of patterns to try, nil if it has none.
func (n *node[T]) residual() *bag[T] {
	if n.extra == nil {
		return nil
	}
	return n.extra.residual
}

// bare reports whether the node carries nothing but literal children.
func (n *node[T]) bare() bool { return n.exact == nil && n.all == nil && n.extra == nil }

// prune forgets the children that have become nil.
func (n *node[T]) prune() {
	if n.fork != nil {
		n.fork.prune()
		if len(n.fork.kids) == 0 {
			n.fork = nil
		}
	}
	if ext := n.extra; ext != nil {
		ext.classes = slices.DeleteFunc(ext.classes, func(e edge[T]) bool { return e.to == nil })
		if len(ext.classes) == 0 && ext.rev == nil && ext.fwd == nil && ext.residual == nil {
			n.extra = nil
		}
	}
}

func (f *fork[T]) prune() {
	if i := slices.Index(f.kids, nil); i >= 0 {
		f.keys = slices.Delete(f.keys, i, i+1)
		f.kids = slices.Delete(f.kids, i, i+1)
	}
}

// own makes the node in the slot one that this transaction may edit.
func (x *Index[T]) own(slot **node[T]) *node[T] {
	n := *slot
	if n.owner == x.txn {
		return n
	}
	c := *n
	c.owner = x.txn
	if n.fork != nil {
		c.fork = newFork(slices.Clone(n.fork.kids), n.fork.keys)
	}
	if n.extra != nil {
		ext := *n.extra
		ext.classes = slices.Clone(ext.classes)
		c.extra = &ext
	}
	*slot = &c
	return &c
}

// enter returns the node in the slot, editable and with a label that run begins
// with: created, copied or split as needed. Labels are copies: a piece of a
// pattern's text would keep all of that text alive after the pattern has gone.
func (x *Index[T]) enter(slot **node[T], run string) *node[T] {
	if *slot == nil {
		*slot = &node[T]{owner: x.txn, label: strings.Clone(run)}
		return *slot
	}
	n := x.own(slot)
	if common := commonPrefix(n.label, run); common < len(n.label) {
		upper := &node[T]{owner: x.txn, label: strings.Clone(n.label[:common])}
		n.label = n.label[common:]
		*upper.kidSlot(n.label[0], true) = n
		*slot = upper
		return upper
	}
	return n
}

// tidy removes what a removal left without purpose at the slot: the node if it is
// empty, the step to an only child. It reports whether the parent has to look too.
func (x *Index[T]) tidy(slot **node[T]) (vanished bool) {
	n := *slot
	n.prune()
	if !n.bare() {
		return false
	}
	if n.fork == nil {
		*slot = nil
		return true
	}
	if len(n.fork.kids) == 1 {
		kid := x.own(&n.fork.kids[0])
		kid.label = n.label + kid.label
		*slot = kid
	}
	return false
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
