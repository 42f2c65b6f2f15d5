package kv

import (
	"hash/maphash"
	"unsafe"
)

// dict is what a large collection keeps its fields or members in: a table whose
// entries are those of strings, a field with its value or a member with what its
// type says of it. The zero value is empty.
type dict struct {
	table
	entries int64 // bytes
}

var dictBytes = allocated(int(unsafe.Sizeof(dict{})))

// bytes is what the dict takes, itself included.
func (d *dict) bytes() int64 { return dictBytes + d.table.bytes + d.entries }

var memberSeed = maphash.MakeSeed()

func memberHash(b []byte) uint32 { return uint32(maphash.Bytes(memberSeed, b)) } // #nosec G115 -- the cut is wanted

// get returns the entry of a member, nil if there is none.
func (d *dict) get(member []byte) *entry { return d.find(memberHash(member), member) }

// put stores a value for a member and says whether the member is a new one.
func (d *dict) put(member, value []byte) (e *entry, added bool) {
	h := memberHash(member)
	if e = d.find(h, member); e != nil {
		return d.rewrite(e, value), false
	}
	return d.add(h, member, value), true
}

// add stores a member that is not there.
func (d *dict) add(h uint32, member, value []byte) *entry {
	e := stringEntry(h, member, value)
	d.insert(e)
	d.entries += e.bytes()
	return e
}

// rewrite stores another value for an entry that is there. Where it has not the
// size of the old one another entry takes the place; the result is the one.
func (d *dict) rewrite(e *entry, value []byte) *entry {
	size := int(e.size) + len(value)
	if e.fits(size, size) {
		e.block = e.block[:size]
		copy(e.block[e.size:], value)
		d.step()
		return e
	}
	x := stringEntry(e.hash, e.key(), value)
	d.replace(e, x)
	d.entries += x.bytes() - e.bytes()
	return x
}

// delete takes out an entry that is there.
func (d *dict) delete(e *entry) {
	d.remove(e)
	d.entries -= e.bytes()
}

// walk visits some count entries from a cursor on and returns the next cursor; see
// table.scan. As in Redis mostly empty buckets must not take long.
func (d *dict) walk(cursor uint64, count int, visit func(*entry)) uint64 {
	at := uint32(cursor) // #nosec G115 -- foreign cursors may be cut
	for visits := 10 * max(1, count); ; visits-- {
		at = d.scan(at, func(e *entry) {
			visit(e)
			count--
		})
		if at == 0 || count <= 0 || visits <= 0 {
			return uint64(at)
		}
	}
}

// clone returns a copy, whose table has its size from the start: nothing is to move.
func (d *dict) clone() *dict {
	c := new(dict)
	c.cur, c.table.bytes = makeBuckets(d.cur.size)
	d.each(func(e *entry) bool {
		x := stringEntry(e.hash, e.key(), e.value())
		c.insert(x)
		c.entries += x.bytes()
		return true
	})
	return c
}
