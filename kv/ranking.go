package kv

import "bytes"

// ranking is the entries of a sorted set in order of score, and where scores are
// equal of member, as bytes. -0 and +0 are equal scores; NaN is none. The zero
// value is empty. It is guarded by its shard.
//
// It is a B-tree whose leaves hold the entries with their scores, so that a search
// looks at entries only where scores are equal, and whose inner nodes count the
// elements below each child: the rank of an element, the element at a rank and
// the number of elements in a range are one descent each. A skip list with spans, as
// in Redis, was the alternative; docs/decisions/0022 has the figures.
//
// An entry must not change its member while it is here.
type ranking struct {
	root  rankNode
	count int
	bytes int64 // of nodes and their arrays, but not of this struct, for the account of memory
}

// ranked is an entry and its score.
type ranked struct {
	score float64
	e     *entry
}

// insert adds an entry that is not in the ranking.
func (r *ranking) insert(score float64, e *entry) {
	if len(r.root.items) == rankFull {
		r.raise()
	}
	b := rankBound{score: score, member: e.key(), ties: tiesBefore}
	r.put(&r.root, &b, ranked{score, e})
	r.count++
}

// remove takes out an entry that is in the ranking with this score.
func (r *ranking) remove(score float64, e *entry) {
	from := r.rank(score, e.key())
	r.removeRange(from, from+1, nil)
}

// removeRange takes out the elements with ranks from (included) to (excluded).
// Before, it calls removed, unless that is nil, for each of them in order; removed
// must leave the ranking alone.
func (r *ranking) removeRange(from, to int, removed func(ranked)) {
	from, to = max(from, 0), min(to, r.count)
	if from >= to {
		return
	}
	if removed != nil {
		left := to - from
		r.ascend(from, func(x ranked) bool {
			removed(x)
			left--
			return left > 0
		})
	}
	for n := to - from; n > 0; {
		cut := r.cut(&r.root, from, n)
		r.count -= cut
		n -= cut
		r.lower()
	}
}

// rank returns how many elements come before (score, member), which need not be
// in the ranking.
func (r *ranking) rank(score float64, member []byte) int {
	return r.root.before(&rankBound{score: score, member: member, ties: tiesBefore})
}

// below returns how many elements have a lower score; if inclusive, or an equal one.
func (r *ranking) below(score float64, inclusive bool) int {
	b := rankBound{score: score, ties: tiesNone}
	if inclusive {
		b.ties = tiesAll
	}
	return r.root.before(&b)
}

// belowMember returns, for a ranking whose scores are all equal, how many members
// sort before this one; if inclusive, it counts too. Where scores differ the
// answer means nothing.
func (r *ranking) belowMember(member []byte, inclusive bool) int {
	if r.count == 0 {
		return 0
	}
	b := rankBound{score: r.root.items[0].score, member: member, ties: tiesBefore}
	if inclusive {
		b.ties = tiesThrough
	}
	return r.root.before(&b)
}

// at returns the element at a rank, which is from 0 to count-1.
func (r *ranking) at(rank int) ranked {
	n := &r.root
	for n.kids != nil {
		i, rest := n.child(rank)
		n, rank = n.kids[i].node, rest
	}
	return n.items[rank]
}

// ascend visits the elements from a rank on, until visit returns false or there
// are no more. visit must not change the ranking.
func (r *ranking) ascend(rank int, visit func(ranked) bool) {
	if rank >= 0 && rank < r.count {
		r.root.ascend(rank, visit)
	}
}

// descend visits the elements from a rank downwards, as ascend does upwards.
func (r *ranking) descend(rank int, visit func(ranked) bool) {
	if rank >= 0 && rank < r.count {
		r.root.descend(rank, visit)
	}
}

// rankBound is a cut through the order of elements: each is before it or behind it.
type rankBound struct {
	score  float64
	member []byte // for tiesBefore and tiesThrough
	ties   rankTies
}

// rankTies says which of the elements with the bound's score are before it.
type rankTies uint8

const (
	tiesNone    rankTies = iota
	tiesBefore           // those with a lower member
	tiesThrough          // and that with the same member
	tiesAll
)

// search returns how many of the items, which are in order, are before the bound.
func (b *rankBound) search(items []ranked) int {
	low, high := 0, len(items)
	for low < high {
		middle := int(uint(low+high) >> 1)
		x := &items[middle]
		if x.score < b.score || x.score == b.score && b.follows(x.e) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// follows reports whether an entry with the bound's score is before it.
func (b *rankBound) follows(e *entry) bool {
	switch b.ties {
	case tiesNone:
		return false
	case tiesAll:
		return true
	}
	order := bytes.Compare(e.key(), b.member)
	return order < 0 || order == 0 && b.ties == tiesThrough
}
