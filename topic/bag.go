package topic

import (
	"hash/maphash"
	"slices"
)

// entry is one registration: a pattern and the value it stands for. Its key is
// the text of the pattern and the value.
type entry[T comparable] struct {
	pattern *Pattern
	value   T
}

func (e entry[T]) same(o entry[T]) bool {
	return e.value == o.value && e.pattern.text == o.pattern.text
}

// chunkSize is the mean number of entries in a full chunk of a table.
const chunkSize = 32

// bag is a persistent set of entries; an empty one is a nil pointer. Nearly all
// hold one entry and should cost no more than that. Beyond one there is a table,
// because the number is up to the peers: "a[bc]" and "a[cb]" are two patterns
// with one language, and all complex patterns may share a node. A change copies
// the directory and one chunk, once per transaction, so that neither finding nor
// copying grows with the square of what a peer registers.
type bag[T comparable] struct {
	owner uint64
	one   entry[T]  // if many is nil
	many  *table[T] // owned with the bag
}

// table is a linear hash table: it grows and shrinks by one chunk at a time.
type table[T comparable] struct {
	chunks []*chunk[T]
	count  int
}

type chunk[T comparable] struct {
	owner   uint64
	entries []entry[T]
}

// contains reports whether the bag, which may be nil, holds e.
func (b *bag[T]) contains(seed maphash.Seed, e entry[T]) bool {
	switch {
	case b == nil:
		return false
	case b.many == nil:
		return b.one.same(e)
	}
	c := b.many.chunks[b.many.place(seed, e)]
	return slices.ContainsFunc(c.entries, e.same)
}

// appendValues appends the values of all entries.
func (b *bag[T]) appendValues(dst []T) []T {
	if b.many == nil {
		return append(dst, b.one.value)
	}
	for _, c := range b.many.chunks {
		for i := range c.entries {
			dst = append(dst, c.entries[i].value)
		}
	}
	return dst
}

// appendMatches appends the values of the entries whose pattern matches.
func (b *bag[T]) appendMatches(dst []T, channel string) []T {
	if b.many == nil {
		if b.one.pattern.MatchString(channel) {
			dst = append(dst, b.one.value)
		}
		return dst
	}
	for _, c := range b.many.chunks {
		for i := range c.entries {
			if c.entries[i].pattern.MatchString(channel) {
				dst = append(dst, c.entries[i].value)
			}
		}
	}
	return dst
}

// putInBag adds e, which the bag does not hold yet.
func (x *Index[T]) putInBag(slot **bag[T], e entry[T]) {
	if *slot == nil {
		*slot = &bag[T]{owner: x.txn, one: e}
		return
	}
	b := x.ownBag(slot)
	if b.many == nil {
		first := &chunk[T]{owner: x.txn, entries: []entry[T]{b.one}}
		b.many = &table[T]{chunks: []*chunk[T]{first}, count: 1}
		b.one = entry[T]{}
	}
	t := b.many
	c := x.ownChunk(&t.chunks[t.place(x.seed, e)])
	c.entries = append(c.entries, e)
	t.count++
	if t.count > chunkSize*len(t.chunks) {
		x.growTable(t)
	}
}

// dropFromBag removes e, which the bag holds.
func (x *Index[T]) dropFromBag(slot **bag[T], e entry[T]) {
	b := x.ownBag(slot)
	if b.many == nil {
		*slot = nil
		return
	}
	t := b.many
	c := x.ownChunk(&t.chunks[t.place(x.seed, e)])
	c.entries = slices.DeleteFunc(c.entries, e.same)
	t.count--
	for len(t.chunks) > 1 && t.count < chunkSize*len(t.chunks)/4 {
		x.shrinkTable(t)
	}
	if t.count == 1 { // then one chunk is left
		b.one, b.many = t.chunks[0].entries[0], nil
	}
}

// growTable adds a chunk and moves to it what now belongs there.
func (x *Index[T]) growTable(t *table[T]) {
	added := &chunk[T]{owner: x.txn}
	from := buddy(len(t.chunks))
	t.chunks = append(t.chunks, added)
	c := x.ownChunk(&t.chunks[from])
	kept := c.entries[:0]
	for _, e := range c.entries {
		if t.place(x.seed, e) == from {
			kept = append(kept, e)
		} else {
			added.entries = append(added.entries, e)
		}
	}
	clear(c.entries[len(kept):])
	c.entries = kept
}

// shrinkTable moves the last chunk back to where it was split from.
func (x *Index[T]) shrinkTable(t *table[T]) {
	last := len(t.chunks) - 1
	moved := t.chunks[last]
	t.chunks[last] = nil
	t.chunks = t.chunks[:last]
	c := x.ownChunk(&t.chunks[buddy(last)])
	c.entries = append(c.entries, moved.entries...)
}

// place returns the chunk of e.
func (t *table[T]) place(seed maphash.Seed, e entry[T]) int {
	if len(t.chunks) == 1 {
		return 0
	}
	type key struct {
		text  string
		value T
	}
	h := maphash.Comparable(seed, key{e.pattern.text, e.value})
	return foldPlace(h, len(t.chunks))
}

// foldPlace maps a hash to one of n chunks such that going from n to n+1 moves
// entries only out of buddy(n).
func foldPlace(h uint64, n int) int {
	full := 1
	for full < n {
		full *= 2
	}
	at := int(h & uint64(full-1)) //nolint:gosec // G115: below full
	if at >= n {
		at -= full / 2
	}
	return at
}

// buddy returns the chunk that chunk n is split from.
func buddy(n int) int {
	half := 1
	for half*2 <= n {
		half *= 2
	}
	return n - half
}

// ownBag makes the bag in the slot one that this transaction may edit.
func (x *Index[T]) ownBag(slot **bag[T]) *bag[T] {
	b := *slot
	if b.owner == x.txn {
		return b
	}
	c := &bag[T]{owner: x.txn, one: b.one}
	if b.many != nil {
		c.many = &table[T]{chunks: slices.Clone(b.many.chunks), count: b.many.count}
	}
	*slot = c
	return c
}

func (x *Index[T]) ownChunk(slot **chunk[T]) *chunk[T] {
	c := *slot
	if c.owner != x.txn {
		c = &chunk[T]{owner: x.txn, entries: slices.Clone(c.entries)}
		*slot = c
	}
	return c
}
