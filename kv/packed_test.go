package kv

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// A packed block is a list of byte strings: random changes at random places leave
// it with the items that a slice has, read from both ends.
func TestPackedIsAList(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test's stream
	item := func() []byte {
		n := r.IntN(8)
		if r.IntN(20) == 0 {
			n = []int{126, 127, 128, 129, 16383, 16384, 16385}[r.IntN(7)]
		}
		return bytes.Repeat([]byte{byte(r.IntN(256))}, n)
	}
	var p packed
	var want [][]byte
	for step := range 5000 {
		from := r.IntN(len(want) + 1)
		count := r.IntN(min(3, len(want)-from) + 1)
		var items [][]byte
		for range r.IntN(3) {
			if len(want) < 50 {
				items = append(items, item())
			}
		}
		p.replace(p.seek(from), p.seek(from+count), count, items...)
		want = slices.Replace(want, from, from+count, items...)
		checkPacked(t, step, &p, want)
	}
}

func checkPacked(t *testing.T, step int, p *packed, want [][]byte) {
	t.Helper()
	checkItems(t, step, p, want)
	if len(p.data) > 0 && int64(cap(p.data)) != allocated(cap(p.data)) {
		t.Fatalf("step %d: a block of %d bytes is not one that the allocator gives", step, cap(p.data))
	}
}

// checkItems says whether a block holds the items, however it is read.
func checkItems(t *testing.T, step int, p *packed, want [][]byte) {
	t.Helper()
	var forwards, backwards [][]byte
	for at := 0; at < len(p.data); {
		var item []byte
		item, at = p.at(at)
		forwards = append(forwards, item)
	}
	for at := len(p.data); at > 0; {
		var item []byte
		item, at = p.before(at)
		backwards = append(backwards, item)
	}
	slices.Reverse(backwards)
	if p.n != len(want) || !slices.EqualFunc(forwards, want, bytes.Equal) || !slices.EqualFunc(backwards, want, bytes.Equal) {
		t.Fatalf("step %d: got %d items %q, backwards %q, want %q", step, p.n, forwards, backwards, want)
	}
	if back, ok := unpack(bytes.Clone(p.data)); !ok || back.n != p.n {
		t.Fatalf("step %d: the block is not read back: %v, %d items, want %d", step, ok, back.n, p.n)
	}
	for i, w := range want {
		if first := slices.IndexFunc(want, func(b []byte) bool { return bytes.Equal(b, w) }); p.find(w, 1) != p.seek(first) {
			t.Fatalf("step %d: item %d is found at offset %d, want %d", step, i, p.find(w, 1), p.seek(first))
		}
	}
}

// Bytes that nobody packed are refused, and harm nothing.
func FuzzUnpack(f *testing.F) {
	var p packed
	p.append([]byte("a"), bytes.Repeat([]byte("b"), 200), nil)
	f.Add(p.data)
	f.Add([]byte{0x80, 0x00, 0x00, 0x80})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		p, ok := unpack(data)
		if !ok {
			return
		}
		var again packed
		for at := 0; at < len(p.data); {
			var item []byte
			item, at = p.at(at)
			again.append(item)
		}
		if !bytes.Equal(again.data, data) {
			t.Errorf("%q was taken for %q", data, again.data)
		}
	})
}
