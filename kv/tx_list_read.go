package kv

// LLen returns the number of elements, 0 if the key does not exist. ErrWrongType: the
// key holds no list.
func (t *Tx) LLen(db int, key []byte) (int, error) {
	l, ok, err := readObject[*list](t, db, key)
	if !ok {
		return 0, err
	}
	return l.len(), nil
}

// LIndex returns an element; ok is false if there is none at this index. It is valid
// until End. ErrWrongType: the key holds no list.
func (t *Tx) LIndex(db int, key []byte, index int64) (item []byte, ok bool, err error) {
	l, ok, err := readObject[*list](t, db, key)
	if !ok {
		return nil, false, err
	}
	i, ok := l.index(index)
	if !ok {
		return nil, false, nil
	}
	return l.get(l.find(i)), true, nil
}

// ListRange is a part of a list. It is valid until End.
type ListRange struct {
	l        *list
	from, to int
}

// Len returns the number of elements.
func (e ListRange) Len() int { return e.to - e.from }

// Each visits the elements in order until visit returns false. The slices are valid
// until End.
func (e ListRange) Each(visit func(item []byte) bool) {
	left := e.Len()
	if left == 0 {
		return
	}
	e.l.each(e.from, func(item []byte) bool {
		left--
		return visit(item) && left > 0
	})
}

// LRange returns the elements from one index to another, both included; none if the
// key does not exist. ErrWrongType: the key holds no list.
func (t *Tx) LRange(db int, key []byte, start, stop int64) (ListRange, error) {
	l, ok, err := readObject[*list](t, db, key)
	if !ok {
		return ListRange{}, err
	}
	from, to := bounds(start, stop, l.len())
	return ListRange{l, from, to}, nil
}

// PosOptions are what LPOS looks for.
type PosOptions struct {
	Rank  int64 // the first match that counts, from 1; negative: from the end
	Count int64 // matches at most; 0: all
	Most  int64 // elements that are looked at; 0: all
}

// LPos calls visit with the indexes of elements that are equal to item, as many as o
// asks for. ErrWrongType: the key holds no list.
func (t *Tx) LPos(db int, key, item []byte, o PosOptions, visit func(index int)) error {
	l, ok, err := readObject[*list](t, db, key)
	if !ok {
		return err
	}
	back, seen, matches := o.Rank < 0, 0, int64(0)
	look := func(other []byte) bool {
		seen++
		if string(other) == string(item) {
			if matches++; matches >= max(o.Rank, -o.Rank) {
				if back {
					visit(l.len() - seen)
				} else {
					visit(seen - 1)
				}
				if o.Count--; o.Count == 0 {
					return false
				}
			}
		}
		return int64(seen) != o.Most
	}
	if back {
		l.eachBack(look)
	} else {
		l.each(0, look)
	}
	return nil
}

// Holds says whether a key holds a value of the given type. It is no use of the key
// and does not count as a read.
func (t *Tx) Holds(db int, key []byte, typ Type) bool { return t.Peek(db, key) == typ }

// Peek is Type, but it is no use of the key and does not count as a read.
func (t *Tx) Peek(db int, key []byte) Type {
	if e := t.live(t.find(db, key)); e != nil {
		return e.kind
	}
	return TypeNone
}

// peek returns the element at an end.
func (l *list) peek(end End) []byte {
	p := l.nodes.at(l.outermost(end))
	var item []byte
	if end == Right {
		item, _ = p.before(len(p.data))
	} else {
		item, _ = p.at(0)
	}
	return item
}

// occurrences counts the elements that are equal.
func (l *list) occurrences(item []byte) (n int) {
	if l.count == 0 {
		return 0
	}
	l.each(0, func(other []byte) bool {
		if string(other) == string(item) {
			n++
		}
		return true
	})
	return n
}

// index counts a negative index from the end; ok is false if there is no such element.
func (l *list) index(i int64) (index int, ok bool) {
	n := int64(l.count)
	if i < 0 {
		i += n
	}
	return int(i), 0 <= i && i < n
}

// bounds makes of two indexes, both included, of a sequence of n elements an offset
// and the one behind the last; from <= to.
func bounds(start, stop int64, n int) (from, to int) {
	size := int64(n)
	if start < 0 {
		start = max(start+size, 0)
	}
	if stop < 0 {
		stop += size
	}
	start, stop = min(start, size), min(stop, size-1)+1
	if stop <= start {
		return 0, 0
	}
	return int(start), int(stop)
}
