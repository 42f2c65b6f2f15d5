package kv

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
)

// intset is a set of integers in one block: in order, all of the same width, which is
// that of the one that needs most.
type intset struct {
	data  []byte
	width int // narrow, 4 or wide
}

// The least and the greatest number of bytes of an integer.
const (
	narrow = 2
	wide   = 8
)

// widthOf is the number of bytes an integer needs.
func widthOf(n int64) int {
	switch {
	case n == int64(int16(n)): //nolint:gosec // the cut is wanted
		return narrow
	case n == int64(int32(n)): //nolint:gosec // the cut is wanted
		return 4
	}
	return wide
}

func (s *intset) encoding() string { return "intset" }

func (s *intset) len() int { return len(s.data) / s.width }

func (s *intset) bytes() int64 { return intsetBytes + allocated(cap(s.data)) }

func (s *intset) clone() members {
	c := &intset{data: make([]byte, len(s.data), int(allocated(len(s.data)))), width: s.width}
	copy(c.data, s.data)
	return c
}

// at returns the i-th integer.
func (s *intset) at(i int) int64 {
	switch b := s.data[i*s.width:]; s.width {
	case narrow:
		return int64(int16(binary.LittleEndian.Uint16(b))) // #nosec G115 -- as put has written it
	case wide:
		return int64(binary.LittleEndian.Uint64(b)) // #nosec G115 -- as put has written it
	default:
		return int64(int32(binary.LittleEndian.Uint32(b))) // #nosec G115 -- as put has written it
	}
}

// put writes the i-th integer, which fits the width.
func (s *intset) put(i int, n int64) {
	switch b := s.data[i*s.width:]; s.width {
	case narrow:
		binary.LittleEndian.PutUint16(b, uint16(n)) // #nosec G115 -- it fits
	case wide:
		binary.LittleEndian.PutUint64(b, uint64(n)) // #nosec G115 -- all bits
	default:
		binary.LittleEndian.PutUint32(b, uint32(n)) // #nosec G115 -- it fits
	}
}

// search returns where an integer is, or belongs.
func (s *intset) search(n int64) (i int, found bool) {
	low, high := 0, s.len()
	for low < high {
		middle := (low + high) / 2
		switch at := s.at(middle); {
		case at == n:
			return middle, true
		case at < n:
			low = middle + 1
		default:
			high = middle
		}
	}
	return low, false
}

// add puts an integer in and says whether it is a new one.
func (s *intset) add(n int64) bool {
	if w := widthOf(n); w > s.width {
		s.widen(w)
	}
	i, found := s.search(n)
	if found {
		return false
	}
	s.open(i*s.width, i*s.width, s.width)
	s.put(i, n)
	return true
}

// widen gives each integer more bytes.
func (s *intset) widen(width int) {
	n := s.len()
	w := intset{data: make([]byte, n*width, int(allocated(n*width))), width: width}
	for i := range n {
		w.put(i, s.at(i))
	}
	*s = w
}

// open gives the bytes from one offset up to another a new length. What was there is
// undefined afterwards. A block that is mostly empty is given back.
func (s *intset) open(from, to, size int) {
	old := s.data
	length := len(old) - (to - from) + size
	switch {
	case length == 0:
		s.data = nil
		return
	case length > cap(old) || length < cap(old)/4:
		s.data = make([]byte, length, int(allocated(length)))
		copy(s.data, old[:from])
	default:
		s.data = old[:length]
	}
	copy(s.data[from+size:], old[to:])
}

// index returns where a member is; -1: nowhere.
func (s *intset) index(member []byte) int {
	n, err := ParseInt(member)
	if err != nil {
		return -1
	}
	i, found := s.search(n)
	if !found {
		return -1
	}
	return i
}

func (s *intset) has(member []byte) bool { return s.index(member) >= 0 }

func (s *intset) remove(member []byte) bool {
	i := s.index(member)
	if i >= 0 {
		s.open(i*s.width, (i+1)*s.width, 0)
	}
	return i >= 0
}

// longest is the number of bytes of the longest member; 0 if there is none.
func (s *intset) longest() int {
	if s.len() == 0 {
		return 0
	}
	return max(len(s.text(nil, 0)), len(s.text(nil, s.len()-1)))
}

// text appends the i-th member.
func (s *intset) text(dst []byte, i int) []byte { return strconv.AppendInt(dst, s.at(i), 10) }

// longestInteger is the number of bytes of the longest text of an integer.
const longestInteger = len("-9223372036854775808")

func (s *intset) each(visit func(member []byte) bool) {
	text := make([]byte, 0, longestInteger)
	for i := range s.len() {
		if !visit(s.text(text, i)) {
			return
		}
	}
}

func (s *intset) random() []byte {
	return s.text(nil, rand.IntN(s.len())) //nolint:gosec // no secret
}

func (s *intset) draw(n int64, visit func(member []byte) bool) {
	text := make([]byte, 0, longestInteger)
	for ; n > 0; n-- {
		if !visit(s.text(text, rand.IntN(s.len()))) { //nolint:gosec // no secret
			return
		}
	}
}

func (s *intset) sample(n int, visit func(member []byte) bool) {
	chosen := sampler{need: n, left: s.len()}
	s.each(func(member []byte) bool { return !chosen.next() || visit(member) })
}

func (s *intset) take(n int, visit func(member []byte)) {
	chosen, kept := sampler{need: n, left: s.len()}, 0
	text := make([]byte, 0, longestInteger)
	for i := range s.len() {
		if chosen.next() {
			visit(s.text(text, i))
			continue
		}
		s.put(kept, s.at(i))
		kept++
	}
	s.open(kept*s.width, len(s.data), 0)
}
