package kv

// Every command that stores a string goes the same way: find the place, prepare
// it (the last step that can fail), write into its block, say that it changed.

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
		return entryBytes + blockBytes(size)
	}
	return entryBytes + blockBytes(size) - p.e.bytes()
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

// block gives the key a string's block of a length and at least that capacity, and
// an entry if it has none. The key is in it, and as much of an old string as has
// room; what is behind that is undefined. The place is prepared for the capacity.
// Event: new for a new key.
func (t *Tx) block(p *place, db int, key []byte, size, capacity int) []byte {
	switch {
	case p.e == nil:
		p.e = newStringEntry(p.h, len(key), size, capacity)
		copy(p.e.block, key)
		t.insert(p, db, key)
	case p.e.fits(size, capacity):
		p.e.block = p.e.block[:size]
		p.sp.keys.step()
	default:
		e := newStringEntry(p.h, len(key), size, capacity)
		copy(e.block, p.e.block)
		e.clock = p.e.clock
		p.sp.replace(p.e, e)
		p.e = e
	}
	return p.e.block
}

// insert puts p.e, the entry of a key that does not exist, into its space. Event:
// new.
func (t *Tx) insert(p *place, db int, key []byte) {
	t.s.born(p.e)
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
	size := len(key) + len(value)
	if err := t.prepare(&p, db, size); err != nil {
		return err
	}
	copy(t.block(&p, db, key, size, size)[len(key):], value)
	t.changed(p, db, key, EventString, event)
	return nil
}
