package kv

import (
	"iter"
	"slices"
)

// RangeBy says what the ends of a range of a sorted set are.
type RangeBy uint8

// What they are.
const (
	RangeByRank   RangeBy = iota // Start and Stop
	RangeByScore                 // MinScore and MaxScore
	RangeByMember                // MinMember and MaxMember; where scores differ the answer means nothing
)

// SortedRange says which members of a sorted set are meant, and in what order.
type SortedRange struct {
	By RangeBy

	// Start and Stop are ranks, both included; from the end if they are negative:
	// -1 is the last one. In reverse they count from the highest score.
	Start, Stop int64

	MinScore, MaxScore   ScoreBound
	MinMember, MaxMember MemberBound

	Reverse bool

	// Limited says that only some count as from an offset on, in the order of the
	// range: at most Limit members after the first Offset ones. A negative Limit is
	// none; a negative Offset leaves nothing.
	Limited       bool
	Offset, Limit int64
}

// in returns the ranks that a range has in a sorted set: from (included) to
// (excluded).
func (r *SortedRange) in(z *sorted) (from, to int) {
	switch r.By {
	case RangeByScore:
		from = z.below(r.MinScore.Score, r.MinScore.Exclusive)
		to = z.below(r.MaxScore.Score, !r.MaxScore.Exclusive)
	case RangeByMember:
		from = z.belowMember(&r.MinMember, r.MinMember.Exclusive)
		to = z.belowMember(&r.MaxMember, !r.MaxMember.Exclusive)
	default:
		from, to = r.ranks(z.len())
	}
	to = max(from, to)
	if r.Limited {
		return r.limit(from, to)
	}
	return from, to
}

// ranks returns Start and Stop as ranks of n members: from (included) to (excluded).
func (r *SortedRange) ranks(n int) (from, to int) {
	start, stop := r.Start, r.Stop
	if start < 0 {
		start = max(0, start+int64(n))
	}
	if stop < 0 {
		stop += int64(n)
	}
	stop = min(stop, int64(n)-1)
	if start > stop {
		return 0, 0
	}
	if r.Reverse {
		start, stop = int64(n)-1-stop, int64(n)-1-start
	}
	return int(start), int(stop + 1)
}

// limit cuts a range of ranks as Offset and Limit say.
func (r *SortedRange) limit(from, to int) (int, int) {
	if r.Offset < 0 || r.Offset >= int64(to-from) {
		return from, from
	}
	count := int64(to-from) - r.Offset
	if r.Limit >= 0 {
		count = min(count, r.Limit)
	}
	if r.Reverse {
		to -= int(r.Offset)
		return to - int(count), to
	}
	from += int(r.Offset)
	return from, from + int(count)
}

// ZRange returns how many members are in a range, and the members with their
// scores in its order. Both the members and their slices are valid until the next
// change of the key or End, whichever comes first. A key that does not exist has
// none. ErrWrongType: the key holds no sorted set.
func (t *Tx) ZRange(db int, key []byte, r *SortedRange) (n int, members iter.Seq2[[]byte, float64], err error) {
	z, ok, err := readObject[*sorted](t, db, key)
	if !ok {
		return 0, func(func([]byte, float64) bool) {}, err
	}
	from, to := r.in(z)
	n = to - from
	if r.Reverse {
		return n, func(visit func([]byte, float64) bool) { z.descend(to-1, n, visit) }, nil
	}
	return n, func(visit func([]byte, float64) bool) { z.ascend(from, n, visit) }, nil
}

// ZRangeStore stores the members in a range of one key's sorted set as the sorted set
// of another key, whatever that held, and returns how many there are; if there are
// none, the other key is deleted. Errors, with which nothing was changed: ErrWrongType, ErrOOM.
// Events, for the other key: new, zrangestore, or del.
func (t *Tx) ZRangeStore(db int, to, from []byte, r *SortedRange) (int, error) {
	n, members, err := t.ZRange(db, from, r)
	if err != nil {
		return 0, err
	}
	list := make([]Scored, 0, n)
	for member, score := range members {
		list = append(list, Scored{member, score})
	}
	if r.Reverse {
		slices.Reverse(list)
	}
	return t.ZStore(db, to, list, "zrangestore")
}

// ZStore stores members, which are in order and all different, as the sorted set of
// a key, whatever that held, and returns how many there are; if there are none, the
// key is deleted. The members are copied and may come from any key that the Tx has
// locked. ErrOOM: nothing was changed. Events: new and the given one, or del.
func (t *Tx) ZStore(db int, key []byte, list []Scored, event string) (int, error) {
	return t.replaceObject(db, key, sortedOf(list, t.s.compact.Load()), EventSorted, event)
}

// rangeEvents are the events of ZRemRange.
var rangeEvents = [...]string{
	RangeByRank: "zremrangebyrank", RangeByScore: "zremrangebyscore", RangeByMember: "zremrangebylex",
}

// ZRemRange takes the members in a range out of a sorted set and returns how many
// there were. ErrWrongType: the key holds no sorted set. Events, if there were any:
// zremrangebyrank, zremrangebyscore or zremrangebylex; del.
func (t *Tx) ZRemRange(db int, key []byte, r *SortedRange) (removed int, err error) {
	c, err := open[*sorted](t, db, key)
	if !c.existed {
		return 0, err
	}
	from, to := r.in(c.object)
	if from < to {
		c.object.removeRange(from, to)
		c.done(EventSorted, rangeEvents[r.By])
	}
	return to - from, nil
}
