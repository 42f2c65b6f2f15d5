package kv

import "math/bits"

const (
	// emptyVisits bounds how many empty buckets one step passes over.
	emptyVisits = 16

	// sparse: a table with fewer than one entry per this many buckets shrinks. It
	// is looked at with each removal, so one rehash makes it smaller by not much
	// more than this, and scan has few buckets to visit in one call.
	sparse = 8
)

func (t *table) rehashing() bool { return t.old.size != 0 }

// resize starts a rehash to the given size.
func (t *table) resize(size int) {
	t.old, t.moved = t.cur, 0
	var bytes int64
	t.cur, bytes = makeBuckets(size)
	t.bytes += bytes
	if t.count == 0 {
		t.finish()
	}
}

// shrink starts a rehash to a smaller table when few entries are left.
func (t *table) shrink() {
	if t.rehashing() || t.cur.size <= minBuckets || t.count*sparse > t.cur.size {
		return
	}
	if t.count == 0 {
		t.resize(minBuckets)
		return
	}
	fit := 1 << bits.Len(uint(t.count)) //nolint:gosec // not negative
	t.resize(max(minBuckets, fit))
}

// step moves one bucket of a rehash that runs, and finishes it with the last.
// Every change of the table takes one step.
func (t *table) step() {
	if !t.rehashing() {
		return
	}
	for range emptyVisits {
		found := t.moveBucket()
		if t.moved == t.old.size {
			t.finish()
			t.shrink() // further, if it has emptied meanwhile
			return
		}
		if found {
			return
		}
	}
}

// moveBucket moves the next bucket and says whether there was anything in it.
func (t *table) moveBucket() bool {
	i := t.moved
	e := t.old.head(i)
	t.moved++
	found := e != nil
	for e != nil {
		next := e.next
		t.push(&t.cur, t.cur.index(e.hash), e)
		e = next
	}
	if found {
		*t.old.slot(i) = nil
	}
	t.fetchMoved()
	if t.moved&(segmentSize-1) == 0 {
		t.bytes -= t.old.drop(i >> segmentBits)
	}
	return found
}

// fetchMoved prefetches what the next step moves: by then it has come.
func (t *table) fetchMoved() {
	if t.moved < t.old.size {
		t.old.head(t.moved).fetch()
	}
}

// finish drops the old array, in which nothing is left.
func (t *table) finish() {
	for i := range t.old.segments {
		t.bytes -= t.old.drop(i)
	}
	t.bytes -= allocatedPointers(len(t.old.segments) * sliceBytes)
	t.old, t.moved = buckets{}, 0
}
