package kv

// Append puts tail behind the string of a key, which is made if it does not
// exist, and returns the length; a time to live stays. Errors, with which nothing was
// changed: ErrWrongType, ErrStringTooLong, ErrOOM. Event: append.
func (t *Tx) Append(db int, key, tail []byte) (int, error) {
	p, e, err := t.findString(db, key)
	if err != nil {
		return 0, err
	}
	length := e.length()
	if e != nil && length+len(tail) > t.s.cfg.MaxString {
		return 0, ErrStringTooLong
	}
	return t.extend(p, db, key, length, tail, "append")
}

// SetRange writes part over the string of a key from offset on, which is not
// negative, and returns the length. A string that is shorter is filled up with
// zero bytes; a key that does not exist is made; a time to live stays. An empty part changes nothing.
// Errors, with which nothing was changed: ErrWrongType, ErrStringTooLong,
// ErrOOM. Event: setrange.
func (t *Tx) SetRange(db int, key []byte, offset int64, part []byte) (int, error) {
	p, e, err := t.findString(db, key)
	if err != nil {
		return 0, err
	}
	length := e.length()
	switch most := int64(t.s.cfg.MaxString); {
	case len(part) == 0:
		return length, nil
	case offset > most || offset+int64(len(part)) > most:
		return 0, ErrStringTooLong
	case int(offset) >= length:
		return t.extend(p, db, key, int(offset), part, "setrange")
	}
	return t.overwrite(p, db, key, int(offset), part)
}

// length is that of the string of an entry that may be nil.
func (e *entry) length() int {
	if e == nil {
		return 0
	}
	return len(e.block) - int(e.size)
}

// extend puts part at an offset at or behind the end of the string. Where the
// block has the room, it is written to there.
func (t *Tx) extend(p place, db int, key []byte, offset int, part []byte, event string) (int, error) {
	size := len(key) + offset + len(part)
	old := t.live(p)
	if old != nil && size <= cap(old.block) {
		block := old.block[:size]
		copy(block[len(key)+offset:], part)
		t.assign(&p, db, key, block)
		t.changed(p, db, key, EventString, event)
		return offset + len(part), nil
	}
	room := size
	if old != nil {
		room = spacious(size)
	}
	err := t.prepare(&p, db, room)
	if err != nil && room > size { // the spare bytes may be what is too much
		room = size
		err = t.prepare(&p, db, room)
	}
	if err != nil {
		return 0, err
	}
	block := make([]byte, size, room)
	if p.e != nil {
		copy(block, p.e.block)
	} else {
		copy(block, key)
	}
	copy(block[len(key)+offset:], part)
	t.assign(&p, db, key, block)
	t.changed(p, db, key, EventString, event)
	return offset + len(part), nil
}

// spacious returns how large a block to make for a string that grows: so much
// larger that appending n bytes one by one copies a multiple of n only.
func spacious(size int) int {
	const doubled = 1 << 20
	if size < doubled {
		return int(allocated(2 * size))
	}
	return int(allocated(size + size/4))
}

// overwrite replaces a part of an existing string, in a new block.
func (t *Tx) overwrite(p place, db int, key []byte, offset int, part []byte) (int, error) {
	size := max(len(p.e.block), len(key)+offset+len(part))
	if err := t.prepare(&p, db, size); err != nil {
		return 0, err
	}
	block := make([]byte, size)
	copy(block, p.e.block)
	copy(block[len(key)+offset:], part)
	t.assign(&p, db, key, block)
	t.changed(p, db, key, EventString, "setrange")
	return size - len(key), nil
}
