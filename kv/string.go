package kv

// SetCondition says when SET writes.
type SetCondition uint8

// The conditions.
const (
	SetAlways SetCondition = iota
	SetNX                  // only if the key does not exist
	SetXX                  // only if it exists
)

// SetOptions are the options of SET. Deadline and KeepTTL exclude each other.
type SetOptions struct {
	Condition SetCondition
	Get       bool  // return the old value; the key must be a string or absent
	KeepTTL   bool  // the deadline stays; otherwise it goes
	Deadline  int64 // Unix milliseconds, see SetDeadline; 0: none. One that has passed is stored and expires at once
}

// SetResult is what SET found and did.
type SetResult struct {
	Done    bool   // the value was written
	Existed bool   // the key existed before
	Old     []byte // its value, if SetOptions.Get and Existed; valid until End
}

// Get returns the value of a string. ok is false if the key does not exist.
// The slice must not be written to; it is valid until End or the next change of
// the key.
func (t *Tx) Get(db int, key []byte) (value []byte, ok bool, err error) {
	e := t.read(db, key)
	switch {
	case e == nil:
		return nil, false, nil
	case e.kind != TypeString:
		return nil, false, ErrWrongType
	}
	return e.value(), true, nil
}

// Set stores a string, whatever type the key held (with Get: ErrWrongType if it
// held something else). With ErrOOM nothing was changed. Events: new for a new
// key, set, and expire if there is a deadline.
func (t *Tx) Set(db int, key, value []byte, o SetOptions) (SetResult, error) {
	p := t.find(db, key)
	old := t.live(p)
	r := SetResult{Existed: old != nil}
	if old != nil {
		t.used(old)
	}
	if o.Get && old != nil {
		if old.kind != TypeString {
			t.count(p.sh, db, key, true)
			return SetResult{}, ErrWrongType
		}
		r.Old = t.keep(old.value())
	}
	r.Done = o.Condition == SetAlways || (o.Condition == SetXX) == r.Existed
	if r.Done {
		if err := t.prepare(&p, db, len(key)+len(value)); err != nil {
			return SetResult{}, err
		}
	}
	if o.Get {
		t.count(p.sh, db, key, r.Existed)
	}
	if r.Done {
		t.store(p, db, key, value, o)
	}
	return r, nil
}

// store writes a string; the place is prepared.
func (t *Tx) store(p place, db int, key, value []byte, o SetOptions) {
	size := len(key) + len(value)
	copy(t.block(&p, db, key, size, size)[len(key):], value)
	t.stored(p, db, key, o)
}

// stored is the end of store, after the bytes have been written.
func (t *Tx) stored(p place, db int, key []byte, o SetOptions) {
	switch {
	case o.Deadline != 0:
		t.setDeadline(p, o.Deadline)
	case !o.KeepTTL:
		p.sp.deadlines.remove(p.e)
	}
	t.changed(p, db, key, EventString, "set")
	if o.Deadline != 0 {
		t.s.event(db, EventGeneric, "expire", key)
	}
}
