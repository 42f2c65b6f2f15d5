package kv

import (
	"math/bits"
	"math/rand/v2"
)

// scan visits the entries of one bucket (of a smaller and a larger table while
// a rehash runs: of all buckets of the larger one that split from it) and
// returns the cursor to go on with; 0 begins and 0 has ended.
//
// The cursor counts with its bits reversed, highest bit of the bucket number
// first. Buckets that a table of another size splits from one, or merges into
// it, share the lower bits; so a bucket that was visited stays visited when the
// table grows or shrinks, and none is left out. (The way Redis' SCAN does it, by
// Pieter Noordhuis.) An entry that is there from the first call to the last is
// visited at least once.
func (t *table) scan(cursor uint32, visit func(*entry)) uint32 {
	small, large := &t.cur, &t.cur
	if t.rehashing() {
		small, large = &t.old, &t.cur
		if small.size > large.size {
			small, large = large, small
		}
	}
	if small.size == 0 {
		return 0
	}
	if small != large {
		small.visit(cursor, visit)
	}
	for {
		large.visit(cursor, visit)
		cursor = large.advance(cursor)
		if cursor&uint32(large.size-small.size) == 0 { //nolint:gosec // sizes fit: indexes come from 32 bits
			return cursor
		}
	}
}

// each visits all entries, in no order, until visit returns false. visit must not change
// the table. The buckets come as they lie in memory: that is up to three times as quick as
// scan is for a large table, and who puts the entries into another table meets no long
// chains while that one grows.
func (t *table) each(visit func(*entry) bool) {
	for _, b := range [...]*buckets{&t.old, &t.cur} {
		for _, segment := range b.segments {
			for _, e := range segment {
				for ; e != nil; e = e.next {
					if !visit(e) {
						return
					}
				}
			}
		}
	}
}

// visit calls a function for each entry of the cursor's bucket.
func (b *buckets) visit(cursor uint32, visit func(*entry)) {
	for e := b.head(b.index(cursor)); e != nil; {
		next := e.next
		visit(e)
		e = next
	}
}

// advance adds one to the reversed cursor.
func (b *buckets) advance(cursor uint32) uint32 {
	cursor |= ^uint32(b.size - 1) //nolint:gosec // see scan
	return bits.Reverse32(bits.Reverse32(cursor) + 1)
}

// randomTries is how many buckets random looks into before it walks.
const randomTries = 64

// random returns any entry, nil if the table is empty. Every bucket is equally
// likely, and within it every entry.
func (t *table) random() *entry {
	if t.count == 0 {
		return nil
	}
	left := t.old.size - t.moved
	n := left + t.cur.size
	for range randomTries {
		if e := t.pick(rand.IntN(n), left); e != nil { //nolint:gosec // no secret
			return e
		}
	}
	for i := rand.IntN(n); ; i = (i + 1) % n { //nolint:gosec // no secret
		if e := t.pick(i, left); e != nil {
			return e
		}
	}
}

// pick returns a random entry of the i-th bucket, counted over those of old not
// yet moved (left of them) and cur.
func (t *table) pick(i, left int) *entry {
	var e *entry
	if i < left {
		e = t.old.head(t.moved + i)
	} else {
		e = t.cur.head(i - left)
	}
	chosen := e
	for n := 1; e != nil; e = e.next {
		if rand.IntN(n) == 0 { //nolint:gosec // no secret
			chosen = e
		}
		n++
	}
	return chosen
}
