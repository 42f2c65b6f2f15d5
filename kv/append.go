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
	}
	return t.extend(p, db, key, int(offset), part, "setrange")
}

// length is that of the string of an entry that may be nil.
func (e *entry) length() int {
	if e == nil {
		return 0
	}
	return len(e.block) - int(e.size)
}

// extend writes part over the string at an offset. Where that makes the string
// longer, the block gets spare bytes: so many that appending n bytes one by one
// copies a multiple of n only.
func (t *Tx) extend(p place, db int, key []byte, offset int, part []byte, event string) (int, error) {
	size, length := len(key)+offset+len(part), 0
	room := size
	if old := t.live(p); old != nil {
		length = old.length()
		size = max(size, len(old.block))
		if room = cap(old.block); size > room {
			room = spacious(size)
		}
	}
	err := t.prepare(&p, db, room)
	if err != nil && room > size { // the spare bytes may be what is too much
		room = size
		err = t.prepare(&p, db, room)
	}
	if err != nil {
		return 0, err
	}
	value := t.block(&p, db, key, size, room)[len(key):]
	if offset > length {
		clear(value[length:offset])
	}
	copy(value[offset:], part)
	t.changed(p, db, key, EventString, event)
	return len(value), nil
}

// spacious returns how large a block to make for a string that grows.
func spacious(size int) int {
	const doubled = 1 << 20
	if size < doubled {
		return int(allocated(2 * size))
	}
	return int(allocated(size + size/4))
}
