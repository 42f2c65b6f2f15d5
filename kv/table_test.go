package kv

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// newEntry makes an entry as a store would, with a hash of the test's choice.
func newEntry(key string, h uint32) *entry {
	return &entry{hash: h, size: uint32(len(key)), block: []byte(key), kind: TypeString}
}

// mix is a hash that spreads n over 32 bits.
func mix(n int) uint32 {
	x := uint32(n) * 0x9E3779B1
	return x ^ x>>15
}

// checkTable holds the table's invariants against its parts.
func checkTable(t *testing.T, tb *table) {
	t.Helper()
	count := 0
	var bytes int64
	for _, b := range []*buckets{&tb.old, &tb.cur} {
		bytes += allocatedPointers(len(b.segments) * sliceBytes)
		for s, segment := range b.segments {
			bytes += allocatedPointers(len(segment) * pointerBytes)
			for j, e := range segment {
				for ; e != nil; e = e.next {
					count++
					i := s<<segmentBits | j
					if home, at := tb.bucket(e.hash); home != b || at != i {
						t.Fatalf("key %q is in a bucket where find does not look", e.key())
					}
				}
			}
		}
	}
	if count != tb.count {
		t.Fatalf("count: got %d, want %d entries", tb.count, count)
	}
	if bytes != tb.bytes {
		t.Fatalf("bytes: got %d, want %d", tb.bytes, bytes)
	}
}

func TestTableKeepsEveryEntryThroughGrowthAndShrink(t *testing.T) {
	t.Parallel()
	var tb table
	live := map[int]*entry{}
	for i := range 5000 {
		e := newEntry(fmt.Sprint(i), mix(i))
		tb.insert(e)
		live[i] = e
		if i%397 == 0 {
			checkTable(t, &tb)
		}
	}
	for n, i := range rand.Perm(5000) {
		if got := tb.find(mix(i), fmt.Append(nil, i)); got != live[i] {
			t.Fatalf("find %d: got %v, want its entry", i, got)
		}
		tb.remove(live[i])
		if got := tb.find(mix(i), fmt.Append(nil, i)); got != nil {
			t.Fatalf("find %d after remove: got an entry", i)
		}
		if n%397 == 0 {
			checkTable(t, &tb)
		}
	}
	checkTable(t, &tb)
	if got := tb.cur.size; got != minBuckets {
		t.Errorf("buckets of the emptied table: got %d, want %d", got, minBuckets)
	}
	if got, want := tb.bytes, int64(sliceBytes+minBuckets*pointerBytes); got > want {
		t.Errorf("bytes of the emptied table: got %d, want at most %d", got, want)
	}
}

func TestTableGrowthEndsBeforeTheNextIsDue(t *testing.T) {
	t.Parallel()
	var tb table
	for i := range 1 << 16 {
		tb.insert(newEntry(fmt.Sprint(i), mix(i)))
		if tb.count > tb.cur.size {
			t.Fatalf("%d entries in %d buckets: the rehash came too late", tb.count, tb.cur.size)
		}
	}
}

func TestTableStepMovesABoundedNumberOfBuckets(t *testing.T) {
	t.Parallel()
	var tb table
	steps, most := 0, 0
	observe := func(change func()) {
		before, was, size := tb.moved, tb.rehashing(), tb.old.size
		change()
		switch {
		case tb.count == 0: // what is left of old is empty, and dropped unseen
		case was && tb.rehashing():
			most = max(most, tb.moved-before)
		case was:
			most = max(most, size-before)
		}
		steps++
	}
	var all []*entry
	for i := range 20000 {
		e := newEntry(fmt.Sprint(i), mix(i))
		all = append(all, e)
		observe(func() { tb.insert(e) })
	}
	for _, e := range all {
		observe(func() { tb.remove(e) })
	}
	if most > emptyVisits {
		t.Errorf("buckets moved by one change: got up to %d, want at most %d", most, emptyVisits)
	}
	if most == 0 {
		t.Errorf("no rehash in %d changes", steps)
	}
}

func TestTableDistinguishesKeysWithTheSameHash(t *testing.T) {
	t.Parallel()
	var tb table
	var all []*entry
	for i := range 50 {
		e := newEntry(fmt.Sprint(i), 7)
		all = append(all, e)
		tb.insert(e)
	}
	for i, e := range all {
		if got := tb.find(7, fmt.Append(nil, i)); got != e {
			t.Errorf("find %d: got %v, want its own entry", i, got)
		}
		tb.remove(e)
	}
	checkTable(t, &tb)
}

func TestScanVisitsWhatStaysWhileTheTableChanges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		others  int                // entries that come and go besides the staying ones
		between func(i, n int) int // how many others there shall be after call i, of n
	}{
		{"nothing changes", 1000, func(_, n int) int { return n }},
		{"table grows", 6000, func(i, n int) int { return min(n, i*40) }},
		{"table shrinks", 6000, func(i, n int) int { return max(0, n-i*40) }},
		{"grows and shrinks", 2000, func(i, n int) int { return n * (i / 200 % 2) }},
		{"random", 300, func(_, n int) int { return rand.IntN(n) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for round := range 6 {
				scanRound(t, tt.others, tt.between, round%2 == 0)
			}
		})
	}
}

func scanRound(t *testing.T, others int, between func(i, n int) int, resizing bool) {
	t.Helper()
	const staying = 300
	var tb table
	for i := range staying {
		tb.insert(newEntry(fmt.Sprint("stay", i), mix(-i-1)))
	}
	var extra []*entry
	adjust := func(want, limit int) {
		for ; len(extra) < want && limit > 0; limit-- {
			e := newEntry(fmt.Sprint(len(extra)), mix(len(extra)))
			tb.insert(e)
			extra = append(extra, e)
		}
		for ; len(extra) > want && limit > 0; limit-- {
			tb.remove(extra[len(extra)-1])
			extra = extra[:len(extra)-1]
		}
	}
	limit := 1 << 30
	if resizing { // scans then meet rehashes half way
		limit = 50
	}
	adjust(between(0, others), 1<<30)
	seen := map[string]bool{}
	var cursor uint32
	for i := 1; ; i++ {
		cursor = tb.scan(cursor, func(e *entry) { seen[string(e.key())] = true })
		if cursor == 0 {
			break
		}
		adjust(between(i, others), limit)
	}
	for i := range staying {
		if k := fmt.Sprint("stay", i); !seen[k] {
			t.Fatalf("%s was there all the time and was not visited", k)
		}
	}
}

func TestScanCallVisitsFewBucketsEvenInARehash(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1 << 13, 1<<13 + 1, 12_000} { // 1<<13 + 1: deletion begins as growth does
		var tb table
		var all []*entry
		for i := range n {
			e := newEntry("", mix(i))
			all = append(all, e)
			tb.insert(e)
		}
		for _, e := range all[10:] {
			tb.remove(e)
			if tb.rehashing() && max(tb.old.size, tb.cur.size) > 16*min(tb.old.size, tb.cur.size) {
				t.Fatalf("rehash from %d to %d buckets: more than 16 to visit in one call", tb.old.size, tb.cur.size)
			}
		}
		if tb.old.size > 2048 || tb.cur.size > 512 {
			t.Errorf("%d and %d buckets for the 10 entries left", tb.old.size, tb.cur.size)
		}
	}
}

func TestRandomReachesEveryEntry(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 5, 100, 513} { // 513: in the middle of a rehash
		var tb table
		for i := range n {
			tb.insert(newEntry(fmt.Sprint(i), mix(i)))
		}
		seen := map[string]int{}
		for range 100 * n {
			seen[string(tb.random().key())]++
		}
		if len(seen) != n {
			t.Errorf("%d entries: got %d of them in %d tries", n, len(seen), 100*n)
		}
		most := slices.Max(slices.Collect(maps.Values(seen)))
		if most > 100*20 {
			t.Errorf("%d entries: one came %d times in %d tries", n, most, 100*n)
		}
	}
	var empty table
	if got := empty.random(); got != nil {
		t.Errorf("random of an empty table: got %v, want nil", got)
	}
}

func TestRandomFindsTheOnlyEntryOfALargeTable(t *testing.T) {
	t.Parallel()
	var tb table
	e := newEntry("k", mix(1))
	tb.insert(e)
	tb.resize(1 << 14)
	for range 5 {
		if got := tb.random(); got != e {
			t.Fatalf("got %v, want the one entry", got)
		}
	}
}

// FuzzTable runs operations from the input against a Go map. An operation is
// three bytes: what to do, with the run of keys that begins at 16 times the
// second byte and has 8 times the third (so that few bytes make tables grow).
func FuzzTable(f *testing.F) {
	f.Add([]byte("i\x00\x01s\x00\x02i\x00\xffd\x00\x80s\x00\x05d\x01\xff"))
	f.Add([]byte("i\x00\xffi\x7f\xffs\x00\x10i\xff\xffs\x00\x10d\x00\xffd\x7f\xffs\x00\x10d\xff\xff"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		z := fuzzedTable{t: t, want: map[int]*entry{}}
		for ops = ops[:min(len(ops), 90)]; len(ops) >= 3; ops = ops[3:] {
			from, n := int(ops[1])*16, int(ops[2])*8
			for k := from; k < from+n; k++ {
				z.do(ops[0], k)
			}
		}
		checkTable(t, &z.tb)
		seen := map[*entry]bool{}
		for cursor := uint32(0); ; {
			if cursor = z.tb.scan(cursor, func(e *entry) { seen[e] = true }); cursor == 0 {
				break
			}
		}
		if len(seen) != len(z.want) {
			t.Fatalf("a whole scan visited %d of %d entries", len(seen), len(z.want))
		}
	})
}

type fuzzedTable struct {
	t      *testing.T
	tb     table
	want   map[int]*entry
	cursor uint32
}

func (z *fuzzedTable) do(op byte, k int) {
	h := mix(k)
	if k%8 == 0 {
		h &= 0xff // keys that collide
	}
	key := binary.AppendVarint(nil, int64(k))
	e := z.tb.find(h, key)
	if e != z.want[k] {
		z.t.Fatalf("find %d: got %v, want %v", k, e, z.want[k])
	}
	switch {
	case op%4 == 's'%4:
		z.cursor = z.tb.scan(z.cursor, func(e *entry) {
			if z.tb.find(e.hash, e.key()) != e {
				z.t.Fatalf("scan visited %q, which is not in the table", e.key())
			}
		})
	case op%4 == 'd'%4 && e != nil:
		z.tb.remove(e)
		delete(z.want, k)
	case op%4 == 'i'%4 && e == nil:
		e = newEntry(string(key), h)
		z.tb.insert(e)
		z.want[k] = e
	}
}
