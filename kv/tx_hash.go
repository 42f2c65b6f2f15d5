package kv

// HSet stores values of fields, given as field, value, field, value …, in the hash
// of a key, which is made if it does not exist, and returns how many fields are new.
// Errors, with which nothing was changed: ErrWrongType, ErrOOM. Event: hset.
func (t *Tx) HSet(db int, key []byte, pairs [][]byte) (added int, err error) {
	c, err := open[*hash](t, db, key)
	if err != nil {
		return 0, err
	}
	return c.t.storeFields(&c, pairs, "hset")
}

// HSetNX stores the value of a field that does not exist, in the hash of a key, which
// is made if it does not exist, and says whether it did. Errors, with which nothing was
// changed: ErrWrongType, ErrOOM. Event: hset.
func (t *Tx) HSetNX(db int, key, field, value []byte) (done bool, err error) {
	c, err := open[*hash](t, db, key)
	if err != nil {
		return false, err
	}
	if c.existed {
		if _, ok := c.object.get(field); ok {
			return false, nil
		}
	}
	_, err = t.storeFields(&c, [][]byte{field, value}, "hset")
	return err == nil, err
}

// storeFields ends a change that stores pairs: memory, hash, fields, event.
func (t *Tx) storeFields(c *change[*hash], pairs [][]byte, event string) (added int, err error) {
	compact, h, fixed := t.s.compact.Load(), c.object, int64(0)
	if !c.existed {
		h, fixed = new(hash), hashBytes
	}
	if err := c.reserve(fixed + h.growth(pairs, compact)); err != nil {
		return 0, err
	}
	if !c.existed {
		c.create(h)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if h.set(pairs[i], pairs[i+1], compact) {
			added++
		}
	}
	c.done(EventHash, event)
	return added, nil
}

// HDel deletes fields and returns how many there were. The key goes with its last
// field. ErrWrongType: the key holds no hash. Events: hdel, if there were any, and del
// if the key went.
func (t *Tx) HDel(db int, key []byte, fields [][]byte) (removed int, err error) {
	c, err := open[*hash](t, db, key)
	if !c.existed {
		return 0, err
	}
	for _, field := range fields {
		if c.object.remove(field) {
			removed++
		}
	}
	if removed > 0 {
		c.done(EventHash, "hdel")
	}
	return removed, nil
}

// HGet returns the value of a field; ok is false if the key or the field does not
// exist. The slice is valid until End. ErrWrongType: the key holds no hash.
func (t *Tx) HGet(db int, key, field []byte) (value []byte, ok bool, err error) {
	h, ok, err := readObject[*hash](t, db, key)
	if !ok {
		return nil, false, err
	}
	value, ok = h.get(field)
	return value, ok, nil
}

// HMGet calls begin with the number of fields asked for, and then visit for each of
// them, in their order, with the value, until it returns false; ok is false if the key
// or the field does not exist. The value is valid until End. ErrWrongType: the key holds
// no hash, and nothing was called.
func (t *Tx) HMGet(db int, key []byte, fields [][]byte, begin func(fields int), visit func(value []byte, ok bool) bool) error {
	h, ok, err := readObject[*hash](t, db, key)
	if err != nil {
		return err
	}
	begin(len(fields))
	for _, field := range fields {
		var value []byte
		found := false
		if ok {
			value, found = h.get(field)
		}
		if !visit(value, found) {
			break
		}
	}
	return nil
}

// HLen returns the number of fields, 0 if the key does not exist. ErrWrongType: the
// key holds no hash.
func (t *Tx) HLen(db int, key []byte) (int, error) {
	h, ok, err := readObject[*hash](t, db, key)
	if !ok {
		return 0, err
	}
	return h.len(), nil
}

// HGetAll calls begin with the number of fields, which is 0 if the key does not
// exist, and then visit for each, in no order, until it returns false. The slices are
// valid until End. ErrWrongType: the key holds no hash, and nothing was called.
func (t *Tx) HGetAll(db int, key []byte, begin func(fields int), visit func(field, value []byte) bool) error {
	h, ok, err := readObject[*hash](t, db, key)
	if err != nil {
		return err
	}
	if !ok {
		begin(0)
		return nil
	}
	begin(h.len())
	h.each(visit)
	return nil
}

// HRandField returns any field; ok is false if the key does not exist. The slice is
// valid until End. ErrWrongType: the key holds no hash.
func (t *Tx) HRandField(db int, key []byte) (field []byte, ok bool, err error) {
	h, ok, err := readObject[*hash](t, db, key)
	if !ok {
		return nil, false, err
	}
	return h.random(), true, nil
}

// HRandFields chooses fields at random: up to count different ones, or, if count is
// negative, exactly -count, of which some may be the same; count is not the least
// integer. It calls begin with their number, 0 if the key does not exist, and then
// visit for each until it returns false. The slices are valid until End. ErrWrongType:
// the key holds no hash, and nothing was called.
func (t *Tx) HRandFields(db int, key []byte, count int64, begin func(fields int64), visit func(field, value []byte) bool) error {
	h, ok, err := readObject[*hash](t, db, key)
	switch {
	case err != nil:
		return err
	case !ok:
		begin(0)
	case count < 0:
		begin(-count)
		h.draw(-count, visit)
	case count >= int64(h.len()):
		begin(int64(h.len()))
		h.each(visit)
	default:
		begin(count)
		h.sample(int(count), visit)
	}
	return nil
}
