package kv

import "math/rand/v2"

// packedSet is a set that is small, in one block.
type packedSet struct{ packed }

func (s *packedSet) encoding() string { return "listpack" }

func (s *packedSet) len() int { return s.n }

func (s *packedSet) bytes() int64 { return packedSetBytes + s.packed.bytes() }

func (s *packedSet) clone() members { return &packedSet{s.packed.clone()} }

func (s *packedSet) has(member []byte) bool { return s.find(member, 1) >= 0 }

func (s *packedSet) remove(member []byte) bool {
	from := s.find(member, 1)
	if from < 0 {
		return false
	}
	_, to := s.at(from)
	s.packed.remove(from, to, 1)
	return true
}

func (s *packedSet) each(visit func(member []byte) bool) {
	for at := 0; at < len(s.data); {
		var member []byte
		if member, at = s.at(at); !visit(member) {
			return
		}
	}
}

func (s *packedSet) random() []byte {
	member, _ := s.at(s.seek(rand.IntN(s.n))) //nolint:gosec // no secret
	return member
}

func (s *packedSet) draw(n int64, visit func(member []byte) bool) {
	offsets := make([]int, 0, s.n)
	for at := 0; at < len(s.data); _, at = s.at(at) {
		offsets = append(offsets, at)
	}
	for ; n > 0; n-- {
		member, _ := s.at(offsets[rand.IntN(len(offsets))]) //nolint:gosec // no secret
		if !visit(member) {
			return
		}
	}
}

func (s *packedSet) sample(n int, visit func(member []byte) bool) {
	chosen := sampler{need: n, left: s.n}
	s.each(func(member []byte) bool { return !chosen.next() || visit(member) })
}

// take moves what stays to the front of the block: visits come before the bytes are
// written over, because nothing moves back.
func (s *packedSet) take(n int, visit func(member []byte)) {
	chosen, kept := sampler{need: n, left: s.n}, 0
	for at := 0; at < len(s.data); {
		member, next := s.at(at)
		if chosen.next() {
			visit(member)
		} else {
			kept += copy(s.data[kept:], s.data[at:next])
		}
		at = next
	}
	s.packed.remove(kept, len(s.data), n)
}
