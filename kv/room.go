package kv

import "unsafe"

// roomy is an entry with room for a small block behind it.
type roomy[R any] struct {
	entry
	room R
}

func newRoomy[R any]() *entry {
	x := new(roomy[R])
	x.block = unsafe.Slice((*byte)(unsafe.Pointer(&x.room)), unsafe.Sizeof(x.room)) // #nosec G103 -- all of the array
	return &x.entry
}

// roomStep is the distance of the allocator's classes from 64 to 256 bytes, and
// maxRoom what the largest of them has behind an entry.
const (
	roomStep = 16
	maxRoom  = 256 - entryBytes
)

// rooms makes entries with room, by multiples of roomStep.
var rooms = [maxRoom/roomStep + 1]func() *entry{
	func() *entry { return new(entry) },
	newRoomy[[16]byte], newRoomy[[32]byte], newRoomy[[48]byte], newRoomy[[64]byte], newRoomy[[80]byte],
	newRoomy[[96]byte], newRoomy[[112]byte], newRoomy[[128]byte], newRoomy[[144]byte], newRoomy[[160]byte],
	newRoomy[[176]byte], newRoomy[[192]byte], newRoomy[[208]byte],
}

// blockBytes returns what a block of n bytes takes beside the 48 of its entry.
func blockBytes(n int) int64 {
	if n > maxRoom {
		return allocated(n)
	}
	return int64((n + roomStep - 1) &^ (roomStep - 1))
}

// newStringEntry makes the entry of a string: its block has the given length, at
// least the capacity, and the first size bytes are for the key.
func newStringEntry(hash uint32, size, length, capacity int) *entry {
	var e *entry
	if capacity <= maxRoom {
		e = rooms[(capacity+roomStep-1)/roomStep]()
		e.block = e.block[:length]
	} else {
		e = &entry{block: make([]byte, length, capacity)}
	}
	e.hash, e.size, e.kind = hash, uint32(size), TypeString //nolint:gosec // requests are limited to 64 MiB
	return e
}

// stringEntry makes the entry of a key with a string.
func stringEntry(hash uint32, key, value []byte) *entry {
	size := len(key) + len(value)
	e := newStringEntry(hash, len(key), size, size)
	copy(e.block[copy(e.block, key):], value)
	return e
}
