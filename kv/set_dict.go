package kv

// dictSet is a set that is not small: the members are the keys of a dict without
// values.
type dictSet struct{ dict }

func (s *dictSet) encoding() string { return "hashtable" }

func (s *dictSet) len() int { return s.count }

func (s *dictSet) bytes() int64 { return s.dict.bytes() }

func (s *dictSet) clone() members { return &dictSet{*s.dict.clone()} }

func (s *dictSet) has(member []byte) bool { return s.get(member) != nil }

// add puts a member in and says whether it is a new one.
func (s *dictSet) add(member []byte) bool {
	h := memberHash(member)
	if s.find(h, member) != nil {
		return false
	}
	s.dict.add(h, member, nil)
	return true
}

func (s *dictSet) remove(member []byte) bool {
	e := s.get(member)
	if e != nil {
		s.delete(e)
	}
	return e != nil
}

func (s *dictSet) each(visit func(member []byte) bool) {
	s.dict.each(func(e *entry) bool { return visit(e.key()) })
}

func (s *dictSet) random() []byte { return s.dict.random().key() }

func (s *dictSet) draw(n int64, visit func(member []byte) bool) {
	s.dict.draw(n, func(e *entry) bool { return visit(e.key()) })
}

func (s *dictSet) sample(n int, visit func(member []byte) bool) {
	s.dict.sample(n, func(e *entry) bool { return visit(e.key()) })
}

// take draws one member after the other: the table shrinks meanwhile, so that drawing
// stays quick.
func (s *dictSet) take(n int, visit func(member []byte)) {
	for ; n > 0; n-- {
		e := s.dict.random()
		visit(e.key())
		s.delete(e)
	}
}
