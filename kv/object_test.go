package kv

import "testing"

// recounts says, by type, what an object takes if every part of it is looked at.
var recounts = map[Type]func(o object) int64{
	TypeHash: func(o object) int64 {
		h := o.(*hash)
		return hashBytes + recountForm(&h.packed, h.dict)
	},
	TypeSet: func(o object) int64 {
		switch form := o.(*memberSet).members.(type) {
		case *intset:
			return memberSetBytes + intsetBytes + allocated(cap(form.data))
		case *packedSet:
			return memberSetBytes + packedSetBytes + recountForm(&form.packed, nil)
		default:
			return memberSetBytes + recountForm(nil, &form.(*dictSet).dict)
		}
	},
	TypeList:   recountList,
	TypeSorted: recountSorted,
}

// recountForm is what the packed form takes, or the dict where there is one.
func recountForm(p *packed, d *dict) int64 {
	if d == nil {
		return allocated(cap(p.data))
	}
	n := dictBytes + recountTable(&d.table)
	d.each(func(e *entry) bool {
		n += recountString(e)
		return true
	})
	return n
}

func recountTable(tb *table) (n int64) {
	for _, b := range []*buckets{&tb.old, &tb.cur} {
		n += allocatedPointers(len(b.segments) * sliceBytes)
		for _, segment := range b.segments {
			n += allocatedPointers(len(segment) * pointerBytes)
		}
	}
	return n
}

// recount is what an entry takes.
func recount(e *entry) int64 {
	if o := e.object(); o != nil {
		return objectEntryBytes + allocated(cap(e.block)) + recounts[o.kind()](o)
	}
	return recountString(e)
}

// recountString is what the entry of a string takes: the allocator's class of
// both parts together, or of each.
func recountString(e *entry) int64 {
	if n := entryBytes + cap(e.block); n <= 256 {
		return allocated(n)
	}
	return entryBytes + allocated(cap(e.block))
}

// A key may go from any type to any other, with its deadline where that is asked
// for, and the account of memory follows.
func TestAStringTakesThePlaceOfAnObject(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	key := []byte("k")
	if _, err := tx.HSet(0, key, [][]byte{[]byte("f"), []byte("v")}); err != nil {
		t.Fatal(err)
	}
	deadline := tx.Now() + 1e6
	tx.Expire(0, key, deadline, 0)
	if _, err := tx.Set(0, key, []byte("text"), SetOptions{KeepTTL: true}); err != nil {
		t.Fatal(err)
	}
	if got := tx.Deadline(0, key); got != deadline || get(tx, 0, "k") != "text" {
		t.Errorf("got %q until %d, want text until %d", get(tx, 0, "k"), got, deadline)
	}
	checkBytes(t, s)
}
