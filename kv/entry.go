package kv

// entry is one key. Its block holds the key's bytes and behind them, for
// strings, the value's. A small block lies right behind the entry, in one
// allocation and mostly in one cache line with it.
//
// Invariant: the block is in the entry's room if its capacity is at most maxRoom,
// else it is an allocation of its own. So an entry whose block has to get another
// size class is replaced by another entry (space.replace).
//
// 48 bytes, an allocator class; an objectEntry takes the next one.
type entry struct {
	next  *entry // in the same bucket
	block []byte
	size  uint32 // of the key
	hash  uint32 // low bits of the key's hash
	due   int32  // 1 + position in the heap of deadlines; 0: lives for ever
	kind  Type
	clock [3]byte // of the last access, see clock.go
}

func (e *entry) key() []byte { return e.block[:e.size:e.size] }

func (e *entry) value() []byte { return e.block[e.size:len(e.block):len(e.block)] }

// bytes is what the entry, its block and its object take.
func (e *entry) bytes() int64 {
	if o := e.object(); o != nil {
		return objectEntryBytes + allocated(cap(e.block)) + o.bytes()
	}
	return entryBytes + blockBytes(cap(e.block))
}

// fits says whether the entry can take a string whose block has a length, and is
// to have a capacity.
func (e *entry) fits(size, capacity int) bool {
	return e.kind == TypeString && size <= cap(e.block) && blockBytes(capacity) == blockBytes(cap(e.block))
}

// joined makes the block of a string.
func joined(key, value []byte) []byte {
	b := make([]byte, len(key)+len(value))
	copy(b[copy(b, key):], value)
	return b
}

// What the fixed parts take in the allocator, for the account of memory.
const (
	entryBytes = 48
	// An objectEntry, and what its interface points to is counted by the object.
	objectEntryBytes = 64
	spaceBytes       = 144
	pointerBytes     = 8
	sliceBytes       = 24
	dueBytes         = 16
)

const (
	smallSizes = 32 << 10 // above, Go's allocator gives whole pages
	page       = 8 << 10
)

// sizeClass has, for each multiple of 8 up to smallSizes, what Go's allocator
// takes for that many bytes. It is asked of the allocator itself: append takes
// what it can get.
var sizeClass = func() (sizes [smallSizes/8 + 1]uint16) {
	for n := 1; n <= smallSizes; {
		class := cap(append([]byte(nil), make([]byte, n)...))
		for ; n <= class; n++ {
			sizes[(n+7)/8] = uint16(class) //nolint:gosec // at most 32 KiB
		}
	}
	return sizes
}()

// allocatedPointers is allocated for what has pointers in it: over 512 bytes, and up to
// whole pages, the allocator puts eight of its own before it.
func allocatedPointers(n int) int64 {
	const own = 8
	if n > 512 && n <= smallSizes-own {
		n += own
	}
	return allocated(n)
}

// allocated returns what an allocation of n bytes without pointers really takes.
func allocated(n int) int64 {
	if n > smallSizes {
		return int64((n + page - 1) &^ (page - 1))
	}
	return int64(sizeClass[(n+7)/8])
}
