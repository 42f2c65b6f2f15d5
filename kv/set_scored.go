package kv

import "slices"

// eachScored is that of scoredObject. The texts of integers are made for the visit and
// are copied.
func (s *memberSet) eachScored(visit func(member []byte, score float64) bool) {
	_, integers := s.members.(*intset)
	s.each(func(member []byte) bool {
		if integers {
			member = slices.Clone(member)
		}
		return visit(member, 1)
	})
}

// score is that of scoredObject.
func (s *memberSet) score(member []byte) (score float64, ok bool) { return 1, s.has(member) }
