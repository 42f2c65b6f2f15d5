package kv

import (
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// sorted is members with scores, in the order of their scores and, where these are
// equal, of their bytes. While it is small it is packed as member, score, member,
// score … in this order; else it is a dict, which has the members' scores, and a
// ranking of the same entries. That the latter is a counted B-tree and no skip list
// does not change its name: clients know the one that Redis gives it.
//
// Invariant: no score is NaN. As in Redis the packed form does not know -0.
type sorted struct {
	packed  packed
	dict    *dict    // nil: packed
	ranking *ranking // of the dict's entries
}

var (
	sortedBytes  = allocated(int(unsafe.Sizeof(sorted{})))
	rankingBytes = allocated(int(unsafe.Sizeof(ranking{})))
)

func (z *sorted) kind() Type { return TypeSorted }

func (z *sorted) encoding() string {
	if z.dict != nil {
		return "skiplist"
	}
	return "listpack"
}

func (z *sorted) len() int {
	if z.dict != nil {
		return z.dict.count
	}
	return z.packed.n / 2
}

func (z *sorted) bytes() int64 {
	if z.dict != nil {
		return sortedBytes + rankingBytes + z.dict.bytes() + z.ranking.bytes
	}
	return sortedBytes + z.packed.bytes()
}

func (z *sorted) clone() object {
	if z.dict == nil {
		return &sorted{packed: z.packed.clone()}
	}
	c := &sorted{dict: z.dict.clone(), ranking: new(ranking)}
	z.ranking.ascend(0, func(x ranked) bool {
		c.ranking.insert(x.score, c.dict.find(x.e.hash, x.e.key()))
		return true
	})
	return c
}

// score returns the score of a member.
func (z *sorted) score(member []byte) (score float64, ok bool) {
	if z.dict != nil {
		e := z.dict.get(member)
		if e == nil {
			return 0, false
		}
		return entryScore(e), true
	}
	at := z.packed.find(member, 2)
	if at < 0 {
		return 0, false
	}
	_, at = z.packed.at(at)
	bits, _ := z.packed.at(at)
	return unpackScore(bits), true
}

// set gives a member a score and says whether the member is a new one.
func (z *sorted) set(member []byte, score float64, c *Compact) (added bool) {
	if z.dict == nil && len(member) > c.SortedValue {
		z.spread()
	}
	if z.dict != nil {
		return z.setEntry(member, score)
	}
	if added = z.setPacked(member, score); added && z.len() > c.SortedEntries {
		z.spread()
	}
	return added
}

func (z *sorted) setEntry(member []byte, score float64) (added bool) {
	var value [scoreSize]byte
	e := z.dict.get(member)
	if e != nil {
		z.ranking.remove(entryScore(e), e)
	}
	e, added = z.dict.put(member, appendScore(value[:0], score))
	z.ranking.insert(score, e)
	return added
}

// setPacked finds the member and the place that the score gives it on one walk.
func (z *sorted) setPacked(member []byte, score float64) (added bool) {
	from, to, place := -1, 0, -1
	for at := 0; at < len(z.packed.data); {
		m, s, next := z.packed.scored(at)
		if place < 0 && before(score, member, s, m) {
			place = at
		}
		if from < 0 && string(m) == string(member) {
			from, to = at, next
		}
		if at = next; place >= 0 && from >= 0 {
			break
		}
	}
	if place < 0 {
		place = len(z.packed.data)
	}
	if from >= 0 {
		z.packed.remove(from, to, 2)
		if place > from {
			place -= to - from
		}
	}
	var scratch [scoreSize]byte
	z.packed.insert(place, member, packScore(scratch[:0], unsignedZero(score)))
	return from < 0
}

// remove takes a member away and says whether it was there.
func (z *sorted) remove(member []byte) bool {
	if z.dict != nil {
		e := z.dict.get(member)
		if e != nil {
			z.ranking.remove(entryScore(e), e)
			z.dict.delete(e)
		}
		return e != nil
	}
	from := z.packed.find(member, 2)
	if from < 0 {
		return false
	}
	_, _, to := z.packed.scored(from)
	z.packed.remove(from, to, 2)
	return true
}

// removeRange takes away the members with ranks from (included) to (excluded).
func (z *sorted) removeRange(from, to int) {
	if z.dict != nil {
		z.ranking.removeRange(from, to, func(x ranked) { z.dict.delete(x.e) })
		return
	}
	z.packed.remove(z.packed.seek(2*from), z.packed.seek(2*to), 2*(to-from))
}

// eachScored visits all members in order until visit returns false. The slices are
// valid until the next change.
func (z *sorted) eachScored(visit func(member []byte, score float64) bool) {
	z.ascend(0, z.len(), visit)
}

// spread turns the packed form into a dict and a ranking.
func (z *sorted) spread() {
	d, r := new(dict), new(ranking)
	var value [scoreSize]byte
	z.eachScored(func(member []byte, score float64) bool {
		r.insert(score, d.add(memberHash(member), member, appendScore(value[:0], score)))
		return true
	})
	z.dict, z.ranking, z.packed = d, r, packed{}
}

// export writes members and scores, in order, as packed items, whatever the form.
func (z *sorted) export(x *exports) {
	if z.dict == nil {
		x.block(&z.packed, 2)
		return
	}
	var scratch [scoreSize]byte
	z.eachScored(func(member []byte, score float64) bool {
		x.element()
		x.item(member)
		x.item(packScore(scratch[:0], score))
		return true
	})
}

func (z *sorted) load(data []byte, c *Compact) error {
	items, ok := unpack(data)
	if !ok || items.n == 0 || items.n%2 != 0 {
		return fmt.Errorf("%w: not a sorted set", ErrRecord)
	}
	for at := 0; at < len(data); {
		member, scoreAt := items.at(at)
		bits, next := items.at(scoreAt)
		if at = next; len(bits) > scoreSize || math.IsNaN(unpackScore(bits)) {
			return fmt.Errorf("%w: not a score", ErrRecord)
		}
		if !z.set(member, unpackScore(bits), c) {
			return fmt.Errorf("%w: a member comes twice", ErrRecord)
		}
	}
	return nil
}

// sortedOf makes a sorted set of members that are in order and all different.
func sortedOf(list []Scored, c *Compact) *sorted {
	z := new(sorted)
	if len(list) > c.SortedEntries || slices.ContainsFunc(list, func(m Scored) bool { return len(m.Member) > c.SortedValue }) {
		z.spread()
		for _, m := range list {
			z.setEntry(m.Member, m.Score)
		}
		return z
	}
	var scratch [scoreSize]byte
	for _, m := range list {
		z.packed.append(m.Member, packScore(scratch[:0], unsignedZero(m.Score)))
	}
	return z
}
