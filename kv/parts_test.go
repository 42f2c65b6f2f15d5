package kv

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// giants puts a large collection of each type, and form, into a store.
func giants(t testing.TB, s *Store) {
	t.Helper()
	tx := s.BeginAll()
	defer tx.End()
	var pairs, members, integers [][]byte
	var scored []Scored
	for i := range 8000 {
		pairs = append(pairs, fmt.Append(nil, "field", i), fmt.Append(nil, "value", i))
		members = append(members, fmt.Append(nil, "member", i))
		integers = append(integers, fmt.Append(nil, 1_000_000_000_000+i))
		scored = append(scored, Scored{members[i], float64(i) / 7})
	}
	members = append(members, bytes.Repeat([]byte("large"), 10_000))
	for i, key := range []string{"spread", "packed"} {
		s.SetCompact([]Compact{DefaultCompact, {1e9, 1e9, 1e9, 1e9, 1e9, 1e9, 1e9, -5}}[i])
		n := []int{8000, 1500}[i] // a packed one takes its time
		_, errHash := tx.HSet(0, fmt.Append(nil, "hash ", key), pairs[:2*n])
		_, errSet := tx.SAdd(0, fmt.Append(nil, "set ", key), members[len(members)-n:])
		_, errIntegers := tx.SAdd(0, fmt.Append(nil, "integers ", key), integers[:n])
		_, errList := tx.Push(0, fmt.Append(nil, "list ", key), Right, members, false)
		_, _, errSorted := tx.ZAdd(0, fmt.Append(nil, "sorted ", key), scored[:n], 0)
		if err := errors.Join(errHash, errSet, errIntegers, errList, errSorted); err != nil {
			t.Fatal(err)
		}
	}
	tx.Expire(0, []byte("hash spread"), 1e15, 0)
	s.SetCompact(DefaultCompact)
}

// describe returns, by key, everything that a store has.
func describe(s *Store) map[string]string {
	tx := s.BeginAll()
	defer tx.End()
	all := map[string]string{}
	for db := range s.Databases() {
		tx.Each(db, func(key []byte, typ Type) {
			texts, ordered := []string{}, false
			visit := func(element, value []byte) { texts = append(texts, fmt.Sprintf("%q=%q", element, value)) }
			p := tx.find(db, key)
			switch o := p.e.object().(type) {
			case nil:
				visit(p.e.value(), nil)
			case *list:
				ordered = true
				o.each(0, func(item []byte) bool { visit(item, nil); return true })
			case *sorted: // of which the packed form does not know -0
				ordered = true
				o.eachScored(func(member []byte, score float64) bool { visit(member, fmt.Append(nil, score+0)); return true })
			case *hash:
				o.each(func(field, value []byte) bool { visit(field, value); return true })
			case *memberSet:
				o.each(func(member []byte) bool { visit(member, nil); return true })
			}
			if !ordered {
				slices.Sort(texts)
			}
			all[fmt.Sprintf("%d %q", db, key)] = fmt.Sprint(typ, tx.Deadline(db, key), strings.Join(texts, " "))
		})
	}
	return all
}

// However large a collection is, no record of it is larger than a part and an element.
func TestALargeCollectionIsManyRecords(t *testing.T) {
	t.Parallel()
	from, to := newStore(Config{}), newStore(Config{})
	giants(t, from)
	records := export(t, from)
	longest, more := 0, 0
	for _, r := range records {
		longest = max(longest, len(r))
		if r[0]&partContinues != 0 {
			more++
		}
	}
	if most := 2*partBytes + 50_000 + 100; longest > most || more < 40 {
		t.Errorf("got %d records, %d of them further parts, the longest of %d bytes, want at most %d", len(records), more, longest, most)
	}
	restore(t, to, records)
	got, want := describe(to), describe(from)
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("%s: got %.100s, want %.100s", key, got[key], want[key])
		}
	}
	if len(got) != 10 || len(want) != 10 {
		t.Errorf("got %d keys, want %d", len(got), len(want))
	}
	checkBytes(t, to)
}

func TestPartsComeInTheirOrder(t *testing.T) {
	t.Parallel()
	const hash, set = byte(TypeHash), byte(TypeSet)
	begin := append([]byte{hash | partFollows, 0, 0, 1, 'k'}, block("a", "1")...)
	middle := append([]byte{hash | partContinues | partFollows}, block("b", "2")...)
	last := append([]byte{hash | partContinues}, block("c", "3")...)
	whole := append([]byte{hash, 0, 0, 1, 'w'}, block("a", "1")...)
	for _, tt := range []struct {
		rule    string
		records [][]byte
		ok      bool
	}{
		{"one after the other", [][]byte{begin, middle, last, whole}, true},
		{"without a beginning", [][]byte{last}, false},
		{"after a whole one", [][]byte{whole, last}, false},
		{"another key before the end", [][]byte{begin, whole}, false},
		{"a string before the end", [][]byte{begin, {byte(TypeString), 0, 0, 1, 'w', 'v'}, last}, false},
		{"nothing behind the beginning", [][]byte{begin}, false},
		{"nothing behind the middle", [][]byte{begin, middle}, false},
		{"an element twice", [][]byte{begin, middle, middle}, false},
		{"another type", [][]byte{begin, append([]byte{set | partContinues}, block("c", "d")...)}, false},
		{"an empty part", [][]byte{begin, {hash | partContinues}}, false},
		{"a string in parts", [][]byte{{byte(TypeString) | partFollows, 0, 0, 1, 'k', 'v'}}, false},
		{"a string that goes on", [][]byte{begin, {byte(TypeString) | partContinues, 'v'}}, false},
	} {
		s := newStore(Config{})
		im, err := s.Import(), error(nil)
		for _, r := range tt.records {
			if err = im.Record(r); err != nil {
				break
			}
		}
		if err == nil {
			err = im.Done()
		}
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrRecord) {
			t.Errorf("%s: got %v", tt.rule, err)
		}
		if _, ok := describe(s)[`0 "k"`]; ok != tt.ok {
			t.Errorf("%s: the key is there: %v", tt.rule, ok)
		}
		checkBytes(t, s)
	}
}

// A key whose time has passed is gone as a whole, and one that does not fit is refused
// before it is in memory as a whole.
func TestALargeCollectionIsStoredWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	now := int64(1000)
	from := newStore(Config{Now: func() int64 { return now }})
	giants(t, from)
	tx := from.BeginAll()
	tx.Each(0, func(key []byte, _ Type) { tx.Expire(0, key, 2000, 0) })
	tx.End()
	records := export(t, from)
	to := newStore(Config{Now: func() int64 { return 2000 }})
	if stored, expired := restore(t, to, records); stored != 0 || expired != 10 || len(describe(to)) != 0 {
		t.Errorf("got %d keys stored, %d expired, want 0 and 10", stored, expired)
	}
	refusesTheBeginningOfALargeSet(t)
}

func refusesTheBeginningOfALargeSet(t *testing.T) {
	t.Helper()
	one, small := newStore(Config{}), newStore(Config{MaxMemory: 100_000})
	tx := one.BeginAll()
	for i := range 40_000 {
		if _, err := tx.SAdd(0, []byte("k"), [][]byte{fmt.Append(nil, "member", i)}); err != nil {
			t.Fatal(err)
		}
	}
	tx.End()
	records, im := export(t, one), small.Import()
	for i, r := range records {
		err := im.Record(r)
		if err == nil {
			continue
		}
		if !errors.Is(err, ErrOOM) || i > len(records)/2 || im.object == nil || small.Bytes() != 0 {
			t.Errorf("record %d of %d: got %v with %v, and %d bytes in the store", i, len(records), err, im.object, small.Bytes())
		}
		return
	}
	t.Errorf("got no error in %d records", len(records))
}

// Whatever the records say, all of a key is taken or nothing.
func FuzzImportOfParts(f *testing.F) {
	head := []byte{0, 0, 1, 'k'}
	for _, kind := range []Type{TypeHash, TypeList, TypeSet, TypeSorted} {
		f.Add(slices.Concat([]byte{byte(kind) | partFollows}, head, block("a", "?\xf0")), append([]byte{byte(kind) | partContinues}, block("b", "@")...))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		s := newStore(Config{Now: func() int64 { return 1 }, Compact: few})
		im := s.Import()
		err := im.Record(first)
		if err == nil {
			err = im.Record(second)
		}
		if n := len(describe(s)); int64(n) > im.stored {
			t.Errorf("%d keys, and %d were stored", n, im.stored)
		}
		if err != nil || im.Done() != nil {
			return
		}
		again := newStore(Config{Now: func() int64 { return 1 }})
		restore(t, again, export(t, s))
		if got, want := fmt.Sprint(describe(again)), fmt.Sprint(describe(s)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		checkBytes(t, s)
	})
}

// How long writers wait for one collection of a million elements.
func BenchmarkExportOfOneCollection(b *testing.B) {
	for _, kind := range []Type{TypeHash, TypeList, TypeSet, TypeSorted} {
		b.Run(kind.String(), func(b *testing.B) {
			s := newStore(Config{})
			o := newObject(kind)
			for i := range 1_000_000 {
				element := appendPacked(nil, fmt.Append(nil, "element", i))
				if kind == TypeHash {
					element = appendPacked(element, fmt.Append(nil, "value", i))
				}
				if kind == TypeSorted {
					element = appendPacked(element, packScore(nil, float64(i*7919%1_000_000)))
				}
				if err := o.load(element, &DefaultCompact); err != nil {
					b.Fatal(err)
				}
			}
			tx := s.BeginAll()
			if _, err := tx.replaceObject(0, []byte("k"), o, EventGeneric, "restore"); err != nil {
				b.Fatal(err)
			}
			tx.End()
			longest := time.Duration(0)
			for b.Loop() {
				pause, err := s.Export(func([]byte) error { return nil })
				if err != nil {
					b.Fatal(err)
				}
				longest = max(longest, pause)
			}
			b.ReportMetric(float64(longest.Microseconds())/1e3, "ms/pause")
		})
	}
}
