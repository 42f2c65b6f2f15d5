package kv

import "slices"

// put adds x, whose place is b, below a node that is not full.
func (r *ranking) put(n *rankNode, b *rankBound, x ranked) {
	if n.kids == nil {
		i := b.search(n.items)
		r.replace(n, i, i, rankNode{items: []ranked{x}})
		return
	}
	i := b.search(n.items[1:])
	if len(n.kids[i].node.items) == rankFull {
		if !r.spill(n, i) {
			r.split(n, i, b)
		}
		i = b.search(n.items[1:])
	}
	k := &n.kids[i]
	r.put(k.node, b, x)
	k.count++
	if i == 0 {
		n.items[0] = k.node.items[0]
	}
}

// raise puts a new root above the one there is.
func (r *ranking) raise() {
	old := r.root
	r.root = rankNode{}
	r.bytes += rankNodeBytes
	r.replace(&r.root, 0, 0, rankNode{items: old.items[:1], kids: []rankChild{{&old, r.count}}})
}

// lower makes the only child of the root the root.
func (r *ranking) lower() {
	for len(r.root.kids) == 1 {
		r.bytes -= rankNodeBytes + r.root.arrays()
		r.root = *r.root.kids[0].node
	}
}

// spill makes room in a full child by moving items to a neighbour, if one has
// enough room. It keeps enough for the invariant of nodes on its other side.
func (r *ranking) spill(n *rankNode, i int) bool {
	for _, to := range [...]int{i - 1, i + 1} {
		if to < 0 || to >= len(n.kids) {
			continue
		}
		if room := rankFull - len(n.kids[to].node.items); room >= rankRoom {
			r.shift(n, i, to, min(room/2, rankFull-rankSparse))
			return true
		}
	}
	return false
}

// split makes two of a full child whose neighbours are nearly full, too: in the
// middle, or if the new element is the first or last in there as unequally as can
// be, which leaves full nodes behind where elements come in order.
func (r *ranking) split(n *rankNode, i int, b *rankBound) {
	k := n.kids[i].node
	middle := rankFull / 2
	switch b.search(k.items) {
	case 0:
		middle = 1
	case rankFull:
		middle = rankFull - 1
	}
	r.bytes += rankNodeBytes
	r.replace(n, i+1, i+1, rankNode{items: k.items[middle : middle+1], kids: []rankChild{{new(rankNode), 0}}})
	r.shift(n, i, i+1, rankFull-middle)
}

// shift moves items, and what is below them, from a child to a neighbour.
func (r *ranking) shift(n *rankNode, from, to, count int) {
	k, next := n.kids[from].node, n.kids[to].node
	begin, end := 0, len(next.items) // the first ones, to the end
	if from < to {
		begin, end = len(k.items)-count, 0
	}
	part := k.part(begin, begin+count)
	moved := part.elements()
	r.replace(next, end, end, part)
	r.replace(k, begin, begin+count, rankNode{})
	n.kids[from].count -= moved
	n.kids[to].count += moved
	right := max(from, to)
	n.items[right] = n.kids[right].node.items[0]
}

// cut takes out elements from a rank on, at most count and only those in one
// leaf, and returns how many.
func (r *ranking) cut(n *rankNode, from, count int) int {
	if n.kids == nil {
		to := min(from+count, len(n.items))
		r.replace(n, from, to, rankNode{})
		return to - from
	}
	i, rest := n.child(from)
	k := &n.kids[i]
	count = r.cut(k.node, rest, count)
	k.count -= count
	if rest == 0 && k.count > 0 {
		n.items[i] = k.node.items[0]
	}
	if len(k.node.items) <= rankSparse {
		r.settle(n, i)
	}
	return count
}

// settle drops a child that is empty, and joins one that has become small with
// its neighbours where the invariant asks for it.
func (r *ranking) settle(n *rankNode, i int) {
	if len(n.kids[i].node.items) == 0 {
		r.bytes -= rankNodeBytes
		r.replace(n, i, i+1, rankNode{})
	}
	r.join(n, i)
	r.join(n, i-1)
}

// join makes one of a child and the next one, if they have few items together.
// Then two of their children are neighbours that were not before.
func (r *ranking) join(n *rankNode, i int) {
	if i < 0 || i+1 >= len(n.kids) {
		return
	}
	left, right := n.kids[i].node, n.kids[i+1].node
	seam := len(left.items)
	if seam+len(right.items) > rankSparse {
		return
	}
	n.kids[i].count += n.kids[i+1].count
	r.replace(left, seam, seam, *right)
	r.bytes -= rankNodeBytes + right.arrays()
	r.replace(n, i+1, i+2, rankNode{})
	r.join(left, seam-1)
}

// replace puts the items and children of with, which has none or as many of one as
// of the other unless it is for a leaf, in the place of a node's from one position
// up to another.
func (r *ranking) replace(n *rankNode, from, to int, with rankNode) {
	r.bytes -= n.arrays()
	if n.kids != nil || with.kids != nil {
		n.kids = spliced(n.kids, from, to, with.kids)
	}
	n.items = spliced(n.items, from, to, with.items)
	r.bytes += n.arrays()
}

// spliced returns s with other elements in the place of those from one position
// up to another: the same array, unless that is too small or less than a third of
// it is used.
func spliced[T ranked | rankChild](s []T, from, to int, with []T) []T {
	n := len(s) - (to - from) + len(with)
	if n == 0 {
		return nil
	}
	if n <= cap(s) && n >= cap(s)/3 {
		old := len(s)
		s = s[:max(n, old)]
		copy(s[from+len(with):], s[to:old])
		copy(s[from:], with)
		clear(s[n:])
		return s[:n]
	}
	fresh := slices.Grow([]T(nil), min(2*n, rankFull))[:n]
	copy(fresh, s[:from])
	copy(fresh[from:], with)
	copy(fresh[from+len(with):], s[to:])
	return fresh
}
