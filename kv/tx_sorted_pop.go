package kv

import (
	"iter"
	"math/rand/v2"
	"slices"
)

// ZPop takes the members with the lowest scores, or the highest, out of a sorted
// set, at most count of them, and returns them from the outermost inwards. None: the
// key does not exist, or count is not positive. The slices are never written to and
// stay valid. ErrWrongType: the key holds no sorted set. Events, if anything was
// taken: zpopmin or zpopmax; del.
func (t *Tx) ZPop(db int, key []byte, count int64, highest bool) ([]Scored, error) {
	c, err := open[*sorted](t, db, key)
	if !c.existed || count <= 0 {
		return nil, err
	}
	n := int(min(count, int64(c.object.len())))
	list := make([]Scored, 0, n)
	take := func(member []byte, score float64) bool {
		if c.object.dict == nil { // whose block is about to change
			member = slices.Clone(member)
		}
		list = append(list, Scored{member, score})
		return true
	}
	if highest {
		last := c.object.len()
		c.object.descend(last-1, n, take)
		c.object.removeRange(last-n, last)
		c.done(EventSorted, "zpopmax")
		return list, nil
	}
	c.object.ascend(0, n, take)
	c.object.removeRange(0, n)
	c.done(EventSorted, "zpopmin")
	return list, nil
}

// ZRandMember returns members chosen at random, with their scores: all different ones and
// in no order (all of them from the highest score downwards), at most count, or if count is negative, -count of which each is chosen
// from all. n is how many there are. They are valid as those of ZRange are. A key that
// does not exist has none. ErrWrongType: the key holds no sorted set.
func (t *Tx) ZRandMember(db int, key []byte, count int64) (n int64, members iter.Seq2[[]byte, float64], err error) {
	z, ok, err := readObject[*sorted](t, db, key)
	if !ok || count == 0 {
		return 0, func(func([]byte, float64) bool) {}, err
	}
	size := z.len()
	if count >= int64(size) {
		return int64(size), func(visit func([]byte, float64) bool) { z.descend(size-1, size, visit) }, nil
	}
	at := z.access(max(count, -count))
	if count < 0 {
		return -count, func(visit func([]byte, float64) bool) {
			for range -count {
				if !visit(at(rand.IntN(size))) { // #nosec G404 -- no secret
					return
				}
			}
		}, nil
	}
	return count, func(visit func([]byte, float64) bool) {
		for _, rank := range sample(int(count), size) {
			if !visit(at(rank)) {
				return
			}
		}
	}, nil
}

// access returns a function that finds the member at a rank fast, for that many calls. It
// is valid until the next change.
func (z *sorted) access(calls int64) func(rank int) (member []byte, score float64) {
	if z.dict != nil && calls <= int64(z.len()) {
		return func(rank int) ([]byte, float64) {
			x := z.ranking.at(rank)
			return x.e.key(), x.score
		}
	}
	list := make([]Scored, 0, z.len())
	z.eachScored(func(member []byte, score float64) bool {
		list = append(list, Scored{member, score})
		return true
	})
	return func(rank int) ([]byte, float64) { return list[rank].Member, list[rank].Score }
}

// sample returns different numbers below size, count of them, of which each such
// choice is as likely as any other. It is Floyd's algorithm, and takes time and
// memory for count numbers, however large size is.
func sample(count, size int) []int {
	chosen := make(map[int]struct{}, count)
	list := make([]int, 0, count)
	for last := size - count; last < size; last++ {
		i := rand.IntN(last + 1) // #nosec G404 -- no secret
		if _, taken := chosen[i]; taken {
			i = last
		}
		chosen[i] = struct{}{}
		list = append(list, i)
	}
	return list
}
