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
	_, value, _ = h.packed.pair(at)
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

// growth is by how much set lets the hash grow at most, called for each of the
// pairs. For a dict the table's own growth is reckoned as two pointers for each.
func (h *hash) growth(pairs [][]byte, c *Compact) (n int64) {
	size, longest := len(h.packed.data), 0
	for _, b := range pairs {
		size += packedSize(len(b))
		longest = max(longest, len(b))
	}
	if h.dict == nil && longest <= c.HashValue && h.room(pairs, c) {
		return max(0, allocated(size)-h.packed.bytes())
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		n += dictGrowth(len(pairs[i]) + len(pairs[i+1]))
	}
	if h.dict == nil {
		n += dictBytes
		h.each(func(field, value []byte) bool {
			n += dictGrowth(len(field) + len(value))
			return true
		})
	}
	return n
}

// room says whether the packed form has room for the pairs.
func (h *hash) room(pairs [][]byte, c *Compact) bool {
	if h.len()+len(pairs)/2 <= c.HashEntries {
		return true
	}
	added := 0
	for i := 0; i+1 < len(pairs); i += 2 {
		if h.packed.find(pairs[i], 2) < 0 {
			added++
		}
	}
	return added == 0 || h.len()+added <= c.HashEntries
}

// dictGrowth is what an entry of n bytes takes in a dict.
func dictGrowth(n int) int64 { return entryBytes + 2*pointerBytes + allocated(n) }

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
	_, _, to := h.packed.pair(from)
	h.packed.remove(from, to, 2)
	return true
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

// export writes fields and values as packed items, whatever the form.
func (h *hash) export(x *exports) {
	if h.dict == nil {
		x.block(&h.packed, 2)
		return
	}
	h.each(func(field, value []byte) bool {
		x.element()
		x.item(field)
		x.item(value)
		return true
	})
}

func (h *hash) load(data []byte, c *Compact) error {
	fields, ok := unpack(data)
	if !ok || fields.n == 0 || fields.n%2 != 0 {
		return fmt.Errorf("%w: not a hash", ErrRecord)
	}
	for at := 0; at < len(data); {
		var field, value []byte
		field, value, at = fields.pair(at)
		if !h.set(field, value, c) {
			return fmt.Errorf("%w: a field comes twice", ErrRecord)
		}
	}
	return nil
}
