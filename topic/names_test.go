package topic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func newNames(names ...string) *Names {
	n := &Names{}
	for _, name := range names {
		n.Add(name)
	}
	return n
}

// list asks for all matches in steps of that size.
func list(n *Names, glob string, most, look int) []string {
	p := Compile(glob)
	names, next := n.Match(nil, p, "", most, look)
	for next != "" {
		names, next = n.Match(names, p, next, most, look)
	}
	return names
}

func TestNamesListsWhatAPatternMatchesInByteOrder(t *testing.T) {
	t.Parallel()
	n := newNames("b", "a:2", "a:10", "a:", "a", "", "a;", "A", "a*b", "a:\x00", "a:\xff", "é", "\xff", "\x00")
	for _, tt := range []struct {
		name, glob string
		want       []string
	}{
		{"a star matches every name but the empty one", "*", []string{"\x00", "A", "a", "a*b", "a:", "a:\x00", "a:10", "a:2", "a:\xff", "a;", "b", "é", "\xff"}},
		{"the empty pattern matches the empty name alone", "", []string{""}},
		{"a prefix takes its range, ends included", "a:*", []string{"a:", "a:\x00", "a:10", "a:2", "a:\xff"}},
		{"within the range the rest is matched", "a:?", []string{"a:\x00", "a:2", "a:\xff"}},
		{"a literal is itself and not what begins with it", "a", []string{"a"}},
		{"a literal that is not there", "a:1", nil},
		{"escapes are literals", `a\*b`, []string{"a*b"}},
		{"a class of one byte is a literal", "a[*]*", []string{"a*b"}},
		{"a class has no prefix", "[ab]", []string{"a", "b"}},
		{"the highest byte has a range", "\xff*", []string{"\xff"}},
		{"a pattern that never matches", "a[]", nil},
		{"a range behind all names", "\xff\xff*", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for most := range 4 {
				for look := range 4 {
					if got := list(n, tt.glob, most, look); !slices.Equal(got, tt.want) {
						t.Errorf("%q in steps of %d, looking at %d: got %q, want %q", tt.glob, most, look, got, tt.want)
					}
				}
			}
		})
	}
}

func TestNamesOfAnEmptySet(t *testing.T) {
	t.Parallel()
	var n Names
	if n.Remove("") || n.Len() != 0 || list(&n, "*", 1, 1) != nil || list(&n, "", 1, 1) != nil {
		t.Error("an empty set has a name")
	}
	if !n.Add("") || n.Add("") || n.Len() != 1 || !n.Remove("") || n.Remove("") || n.Len() != 0 {
		t.Error("the empty name is not a name like others")
	}
}

func TestNamesMatchStopsAtEitherLimitAndKeepsWhatDstHas(t *testing.T) {
	t.Parallel()
	n := newNames("a1", "a2x", "a3x", "a4", "b")
	dst := []string{"kept"}
	for _, tt := range []struct {
		name, glob, from string
		most, look       int
		want             []string
		next             string
	}{
		{"the number of names", "a*", "", 2, 100, []string{"kept", "a1", "a2x"}, "a3x"},
		{"the number of names looked at", "a*x", "", 100, 2, []string{"kept", "a2x"}, "a3x"},
		{"nothing is left behind the last match", "a*", "a3x", 2, 2, []string{"kept", "a3x", "a4"}, ""},
		{"a start within the range counts itself", "a*x", "a3x", 9, 9, []string{"kept", "a3x"}, ""},
		{"a start between names", "a*x", "a2y", 9, 9, []string{"kept", "a3x"}, ""},
		{"a start behind the range", "a*", "aa", 9, 9, []string{"kept"}, ""},
		{"a start behind a literal", "a1", "a4", 9, 9, []string{"kept"}, ""},
		{"a start at a literal", "a4", "a4", 9, 9, []string{"kept", "a4"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, next := n.Match(slices.Clip(dst), Compile(tt.glob), tt.from, tt.most, tt.look)
			if !slices.Equal(got, tt.want) || next != tt.next {
				t.Errorf("got %q, next %q; want %q, next %q", got, next, tt.want, tt.next)
			}
		})
	}
}

// Whoever asks under a lock wants to hold it for the range of the pattern only,
// and for a literal not even for what begins with it.
func TestNamesLooksAtTheRangeOfThePatternOnly(t *testing.T) {
	t.Parallel()
	var n Names
	for i := range 10_000 {
		n.Add(fmt.Sprintf("user:%04d", i))
	}
	n.Add("user")
	for glob, look := range map[string]int{"user:123*": 10, "user": 1, "user:12?[4]": 100, "user:": 1} {
		if _, next := n.Match(nil, Compile(glob), "", 1000, look); next != "" {
			t.Errorf("%q: after %d names there is more to look at, from %q", glob, look, next)
		}
	}
}

// A listing in steps, with the set changing between them, has every name that is
// there throughout once and in order.
func TestNamesMayChangeBetweenTheStepsOfAListing(t *testing.T) {
	t.Parallel()
	r, n := newRand(3), &Names{}
	for i := range 2000 {
		n.Add(fmt.Sprintf("stays:%04d", i))
		n.Add(fmt.Sprintf("stays:%04d:goes", i))
	}
	p := Compile("*")
	names, next := n.Match(nil, p, "", 10, 20)
	for next != "" {
		n.Remove(next + ":goes")
		n.Remove(next)
		if !strings.HasSuffix(next, ":goes") {
			n.Add(next)
		}
		for range 20 {
			n.Remove(fmt.Sprintf("stays:%04d:goes", r.IntN(2000)))
			n.Add(fmt.Sprintf("stays:%04d:comes", r.IntN(2000)))
		}
		names, next = n.Match(names, p, next, 10, 20)
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Error("names are repeated or out of order")
	}
	there := slices.DeleteFunc(names, func(name string) bool { return len(name) != len("stays:0000") })
	if len(there) != 2000 {
		t.Errorf("of the names that were there throughout: got %d, want 2000", len(there))
	}
}

// namesTrial runs a set and a sorted slice side by side.
type namesTrial struct {
	t     *testing.T
	names Names
	model []string
}

func (tr *namesTrial) add(name string) {
	tr.t.Helper()
	at, had := slices.BinarySearch(tr.model, name)
	if !had {
		tr.model = slices.Insert(tr.model, at, name)
	}
	if got := tr.names.Add(name); got == had {
		tr.t.Fatalf("Add(%q): got %v", name, got)
	}
}

func (tr *namesTrial) remove(name string) {
	tr.t.Helper()
	at, had := slices.BinarySearch(tr.model, name)
	if had {
		tr.model = slices.Delete(tr.model, at, at+1)
	}
	if got := tr.names.Remove(name); got != had {
		tr.t.Fatalf("Remove(%q): got %v, want %v", name, got, had)
	}
}

func (tr *namesTrial) match(glob string, most, look int) {
	tr.t.Helper()
	var want []string
	for _, name := range tr.model {
		if oracle(glob, name) {
			want = append(want, name)
		}
	}
	if got := list(&tr.names, glob, most, look); !slices.Equal(got, want) {
		tr.t.Fatalf("%q in steps of %d, looking at %d: got %q, want %q", glob, most, look, got, want)
	}
}

// blocks checks the invariant of the representation.
func (tr *namesTrial) blocks() {
	tr.t.Helper()
	if tr.names.Len() != len(tr.model) || !slices.Equal(slices.Concat(tr.names.blocks...), tr.model) {
		tr.t.Fatalf("Len %d, names %q; want %q", tr.names.Len(), tr.names.blocks, tr.model)
	}
	before := blockNames
	for i, b := range tr.names.blocks {
		if len(b) == 0 || len(b) > blockNames || i > 0 && before+len(b) <= blockNames/2 {
			tr.t.Fatalf("block %d of %d has %d names after one with %d", i, len(tr.names.blocks), len(b), before)
		}
		// The last one may have been made for names that come in order.
		if i+1 < len(tr.names.blocks) && cap(b) > 16 && len(b) < cap(b)/4 {
			tr.t.Fatalf("block %d has %d names in room for %d", i, len(b), cap(b))
		}
		before = len(b)
	}
}

func TestNamesAgreesWithASortedSlice(t *testing.T) {
	t.Parallel()
	for i, alphabet := range append(slices.Clone(alphabets), "\x00\xff", "a") {
		t.Run(fmt.Sprintf("alphabet %q", alphabet), func(t *testing.T) {
			t.Parallel()
			tr, r := &namesTrial{t: t}, newRand(uint64(i))
			for step := range 12_000 {
				// Grow for a while, then shrink, so that blocks split and join.
				if name := randomText(r, alphabet, 8); r.IntN(10) < 3+4*(step/3000%2) {
					tr.remove(tr.likely(r, name))
				} else {
					tr.add(name)
				}
				if step%200 == 0 {
					tr.blocks()
					glob := randomText(r, alphabet, 6)
					tr.match(glob, 1+r.IntN(50), 1+r.IntN(50))
					tr.match(tr.likely(r, glob)+"*", 1+r.IntN(50), 1+r.IntN(50))
				}
			}
			for len(tr.model) > 0 {
				tr.remove(tr.likely(r, ""))
			}
			tr.blocks()
		})
	}
}

// likely returns a name that is in the set, mostly.
func (tr *namesTrial) likely(r *rand.Rand, or string) string {
	if len(tr.model) == 0 {
		return or
	}
	return tr.model[r.IntN(len(tr.model))]
}

func TestNamesThatComeInOrderFillTheirBlocks(t *testing.T) {
	t.Parallel()
	var n Names
	for i := range 100 * blockNames {
		n.Add(fmt.Sprintf("%08d", i))
	}
	if got := len(n.blocks); got != 100 {
		t.Errorf("got %d blocks, want 100", got)
	}
}

// FuzzNames plays a script of names against the model: each begins with what to
// do with it.
func FuzzNames(f *testing.F) {
	f.Add("+a\n+ab\n+\n-a\n?a*\n?", uint8(1), uint8(1))
	f.Add("+a:1\n+a:2\n+a*\n?a\\*\n?a[:]*", uint8(2), uint8(3))
	f.Fuzz(func(t *testing.T, script string, most, look uint8) {
		if len(script) > 1000 {
			t.Skip("the oracle is slow")
		}
		tr := &namesTrial{t: t}
		for line := range strings.SplitSeq(script, "\n") {
			switch {
			case strings.HasPrefix(line, "+"):
				tr.add(line[1:])
			case strings.HasPrefix(line, "-"):
				tr.remove(line[1:])
			default:
				tr.match(strings.TrimPrefix(line, "?"), int(most), int(look))
			}
		}
		tr.blocks()
	})
}

// Ten hits among a million names, of which a pattern of the usual kind looks at
// those ten.
func BenchmarkNamesMatch(b *testing.B) {
	var n Names
	before := heap()
	for _, i := range newRand(3).Perm(1_000_000) {
		n.Add(fmt.Sprintf("user:%06d:inbox", i))
	}
	size := float64(heap()-before) / float64(n.Len())
	for _, glob := range []string{"user:12345*", "user:123456:inbox"} {
		b.Run("names=1M/pattern="+glob, func(b *testing.B) {
			p, dst := Compile(glob), make([]string, 0, 16)
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = n.Match(dst[:0], p, "", 1000, 1000)
			}
			b.ReportMetric(float64(len(dst)), "hits/op")
			b.ReportMetric(size, "B/name")
		})
	}
}

func BenchmarkNamesAddRemove(b *testing.B) {
	var n Names
	for _, i := range newRand(3).Perm(1_000_000) {
		n.Add(fmt.Sprintf("user:%06d", i))
	}
	names := make([]string, 4096)
	for i := range names {
		names[i] = fmt.Sprintf("user:%06d:x", newRand(uint64(i)).IntN(1_000_000))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		n.Add(names[i%len(names)])
		n.Remove(names[i%len(names)])
	}
}
