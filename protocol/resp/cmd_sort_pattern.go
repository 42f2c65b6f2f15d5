package resp

import (
	"bytes"
	"cmp"
	"slices"

	"fanfare/kv"
)

// sortPattern makes of an element the name of a key, and perhaps of a field of its
// hash: "weight_*", "user_*->age". "#" is the element itself.
type sortPattern struct {
	text  []byte
	star  int // where the element is put; -1: nowhere, which no key is
	end   int // of the key
	field []byte
}

func newSortPattern(text []byte) sortPattern {
	p := sortPattern{text: text, star: bytes.IndexByte(text, '*'), end: len(text)}
	if p.star < 0 {
		return p
	}
	if at := bytes.Index(text[p.star+1:], []byte("->")); at >= 0 && p.star+1+at+2 < len(text) {
		p.end = p.star + 1 + at
		p.field = text[p.end+2:]
	}
	return p
}

// looksUp says whether the pattern names keys.
func (p *sortPattern) looksUp() bool { return p.star >= 0 }

// get returns what the pattern stands for; ok is false if there is no such key or
// field, or no text. It is valid until the transaction ends or changes it.
func (p *sortPattern) get(x *call, element []byte) (value []byte, ok bool) {
	switch {
	case string(p.text) == "#":
		return element, true
	case !p.looksUp():
		return nil, false
	}
	key := slices.Concat(p.text[:p.star], element, p.text[p.star+1:p.end])
	var err error
	if p.field == nil {
		value, ok, err = x.tx.Get(x.db, key)
	} else {
		value, ok, err = x.tx.HGet(x.db, key, p.field)
	}
	return value, ok && err == nil // another type is like no key
}

// sorting is an element on its way to its place.
type sorting struct {
	element []byte
	score   float64
	text    []byte // with BY and ALPHA
	found   bool   // text is there
}

// order sorts elements; ok is false if one has no number. What Redis leaves open, the
// order of elements that BY and ALPHA do not tell apart, is that in which they came.
func (o *sortOptions) order(x *call, elements [][]byte) (_ [][]byte, ok bool) {
	list := make([]sorting, len(elements))
	for i, element := range elements {
		if list[i], ok = o.weigh(x, element); !ok {
			return nil, false
		}
	}
	slices.SortStableFunc(list, func(a, b sorting) int {
		if o.desc {
			return o.compare(&b, &a)
		}
		return o.compare(&a, &b)
	})
	for i := range list {
		elements[i] = list[i].element
	}
	return elements, true
}

// weigh looks up what the element is sorted by.
func (o *sortOptions) weigh(x *call, element []byte) (s sorting, ok bool) {
	s = sorting{element: element, text: element, found: true}
	if o.by != nil {
		s.text, s.found = o.by.get(x, element)
	}
	if o.alpha || !s.found {
		return s, true
	}
	s.score, ok = sortScore(s.text)
	return s, ok
}

func (o *sortOptions) compare(a, b *sorting) int {
	switch {
	case !o.alpha:
		return cmp.Or(cmp.Compare(a.score, b.score), bytes.Compare(a.element, b.element))
	case !a.found || !b.found:
		return cmp.Compare(truth(a.found), truth(b.found))
	}
	return bytes.Compare(a.text, b.text)
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sortScore reads a number as SORT does: C's strtod reads it to its end, so blanks may
// be before it, and nothing at all is 0.
func sortScore(text []byte) (float64, bool) {
	if len(text) == 0 {
		return 0, true
	}
	score, err := kv.ParseScore(bytes.TrimLeft(text, " \t\n\v\f\r"))
	return score, err == nil
}
