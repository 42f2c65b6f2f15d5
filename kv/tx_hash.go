package kv

// HSet stores values of fields, given as field, value, field, value …, in the hash
// of a key, which is made if it does not exist, and returns how many fields are new.
// Errors, with which nothing was changed: ErrWrongType, ErrOOM. Event: hset.
func (t *Tx) HSet(db int, key []byte, pairs [][]byte) (added int, err error) {
	c, err := open[*hash](t, db, key)
	if err != nil {
		return 0, err
	}
	if err := c.reserve(pairsGrowth(pairs)); err != nil {
		return 0, err
	}
	if !c.existed {
		c.create(new(hash))
	}
	compact := t.s.compact.Load()
	for i := 0; i+1 < len(pairs); i += 2 {
		if c.object.set(pairs[i], pairs[i+1], compact) {
			added++
		}
	}
	c.done(EventHash, "hset")
	return added, nil
}

// pairsGrowth is by how much pairs let a collection grow at most.
func pairsGrowth(pairs [][]byte) (n int64) {
	for i := 0; i+1 < len(pairs); i += 2 {
		n += entryBytes + 2*pointerBytes + allocated(len(pairs[i])+len(pairs[i+1]))
	}
	return n
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
