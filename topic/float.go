package topic

import (
	"slices"
	"strings"
)

// Middle segments, which may stand anywhere. A segment has a fixed length and a
// node one way to it, so the leftmost place of a node is the one that leaves most
// to what follows; every other place of it can be ignored.

// patience is how many nodes per byte of the name a Match enters by trying one
// position after the other before it goes over to sets of positions. Ordinary
// patterns need one or two.
const patience = 8

// spot is a node not yet entered, and the positions it may be entered at.
type spot[T comparable] struct {
	node *node[T]
	at   positions
}

// float walks from root at every position of the name, pos on.
func (w *walk[T]) float(root *node[T], pos int) {
	var seen nodes[T]
	for at := pos; at < len(w.channel); at++ {
		if w.steps > patience*(len(w.channel)+32) {
			w.floatWide(root, pos, &seen)
			return
		}
		skip := strings.Index(w.channel[at:], root.label)
		if skip < 0 {
			return
		}
		at += skip
		w.forward(root, at, &seen)
	}
}

// floatWide is float for all positions at once. It leaves out the nodes seen.
func (w *walk[T]) floatWide(root *node[T], pos int, seen *nodes[T]) {
	if w.places == nil {
		w.places = newPlaces(w.channel)
	}
	pl := w.places
	stack := []spot[T]{{root, pl.from(pos)}}
	for len(stack) > 0 {
		last := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n, p := last.node, last.at
		if pl.passAll(p, n.label) {
			if !n.bare() && seen.add(n) {
				w.visit(n, p.first())
			}
			stack = n.spread(stack, pl, p)
		}
		pl.release(p)
	}
}

// spread appends the nodes below n that can be entered from the positions p.
func (n *node[T]) spread(stack []spot[T], pl *places, p positions) []spot[T] {
	if n.fork != nil {
		for i, kid := range n.fork.kids {
			if at := pl.bytes[n.fork.keys[i]]; p.meets(at) {
				stack = append(stack, spot[T]{kid, pl.copied(p)})
			}
		}
	}
	if n.extra == nil {
		return stack
	}
	for i := range n.extra.classes {
		e := &n.extra.classes[i]
		if at := pl.of(e.class); p.meets(at) {
			q := pl.copied(p)
			q.pass(at)
			stack = append(stack, spot[T]{e.to, q})
		}
	}
	return stack
}

// nodes is a set of nodes that needs no memory of its own while it is small.
type nodes[T comparable] struct {
	few   [16]*node[T]
	count int
	many  map[*node[T]]struct{}
}

// add reports whether n was not in the set yet.
func (s *nodes[T]) add(n *node[T]) bool {
	if s.many != nil {
		before := len(s.many)
		s.many[n] = struct{}{}
		return len(s.many) > before
	}
	if slices.Contains(s.few[:s.count], n) {
		return false
	}
	if s.count < len(s.few) {
		s.few[s.count] = n
		s.count++
		return true
	}
	s.many = make(map[*node[T]]struct{}, 4*len(s.few))
	for _, m := range s.few {
		s.many[m] = struct{}{}
	}
	s.many[n] = struct{}{}
	return true
}
