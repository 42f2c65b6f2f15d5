package kv

// rankNode is a node of a ranking's tree. All leaves are at the same depth.
//
// A full node gives items to a neighbour before it is split, and neighbours are
// joined when they have become small, so nodes are four fifths full after random
// inserts, and never less than a third on average. To give arrays only a few free
// places at a time was the alternative: it saves 2 bytes per element and makes
// four times the garbage.
//
// Invariant: an item of an inner node is the first element below the child at
// the same position.
//
// Invariant: two neighbours below the same parent have more than rankSparse items
// together. (Elements that come in order leave full nodes behind, therefore a
// single node may have few.)
//
// Invariant: at least a third of an array is used.
type rankNode struct {
	items []ranked
	kids  []rankChild // nil: a leaf
}

// rankChild is a child of an inner node with the number of elements below it.
type rankChild struct {
	node  *rankNode
	count int
}

const (
	rankFull   = 63               // items of a full node: 16 bytes each, and 8 that the allocator adds, are 1 KiB
	rankSparse = rankFull * 2 / 3 // so that what a split made is not joined again soon
	rankRoom   = 16               // free places of a neighbour that takes items of a full node
)

// What the parts of the tree take in the allocator.
const (
	rankNodeBytes = 48
	rankedBytes   = 16 // a rankChild, too
)

// allocatedRanked returns what an array of n items or children takes. What the
// allocator adds to large objects with pointers is in the rounding, because an
// array has as many places as its class has room for.
func allocatedRanked(n int) int64 { return allocated(n * rankedBytes) }

// before returns how many elements are before a bound.
func (n *rankNode) before(b *rankBound) (count int) {
	for n.kids != nil {
		i := b.search(n.items[1:])
		for _, k := range n.kids[:i] {
			count += k.count
		}
		n = n.kids[i].node
	}
	return count + b.search(n.items)
}

// child returns the child that has the element at a rank, and its rank in there.
func (n *rankNode) child(rank int) (i, rest int) {
	for rank >= n.kids[i].count {
		rank -= n.kids[i].count
		i++
	}
	return i, rank
}

func (n *rankNode) ascend(rank int, visit func(ranked) bool) bool {
	if n.kids == nil {
		for _, x := range n.items[rank:] {
			if !visit(x) {
				return false
			}
		}
		return true
	}
	i, rest := n.child(rank)
	for _, k := range n.kids[i:] {
		if !k.node.ascend(rest, visit) {
			return false
		}
		rest = 0
	}
	return true
}

func (n *rankNode) descend(rank int, visit func(ranked) bool) bool {
	if n.kids == nil {
		for i := rank; i >= 0; i-- {
			if !visit(n.items[i]) {
				return false
			}
		}
		return true
	}
	for i, rest := n.child(rank); ; rest = n.kids[i].count - 1 {
		if !n.kids[i].node.descend(rest, visit) {
			return false
		}
		if i--; i < 0 {
			return true
		}
	}
}

// part returns the items and children from one position up to another, in the
// node's own arrays.
func (n *rankNode) part(from, to int) rankNode {
	if n.kids == nil {
		return rankNode{items: n.items[from:to]}
	}
	return rankNode{items: n.items[from:to], kids: n.kids[from:to]}
}

// arrays returns what the node's arrays take.
func (n *rankNode) arrays() int64 {
	return allocatedRanked(cap(n.items)) + allocatedRanked(cap(n.kids))
}

// elements returns how many elements are below the node.
func (n *rankNode) elements() (count int) {
	if n.kids == nil {
		return len(n.items)
	}
	for _, k := range n.kids {
		count += k.count
	}
	return count
}
