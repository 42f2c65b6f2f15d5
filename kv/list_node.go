package kv

import "unsafe"

// node is a packed block of a list. Unlike the blocks of other collections it may have
// free room at either end: elements are pushed and popped there without moving the
// others, and a node that is being filled is not allocated anew for each size class of
// the allocator on the way to 8 KiB, which took most of a push.
//
// Invariant: data ends at most at the end of its block and begins front bytes behind
// the block's beginning; without elements there is no block.
type node struct {
	packed
	front int // free bytes before data
}

// block is the size of the block.
func (d *node) block() int { return d.front + cap(d.data) }

// bytes is what the block takes.
func (d *node) bytes() int64 { return allocated(d.block()) }

// replace is packed.replace with a block that, if a new one is made, has room for
// capacity bytes at least.
func (d *node) replace(from, to, count, capacity int, items ...[]byte) {
	size := 0
	for _, item := range items {
		size += packedSize(len(item))
	}
	d.open(from, to, size, capacity)
	at := from
	for _, item := range items {
		at = d.put(at, item)
	}
	d.n += len(items) - count
}

// open gives the bytes from one offset up to another a new length. What was there is
// undefined afterwards. The shorter side moves; where the room there is too small,
// what is free is split between the ends, so that the next ones need not move. A block
// that is mostly empty is given back.
func (d *node) open(from, to, size, capacity int) {
	length := len(d.data) - (to - from) + size
	left := from < len(d.data)-to
	begin, block := d.front, d.whole()
	if left {
		begin -= size - (to - from)
	}
	switch {
	case length == 0:
		d.data, d.front = nil, 0
		return
	case length > len(block) || length < len(block)/4:
		block = make([]byte, allocated(max(length, capacity)))
		begin = 0
		if left {
			begin = len(block) - length
		}
	case begin < 0 || begin+length > len(block):
		begin = (len(block) - length) / 2
	}
	d.place(block[begin:begin+length], begin, from, to)
}

// place moves what is before one offset and behind another to the ends of data, which
// is in the same block or a new one, and begins at an offset of it.
func (d *node) place(data []byte, begin, from, to int) {
	head, tail := d.data[:from], d.data[to:]
	before, behind := data[:from], data[len(data)-len(tail):]
	// Whatever does not lie in the other's way goes first.
	if begin <= d.front {
		shift(before, head)
		shift(behind, tail)
	} else {
		shift(behind, tail)
		shift(before, head)
	}
	d.data, d.front = data, begin
}

// shift is copy, for bytes that mostly stay where they are.
func shift(to, from []byte) {
	if unsafe.SliceData(to) != unsafe.SliceData(from) { // #nosec G103 -- only compared
		copy(to, from)
	}
}

// whole returns all of the block.
func (d *node) whole() []byte {
	if d.data == nil {
		return nil
	}
	first := unsafe.Add(unsafe.Pointer(unsafe.SliceData(d.data)), -d.front) // #nosec G103 -- the block begins there
	return unsafe.Slice((*byte)(first), d.block())                          // #nosec G103 -- and is so large
}

// cloned returns a copy without free room.
func (d *node) cloned() node { return node{packed: d.clone()} }
