package kv

import "slices"

// SInter visits the members that the sets of all keys have, in no order, until visit
// returns false; a key that does not exist has none. The slices are valid during the
// call. ErrWrongType: a key holds no set, and nothing was called. O(N·M) for N members of
// the smallest of M sets.
func (t *Tx) SInter(db int, keys [][]byte, visit func(member []byte) bool) error {
	sets, err := t.sets(db, keys)
	if err != nil || slices.Contains(sets, nil) {
		return err
	}
	intersect(sets, visit)
	return nil
}

// SUnion visits the members that the set of any key has, each once; see SInter. O(N)
// for N members of all sets.
func (t *Tx) SUnion(db int, keys [][]byte, visit func(member []byte) bool) error {
	sets, err := t.sets(db, keys)
	if err != nil {
		return err
	}
	if sets = existing(sets); len(sets) > 0 {
		unite(sets, t.s.compact.Load(), visit)
	}
	return nil
}

// SDiff visits the members that of the keys' sets only the first has; see SInter. O(N)
// for N members of all sets.
func (t *Tx) SDiff(db int, keys [][]byte, visit func(member []byte) bool) error {
	sets, err := t.sets(db, keys)
	if err != nil || sets[0] == nil {
		return err
	}
	subtract(sets[0], existing(sets[1:]), visit)
	return nil
}

// SInterCard returns how many members all sets have; it counts up to limit, if that is
// not 0. See SInter.
func (t *Tx) SInterCard(db int, keys [][]byte, limit int64) (n int64, err error) {
	err = t.SInter(db, keys, func([]byte) bool {
		n++
		return n != limit
	})
	return n, err
}

// SInterStore stores what SInter visits as the set of a key, whatever that held, and
// returns the number of members; without any the key is deleted. A time to live goes. The
// key may be one of the keys. Errors, with which nothing was changed: ErrWrongType,
// ErrOOM. Events: new for a new key and sinterstore; or del if the key was deleted.
func (t *Tx) SInterStore(db int, key []byte, keys [][]byte) (int, error) {
	return t.storeSet(db, key, keys, t.SInter, "sinterstore")
}

// SUnionStore stores what SUnion visits; see SInterStore. Event: sunionstore.
func (t *Tx) SUnionStore(db int, key []byte, keys [][]byte) (int, error) {
	return t.storeSet(db, key, keys, t.eachOfAll, "sunionstore")
}

// eachOfAll visits the members of each set, so that one of several sets comes several
// times; see SInter. The set that is made of them takes it once.
func (t *Tx) eachOfAll(db int, keys [][]byte, visit func(member []byte) bool) error {
	sets, err := t.sets(db, keys)
	for _, s := range existing(sets) {
		s.each(visit)
	}
	return err
}

// SDiffStore stores what SDiff visits; see SInterStore. Event: sdiffstore.
func (t *Tx) SDiffStore(db int, key []byte, keys [][]byte) (int, error) {
	return t.storeSet(db, key, keys, t.SDiff, "sdiffstore")
}

func (t *Tx) storeSet(db int, key []byte, keys [][]byte,
	visit func(db int, keys [][]byte, visit func(member []byte) bool) error, event string,
) (int, error) {
	s, compact := newMemberSet(), t.s.compact.Load()
	err := visit(db, keys, func(member []byte) bool {
		s.add(member, compact)
		return true
	})
	if err != nil {
		return 0, err
	}
	return t.replaceObject(db, key, s, EventSet, event)
}

// sets returns the sets of keys, nil for a key that does not exist. As in Redis every
// key is looked at before one that does not exist ends anything.
func (t *Tx) sets(db int, keys [][]byte) ([]*memberSet, error) {
	sets := make([]*memberSet, len(keys))
	for i, key := range keys {
		s, ok, err := readObject[*memberSet](t, db, key)
		if err != nil {
			return nil, err
		}
		if ok {
			sets[i] = s
		}
	}
	return sets, nil
}

// existing returns the sets that are not nil.
func existing(sets []*memberSet) []*memberSet {
	return slices.DeleteFunc(sets, func(s *memberSet) bool { return s == nil })
}
