package kv

// packed is a sequence of byte strings in one block: what small collections and
// the nodes of lists are kept in. Items are found by walking, from either end.
//
// An item is its length, its bytes, and its length once more for whoever comes from
// behind. The first length is an unsigned varint, the last the same with its bytes
// in reverse order. An offset is where an item begins, or len(data) at the end.
type packed struct {
	data []byte
	n    int // of items
}

// bytes is what the block takes.
func (p *packed) bytes() int64 { return allocated(cap(p.data)) }

// packedSize is what an item of n bytes takes in the block.
func packedSize(n int) int { return n + 2*lengthSize(n) }

// lengthSize is the number of bytes of a length.
func lengthSize(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// at returns the item at an offset, which is not the end, and where the next one
// begins.
func (p *packed) at(offset int) (item []byte, next int) {
	n, head := int(p.data[offset]), 1
	if n >= 0x80 {
		n, head = p.length(offset)
	}
	begin := offset + head
	return p.data[begin : begin+n : begin+n], begin + n + head
}

// length reads a length of several bytes, forwards.
func (p *packed) length(offset int) (n, size int) {
	for shift := 0; ; shift += 7 {
		b := p.data[offset+size]
		n |= int(b&0x7f) << shift
		size++
		if b < 0x80 {
			return n, size
		}
	}
}

// before returns the item that ends at an offset, which is not 0, and where it
// begins.
func (p *packed) before(offset int) (item []byte, begin int) {
	n, size := 0, 0
	for shift := 0; ; shift += 7 {
		b := p.data[offset-1-size]
		n |= int(b&0x7f) << shift
		size++
		if b < 0x80 {
			break
		}
	}
	end := offset - size
	return p.data[end-n : end : end], end - n - size
}

// seek returns the offset of the i-th item; that of the n-th is the end. It walks
// from the nearer end.
func (p *packed) seek(i int) (offset int) {
	if i <= p.n/2 {
		for ; i > 0; i-- {
			_, offset = p.at(offset)
		}
		return offset
	}
	offset = len(p.data)
	for i = p.n - i; i > 0; i-- {
		_, offset = p.before(offset)
	}
	return offset
}

// find returns the offset of the first item that is equal, of every step-th one;
// -1: there is none.
func (p *packed) find(item []byte, step int) int {
	for offset := 0; offset < len(p.data); {
		at, next := p.at(offset)
		if string(at) == string(item) {
			return offset
		}
		for range step - 1 {
			_, next = p.at(next)
		}
		offset = next
	}
	return -1
}

// replace puts items in the place of those from one offset up to another, which
// are count.
func (p *packed) replace(from, to, count int, items ...[]byte) {
	size := 0
	for _, item := range items {
		size += packedSize(len(item))
	}
	p.open(from, to, size)
	at := from
	for _, item := range items {
		at = p.put(at, item)
	}
	p.n += len(items) - count
}

// insert puts items at an offset.
func (p *packed) insert(at int, items ...[]byte) { p.replace(at, at, 0, items...) }

// append puts items at the end.
func (p *packed) append(items ...[]byte) { p.insert(len(p.data), items...) }

// remove takes away the items from one offset up to another, which are count.
func (p *packed) remove(from, to, count int) { p.replace(from, to, count) }

// open gives the bytes from one offset up to another a new length. What was there
// is undefined afterwards. A block that is mostly empty is given back.
func (p *packed) open(from, to, size int) {
	old := p.data
	length := len(old) - (to - from) + size
	switch {
	case length == 0:
		p.data = nil
		return
	case length > cap(old) || length < cap(old)/4:
		p.data = make([]byte, length, int(allocated(length)))
		copy(p.data, old[:from])
	default:
		p.data = old[:length]
	}
	copy(p.data[from+size:], old[to:])
}

// put writes an item at an offset and returns the one behind it.
func (p *packed) put(at int, item []byte) int {
	return at + len(appendPacked(p.data[at:at], item))
}

// appendPacked appends an item to what is, or becomes, a block.
func appendPacked(dst, item []byte) []byte {
	n, head := len(item), lengthSize(len(item))
	for i := range head {
		dst = append(dst, lengthByte(n, i, head))
	}
	dst = append(dst, item...)
	for i := head - 1; i >= 0; i-- {
		dst = append(dst, lengthByte(n, i, head))
	}
	return dst
}

// lengthByte is the i-th byte of a length that takes size bytes.
func lengthByte(n, i, size int) byte {
	b := byte(n >> (7 * i) & 0x7f) // #nosec G115 -- seven bits
	if i < size-1 {
		b |= 0x80
	}
	return b
}

// clone returns a copy.
func (p *packed) clone() packed {
	c := packed{n: p.n, data: make([]byte, len(p.data), int(allocated(len(p.data))))}
	copy(c.data, p.data)
	return c
}

// unpack reads a block that export has written; ok is false if it is none.
func unpack(data []byte) (p packed, ok bool) {
	for offset := 0; offset < len(data); {
		n, size := 0, 0
		for {
			if offset+size >= len(data) || size > 4 {
				return packed{}, false
			}
			b := data[offset+size]
			n |= int(b&0x7f) << (7 * size)
			size++
			if b < 0x80 {
				break
			}
		}
		end := offset + size + n
		if lengthSize(n) != size || end+size > len(data) {
			return packed{}, false
		}
		for i := range size {
			if data[offset+i] != data[end+size-1-i] {
				return packed{}, false
			}
		}
		offset = end + size
		p.n++
	}
	p.data = data
	return p, true
}
