package kv

// Exists says whether a key exists.
func (t *Tx) Exists(db int, key []byte) bool { return t.look(db, key) != nil }

// Type returns the type of a key's value, TypeNone if it does not exist.
func (t *Tx) Type(db int, key []byte) Type {
	if e := t.look(db, key); e != nil {
		return e.kind
	}
	return TypeNone
}

// Delete removes a key and says whether it existed. Event: del.
func (t *Tx) Delete(db int, key []byte) bool {
	p := t.find(db, key)
	if t.live(p) == nil {
		return false
	}
	t.remove(p, db, key)
	return true
}

// remove deletes p.e, which exists, and reports it.
func (t *Tx) remove(p place, db int, key []byte) {
	p.sp.remove(p.e)
	t.s.settle(p.sp)
	p.sh.touched(db, key, false)
	t.s.event(db, EventGeneric, "del", key)
}

// remove takes an entry out of table, heap and account.
func (sp *space) remove(e *entry) {
	sp.keys.remove(e)
	sp.deadlines.remove(e)
	sp.entries -= e.bytes()
}

// insert puts an entry whose key is not there into table and account.
func (sp *space) insert(e *entry) {
	sp.keys.insert(e)
	sp.entries += e.bytes()
}

// replace puts another entry of the same key in the place of one that is there,
// deadline included.
func (sp *space) replace(old, e *entry) {
	sp.keys.replace(old, e)
	sp.deadlines.replace(old, e)
	sp.entries += e.bytes() - old.bytes()
}

// Size returns the number of keys of a database, those included whose deadline
// has passed and which are not deleted yet (DBSIZE). It needs BeginAll.
func (t *Tx) Size(db int) int {
	t.all()
	n := 0
	for i := range t.s.shards {
		if sp := t.s.shards[i].spaces[db]; sp != nil {
			n += sp.keys.count
		}
	}
	return n
}

// Flush deletes all keys of a database (FLUSHDB). It needs BeginAll. There are
// no events. The memory is left to the garbage collector, so it takes a moment
// however many keys there are.
func (t *Tx) Flush(db int) {
	t.all()
	for i := range t.s.shards {
		sh := &t.s.shards[i]
		if sp := sh.spaces[db]; sp != nil {
			sh.touchedAll(db)
			t.s.bytes.Add(-sp.settled)
			sh.spaces[db] = nil
		}
	}
}

// FlushAll deletes all keys of all databases (FLUSHALL), as Flush does.
func (t *Tx) FlushAll() {
	for db := range t.s.cfg.Databases {
		t.Flush(db)
	}
}
