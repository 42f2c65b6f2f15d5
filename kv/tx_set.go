package kv

// SAdd puts members into the set of a key, which is made if it does not exist, and
// returns how many are new. Errors, with which nothing was changed: ErrWrongType,
// ErrOOM. Event: sadd, if any member is new.
func (t *Tx) SAdd(db int, key []byte, members [][]byte) (added int, err error) {
	c, err := open[*memberSet](t, db, key)
	if err != nil {
		return 0, err
	}
	compact, s, fixed := t.s.compact.Load(), c.object, int64(0)
	if !c.existed {
		s = newMemberSet()
		fixed = s.bytes()
	}
	if err := c.reserve(fixed + s.growth(members, compact)); err != nil {
		return 0, err
	}
	if !c.existed {
		c.create(s)
	}
	for _, m := range members {
		if s.add(m, compact) {
			added++
		}
	}
	if added == 0 {
		c.release()
		return 0, nil
	}
	c.done(EventSet, "sadd")
	return added, nil
}

// SRem takes members away and returns how many there were. The key goes with its last
// member. ErrWrongType: the key holds no set. Events: srem, if there were any, and del
// if the key went.
func (t *Tx) SRem(db int, key []byte, members [][]byte) (removed int, err error) {
	c, err := open[*memberSet](t, db, key)
	if !c.existed {
		return 0, err
	}
	for _, m := range members {
		if c.object.remove(m) {
			removed++
		}
	}
	if removed > 0 {
		c.done(EventSet, "srem")
	}
	return removed, nil
}

// SMove takes a member from one set to another of the same database, which is made if
// its key does not exist, and says whether it was there. It is never refused for
// memory. ErrWrongType: one of the keys holds no set, and nothing was changed; the second one is
// looked at only if the first exists. Events: srem, del if the first key went, new for
// a new key, and sadd if the other set did not have the member.
func (t *Tx) SMove(db int, from, to, member []byte) (bool, error) {
	src, err := open[*memberSet](t, db, from)
	if !src.existed {
		return false, err
	}
	dst, err := open[*memberSet](t, db, to)
	switch {
	case err != nil:
		return false, err
	case src.object == dst.object:
		return src.object.has(member), nil
	case !src.object.remove(member):
		return false, nil
	}
	src.done(EventSet, "srem")
	if !dst.existed {
		dst.create(newMemberSet())
	}
	if dst.object.add(member, t.s.compact.Load()) {
		dst.done(EventSet, "sadd")
	}
	return true, nil
}

// SIsMember says whether a set has a member; one whose key does not exist has none.
// ErrWrongType: the key holds no set.
func (t *Tx) SIsMember(db int, key, member []byte) (bool, error) {
	s, ok, err := readObject[*memberSet](t, db, key)
	return ok && s.has(member), err
}

// SMIsMember calls begin with the number of members asked for, and then visit for each
// of them, in their order, with whether the set has it. ErrWrongType: the key holds no
// set, and nothing was called.
func (t *Tx) SMIsMember(db int, key []byte, members [][]byte, begin func(members int), visit func(is bool)) error {
	s, ok, err := readObject[*memberSet](t, db, key)
	if err != nil {
		return err
	}
	begin(len(members))
	for _, m := range members {
		visit(ok && s.has(m))
	}
	return nil
}

// SCard returns the number of members, 0 if the key does not exist. ErrWrongType: the
// key holds no set.
func (t *Tx) SCard(db int, key []byte) (int, error) {
	s, ok, err := readObject[*memberSet](t, db, key)
	if !ok {
		return 0, err
	}
	return s.len(), nil
}

// SMembers calls begin with the number of members, which is 0 if the key does not
// exist, and then visit for each, in no order, until it returns false. The slices are
// valid during the call. ErrWrongType: the key holds no set, and nothing was called.
func (t *Tx) SMembers(db int, key []byte, begin func(members int), visit func(member []byte) bool) error {
	s, ok, err := readObject[*memberSet](t, db, key)
	if err != nil {
		return err
	}
	if !ok {
		begin(0)
		return nil
	}
	begin(s.len())
	s.each(visit)
	return nil
}
