package kv

// pushEvents and popEvents name what happens at an end.
var (
	pushEvents = map[End]string{Left: "lpush", Right: "rpush"}
	popEvents  = map[End]string{Left: "lpop", Right: "rpop"}
)

// Push adds elements, one after the other, at an end of a key's list (LPUSH, RPUSH)
// and returns its length. The list is made if the key does not exist; with onlyOld
// nothing happens then, and the length is 0 (LPUSHX, RPUSHX). Errors, with which
// nothing was changed: ErrWrongType, ErrOOM. Event: lpush or rpush.
func (t *Tx) Push(db int, key []byte, end End, items [][]byte, onlyOld bool) (int, error) {
	c, err := open[*list](t, db, key)
	if err != nil || onlyOld && !c.existed {
		return 0, err
	}
	compact := t.s.compact.Load()
	if err := c.reserve(c.object.growth(end, items, compact)); err != nil {
		return 0, err
	}
	if !c.existed {
		c.create(new(list))
	}
	for _, item := range items {
		c.object.push(end, item, compact)
	}
	c.done(EventList, pushEvents[end])
	return c.object.len(), nil
}

// Pop removes up to count elements from an end of a key's list and returns them from
// the end inwards; ok is false if the key does not exist. They are the caller's.
// ErrWrongType: nothing was changed. Event, unless count is 0: lpop or rpop.
func (t *Tx) Pop(db int, key []byte, end End, count int64) (items [][]byte, ok bool, err error) {
	c, err := open[*list](t, db, key)
	if err != nil || !c.existed {
		return nil, false, err
	}
	if count <= 0 {
		return nil, true, nil
	}
	items = c.object.take(end, int(min(count, int64(c.object.len()))), t.s.compact.Load())
	c.done(EventList, popEvents[end])
	return items, true, nil
}

// LMove takes an element from one end of a key's list to an end of another's or
// the same one's, which is made if need be, and returns it; ok is false if the first
// key does not exist. The element is the caller's. Errors, with which nothing was
// changed: ErrWrongType, also for the second key if the first one has an element;
// ErrOOM. Events: new, lpush or rpush of the second key, lpop or rpop of the first,
// del.
func (t *Tx) LMove(db int, from []byte, fromEnd End, to []byte, toEnd End) (item []byte, ok bool, err error) {
	src, err := open[*list](t, db, from)
	if err != nil || !src.existed {
		return nil, false, err
	}
	if string(from) == string(to) {
		return t.rotate(&src, fromEnd, toEnd), true, nil
	}
	dst, err := open[*list](t, db, to)
	if err != nil {
		return nil, false, err
	}
	compact := t.s.compact.Load()
	items := [][]byte{src.object.peek(fromEnd)}
	if err := dst.reserve(dst.object.growth(toEnd, items, compact)); err != nil {
		return nil, false, err
	}
	if !dst.existed {
		dst.create(new(list))
	}
	dst.object.push(toEnd, items[0], compact)
	dst.done(EventList, pushEvents[toEnd])
	items = src.object.take(fromEnd, 1, compact)
	src.done(EventList, popEvents[fromEnd])
	return items[0], true, nil
}

// rotate is LMove from a list to itself, which takes no memory: the element that is
// taken makes room.
func (t *Tx) rotate(c *change[*list], from, to End) []byte {
	compact := t.s.compact.Load()
	items := c.object.take(from, 1, compact)
	c.object.push(to, items[0], compact)
	c.done(EventList, pushEvents[to])
	t.s.event(c.db, EventList, popEvents[from], c.key)
	return items[0]
}

// LSet replaces an element. Errors, with which nothing was changed: ErrNoKey,
// ErrIndex, ErrWrongType, ErrOOM. Event: lset.
func (t *Tx) LSet(db int, key []byte, index int64, item []byte) error {
	c, err := open[*list](t, db, key)
	switch {
	case err != nil:
		return err
	case !c.existed:
		return ErrNoKey
	}
	i, ok := c.object.index(index)
	if !ok {
		return ErrIndex
	}
	e, compact := c.object.find(i), t.s.compact.Load()
	if err := c.reserve(c.object.insertGrowth(e.node, item, compact)); err != nil {
		return err
	}
	c.object.put(e.node, e.at, item, compact)
	c.done(EventList, "lset")
	return nil
}

// LInsert puts an element before the first one that is equal to pivot, or with after
// behind it, and returns the length of the list: 0 if the key does not exist, -1 if
// there is no such element. Errors, with which nothing was changed: ErrWrongType,
// ErrOOM. Event: linsert.
func (t *Tx) LInsert(db int, key, pivot, item []byte, after bool) (int, error) {
	c, err := open[*list](t, db, key)
	if err != nil || !c.existed {
		return 0, err
	}
	e, ok := c.object.search(pivot)
	if !ok {
		return -1, nil
	}
	compact := t.s.compact.Load()
	if err := c.reserve(c.object.insertGrowth(e.node, item, compact)); err != nil {
		return 0, err
	}
	if after {
		_, e.at = c.object.nodes.at(e.node).at(e.at)
	}
	c.object.insert(e.node, e.at, item, compact)
	c.done(EventList, "linsert")
	return c.object.len(), nil
}

// LRem removes elements that are equal to item and returns how many: the first count
// ones, with a negative count the last ones, with 0 all. ErrWrongType: nothing was
// changed. Event, if any were removed: lrem.
func (t *Tx) LRem(db int, key []byte, count int64, item []byte) (int, error) {
	c, err := open[*list](t, db, key)
	if err != nil || !c.existed {
		return 0, err
	}
	l, skip, n := c.object, 0, c.object.len()
	switch {
	case count > 0:
		n = int(min(count, int64(n)))
	case count < 0:
		skip = l.occurrences(item)
		n = int(min(uint64(-count), uint64(skip))) // #nosec G115 -- -count of the least number is right as unsigned
		skip -= n
	}
	removed := 0
	if n > 0 {
		removed = l.remove(item, skip, n, t.s.compact.Load())
	}
	if removed > 0 {
		c.done(EventList, "lrem")
	}
	return removed, nil
}

// LTrim keeps the elements from one index to another, both included. A key that does
// not exist is left alone. ErrWrongType: nothing was changed. Event: ltrim.
func (t *Tx) LTrim(db int, key []byte, start, stop int64) error {
	c, err := open[*list](t, db, key)
	if err != nil || !c.existed {
		return err
	}
	compact, n := t.s.compact.Load(), c.object.len()
	from, to := bounds(start, stop, n)
	c.object.drop(Right, n-to, compact)
	c.object.drop(Left, min(from, c.object.len()), compact)
	c.done(EventList, "ltrim")
	return nil
}
