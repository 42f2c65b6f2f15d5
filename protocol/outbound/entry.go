package outbound

import (
	"bytes"
	"sync"

	"fanfare/broker"
)

// entry is a piece of output: a range of the log, or bytes of the connection's
// own (replies, control frames).
type entry struct {
	r    broker.Range
	own  *[]byte // nil: r
	off  int     // bytes already written
	kind entryKind
}

type entryKind uint8

const (
	pooled   entryKind = iota // own is from the pool of buffers
	borrowed                  // own belongs to the caller of Uncork
	static                    // own is nobody's: a frame that all connections share
	copied                    // own is the copy of a push, from the pool of buffers
	raw      entryKind = 8    // with the others: bytes that are frames already
	part     entryKind = 16   // with the others: the beginning of a message
)

func (e *entry) isRaw() bool     { return e.kind&raw != 0 }
func (e *entry) base() entryKind { return e.kind &^ (raw | part) }

// isPush says whether the bytes count as pushes, not as replies.
func (e *entry) isPush() bool { return e.own == nil || e.base() == copied }

// bytes returns what is still to be written.
func (e *entry) bytes() []byte {
	if e.own != nil {
		return (*e.own)[e.off:]
	}
	return e.r.Bytes()[e.off:]
}

func (e *entry) len() int {
	if e.own != nil {
		return len(*e.own) - e.off
	}
	return e.r.Len() - e.off
}

// ends says whether the entry's last byte ends a message.
func (e *entry) ends() bool { return e.kind&part == 0 && e.r.Ends() }

// messages returns how many messages, each ended by a newline, a frame gets with
// the entry.
func (e *entry) messages() int {
	if e.own != nil && e.base() != copied {
		return lines(e.bytes())
	}
	return e.r.Messages()
}

func lines(b []byte) int { return bytes.Count(b, []byte{'\n'}) }

// free lets go of the entry's memory.
func (e *entry) free() {
	switch {
	case e.own == nil:
		e.r.Release()
	case e.base() == borrowed:
		*e.own = nil
	case e.base() != static:
		putBuffer(e.own)
	}
	*e = entry{}
}

// detach makes the entry independent of memory that others need back.
func (e *entry) detach() {
	// A buffer of the pool would be many times as large as most replies, and a
	// peer that reads nothing can have as many of them queued as it likes.
	buf := bytes.Clone(e.bytes())
	next := entry{own: &buf, kind: pooled}
	if e.own == nil {
		next.r, next.kind = e.r.Detached(), copied
	}
	e.free()
	*e = next
}

// bufferSize is the capacity of pooled buffers, for reading and for replies.
const bufferSize = 64 << 10

var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, bufferSize)
	return &b
}}

func getBuffer() *[]byte {
	return buffers.Get().(*[]byte)
}

// putBuffer gives a buffer back. Larger ones are left to the garbage collector.
func putBuffer(b *[]byte) {
	if cap(*b) == bufferSize {
		*b = (*b)[:0]
		buffers.Put(b)
	}
}
