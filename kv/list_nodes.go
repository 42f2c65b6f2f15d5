package kv

import "unsafe"

// nodes is the sequence of a list's blocks: a ring, so that either end is reached
// and changed at once, and the i-th one is found by its number. None of them is
// empty. The zero value has none.
type nodes struct {
	ring  []node
	head  int     // where the first one is
	n     int     // of nodes
	first [1]node // the ring of a list that has one node
}

// placeBytes is what one place of a ring takes.
const placeBytes = int(unsafe.Sizeof(node{}))

// bytes is what the ring takes beyond the struct.
func (d *nodes) bytes() int64 {
	if len(d.ring) <= 1 {
		return 0
	}
	return ringBytes(len(d.ring))
}

// ringBytes is what a ring of n places takes.
func ringBytes(n int) int64 { return allocatedPointers(n * placeBytes) }

// at returns the i-th node. It is valid until nodes come or go.
func (d *nodes) at(i int) *node {
	if i += d.head; i >= len(d.ring) {
		i -= len(d.ring)
	}
	return &d.ring[i]
}

// insert makes room for an i-th node, which is empty. What is on the shorter side
// of it moves.
func (d *nodes) insert(i int) *node {
	if d.n == len(d.ring) {
		d.resize(max(1, 2*len(d.ring)))
	}
	d.n++
	if i < d.n/2 {
		if d.head--; d.head < 0 {
			d.head += len(d.ring)
		}
		for j := range i {
			*d.at(j) = *d.at(j + 1)
		}
	} else {
		for j := d.n - 1; j > i; j-- {
			*d.at(j) = *d.at(j - 1)
		}
	}
	*d.at(i) = node{}
	return d.at(i)
}

// remove takes the i-th node away.
func (d *nodes) remove(i int) {
	if i < d.n/2 {
		for j := i; j > 0; j-- {
			*d.at(j) = *d.at(j - 1)
		}
		*d.at(0) = node{}
		if d.head++; d.head == len(d.ring) {
			d.head = 0
		}
	} else {
		for j := i; j < d.n-1; j++ {
			*d.at(j) = *d.at(j + 1)
		}
		*d.at(d.n - 1) = node{}
	}
	d.n--
	d.shrink()
}

// truncate keeps the first n nodes.
func (d *nodes) truncate(n int) {
	for i := n; i < d.n; i++ {
		*d.at(i) = node{}
	}
	d.n = n
	d.shrink()
}

// shrink gives a ring back that is mostly empty.
func (d *nodes) shrink() {
	switch size := len(d.ring); {
	case d.n <= 1 && size > 1:
		d.resize(1)
	case d.n < size/4:
		d.resize(size / 2)
	}
}

// resize gives the ring a size that is enough for the nodes.
func (d *nodes) resize(size int) {
	ring := d.first[:]
	if size > 1 {
		ring = make([]node, size)
	}
	for i := range d.n {
		ring[i] = *d.at(i)
	}
	if size > 1 {
		d.first[0] = node{}
	}
	d.ring, d.head = ring, 0
}
