package kv

import "iter"

// Sortable is the elements of a list, set or sorted set, as SORT takes them. It is
// valid until the next change of the key, or End.
type Sortable struct {
	Type Type // TypeNone: the key does not exist
	Len  int
	each func(reverse bool, visit func(element []byte) bool)
}

// Sortable finds the elements of a key; it counts as a read. ErrWrongType: the key
// holds something else.
func (t *Tx) Sortable(db int, key []byte) (Sortable, error) {
	e := t.read(db, key)
	if e == nil {
		return Sortable{}, nil
	}
	each, ok := elementsOf(e.object())
	if !ok {
		return Sortable{}, ErrWrongType
	}
	return Sortable{Type: e.kind, Len: e.object().len(), each: each}, nil
}

// elementsOf returns what visits the elements of an object until visit returns
// false; ok is false for types without an order that SORT knows. Those of a list come
// in its order, those of a sorted set by their scores, or the other way round; those
// of a set in no order. An element is valid during the visit.
func elementsOf(o object) (each func(reverse bool, visit func(element []byte) bool), ok bool) {
	switch o := o.(type) {
	case *list:
		return func(reverse bool, visit func([]byte) bool) {
			if reverse {
				o.eachBack(visit)
				return
			}
			o.each(0, visit)
		}, true
	case *memberSet:
		return func(_ bool, visit func([]byte) bool) { o.each(visit) }, true
	case *sorted:
		return func(reverse bool, visit func([]byte) bool) {
			withoutScore := func(member []byte, _ float64) bool { return visit(member) }
			if reverse {
				o.descend(o.len()-1, o.len(), withoutScore)
				return
			}
			o.ascend(0, o.len(), withoutScore)
		}, true
	default:
		return nil, false
	}
}

// Elements appends copies of count elements from the one at a position on, or of as
// many as there are.
func (s *Sortable) Elements(dst [][]byte, reverse bool, from, count int) [][]byte {
	if s.Type == TypeNone || count <= 0 {
		return dst
	}
	var block []byte // of many elements: one allocation each would take longer than sorting them
	s.each(reverse, func(element []byte) bool {
		if from > 0 {
			from--
			return true
		}
		if len(element) > cap(block)-len(block) {
			block = make([]byte, 0, max(len(element), elementsBlock))
		}
		begin := len(block)
		block = append(block, element...)
		dst = append(dst, block[begin:len(block):len(block)])
		count--
		return count > 0
	})
	return dst
}

// elementsBlock is how many bytes of elements are copied into one block.
const elementsBlock = 16 << 10

// StoreSorted stores elements as a list under a key, whatever it held, or deletes the
// key if there are none, as SORT with STORE does; a time to live goes. It returns the
// number of elements. Each is copied before the next is asked for; they may be in the list
// that they replace. With ErrOOM nothing was changed; it comes as soon as they take more
// than all keys may, because GET makes any number of them out of one. Events: new for a new
// key and sortstore; del where a key was deleted.
func (t *Tx) StoreSorted(db int, key []byte, elements iter.Seq[[]byte]) (int, error) {
	l, c, limit := new(list), t.s.compact.Load(), t.s.limit.Load()
	for element := range elements {
		l.push(Right, element, c)
		if limit != 0 && l.bytes() > limit {
			return 0, ErrOOM
		}
	}
	return t.replaceObject(db, key, l, EventList, "sortstore")
}
