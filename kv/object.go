package kv

import "unsafe"

// object is the value of a key that is not a string: a hash, list, set or sorted
// set. Its shard is locked.
type object interface {
	kind() Type
	// encoding is Redis' name for the representation that is in use.
	encoding() string
	// len is the number of elements. A key whose object has none is deleted.
	len() int
	// bytes is what it takes in the allocator, itself included. It is kept up to
	// date and looks at nothing.
	bytes() int64
	// clone returns a copy; no change of one shows in the other.
	clone() object
	// export writes the elements, and calls x.element before each.
	export(x *exports)
	// load adds what export has written into one record. ErrRecord: it is none of the
	// type's, or has an element that is there already; the object is undefined then.
	load(data []byte, c *Compact) error
}

// objectEntry is the entry of a key with an object. Strings are many and small:
// they do without the field.
type objectEntry struct {
	entry
	value object
}

// object returns the value of a key that is not a string, else nil.
func (e *entry) object() object {
	if e.kind == TypeString {
		return nil
	}
	// Only create makes entries of other types, and it makes objectEntries.
	return (*objectEntry)(unsafe.Pointer(e)).value // #nosec G103 -- e is the first field of what was allocated
}

func newObjectEntry(key []byte, hash uint32, o object) *entry {
	x := &objectEntry{entry: entry{
		hash: hash, block: joined(key, nil), kind: o.kind(),
		size: uint32(len(key)), // #nosec G115 -- requests are limited to 64 MiB
	}, value: o}
	return &x.entry
}

// read finds the object that a command is about to read; ok is false if the key
// does not exist. It counts as a read.
func readObject[O object](t *Tx, db int, key []byte) (o O, ok bool, err error) {
	e := t.read(db, key)
	if e == nil {
		return o, false, nil
	}
	if o, ok = e.object().(O); !ok {
		return o, false, ErrWrongType
	}
	return o, true, nil
}

// change is a command's write to one object: open, reserve, create if need be,
// the changes themselves, and done.
type change[O object] struct {
	t       *Tx
	p       place
	db      int
	key     []byte
	object  O     // meaningful if existed, or after create
	existed bool  // the key was there, with an object of the type
	before  int64 // bytes of the object that the account has
	taken   int64 // by reserve
}

// open finds the object that a command is about to change. It does not count as a
// read, as in Redis.
func open[O object](t *Tx, db int, key []byte) (c change[O], err error) {
	c = change[O]{t: t, p: t.find(db, key), db: db, key: key}
	e := t.live(c.p)
	if e == nil {
		return c, nil
	}
	if c.object, c.existed = e.object().(O); !c.existed {
		return c, ErrWrongType
	}
	t.used(e)
	c.before = c.object.bytes()
	return c, nil
}

// reserve takes memory for a change that lets the store grow by at most n bytes.
// Nothing that is refused with ErrOOM has changed anything. done settles what it
// really was; where a change ends without done, release does.
func (c *change[O]) reserve(n int64) (err error) {
	if !c.existed {
		n += objectEntryBytes + allocated(len(c.key)) + pointerBytes
	}
	c.taken, err = c.t.s.reserve(n)
	return err
}

// release gives back what reserve took.
func (c *change[O]) release() {
	c.t.s.bytes.Add(-c.taken)
	c.taken = 0
}

// create stores an object under a key that has none. Event: new.
func (c *change[O]) create(o O) {
	c.t.ready(&c.p, c.db)
	c.object = o
	c.p.e = newObjectEntry(c.key, c.p.h, o)
	c.before = o.bytes()
	c.t.insert(&c.p, c.db, c.key)
}

// done ends a change: account, watchers, event. An object that has become empty
// takes its key along, with the event del behind that of the command.
func (c *change[O]) done(class EventClass, event string) {
	c.p.sp.entries += c.object.bytes() - c.before
	c.before = c.object.bytes()
	c.t.s.settle(c.p.sp)
	c.release()
	empty := c.object.len() == 0
	if empty {
		c.p.sp.remove(c.p.e)
		c.t.s.settle(c.p.sp)
	}
	c.p.sh.touched(c.db, c.key, !empty)
	c.t.s.event(c.db, class, event, c.key)
	if empty {
		c.t.s.event(c.db, EventGeneric, "del", c.key)
	}
}

// replaceObject stores an object under a key whatever it held, or deletes the key
// if the object is empty, as the commands do that end in STORE; a time to live goes.
// It returns the number of elements. With ErrOOM nothing was changed. Events: new
// for a new key and the given one; del where a key was deleted.
func (t *Tx) replaceObject(db int, key []byte, o object, class EventClass, event string) (int, error) {
	if o.len() == 0 {
		t.Delete(db, key)
		return 0, nil
	}
	taken, err := t.s.reserve(objectEntryBytes + allocated(len(key)) + pointerBytes + o.bytes())
	if err != nil {
		return 0, err
	}
	p := t.find(db, key)
	old := t.live(p)
	t.vacate(&p, db)
	p.e = newObjectEntry(key, p.h, o)
	if old != nil { // how often a key is used is not forgotten with its value
		p.e.clock = old.clock
		p.sp.insert(p.e)
		t.used(p.e)
	} else {
		t.insert(&p, db, key)
	}
	t.changed(p, db, key, class, event)
	t.s.bytes.Add(-taken)
	return o.len(), nil
}
