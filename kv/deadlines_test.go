package kv

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// checkHeap holds the heap's order, the entries' positions and the account.
func checkHeap(t *testing.T, d *deadlines) {
	t.Helper()
	for i := range d.count {
		x := d.get(i)
		if int(x.e.due) != i+1 {
			t.Fatalf("entry at %d believes to be at %d", i, x.e.due-1)
		}
		if parent := (i - 1) / arity; i > 0 && d.get(parent).at > x.at {
			t.Fatalf("deadline at %d is earlier than its parent's", i)
		}
	}
	var bytes int64
	for _, c := range d.chunks {
		bytes += allocatedPointers(len(c)*dueBytes) + sliceBytes
	}
	if bytes != d.bytes {
		t.Fatalf("bytes: got %d, want %d", d.bytes, bytes)
	}
}

func TestDeadlinesComeInOrder(t *testing.T) {
	t.Parallel()
	var d deadlines
	for range 3000 {
		d.set(&entry{}, rand.Int64N(1000)+1)
	}
	checkHeap(t, &d)
	var last int64
	for n := 3000; ; n-- {
		x, ok := d.first()
		if !ok {
			if n != 0 {
				t.Fatalf("empty with %d left", n)
			}
			break
		}
		if x.at < last {
			t.Fatalf("deadline %d after %d", x.at, last)
		}
		last = x.at
		d.remove(x.e)
		if d.at(x.e) != 0 {
			t.Fatal("a removed entry still has a deadline")
		}
	}
	checkHeap(t, &d)
	if want := 2 * (allocatedPointers(chunkSize*dueBytes) + sliceBytes); d.bytes > want {
		t.Errorf("bytes of an emptied heap: got %d, want at most %d", d.bytes, want)
	}
}

func TestDeadlinesCanBeChangedAndTakenBack(t *testing.T) {
	t.Parallel()
	var d deadlines
	entries := make([]entry, 700)
	want := map[*entry]int64{}
	for i := range 20000 {
		e := &entries[rand.IntN(len(entries))]
		if rand.IntN(3) == 0 {
			d.remove(e)
			delete(want, e)
		} else {
			at := rand.Int64N(500) + 1
			d.set(e, at)
			want[e] = at
		}
		if i%500 == 0 {
			checkHeap(t, &d)
		}
		if got := d.at(e); got != want[e] {
			t.Fatalf("deadline: got %d, want %d", got, want[e])
		}
	}
	if d.count != len(want) {
		t.Errorf("count: got %d, want %d", d.count, len(want))
	}
}

func TestFixedPartsTakeWhatTheAccountSays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		size uintptr
		want int64
	}{
		{"entry", reflect.TypeFor[entry]().Size(), entryBytes},
		{"space", reflect.TypeFor[space]().Size(), spaceBytes},
		{"due", reflect.TypeFor[due]().Size(), dueBytes},
	}
	for _, tt := range tests {
		if got := allocated(int(tt.size)); got != tt.want {
			t.Errorf("%s of %d bytes takes %d, account says %d", tt.name, tt.size, got, tt.want)
		}
	}
	for n, want := range map[int]int64{0: 0, 1: 8, 8: 8, 9: 16, 33: 48, 1025: 1152, 32768: 32768, 32769: 40960, 1 << 20: 1 << 20} {
		if got := allocated(n); got != want {
			t.Errorf("allocated(%d): got %d, want %d", n, got, want)
		}
	}
}
