package kv

// Elements is a hash, set or sorted set that a command goes through step by step.
// It is valid until End.
type Elements interface {
	// Scan visits about count elements and returns the cursor to go on with. Cursor 0
	// begins, and 0 is returned at the end. An element that is there from the first
	// call to the last is visited at least once (perhaps more often), whatever else
	// comes and goes meanwhile. Any cursor is legal. What is kept in the compact form
	// is visited at once, whatever cursor and count say.
	//
	// value is that of a field of a hash, the text of the score of a member of a sorted
	// set, and nil for a set. The slices are valid until End and must not be written to.
	Scan(cursor uint64, count int, visit func(element, value []byte)) uint64
}

// Elements finds what HSCAN, SSCAN and ZSCAN go through; ok is false if the key does
// not exist. It counts as a read. ErrWrongType: the key holds another type.
func (t *Tx) Elements(db int, key []byte, typ Type) (list Elements, ok bool, err error) {
	e := t.read(db, key)
	if e == nil {
		return nil, false, nil
	}
	list, ok = e.object().(Elements)
	if !ok || e.kind != typ {
		return nil, false, ErrWrongType
	}
	return list, true, nil
}
