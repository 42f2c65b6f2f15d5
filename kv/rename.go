package kv

import "bytes"

// Rename gives the value of a key, with its time to live, another key, whose
// own value is lost; with onlyNew it does so only if there is none, and says whether
// it did. Both keys' shards are locked. To itself nothing happens. ErrNoKey: the key does not
// exist. It is never refused for memory. Events: new, rename_from, rename_to.
func (t *Tx) Rename(db int, from, to []byte, onlyNew bool) (bool, error) {
	src := t.find(db, from)
	if t.live(src) == nil {
		return false, ErrNoKey
	}
	t.used(src.e)
	if bytes.Equal(from, to) {
		return !onlyNew, nil
	}
	dst := t.find(db, to)
	if onlyNew && t.live(dst) != nil {
		return false, nil
	}
	t.carry(src, dst, db, to)
	src.sh.touched(db, from, false)
	dst.sh.touched(db, to, true)
	t.s.event(db, EventGeneric, "rename_from", from)
	t.s.event(db, EventGeneric, "rename_to", to)
	return true, nil
}

// Move takes a key with its time to live to another database and says whether
// it did: not if the key does not exist, or exists there. Events: new,
// move_from, move_to.
func (t *Tx) Move(from, to int, key []byte) bool {
	src, dst := t.find(from, key), t.find(to, key)
	if from == to || t.live(src) == nil {
		return false
	}
	t.used(src.e)
	if t.live(dst) != nil {
		return false
	}
	t.carry(src, dst, to, key)
	src.sh.touched(from, key, false)
	dst.sh.touched(to, key, true)
	t.s.event(from, EventGeneric, "move_from", key)
	t.s.event(to, EventGeneric, "move_to", key)
	return true
}

// carry takes the entry of src with its deadline to dst, under another key
// perhaps. Event: new.
func (t *Tx) carry(src, dst place, db int, key []byte) {
	t.vacate(&dst, db)
	e, deadline := src.e, src.sp.deadlines.at(src.e)
	src.sp.remove(e)
	t.s.settle(src.sp)
	if !bytes.Equal(e.key(), key) {
		e = e.renamed(key, dst.h)
	}
	dst.e = e
	dst.sp.insert(e)
	t.s.event(db, EventNew, "new", key)
	if deadline != 0 {
		t.setDeadline(dst, deadline)
	}
	t.s.settle(dst.sp)
}

// vacate makes p a place without a key; one that has not expired goes without
// an event, because another takes its place.
func (t *Tx) vacate(p *place, db int) {
	t.ready(p, db)
	if p.e != nil {
		p.sp.remove(p.e)
		p.e = nil
	}
}

// renamed makes an entry with the value and another key; this one is not used any
// more.
func (e *entry) renamed(key []byte, hash uint32) *entry {
	x := e.under(key, hash, e.object())
	x.clock = e.clock
	return x
}

// under makes an entry for another key with a copy of the string, or with the
// object.
func (e *entry) under(key []byte, hash uint32, o object) *entry {
	if o != nil {
		return newObjectEntry(key, hash, o)
	}
	return stringEntry(hash, key, e.value())
}

// Copy stores the value of a key, with its time to live, under another key as
// well, and says whether it did: not if the key does not exist, nor if the other one does
// and replace is false. From and To are different, and their shards locked. With
// ErrOOM nothing was changed. The key counts as read. Events: new, copy_to.
func (t *Tx) Copy(from, to Key, replace bool) (bool, error) {
	src := t.find(from.DB, from.Key)
	e := t.live(src)
	t.count(src.sh, from.DB, from.Key, e != nil)
	if e == nil {
		return false, nil
	}
	t.used(e)
	dst := t.find(to.DB, to.Key)
	if !replace && t.live(dst) != nil {
		return false, nil
	}
	deadline := src.sp.deadlines.at(e)
	taken, err := t.s.reserve(e.growth(&dst, to.Key))
	if err != nil {
		return false, err
	}
	t.vacate(&dst, to.DB)
	dst.e = e.duplicate(to.Key, dst.h)
	t.insert(&dst, to.DB, to.Key)
	if deadline != 0 {
		t.setDeadline(dst, deadline)
	}
	t.changed(dst, to.DB, to.Key, EventGeneric, "copy_to")
	t.s.bytes.Add(-taken)
	return true, nil
}

// growth is by how much the store grows if a copy of the entry takes the place p,
// under the given key.
func (e *entry) growth(p *place, key []byte) int64 {
	size := len(key) + e.length()
	grow := entryBytes + blockBytes(size)
	if o := e.object(); o != nil {
		grow = objectEntryBytes + allocated(size) + o.bytes()
	}
	if p.e != nil {
		grow -= p.e.bytes()
	}
	return grow
}

// duplicate makes an entry with a copy of the value.
func (e *entry) duplicate(key []byte, hash uint32) *entry {
	o := e.object()
	if o != nil {
		o = o.clone()
	}
	return e.under(key, hash, o)
}
