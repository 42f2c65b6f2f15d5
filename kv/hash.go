package kv

import (
	"fmt"
	"unsafe"
)

// hash is a map from fields to values: packed as field, value, field, value … while
// it is small, else a dict.
type hash struct {
	packed packed
	dict   *dict // nil: packed
}

var hashBytes = allocated(int(unsafe.Sizeof(hash{})))

func (h *hash) kind() Type { return TypeHash }

func (h *hash) encoding() string {
	if h.dict != nil {
		return "hashtable"
	}
	return "listpack"
}

func (h *hash) len() int {
	if h.dict != nil {
		return h.dict.count
	}
	return h.packed.n / 2
}

func (h *hash) bytes() int64 {
	if h.dict != nil {
		return hashBytes + h.dict.bytes()
	}
	return hashBytes + h.packed.bytes()
}

func (h *hash) clone() object {
	if h.dict != nil {
		return &hash{dict: h.dict.clone()}
	}
	return &hash{packed: h.packed.clone()}
}

// get returns the value of a field. It is valid until the next change.
func (h *hash) get(field []byte) (value []byte, ok bool) {
	if h.dict != nil {
		e := h.dict.get(field)
		if e == nil {
			return nil, false
		}
		return e.value(), true
	}
	at := h.packed.find(field, 2)
	if at < 0 {
		return nil, false
	}
	_, at = h.packed.at(at)
	value, _ = h.packed.at(at)
	return value, true
}

// set stores the value of a field and says whether the field is a new one.
func (h *hash) set(field, value []byte, c *Compact) (added bool) {
	if h.dict == nil && max(len(field), len(value)) > c.HashValue {
		h.spread()
	}
	if h.dict != nil {
		_, added = h.dict.put(field, value)
		return added
	}
	if at := h.packed.find(field, 2); at >= 0 {
		_, from := h.packed.at(at)
		_, to := h.packed.at(from)
		h.packed.replace(from, to, 1, value)
		return false
	}
	h.packed.append(field, value)
	if h.len() > c.HashEntries {
		h.spread()
	}
	return true
}

// remove takes a field away and says whether it was there.
func (h *hash) remove(field []byte) bool {
	if h.dict != nil {
		e := h.dict.get(field)
		if e != nil {
			h.dict.delete(e)
		}
		return e != nil
	}
	from := h.packed.find(field, 2)
	if from < 0 {
		return false
	}
	_, to := h.packed.at(from)
	_, to = h.packed.at(to)
	h.packed.remove(from, to, 2)
	return true
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
		field, at = h.packed.at(at)
		value, at = h.packed.at(at)
		if !visit(field, value) {
			return
		}
	}
}

// spread turns the packed form into a dict.
func (h *hash) spread() {
	d := new(dict)
	h.each(func(field, value []byte) bool {
		d.add(memberHash(field), field, value)
		return true
	})
	h.dict, h.packed = d, packed{}
}

// export appends fields and values as one packed block, whatever the form.
func (h *hash) export(dst []byte) []byte {
	if h.dict == nil {
		return append(dst, h.packed.data...)
	}
	h.each(func(field, value []byte) bool {
		dst = appendPacked(appendPacked(dst, field), value)
		return true
	})
	return dst
}

// decodeHash makes a hash of what export has written.
func decodeHash(data []byte, c *Compact) (object, error) {
	fields, ok := unpack(data)
	if !ok || fields.n == 0 || fields.n%2 != 0 {
		return nil, fmt.Errorf("%w: not a hash", ErrRecord)
	}
	h := new(hash)
	for at := 0; at < len(data); {
		var field, value []byte
		field, at = fields.at(at)
		value, at = fields.at(at)
		if !h.set(field, value, c) {
			return nil, fmt.Errorf("%w: a field comes twice", ErrRecord)
		}
	}
	return h, nil
}
