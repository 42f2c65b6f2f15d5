package broker

// Range is a piece of the log's bytes on its way to sessions. A Range that is
// kept must be retained, and released exactly once for each Retain; between the
// two its bytes do not change. The zero Range is empty and may be released.
type Range struct {
	chunk    *chunk
	off, n   uint32
	messages uint16
	split    bool
}

// Bytes returns the range's bytes. They must not be modified.
func (r Range) Bytes() []byte {
	if r.chunk == nil {
		return nil
	}
	return r.chunk.buf[r.off : r.off+r.n]
}

// Len returns the number of bytes.
func (r Range) Len() int { return int(r.n) }

// Messages returns how many messages end in the range.
func (r Range) Messages() int { return int(r.messages) }

// Ends says whether the last byte of the range ends a message. It does not
// where a large message is shared by several deliveries: each is then a range
// of its own prefix followed by the shared one.
func (r Range) Ends() bool { return !r.split }

// Birth returns a number that is lower the longer ago the memory under the
// range was taken.
func (r Range) Birth() uint64 {
	if r.chunk == nil {
		return ^uint64(0)
	}
	return r.chunk.serial
}

// Retain keeps the bytes alive until Release.
func (r Range) Retain() {
	if r.chunk != nil {
		r.chunk.retain()
	}
}

// Release ends what Retain began.
func (r Range) Release() {
	if r.chunk != nil {
		r.chunk.release()
	}
}

// Join extends r by next and reports true if next begins where r ends. Neither
// reference count changes: the caller keeps one reference for the joined range.
// Parts of a message are never joined: whole messages before them may have to
// leave in a frame of their own.
func (r *Range) Join(next Range) bool {
	if r.chunk == nil || r.chunk != next.chunk || r.off+r.n != next.off || r.split || next.split {
		return false
	}
	r.n += next.n
	r.messages += next.messages
	return true
}

// From returns the range without its first n bytes.
func (r Range) From(n int) Range {
	r.off += uint32(n)
	r.n -= uint32(n)
	return r
}

// Detached returns the range without its bytes: what it says of messages stays
// true of a copy that the caller made.
func (r Range) Detached() Range { return Range{messages: r.messages, split: r.split} }
