package kv

// Every command that stores a string goes the same way: find the place, prepare
// it (the last step that can fail), assign the new block, say that it changed.

// findString finds the string that a command is about to change; e is nil if
// the key does not exist. It does not count as a read, as in Redis.
func (t *Tx) findString(db int, key []byte) (p place, e *entry, err error) {
	p = t.find(db, key)
	if e = t.live(p); e != nil && e.kind != TypeString {
		return p, nil, ErrWrongType
	}
	if e != nil {
		t.used(e)
	}
	return p, e, nil
}

// growth is by how much a block of the given size under p makes the store grow.
func (p *place) growth(size int) int64 {
	if p.e == nil {
		return entryBytes + allocated(size)
	}
	return entryBytes + allocated(size) - p.e.bytes()
}

// prepare takes the memory for a block of the given size under p and deletes
// what has expired there. After it the write cannot fail, and p.e is nil or live.
func (t *Tx) prepare(p *place, db, size int) error {
	taken, err := t.s.reserve(p.growth(size))
	if err != nil {
		return err
	}
	t.ready(p, db)
	p.sp.settled += taken
	return nil
}

// ready makes the space of p and deletes what has expired there.
func (t *Tx) ready(p *place, db int) {
	if p.sp == nil {
		p.sp = p.sh.space(db)
	}
	if p.e != nil && t.expired(*p) {
		t.replaceExpired(p, db)
	}
}

// assign gives the key a string's block, and an entry if it has none. Event:
// new for a new key.
func (t *Tx) assign(p *place, db int, key, block []byte) {
	switch {
	case p.e == nil:
		p.e = newStringEntry(p.h, len(key), block)
		t.insert(p, db, key)
	case p.e.kind != TypeString:
		e := newStringEntry(p.h, len(key), block)
		e.clock = p.e.clock
		p.sp.replace(p.e, e)
		p.e = e
	default:
		p.sp.entries -= p.e.bytes()
		p.e.block = block
		p.sp.entries += p.e.bytes()
		p.sp.keys.step()
	}
}

// newStringEntry makes the entry of a string under a key of the given size.
func newStringEntry(hash uint32, size int, block []byte) *entry {
	return &entry{
		hash: hash, block: block, kind: TypeString,
		size: uint32(size), //nolint:gosec // requests are limited to 64 MiB
	}
}

// insert puts p.e, the entry of a key that does not exist, into its space. Event:
// new.
func (t *Tx) insert(p *place, db int, key []byte) {
	p.e.stamp(t.s.seconds.Load())
	p.sp.insert(p.e)
	t.s.event(db, EventNew, "new", key)
}

// changed ends every write: account, watchers, event.
func (t *Tx) changed(p place, db int, key []byte, class EventClass, event string) {
	t.s.settle(p.sp)
	p.sh.touched(db, key, true)
	t.s.event(db, class, event, key)
}

// rewrite replaces a string and leaves its deadline alone.
func (t *Tx) rewrite(p place, db int, key, value []byte, event string) error {
	if err := t.prepare(&p, db, len(key)+len(value)); err != nil {
		return err
	}
	t.assign(&p, db, key, joined(key, value))
	t.changed(p, db, key, EventString, event)
	return nil
}
