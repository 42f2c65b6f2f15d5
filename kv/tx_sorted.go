package kv

import "math"

// ZAddFlags are the conditions under which ZAdd and ZIncrBy change a score. Which
// of them exclude each other is for the caller to check.
type ZAddFlags uint8

// The conditions.
const (
	ZAddNX ZAddFlags = 1 << iota // only members that are not there
	ZAddXX                       // only members that are there
	ZAddGT                       // of those that are there only to a higher score
	ZAddLT                       // only to a lower one
)

// allow says whether a member may change from one score to another.
func (f ZAddFlags) allow(from, to float64) bool {
	return f&ZAddNX == 0 && (f&ZAddGT == 0 || to > from) && (f&ZAddLT == 0 || to < from)
}

// ZAdd gives members scores in the sorted set of a key, which is made if it does not
// exist, and returns how many members are new and of how many the score has
// changed. The list is not empty. Errors, with which nothing was changed:
// ErrWrongType, ErrOOM. Event, if anything has changed: zadd.
func (t *Tx) ZAdd(db int, key []byte, list []Scored, flags ZAddFlags) (added, updated int, err error) {
	c, err := t.openSorted(db, key, list, flags)
	if err != nil || c.object == nil {
		return 0, 0, err
	}
	compact := t.s.compact.Load()
	for _, m := range list {
		score, ok := c.object.score(m.Member)
		switch {
		case !ok && flags&ZAddXX == 0:
			c.object.set(m.Member, m.Score, compact)
			added++
		case ok && score != m.Score && flags.allow(score, m.Score):
			c.object.set(m.Member, m.Score, compact)
			updated++
		}
	}
	if added+updated == 0 {
		c.release()
		return 0, 0, nil
	}
	c.done(EventSorted, "zadd")
	return added, updated, nil
}

// openSorted opens, and makes if need be, the sorted set to which members are about
// to be added. Its object is nil if it does not exist and flags forbid to make it.
func (t *Tx) openSorted(db int, key []byte, list []Scored, flags ZAddFlags) (change[*sorted], error) {
	c, err := open[*sorted](t, db, key)
	if err != nil || !c.existed && flags&ZAddXX != 0 {
		return c, err
	}
	if err := c.reserve(c.object.growth(list)); err != nil {
		return c, err
	}
	if !c.existed {
		c.create(new(sorted))
	}
	return c, nil
}

// growth is by how much members let a sorted set grow at most, which may be nil.
func (z *sorted) growth(list []Scored) int64 {
	const node, segment = rankNodeBytes + 1<<10, segmentSize * pointerBytes // of ranking and table, which grow at times
	n := sortedBytes + node + segment
	for _, m := range list {
		n += elementGrowth(len(m.Member))
	}
	if z == nil || z.dict != nil {
		return n
	}
	// The packed form may turn into the other one.
	return n + int64(z.len())*elementGrowth(0) + int64(len(z.packed.data))
}

// elementGrowth is what a member of the given size takes in a dict and a ranking.
func elementGrowth(size int) int64 {
	return entryBytes + 2*pointerBytes + allocated(size+scoreSize) + 2*rankedBytes
}

// ZIncrBy adds to the score of a member, which is 0 if the member is not there, and
// returns the new one; done is false if flags did not allow that. The sorted set is made if
// it does not exist. Errors, with which nothing was changed: ErrWrongType, ErrNaN,
// ErrOOM. Event: zincr, if the score has changed.
func (t *Tx) ZIncrBy(db int, key, member []byte, by float64, flags ZAddFlags) (score float64, done bool, err error) {
	c, err := open[*sorted](t, db, key)
	if err != nil || !c.existed && flags&ZAddXX != 0 {
		return 0, false, err
	}
	var old float64
	var there bool
	if c.existed {
		old, there = c.object.score(member)
	}
	score = by
	if there {
		score += old
	}
	switch {
	case there && flags&ZAddNX != 0 || !there && flags&ZAddXX != 0:
		return 0, false, nil
	case math.IsNaN(score):
		return 0, false, ErrNaN
	case there && !flags.allow(old, score):
		return 0, false, nil
	case there && score == old:
		return score, true, nil
	}
	if err := c.reserve(c.object.growth([]Scored{{member, score}})); err != nil {
		return 0, false, err
	}
	if !c.existed {
		c.create(new(sorted))
	}
	c.object.set(member, score, t.s.compact.Load())
	c.done(EventSorted, "zincr")
	return score, true, nil
}

// ZRem takes members out of a sorted set and returns how many were there.
// ErrWrongType: the key holds no sorted set. Events: zrem, del.
func (t *Tx) ZRem(db int, key []byte, members [][]byte) (removed int, err error) {
	c, err := open[*sorted](t, db, key)
	if !c.existed {
		return 0, err
	}
	for _, member := range members {
		if c.object.remove(member) {
			removed++
		}
	}
	if removed > 0 {
		c.done(EventSorted, "zrem")
	}
	return removed, nil
}

// ZCard returns the number of members, 0 if the key does not exist. ErrWrongType:
// the key holds no sorted set.
func (t *Tx) ZCard(db int, key []byte) (int, error) {
	z, ok, err := readObject[*sorted](t, db, key)
	if !ok {
		return 0, err
	}
	return z.len(), nil
}

// ZScore returns the score of a member; ok is false if the key or the member does
// not exist. ErrWrongType: the key holds no sorted set.
func (t *Tx) ZScore(db int, key, member []byte) (score float64, ok bool, err error) {
	z, ok, err := readObject[*sorted](t, db, key)
	if !ok {
		return 0, false, err
	}
	score, ok = z.score(member)
	return score, ok, nil
}

// ZMScore calls visit for each of the members, with the score; there is false if
// the key or the member does not exist. ErrWrongType, before any call: the key holds
// no sorted set.
func (t *Tx) ZMScore(db int, key []byte, members [][]byte, visit func(score float64, there bool)) error {
	z, ok, err := readObject[*sorted](t, db, key)
	if err != nil {
		return err
	}
	for _, member := range members {
		var score float64
		var there bool
		if ok {
			score, there = z.score(member)
		}
		visit(score, there)
	}
	return nil
}

// ZRank returns the rank of a member, counted from 0 and from the lowest score, or
// from the highest in reverse, and its score; ok is false if the key or the member
// does not exist. ErrWrongType: the key holds no sorted set.
func (t *Tx) ZRank(db int, key, member []byte, reverse bool) (rank int, score float64, ok bool, err error) {
	z, ok, err := readObject[*sorted](t, db, key)
	if !ok {
		return 0, 0, false, err
	}
	rank, score, ok = z.rank(member)
	if reverse {
		rank = z.len() - 1 - rank
	}
	return rank, score, ok, nil
}
