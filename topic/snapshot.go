package topic

import "strings"

// Snapshot is the state of an Index at a Commit. It is immutable: any number of
// goroutines may match against it, without locks, while the index goes on. The
// zero Snapshot is empty.
type Snapshot[T comparable] struct {
	root *node[T]
}

// Match appends to dst the value of every registration whose pattern matches the
// channel name, each registration once, in no particular order. channel is not
// kept. It allocates only to grow dst, when more than 16 segments between two
// stars are found in one name, or when very many nearly match.
//
// The cost is one walk along the name, one walk back from its end per place where
// a star follows a prefix of it, one look at every position per such place that a
// middle segment follows, and one try per complex pattern (see [Pattern.Complex])
// whose first segment fits. Patterns made to overlap (classes that differ but
// share bytes, segments that are prefixes of each other) can raise it to a share
// of what trying every pattern would cost.
func (s *Snapshot[T]) Match(dst []T, channel []byte) []T {
	if s.root == nil {
		return dst
	}
	if len(channel) == 0 { // only the pattern "" matches, never a star
		if s.root.label == "" && s.root.exact != nil {
			dst = s.root.exact.appendValues(dst)
		}
		return dst
	}
	w := walk[T]{channel: view(channel), dst: dst}
	w.forward(s.root, 0, nil)
	return w.dst
}

// walk is one Match on its way. A name can take several ways at once through
// classes; those not yet taken wait in a stack of their own per walk.
type walk[T comparable] struct {
	channel string
	dst     []T
	steps   int     // nodes entered so far
	places  *places // made when those became too many
}

// turn is a way not yet taken: into node, at position pos.
type turn[T comparable] struct {
	node *node[T]
	pos  int
}

// forward walks from n along the name, pos on. seen, if not nil, makes each node
// count once: the first time is at the leftmost place, which leaves most to what
// follows it.
func (w *walk[T]) forward(n *node[T], pos int, seen *nodes[T]) {
	var room [8]turn[T]
	stack := room[:0]
	known := 0 // bytes of the label that choosing the node has compared
	for {
		if n == nil {
			if len(stack) == 0 {
				return
			}
			last := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			n, pos, known = last.node, last.pos, 0
		}
		w.steps++
		if !strings.HasPrefix(w.channel[pos+known:], n.label[known:]) {
			n = nil
			continue
		}
		pos += len(n.label)
		if !n.bare() && (seen == nil || seen.add(n)) {
			w.visit(n, pos)
		}
		if pos == len(w.channel) {
			n = nil
			continue
		}
		b := w.channel[pos]
		if n.extra != nil {
			for i := range n.extra.classes {
				if e := &n.extra.classes[i]; e.class.has(b) {
					stack = append(stack, turn[T]{e.to, pos + 1})
				}
			}
		}
		n, known = n.kid(b), 1
	}
}

// visit takes what a node carries, with the name consumed up to pos.
func (w *walk[T]) visit(n *node[T], pos int) {
	if n.exact != nil && pos == len(w.channel) {
		w.dst = n.exact.appendValues(w.dst)
	}
	if n.all != nil {
		w.dst = n.all.appendValues(w.dst)
	}
	ext := n.extra
	if ext == nil {
		return
	}
	if ext.residual != nil {
		w.dst = ext.residual.appendMatches(w.dst, w.channel)
	}
	if ext.rev != nil {
		w.backward(ext.rev, pos)
	}
	if ext.fwd != nil {
		w.float(ext.fwd, pos)
	}
}

// backward walks from n along the name from its end, not beyond low.
func (w *walk[T]) backward(n *node[T], low int) {
	var room [8]turn[T]
	stack := room[:0]
	known := 0 // bytes of the label that choosing the node has compared
	pos := len(w.channel)
	for {
		if n == nil {
			if len(stack) == 0 {
				return
			}
			last := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			n, pos, known = last.node, last.pos, 0
		}
		if !hasReversed(w.channel[low:pos-known], n.label[known:]) {
			n = nil
			continue
		}
		pos -= len(n.label)
		if n.all != nil {
			w.dst = n.all.appendValues(w.dst)
		}
		if n.residual() != nil {
			w.dst = n.extra.residual.appendMatches(w.dst, w.channel)
		}
		if pos == low {
			n = nil
			continue
		}
		b := w.channel[pos-1]
		if n.extra != nil {
			for i := range n.extra.classes {
				if e := &n.extra.classes[i]; e.class.has(b) {
					stack = append(stack, turn[T]{e.to, pos - 1})
				}
			}
		}
		n, known = n.kid(b), 1
	}
}

// hasReversed reports whether name ends in label read backwards.
func hasReversed(name, label string) bool {
	if len(name) < len(label) {
		return false
	}
	last := len(name) - 1
	for i := range len(label) {
		if name[last-i] != label[i] {
			return false
		}
	}
	return true
}
