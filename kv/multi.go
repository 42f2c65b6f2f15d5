package kv

// MSet stores strings, given as key, value, key, value …, all or, with ErrOOM,
// none; of a key that comes twice the last value counts. Times to live go.
// Events per pair: new for a new key, set.
func (t *Tx) MSet(db int, pairs [][]byte) error {
	// What the whole takes is reserved before the first write and given back when each write has
	// been accounted for, so for that moment other writers see too much, never too little.
	taken, err := t.s.reserve(t.growth(db, pairs))
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		p := t.find(db, pairs[i])
		t.ready(&p, db)
		if p.e != nil {
			t.used(p.e)
		}
		t.store(p, db, pairs[i], pairs[i+1], SetOptions{})
	}
	t.s.bytes.Add(-taken)
	return nil
}

// growth is by how much the store grows if all pairs are stored (a little less,
// if a key comes twice).
func (t *Tx) growth(db int, pairs [][]byte) int64 {
	grow := int64(0)
	for i := 0; i+1 < len(pairs); i += 2 {
		p := t.find(db, pairs[i])
		grow += p.growth(len(pairs[i]) + len(pairs[i+1]))
	}
	return grow
}

// MSetNX does what MSet does, if none of the keys exists, and says whether it did.
func (t *Tx) MSetNX(db int, pairs [][]byte) (bool, error) {
	for i := 0; i < len(pairs); i += 2 {
		if t.live(t.find(db, pairs[i])) != nil {
			return false, nil
		}
	}
	if err := t.MSet(db, pairs); err != nil {
		return false, err
	}
	return true, nil
}
