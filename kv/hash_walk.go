package kv

import "math/rand/v2"

// pair returns the two items from an offset on, and where the next one begins.
func (p *packed) pair(offset int) (first, second []byte, next int) {
	first, next = p.at(offset)
	second, next = p.at(next)
	return first, second, next
}

// each visits the fields until visit returns false. The slices are valid until the
// next change.
func (h *hash) each(visit func(field, value []byte) bool) {
	if h.dict != nil {
		h.dict.each(func(e *entry) bool { return visit(e.key(), e.value()) })
		return
	}
	for at := 0; at < len(h.packed.data); {
		var field, value []byte
		field, value, at = h.packed.pair(at)
		if !visit(field, value) {
			return
		}
	}
}

// Scan is that of Elements.
func (h *hash) Scan(cursor uint64, count int, visit func(field, value []byte)) uint64 {
	if h.dict != nil {
		return h.dict.walk(cursor, count, func(e *entry) { visit(e.key(), e.value()) })
	}
	h.each(func(field, value []byte) bool {
		visit(field, value)
		return true
	})
	return 0
}

// sample visits n fields, each once, until visit returns false. n is less than
// there are.
func (h *hash) sample(n int, visit func(field, value []byte) bool) {
	if h.dict != nil {
		h.dict.sample(n, func(e *entry) bool { return visit(e.key(), e.value()) })
		return
	}
	s := sampler{need: n, left: h.len()}
	h.each(func(field, value []byte) bool { return !s.next() || visit(field, value) })
}

// draw visits n fields, each of them any one, until visit returns false. The hash is
// not empty.
func (h *hash) draw(n int64, visit func(field, value []byte) bool) {
	if h.dict != nil {
		h.dict.draw(n, func(e *entry) bool { return visit(e.key(), e.value()) })
		return
	}
	offsets := make([]int, 0, h.len())
	for at := 0; at < len(h.packed.data); _, _, at = h.packed.pair(at) {
		offsets = append(offsets, at)
	}
	for ; n > 0; n-- {
		field, value, _ := h.packed.pair(offsets[rand.IntN(len(offsets))]) //nolint:gosec // no secret
		if !visit(field, value) {
			return
		}
	}
}

// random returns any field. The hash is not empty.
func (h *hash) random() []byte {
	if h.dict != nil {
		return h.dict.random().key()
	}
	field, _ := h.packed.at(h.packed.seek(2 * rand.IntN(h.len()))) //nolint:gosec // no secret
	return field
}
