package kv

import (
	"fmt"
	"unsafe"
)

// list is a sequence of elements in packed blocks of a limited size, the nodes. An
// element that is larger than a node gets one of its own. An element in the middle
// is found by counting nodes from the nearer end.
type list struct {
	nodes nodes
	count int   // of elements
	size  int64 // of the nodes' blocks, in the allocator
}

var listBytes = allocated(int(unsafe.Sizeof(list{})))

// End is one of the ends of a list.
type End bool

// The ends.
const (
	Left  End = false // the head
	Right End = true  // the tail
)

func (l *list) kind() Type { return TypeList }

func (l *list) encoding() string {
	if l.nodes.n > 1 {
		return "quicklist"
	}
	return "listpack"
}

func (l *list) len() int { return l.count }

func (l *list) bytes() int64 { return listBytes + l.nodes.bytes() + l.size }

func (l *list) clone() object {
	c := &list{count: l.count}
	c.nodes.resize(len(l.nodes.ring))
	for i := range l.nodes.n {
		c.nodes.ring[i] = l.nodes.at(i).cloned()
		c.size += c.nodes.ring[i].bytes()
	}
	c.nodes.n = l.nodes.n
	return c
}

// Bounds of one node. Where the setting counts elements their bytes are bounded too.
const (
	nodeUnit  = 4 << 10
	nodeBytes = 8 << 10
)

// room says whether a node of n elements and so many bytes is within its bounds.
func (c *Compact) room(n, size int) bool {
	return size <= c.nodeSize() && (c.ListSize < 0 || n <= max(c.ListSize, 1))
}

// nodeSize is how many bytes a node of more than one element has at most.
func (c *Compact) nodeSize() int {
	if c.ListSize >= 0 {
		return nodeBytes
	}
	return nodeUnit << (min(-c.ListSize, 5) - 1)
}

// exactNode is up to where the block of a node has the size of what is in it: most lists
// are short, and there are many of them.
const exactNode = 512

// capacity is what the block of a node is to have that has been pushed to and now has n
// elements in size bytes, the last of which takes more: room for twice as much, if the
// bounds leave it, and for no part of an element like the last one.
func (c *Compact) capacity(n, size, more int) int {
	if size <= exactNode {
		return size
	}
	further := (c.nodeSize() - size) / more
	if c.ListSize >= 0 {
		further = min(further, c.ListSize-n)
	}
	return size + min(size, max(further, 0)*more)
}

// fits says whether a node has room for one more element of the given length.
func (c *Compact) fits(p *node, length int) bool {
	return c.room(p.n+1, len(p.data)+packedSize(length))
}

// replace is packed.replace for a node.
func (l *list) replace(p *node, from, to, count int, items ...[]byte) {
	l.count -= p.n
	l.size -= p.bytes()
	p.replace(from, to, count, 0, items...)
	l.count += p.n
	l.size += p.bytes()
}

// outermost returns the number of the node at an end.
func (l *list) outermost(end End) int {
	if end == Right {
		return l.nodes.n - 1
	}
	return 0
}

// push adds an element at an end.
func (l *list) push(end End, item []byte, c *Compact) {
	if l.count == 0 || !c.fits(l.nodes.at(l.outermost(end)), len(item)) {
		i := 0
		if end == Right {
			i = l.nodes.n
		}
		l.nodes.insert(i)
	}
	p, at := l.nodes.at(l.outermost(end)), 0
	if end == Right {
		at = len(p.data)
	}
	more := packedSize(len(item))
	l.size -= p.bytes()
	p.replace(at, at, 0, c.capacity(p.n+1, len(p.data)+more, more), item)
	l.size += p.bytes()
	l.count++
}

// growth is by how much the list, which may be nil, grows if elements are pushed at
// an end.
func (l *list) growth(end End, items [][]byte, c *Compact) (grow int64) {
	p, places, free := node{}, 0, 0
	if l == nil {
		grow = listBytes
	} else if free = len(l.nodes.ring); l.count > 0 {
		p, places = *l.nodes.at(l.outermost(end)), l.nodes.n
	}
	n, size, block := p.n, len(p.data), p.bytes()
	for _, item := range items {
		more := packedSize(len(item))
		if n == 0 || !c.room(n+1, size+more) {
			n, size, block = 0, 0, 0
			places++
		}
		n, size = n+1, size+more
		if int64(size) > block {
			grow -= block
			block = allocated(c.capacity(n, size, more))
			grow += block
		}
	}
	return grow + ringGrowth(free, places)
}

// ringGrowth is by how much a ring grows that has so many places and is to have more.
func ringGrowth(have, need int) int64 {
	size := max(have, 1)
	for size < need {
		size *= 2
	}
	if size == max(have, 1) {
		return 0
	}
	return ringBytes(size)
}

// insertGrowth is by how much the list grows at most if an element is inserted next
// to one of the i-th node, or put in its place.
func (l *list) insertGrowth(i int, item []byte, c *Compact) int64 {
	p := l.nodes.at(i)
	if size := packedSize(len(item)); c.fits(p, len(item)) {
		return allocated(len(p.data)+size) - p.bytes()
	}
	return allocated(len(p.data)) + allocated(packedSize(len(item))) + nodeBytes/8 + ringGrowth(len(l.nodes.ring), l.nodes.n+2)
}

// insert adds an element before the one at an offset of the i-th node.
func (l *list) insert(i, at int, item []byte, c *Compact) {
	switch p := l.nodes.at(i); {
	case c.fits(p, len(item)):
		l.replace(p, at, at, 0, item)
	case at == len(p.data):
		l.between(i+1, item, c)
	case at == 0:
		l.between(i, item, c)
	default:
		l.split(i, at)
		l.between(i+1, item, c)
	}
}

// between adds an element in front of the i-th node: to the one before or to that
// one if there is room, else as a node of its own.
func (l *list) between(i int, item []byte, c *Compact) {
	if i > 0 {
		if p := l.nodes.at(i - 1); c.fits(p, len(item)) {
			l.replace(p, len(p.data), len(p.data), 0, item)
			return
		}
	}
	if i == l.nodes.n || !c.fits(l.nodes.at(i), len(item)) {
		l.nodes.insert(i)
	}
	l.replace(l.nodes.at(i), 0, 0, 0, item)
}

// split makes two nodes of the i-th one, the second beginning at an offset.
func (l *list) split(i, at int) {
	behind := l.nodes.insert(i + 1)
	p := l.nodes.at(i)
	n := p.count(at)
	behind.packed = packed{append(make([]byte, 0, allocated(len(p.data)-at)), p.data[at:]...), p.n - n}
	l.count += behind.n
	l.size += behind.bytes()
	l.replace(p, at, len(p.data), p.n-n)
}

// count returns how many items there are before an offset.
func (p *packed) count(offset int) (n int) {
	for at := 0; at < offset; n++ {
		_, at = p.at(at)
	}
	return n
}

// put replaces the element at an offset of the i-th node.
func (l *list) put(i, at int, item []byte, c *Compact) {
	p := l.nodes.at(i)
	old, next := p.at(at)
	if p.n == 1 || c.room(p.n, len(p.data)-packedSize(len(old))+packedSize(len(item))) {
		l.replace(p, at, next, 1, item)
		return
	}
	l.replace(p, at, next, 1)
	l.insert(i, at, item, c)
	l.tidy(i, c)
}

// tidy lets the i-th node go if it is empty, and be joined with a neighbour if
// both together are small.
func (l *list) tidy(i int, c *Compact) {
	if i >= l.nodes.n {
		return
	}
	if l.nodes.at(i).n == 0 {
		l.nodes.remove(i)
		i--
	}
	if i > 0 && l.small(i-1, c) {
		i--
		l.join(i)
	}
	if i >= 0 && i+1 < l.nodes.n && l.small(i, c) {
		l.join(i)
	}
}

// small says whether the i-th node and the next one fill less than half of one.
func (l *list) small(i int, c *Compact) bool {
	p, q := l.nodes.at(i), l.nodes.at(i+1)
	return c.room(2*(p.n+q.n), 2*(len(p.data)+len(q.data)))
}

// join appends the node behind the i-th one to it.
func (l *list) join(i int) {
	l.merge(i)
	l.nodes.remove(i + 1)
}

// merge moves the elements of the node behind the i-th one to it.
func (l *list) merge(i int) {
	p, q := l.nodes.at(i), l.nodes.at(i+1)
	l.size -= p.bytes() + q.bytes()
	data := make([]byte, 0, allocated(len(p.data)+len(q.data)))
	p.data, p.front = append(append(data, p.data...), q.data...), 0
	p.n += q.n
	l.size += p.bytes()
	*q = node{}
}

func (l *list) load(data []byte, c *Compact) error {
	elements, ok := unpack(data)
	if !ok || elements.n == 0 {
		return fmt.Errorf("%w: not a list", ErrRecord)
	}
	for at := 0; at < len(data); {
		var item []byte
		item, at = elements.at(at)
		l.push(Right, item, c)
	}
	return nil
}

// export writes the elements as packed items.
func (l *list) export(x *exports) {
	for i := range l.nodes.n {
		x.block(&l.nodes.at(i).packed, 1)
	}
}
