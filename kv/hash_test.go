package kv

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// few makes every size at which something changes come soon.
var few = Compact{HashEntries: 8, HashValue: 16, SetIntegers: 12, SetEntries: 8, SetValue: 16, SortedEntries: 8, SortedValue: 16, ListSize: -2}

// fieldsOf returns what HGetAll says of a hash.
func fieldsOf(t *testing.T, tx *Tx, key string) map[string]string {
	t.Helper()
	all, size := map[string]string{}, 0
	err := tx.HGetAll(0, []byte(key), func(n int) { size = n }, func(field, value []byte) bool {
		all[string(field)] = string(value)
		return true
	})
	if err != nil || size != len(all) {
		t.Fatalf("got %d fields, %v, want %d", len(all), err, size)
	}
	return all
}

// hashStep makes one change of a hash and of the map that it should be.
func hashStep(t *testing.T, tx *Tx, rnd *rand.Rand, want map[string]string, keep int) {
	t.Helper()
	key, field := []byte("h"), strconv.Itoa(rnd.IntN(2*keep))
	value := strings.Repeat("v", rnd.IntN(8))
	if rnd.IntN(40) == 0 {
		value = strings.Repeat("v", rnd.IntN(40))
	}
	_, had := want[field]
	var got, expected any
	var err error
	switch n := rnd.IntN(10); {
	case n < 4 && len(want) < keep, n == 4:
		got, err = tx.HSet(0, key, keysOf(field, "old", field, value))
		expected = 1
		if had {
			expected = 0
		}
		want[field] = value
	case n == 5:
		got, err = tx.HSetNX(0, key, []byte(field), []byte(value))
		if expected = !had; !had {
			want[field] = value
		}
	case n == 6:
		delete(want, field)
		if had {
			expected = 1
		} else {
			expected = 0
		}
		got, err = tx.HDel(0, key, keysOf(field, field, "none"))
	case n == 7:
		var v []byte
		v, _, err = tx.HGet(0, key, []byte(field))
		got, expected = string(v), want[field]
	default:
		got, err = tx.HLen(0, key)
		expected = len(want)
		if n == 9 && rnd.IntN(5) == 0 { // begin again
			for f := range want {
				_, err = tx.HDel(0, key, keysOf(f))
			}
			clear(want)
		}
	}
	if err != nil || got != expected {
		t.Fatalf("got %v, %v, want %v", got, err, expected)
	}
}

func TestAHashIsAMapInEveryForm(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for seed := range uint64(8) {
		rnd := rand.New(rand.NewPCG(seed, 6))
		s := newStore(Config{Compact: few})
		tx := s.BeginAll()
		want := map[string]string{}
		for i := range 2000 {
			hashStep(t, tx, rnd, want, 5+i/30%30)
			e := tx.live(tx.find(0, []byte("h")))
			if (e == nil) != (len(want) == 0) {
				t.Fatalf("seed %d: the key exists: %v, with %d fields", seed, e != nil, len(want))
			}
			if e == nil {
				continue
			}
			seen[e.object().encoding()] = true
			if i%50 != 0 {
				continue
			}
			if got := fieldsOf(t, tx, "h"); !maps.Equal(got, want) {
				t.Fatalf("seed %d, step %d: got %v, want %v", seed, i, got, want)
			}
			checkBytes(t, s)
			decoded, err := decodeObject(TypeHash, encoded(e.object()), &few)
			if err != nil || decoded.len() != len(want) {
				t.Fatalf("decoded: got %v, %v", decoded, err)
			}
			c := e.object().clone()
			if got := recounts[TypeHash](c); got != c.bytes() || c.len() != len(want) {
				t.Fatalf("a copy: %d bytes, want %d", got, c.bytes())
			}
		}
		tx.End()
	}
	if len(seen) != 2 {
		t.Errorf("forms: got %v, want both", seen)
	}
}

func TestAHashOutgrowsTheCompactFormAsRedisSays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule, want   string
		fields, long int // long: bytes of the last value
	}{
		{"as many fields as are allowed", "listpack", 512, 1},
		{"one more", "hashtable", 513, 1},
		{"as long a value as is allowed", "listpack", 3, 64},
		{"a longer one", "hashtable", 3, 65},
	} {
		h := new(hash)
		for i := range tt.fields {
			h.set(fmt.Append(nil, i), bytes.Repeat([]byte("v"), tt.long), &DefaultCompact)
		}
		if got := h.encoding(); got != tt.want || h.len() != tt.fields {
			t.Errorf("%s: got %s of %d", tt.rule, got, h.len())
		}
	}
	h := new(hash)
	h.set(bytes.Repeat([]byte("f"), 65), nil, &DefaultCompact)
	if h.encoding() != "hashtable" {
		t.Error("a long field: got listpack")
	}
}

// What a hash becomes when it spreads is known before it does.
func TestAHashThatSpreadsIsRefusedInTime(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	for i := range DefaultCompact.HashEntries {
		if _, err := tx.HSet(0, []byte("h"), keysOf(strconv.Itoa(i), "v")); err != nil {
			t.Fatal(err)
		}
	}
	before, size := dump(tx), s.Bytes()
	s.SetMaxMemory(size + 2000)
	if _, err := tx.HSet(0, []byte("h"), keysOf("x", "v")); !errors.Is(err, ErrOOM) {
		t.Errorf("got %v, want %v", err, ErrOOM)
	}
	if got := dump(tx); fmt.Sprint(got) != fmt.Sprint(before) || s.Bytes() != size {
		t.Errorf("got %d bytes, want %d", s.Bytes(), size)
	}
	if _, err := tx.HSet(0, []byte("h"), keysOf("1", "w")); err != nil {
		t.Errorf("within the form: got %v", err)
	}
}

// scanned goes through the elements of the key k and lets something happen between the calls.
func scanned(t *testing.T, tx *Tx, typ Type, count int, meanwhile func(i int)) map[string]int {
	t.Helper()
	found := map[string]int{}
	for i, cursor := 0, uint64(0); ; i++ {
		list, ok, err := tx.Elements(0, []byte("k"), typ)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		cursor = list.Scan(cursor, count, func(element, _ []byte) { found[string(element)]++ })
		if cursor == 0 {
			return found
		}
		meanwhile(i)
	}
}

func TestAScanFindsWhatIsThereAllTheTime(t *testing.T) {
	t.Parallel()
	for _, typ := range []Type{TypeHash, TypeSet} {
		for _, count := range []int{1, 10, 300} {
			s := newStore(Config{})
			tx := s.BeginAll()
			put := func(name string) {
				var err error
				if typ == TypeHash {
					_, err = tx.HSet(0, []byte("k"), keysOf(name, ""))
				} else {
					_, err = tx.SAdd(0, []byte("k"), keysOf(name))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			remove := func(name string) {
				_, _ = tx.HDel(0, []byte("k"), keysOf(name))
				_, _ = tx.SRem(0, []byte("k"), keysOf(name))
			}
			for i := range 1000 {
				put(fmt.Sprint("stays", i))
			}
			found := scanned(t, tx, typ, count, func(i int) {
				for j := range 40 { // grows, then shrinks to less than it was
					if i < 40 {
						put(fmt.Sprint("comes", i*40+j))
					} else {
						remove(fmt.Sprint("comes", (i-40)*40+j))
					}
				}
			})
			for i := range 1000 {
				if found[fmt.Sprint("stays", i)] == 0 {
					t.Fatalf("%v, COUNT %d: stays%d was not found", typ, count, i)
				}
			}
			checkBytes(t, s)
			tx.End()
		}
	}
}

// A field that shares its bucket with others is chosen less often: of the longest chains a fifth as often.
func TestEveryFieldIsChosenAboutAsOften(t *testing.T) {
	t.Parallel()
	for _, fields := range []int{6, 300} {
		for _, count := range []int64{1, 5, -5, 200} {
			s := newStore(Config{})
			tx := s.BeginAll()
			for i := range fields {
				_, _ = tx.HSet(0, []byte("h"), keysOf(strconv.Itoa(i), "v"))
			}
			times, want := map[string]int{}, min(max(count, -count), int64(fields))
			if count < 0 {
				want = -count
			}
			rounds := 60_000 / int(want)
			for range rounds {
				var list []string
				err := tx.HRandFields(0, []byte("h"), count, func(n int64) {
					if n != want {
						t.Fatalf("count %d of %d: got %d, want %d", count, fields, n, want)
					}
				}, func(field, _ []byte) bool {
					list = append(list, string(field))
					times[string(field)]++
					return true
				})
				slices.Sort(list)
				if err != nil || int64(len(list)) != want || count > 0 && len(slices.Compact(list)) != len(list) {
					t.Fatalf("count %d: got %v, %v", count, list, err)
				}
			}
			fair := rounds * int(want) / fields
			for f, n := range times {
				if n < fair/20 || n > 5*fair || len(times) != fields {
					t.Errorf("count %d: %s was chosen %d times, want about %d", count, f, n, fair)
				}
			}
			tx.End()
		}
	}
}

func FuzzDecodeHash(f *testing.F) {
	h := new(hash)
	h.set([]byte("field"), bytes.Repeat([]byte("v"), 200), &few)
	h.set(nil, nil, &few)
	f.Add(encoded(h))
	f.Add([]byte{1, 'a', 1, 1, 'b', 1, 1, 'a', 1, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := decodeObject(TypeHash, data, &few)
		if err != nil {
			if !errors.Is(err, ErrRecord) {
				t.Errorf("got %v", err)
			}
			return
		}
		if got := recounts[TypeHash](o); got != o.bytes() || got > 4096+int64(200*len(data)) {
			t.Errorf("%d bytes of %d, want %d", got, len(data), o.bytes())
		}
		again, err := decodeObject(TypeHash, encoded(o), &few)
		if err != nil || again.len() != o.len() {
			t.Errorf("again: got %v", err)
		}
	})
}
