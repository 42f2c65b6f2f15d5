package kv

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
)

// encoded returns what export writes, as if it were one record, without its head.
func encoded(o object) (b []byte) {
	var x exports
	x.open(byte(o.kind()), 0)
	o.export(&x)
	x.close()
	for _, r := range x.records {
		b = append(b, r[1:]...)
	}
	return b
}

// decodeObject makes an object of what encoded returns.
func decodeObject(kind Type, data []byte, c *Compact) (object, error) {
	o := newObject(kind)
	return o, o.load(data, c)
}

// restore imports records, the whole of an export.
func restore(t testing.TB, s *Store, records [][]byte) (stored, expired int64) {
	t.Helper()
	im := s.Import()
	for _, r := range records {
		if err := im.Record(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := im.Done(); err != nil {
		t.Fatal(err)
	}
	return im.Keys()
}

// block makes what export writes of these items.
func block(items ...string) (b []byte) {
	for _, item := range items {
		b = appendPacked(b, []byte(item))
	}
	return b
}

func TestOnlyWhatExportWritesIsDecoded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule string
		kind Type
		data []byte
		ok   bool
	}{
		{"a hash", TypeHash, block("f", "1", "g", "1"), true},
		{"a hash without fields", TypeHash, nil, false},
		{"a field without a value", TypeHash, block("f", "1", "g"), false},
		{"a field twice", TypeHash, block("f", "1", "f", "2"), false},
		{"a hash that is cut", TypeHash, block("f", "1")[:5], false},
		{"a set", TypeSet, block("1", "a"), true},
		{"a set without members", TypeSet, nil, false},
		{"a member twice", TypeSet, block("a", "1", "a"), false},
		{"an integer twice", TypeSet, block("1", "1"), false},
		{"a set that is cut", TypeSet, block("1", "2")[:4], false},
		{"lengths that differ", TypeSet, []byte{1, 'a', 2}, false},
	} {
		o, err := decodeObject(tt.kind, tt.data, &DefaultCompact)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrRecord) {
			t.Errorf("%s: got %v, %v", tt.rule, o, err)
		}
	}
}

// Other sizes may hold where a record is read; what it says is the same.
func TestCollectionsAreTheSameAfterAnImport(t *testing.T) {
	t.Parallel()
	for _, compact := range []Compact{DefaultCompact, few} {
		from, to := newStore(Config{}), newStore(Config{Compact: compact})
		tx := from.BeginAll()
		for _, n := range []int{1, 9, 100, 600} {
			for i := range n {
				f := strconv.Itoa(i * i)
				_, err := tx.HSet(0, fmt.Append(nil, "hash", n), keysOf(f, "v"+f))
				_, errSet := tx.SAdd(0, fmt.Append(nil, "integers", n), keysOf(f))
				_, errTexts := tx.SAdd(0, fmt.Append(nil, "texts", n), keysOf("m"+f))
				if err := errors.Join(err, errSet, errTexts); err != nil {
					t.Fatal(err)
				}
			}
			tx.Expire(0, fmt.Append(nil, "texts", n), 1e15, 0)
		}
		describe := func(tx *Tx) map[string]string {
			all := map[string]string{}
			tx.Each(0, func(key []byte, typ Type) {
				list := []string{}
				if e, _, err := tx.Elements(0, key, typ); err == nil {
					e.Scan(0, 1e6, func(element, value []byte) { list = append(list, string(element)+"="+string(value)) })
				}
				slices.Sort(list)
				all[string(key)] = fmt.Sprint(typ, list, tx.Deadline(0, key))
			})
			return all
		}
		want := describe(tx)
		tx.End()
		restore(t, to, export(t, from))
		tx = to.BeginAll()
		if got := describe(tx); fmt.Sprint(got) != fmt.Sprint(want) || len(got) != 12 {
			t.Errorf("got %d keys, want %d", len(got), len(want))
		}
		checkBytes(t, to)
		tx.End()
	}
}
