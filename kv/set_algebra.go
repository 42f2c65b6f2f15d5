package kv

import (
	"cmp"
	"slices"
)

// intersect visits the members that all of the sets have, until visit returns false. There
// is at least one set; their order is changed. The time is at most that of the smallest
// one's members times the number of sets.
func intersect(sets []*memberSet, visit func(member []byte) bool) {
	slices.SortStableFunc(sets, bySize)
	sets[0].each(func(member []byte) bool {
		for _, other := range sets[1:] {
			if other != sets[0] && !other.has(member) {
				return true
			}
		}
		return visit(member)
	})
}

func bySize(a, b *memberSet) int { return cmp.Compare(a.len(), b.len()) }

// lookUps is of how many sets at most unite looks each member up in those before, which
// takes less than to collect all members.
const lookUps = 4

// unite visits each member of any of the sets once, until visit returns false.
func unite(sets []*memberSet, c *Compact, visit func(member []byte) bool) {
	more := true
	if len(sets) <= lookUps {
		for i, s := range sets {
			s.each(func(member []byte) bool {
				seen := slices.ContainsFunc(sets[:i], func(earlier *memberSet) bool { return earlier.has(member) })
				more = seen || visit(member)
				return more
			})
			if !more {
				return
			}
		}
		return
	}
	seen := newMemberSet()
	for _, s := range sets {
		s.each(func(member []byte) bool {
			more = !seen.add(member, c) || visit(member)
			return more
		})
		if !more {
			return
		}
	}
}

// subtract visits the members of the first set that none of the others has, until
// visit returns false. Like Redis it does what takes less: to look each member up in
// the others, whose order is changed, or to take all members of the others away from a
// copy.
func subtract(first *memberSet, others []*memberSet, visit func(member []byte) bool) {
	total := 0
	for _, other := range others {
		if other == first {
			return
		}
		total += other.len()
	}
	// Looking up ends with the first set that has the member, so it counts half.
	if first.len()*(len(others)+1)/2 > first.len()+total {
		rest := first.members.clone()
		for _, other := range others {
			other.each(func(member []byte) bool {
				rest.remove(member)
				return rest.len() > 0
			})
		}
		rest.each(visit)
		return
	}
	slices.SortStableFunc(others, func(a, b *memberSet) int { return bySize(b, a) })
	first.each(func(member []byte) bool {
		for _, other := range others {
			if other.has(member) {
				return true
			}
		}
		return visit(member)
	})
}
