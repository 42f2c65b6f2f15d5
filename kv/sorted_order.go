package kv

import "bytes"

// What depends on the order of a sorted set, for both of its forms. Ranks count from
// 0. The packed form is walked, because it is small.

// scored returns the member at an offset of a packed sorted set, its score, and
// where the next one begins.
func (p *packed) scored(offset int) (member []byte, score float64, next int) {
	member, next = p.at(offset)
	bits, next := p.at(next)
	return member, unpackScore(bits), next
}

// ascend visits count members, which are there, from a rank on, until visit
// returns false. The slices are valid until the next change.
func (z *sorted) ascend(rank, count int, visit func(member []byte, score float64) bool) {
	if count <= 0 {
		return
	}
	if z.dict != nil {
		z.ranking.ascend(rank, func(x ranked) bool {
			count--
			return visit(x.e.key(), x.score) && count > 0
		})
		return
	}
	for at := z.packed.seek(2 * rank); count > 0; count-- {
		var member []byte
		var score float64
		if member, score, at = z.packed.scored(at); !visit(member, score) {
			return
		}
	}
}

// descend visits count members, which are there, from a rank downwards, as ascend
// does upwards.
func (z *sorted) descend(rank, count int, visit func(member []byte, score float64) bool) {
	if count <= 0 {
		return
	}
	if z.dict != nil {
		z.ranking.descend(rank, func(x ranked) bool {
			count--
			return visit(x.e.key(), x.score) && count > 0
		})
		return
	}
	for at := z.packed.seek(2*rank + 2); count > 0; count-- {
		bits, begin := z.packed.before(at)
		member, begin := z.packed.before(begin)
		if at = begin; !visit(member, unpackScore(bits)) {
			return
		}
	}
}

// rank returns the rank of a member, and its score; ok is false if it is not there.
func (z *sorted) rank(member []byte) (rank int, score float64, ok bool) {
	if z.dict != nil {
		if score, ok = z.score(member); !ok {
			return 0, 0, false
		}
		return z.ranking.rank(score, member), score, true
	}
	z.eachScored(func(m []byte, s float64) bool {
		if ok = string(m) == string(member); ok {
			score = s
			return false
		}
		rank++
		return true
	})
	return rank, score, ok
}

// leading counts the members from the first one on for which holds is true.
func (z *sorted) leading(holds func(member []byte, score float64) bool) (n int) {
	z.eachScored(func(member []byte, score float64) bool {
		if !holds(member, score) {
			return false
		}
		n++
		return true
	})
	return n
}

// below returns how many members have a lower score; if inclusive, or an equal one.
func (z *sorted) below(score float64, inclusive bool) int {
	if z.dict != nil {
		return z.ranking.below(score, inclusive)
	}
	return z.leading(func(_ []byte, s float64) bool { return s < score || inclusive && s == score })
}

// belowMember returns how many members come before a bound, where all scores are
// equal; if inclusive, the bound's own member counts too.
func (z *sorted) belowMember(b *MemberBound, inclusive bool) int {
	switch {
	case b.Beyond < 0:
		return 0
	case b.Beyond > 0:
		return z.len()
	case z.dict != nil:
		return z.ranking.belowMember(b.Member, inclusive)
	}
	return z.leading(func(member []byte, _ float64) bool {
		order := bytes.Compare(member, b.Member)
		return order < 0 || inclusive && order == 0
	})
}

// Scan is that of Elements.
func (z *sorted) Scan(cursor uint64, count int, visit func(member, score []byte)) uint64 {
	if z.dict != nil {
		return z.dict.walk(cursor, count, func(e *entry) { visit(e.key(), AppendScore(nil, entryScore(e))) })
	}
	z.eachScored(func(member []byte, score float64) bool {
		visit(member, AppendScore(nil, score))
		return true
	})
	return 0
}
