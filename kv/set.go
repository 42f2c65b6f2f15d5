package kv

import (
	"fmt"
	"slices"
	"unsafe"
)

// memberSet is a set, in one of three forms: integers in order while there are only
// such, packed while it is small, else a dict. Its form only ever goes in that
// direction.
type memberSet struct{ members }

// members is a form of a set. A slice that is visited is valid until the visit ends.
type members interface {
	encoding() string
	len() int
	bytes() int64 // itself included
	has(member []byte) bool
	// remove takes a member away and says whether it was there.
	remove(member []byte) bool
	// each visits the members until visit returns false.
	each(visit func(member []byte) bool)
	// random returns any member, which is valid until the next call. The set is not
	// empty, here and in what follows.
	random() []byte
	// draw visits n members, each of them any one, until visit returns false.
	draw(n int64, visit func(member []byte) bool)
	// sample visits n members, each once, until visit returns false. n is less than
	// there are.
	sample(n int, visit func(member []byte) bool)
	// take takes away n members, each after a visit. n is less than there are.
	take(n int, visit func(member []byte))
	clone() members
}

var (
	memberSetBytes = allocated(int(unsafe.Sizeof(memberSet{})))
	intsetBytes    = allocated(int(unsafe.Sizeof(intset{})))
	packedSetBytes = allocated(int(unsafe.Sizeof(packedSet{})))
)

func newMemberSet() *memberSet { return &memberSet{&intset{width: narrow}} }

func (s *memberSet) kind() Type { return TypeSet }

func (s *memberSet) bytes() int64 { return memberSetBytes + s.members.bytes() }

func (s *memberSet) clone() object { return &memberSet{s.members.clone()} }

// add puts a member in and says whether it is a new one.
func (s *memberSet) add(member []byte, c *Compact) bool {
	if i, ok := s.members.(*intset); ok {
		if n, err := ParseInt(member); err == nil {
			added := i.add(n)
			if added && i.len() > c.SetIntegers {
				s.spread()
			}
			return added
		}
		s.loosen(i, len(member), c)
	}
	p, ok := s.members.(*packedSet)
	if !ok {
		return s.members.(*dictSet).add(member)
	}
	if p.has(member) {
		return false
	}
	if p.len() < c.SetEntries && len(member) <= c.SetValue {
		p.append(member)
		return true
	}
	return s.spread().add(member)
}

// loosen gives a set of integers the form that a member of size bytes needs which is
// none.
func (s *memberSet) loosen(i *intset, size int, c *Compact) {
	if i.len() >= c.SetEntries || max(size, i.longest()) > c.SetValue {
		s.spread()
		return
	}
	p := new(packedSet)
	i.each(func(member []byte) bool {
		p.append(member)
		return true
	})
	s.members = p
}

// spread gives the set the form of a dict.
func (s *memberSet) spread() *dictSet {
	d := new(dictSet)
	s.each(func(member []byte) bool {
		d.add(member)
		return true
	})
	s.members = d
	return d
}

// growth is by how much add lets the set grow at most, called for each of a list. For a
// dict the table's own growth is reckoned as two pointers for each.
func (s *memberSet) growth(list [][]byte, c *Compact) (n int64) {
	size, longest, integers := 0, 0, true
	for _, m := range list {
		size += packedSize(len(m))
		longest = max(longest, len(m))
		if integers {
			_, err := ParseInt(m)
			integers = err == nil
		}
	}
	switch form := s.members.(type) {
	case *intset:
		if integers && form.len()+len(list) <= c.SetIntegers {
			return max(0, allocated(wide*(form.len()+len(list)))-allocated(cap(form.data)))
		}
	case *packedSet:
		if form.len()+len(list) <= c.SetEntries && longest <= c.SetValue {
			return max(0, allocated(len(form.data)+size)-form.packed.bytes())
		}
	}
	for _, m := range list {
		n += dictGrowth(len(m))
	}
	if _, ok := s.members.(*dictSet); ok {
		return n
	}
	s.each(func(member []byte) bool {
		n += dictGrowth(len(member))
		return true
	})
	return n + max(dictBytes, packedSetBytes)
}

// Scan is that of Elements.
func (s *memberSet) Scan(cursor uint64, count int, visit func(member, none []byte)) uint64 {
	if d, ok := s.members.(*dictSet); ok {
		return d.walk(cursor, count, func(e *entry) { visit(e.key(), nil) })
	}
	_, texts := s.members.(*intset)
	s.each(func(member []byte) bool {
		if texts { // which are gone after the visit
			member = slices.Clone(member)
		}
		visit(member, nil)
		return true
	})
	return 0
}

// export writes the members as packed items, whatever the form.
func (s *memberSet) export(x *exports) {
	if p, ok := s.members.(*packedSet); ok {
		x.block(&p.packed, 1)
		return
	}
	s.each(func(member []byte) bool {
		x.element()
		x.item(member)
		return true
	})
}

func (s *memberSet) load(data []byte, c *Compact) error {
	list, ok := unpack(data)
	if !ok || list.n == 0 {
		return fmt.Errorf("%w: not a set", ErrRecord)
	}
	for at := 0; at < len(data); {
		var member []byte
		member, at = list.at(at)
		if !s.add(member, c) {
			return fmt.Errorf("%w: a member comes twice", ErrRecord)
		}
	}
	return nil
}
