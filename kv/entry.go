package kv

// entry is one key. Its block holds the key's bytes and behind them, for
// strings, the value's, so that a small string costs two allocations. A block
// is never written to again: what Get returned stays as it was.
//
// 48 bytes, an allocator class. Types that are not bytes, and the clock that
// eviction needs, fill it up to 64, the next.
type entry struct {
	next  *entry // in the same bucket
	block []byte
	size  uint32 // of the key
	hash  uint32 // low bits of the key's hash
	due   int32  // 1 + position in the heap of deadlines; 0: lives for ever
	kind  Type
}

func (e *entry) key() []byte { return e.block[:e.size:e.size] }

func (e *entry) value() []byte { return e.block[e.size:len(e.block):len(e.block)] }

// put replaces the block.
func (e *entry) put(key, value []byte) {
	b := make([]byte, len(key)+len(value))
	copy(b[copy(b, key):], value)
	e.block = b
	e.size = uint32(len(key)) //nolint:gosec // requests are limited to 64 MiB
	e.kind = TypeString
}

// What the fixed parts take in the allocator, for the account of memory.
const (
	entryBytes   = 48
	spaceBytes   = 144
	pointerBytes = 8
	sliceBytes   = 24
	dueBytes     = 16
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

// allocated returns what an allocation of n bytes without pointers really takes.
func allocated(n int) int64 {
	if n > smallSizes {
		return int64((n + page - 1) &^ (page - 1))
	}
	return int64(sizeClass[(n+7)/8])
}
