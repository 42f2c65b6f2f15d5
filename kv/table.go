package kv

// table is a hash table of entries, chained, that grows and shrinks by moving a
// bucket or two with each change (step), never all at once. The zero value is
// empty. It is guarded by its shard.
//
// Invariant: while a rehash runs, an entry is in old if its bucket there is not
// moved yet, else in cur. So a lookup is in one table even then (Redis looks
// into both), and reading changes nothing.
//
// Invariant: a rehash that grows has ended before the next one is due, because
// filling the larger table takes at least as many inserts as there are buckets
// to move, and each insert moves one.
type table struct {
	cur, old buckets
	moved    int // buckets of old below are empty; meaningful while a rehash runs
	count    int
	bytes    int64 // of the buckets, for the account of memory
}

// minBuckets is the size of the smallest table.
const minBuckets = 4

// bucket returns the place of a hash.
func (t *table) bucket(h uint32) (b *buckets, i int) {
	if i := t.old.index(h); t.rehashing() && i >= t.moved {
		return &t.old, i
	}
	return &t.cur, t.cur.index(h)
}

// find returns the entry of a key, nil if there is none.
func (t *table) find(h uint32, key []byte) *entry {
	if t.count == 0 {
		return nil
	}
	b, i := t.bucket(h)
	for e := b.head(i); e != nil; e = e.next {
		if e.hash == h && string(e.key()) == string(key) {
			return e
		}
	}
	return nil
}

// insert adds an entry whose key is not in the table.
func (t *table) insert(e *entry) {
	t.step()
	if t.count >= t.cur.size && !t.rehashing() {
		t.resize(max(minBuckets, 2*t.cur.size))
	}
	b, i := t.bucket(e.hash)
	t.push(b, i, e)
	t.count++
}

// remove takes out an entry that is in the table.
func (t *table) remove(e *entry) {
	t.step()
	b, i := t.bucket(e.hash)
	link := b.slot(i)
	for *link != e {
		link = &(*link).next
	}
	*link, e.next = e.next, nil
	if t.count--; t.count == 0 {
		t.finish()
	}
	t.shrink()
}

// replace puts another entry of the same key in the place of one that is in the
// table.
func (t *table) replace(old, e *entry) {
	b, i := t.bucket(old.hash)
	link := b.slot(i)
	for *link != old {
		link = &(*link).next
	}
	*link, e.next, old.next = e, old.next, nil
	t.step()
}

// push puts an entry at the head of a bucket.
func (t *table) push(b *buckets, i int, e *entry) {
	t.bytes += b.ensure(i)
	link := b.slot(i)
	*link, e.next = e, *link
}

// buckets is an array of chains in segments, which are made when the first
// entry comes and dropped as soon as a rehash has emptied them: neither making
// nor leaving a large table takes long, and no rehash needs both arrays whole.
type buckets struct {
	segments [][]*entry
	size     int // a power of two; 0: no array
}

const (
	segmentBits = 9
	segmentSize = 1 << segmentBits
)

// makeBuckets returns an array of the given size and the bytes it takes so far.
func makeBuckets(size int) (buckets, int64) {
	n := (size + segmentSize - 1) / segmentSize
	return buckets{segments: make([][]*entry, n), size: size}, allocatedPointers(n * sliceBytes)
}

func (b *buckets) index(h uint32) int { return int(h) & (b.size - 1) }

// head returns the first entry of a bucket.
func (b *buckets) head(i int) *entry {
	s := b.segments[i>>segmentBits]
	if s == nil {
		return nil
	}
	return s[i&(segmentSize-1)]
}

// slot returns where the head of a bucket is kept; its segment exists.
func (b *buckets) slot(i int) **entry {
	return &b.segments[i>>segmentBits][i&(segmentSize-1)]
}

// ensure makes the segment of a bucket and returns the bytes that took.
func (b *buckets) ensure(i int) int64 {
	s := &b.segments[i>>segmentBits]
	if *s != nil {
		return 0
	}
	*s = make([]*entry, min(b.size, segmentSize))
	return b.segmentBytes()
}

// drop lets go of a segment and returns the bytes that frees.
func (b *buckets) drop(segment int) int64 {
	if b.segments[segment] == nil {
		return 0
	}
	b.segments[segment] = nil
	return b.segmentBytes()
}

func (b *buckets) segmentBytes() int64 {
	return allocatedPointers(min(b.size, segmentSize) * pointerBytes)
}
