package kv

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestScoresSurviveTheirPackedForm(t *testing.T) {
	t.Parallel()
	for _, score := range []float64{0, math.Copysign(0, -1), 1, -1, 0.1, 1 << 53, 1e300, 5e-324, math.MaxFloat64, math.Inf(1), math.Inf(-1)} {
		packed := packScore(nil, score)
		if got := unpackScore(packed); math.Float64bits(got) != math.Float64bits(score) || len(packed) > scoreSize {
			t.Errorf("%v: got %v from %x", score, got, packed)
		}
	}
	if got := len(packScore(nil, 1000)); got > 3 {
		t.Errorf("1000 takes %d bytes, want at most 3", got)
	}
}

func TestAnImportedSortedSetIsTheExportedOne(t *testing.T) {
	t.Parallel()
	for name, compact := range map[string]Compact{"packed": {SortedEntries: 100, SortedValue: 100}, "spread": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := newStore(Config{}), newStore(Config{})
			from.SetCompact(compact)
			tx := from.BeginAll()
			list := []Scored{{nil, 1}, {[]byte("\x00\xff"), math.Inf(-1)}, {[]byte("a"), 0.1}, {[]byte("b"), math.Copysign(0, -1)}, {bytes.Repeat([]byte("x"), 1000), 2}}
			if _, _, err := tx.ZAdd(0, []byte("z"), list, 0); err != nil {
				t.Fatal(err)
			}
			want := textOf(t, tx, "z", &SortedRange{Stop: -1})
			copied, err := tx.Copy(Key{0, []byte("z")}, Key{0, []byte("copy")}, false)
			if err != nil || !copied {
				t.Fatal(copied, err)
			}
			if _, err := tx.ZRem(0, []byte("z"), keysOf("a")); err != nil {
				t.Fatal(err)
			}
			if got := textOf(t, tx, "copy", &SortedRange{Stop: -1}); got != want {
				t.Errorf("copy after a change of the first: got %s, want %s", got, want)
			}
			tx.Delete(0, []byte("z"))
			checkBytes(t, from)
			tx.End()
			restore(t, to, export(t, from))
			tx = to.BeginAll()
			defer tx.End()
			if got := textOf(t, tx, "copy", &SortedRange{Stop: -1}); got != want {
				t.Errorf("imported: got %s, want %s", got, want)
			}
			checkBytes(t, to)
		})
	}
}

func TestWhatIsNoSortedSetIsNotDecoded(t *testing.T) {
	t.Parallel()
	item := func(b string) []byte { return appendPacked(nil, []byte(b)) }
	for name, data := range map[string][]byte{
		"nothing":              nil,
		"no block":             []byte("\xff"),
		"a member only":        item("m"),
		"a score that is NaN":  slices.Concat(item("m"), item("\x7f\xf8")),
		"a score of 9 bytes":   slices.Concat(item("m"), item("123456789")),
		"a member twice":       slices.Concat(item("m"), item(""), item("m"), item("\x3f\xf0")),
		"a member and a third": slices.Concat(item("m"), item(""), item("n")),
	} {
		if _, err := decodeObject(TypeSorted, data, &DefaultCompact); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: got %v, want %v", name, err, ErrRecord)
		}
	}
}

func FuzzDecodeSorted(f *testing.F) {
	z := new(sorted)
	for i := range 5 {
		z.set(fmt.Append(nil, "m", i), float64(i)/3, &DefaultCompact)
	}
	f.Add(encoded(z))
	f.Add(appendPacked(appendPacked(nil, []byte("m")), []byte{0x7f, 0xf8}))     // NaN
	f.Add(appendPacked(appendPacked(nil, []byte("m")), make([]byte, 9)))        // too long
	f.Add(appendPacked(appendPacked(nil, []byte("m")), []byte{0x3f, 0xf0, 0}))  // a zero too many
	f.Add(bytes.Repeat(appendPacked(appendPacked(nil, []byte("m")), nil), 2))   // twice
	f.Add(appendPacked(appendPacked(appendPacked(nil, []byte("m")), nil), nil)) // no score
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := decodeObject(TypeSorted, data, &Compact{SortedEntries: 4, SortedValue: 8})
		if err != nil {
			return
		}
		if z, ok := o.(*sorted); !ok || z.len() == 0 || z.bytes() != recountSorted(z) {
			t.Fatalf("got %v", o)
		}
		again, err := decodeObject(TypeSorted, encoded(o), &DefaultCompact)
		if err != nil || !bytes.Equal(encoded(again), encoded(o)) {
			t.Fatalf("exported and decoded again: %v", err)
		}
	})
}
