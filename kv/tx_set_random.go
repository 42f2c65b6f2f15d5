package kv

import "slices"

// SPop takes any member away and returns it, a copy; ok is false if the key does not
// exist. The key goes with its last member. ErrWrongType: the key holds no set. Events:
// spop, and del if the key went.
func (t *Tx) SPop(db int, key []byte) (member []byte, ok bool, err error) {
	c, err := open[*memberSet](t, db, key)
	if !c.existed {
		return nil, false, err
	}
	member = slices.Clone(c.object.random())
	c.object.remove(member)
	c.done(EventSet, "spop")
	return member, true, nil
}

// SPopCount takes up to count members away, count not being negative. It calls begin
// with their number, 0 if the key does not exist, and then visit for each; the slice is
// valid during the call. The key goes with its last member. ErrWrongType: the key holds
// no set, and nothing was called. To take all counts as a read. Events: spop, if count is
// not 0, and del if the key went.
func (t *Tx) SPopCount(db int, key []byte, count int64, begin func(members int), visit func(member []byte)) error {
	c, err := open[*memberSet](t, db, key)
	switch {
	case err != nil:
		return err
	case !c.existed, count == 0:
		begin(0)
		return nil
	}
	if size := c.object.len(); count >= int64(size) {
		t.count(c.p.sh, db, key, true) // as in Redis, which does SUNION then
		begin(size)
		c.object.each(func(member []byte) bool {
			visit(member)
			return true
		})
		*c.object = *newMemberSet()
	} else {
		begin(int(count))
		c.object.take(int(count), visit)
	}
	c.done(EventSet, "spop")
	return nil
}

// SRandMember returns any member; ok is false if the key does not exist. The slice is
// valid until End. ErrWrongType: the key holds no set.
func (t *Tx) SRandMember(db int, key []byte) (member []byte, ok bool, err error) {
	s, ok, err := readObject[*memberSet](t, db, key)
	if !ok {
		return nil, false, err
	}
	return s.random(), true, nil
}

// SRandMembers chooses members at random: up to count different ones, or, if count is
// negative, exactly -count, of which some may be the same; count is not the least
// integer. It calls begin with their number, 0 if the key does not exist, and then
// visit for each until it returns false; the slice is valid during the call.
// ErrWrongType: the key holds no set, and nothing was called.
func (t *Tx) SRandMembers(db int, key []byte, count int64, begin func(members int64), visit func(member []byte) bool) error {
	s, ok, err := readObject[*memberSet](t, db, key)
	switch {
	case err != nil:
		return err
	case !ok:
		begin(0)
	case count < 0:
		begin(-count)
		s.draw(-count, visit)
	case count >= int64(s.len()):
		begin(int64(s.len()))
		s.each(visit)
	default:
		begin(count)
		s.sample(int(count), visit)
	}
	return nil
}
