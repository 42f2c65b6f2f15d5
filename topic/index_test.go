package topic

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"
	"weak"
)

func TestIndexFindsWhatMatches(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		patterns []string
		channel  string
		want     []int // indices into patterns
	}{
		{name: "the empty index matches nothing", channel: "a"},
		{name: "the empty name is matched by the empty pattern alone", patterns: []string{"", "*", "**"}, want: []int{0}},
		{name: "a star matches every other name", patterns: []string{"", "*", "**"}, channel: "x", want: []int{1, 2}},
		{name: "patterns of one language are different", patterns: []string{"a*", "a**", "a***"}, channel: "ab", want: []int{0, 1, 2}},
		{name: "a trailing star matches an empty rest", patterns: []string{"a*", "a"}, channel: "a", want: []int{0, 1}},
		{name: "labels are split at the first difference", patterns: []string{"user:1", "user:2", "use", "user:12"}, channel: "user:1", want: []int{0}},
		{name: "a suffix is found from the end", patterns: []string{"*.typing", "*ping", "*.x", "a*g", "chat.*.7.typing"}, channel: "chat.3.7.typing", want: []int{0, 1, 4}},
		{name: "prefix and suffix do not overlap", patterns: []string{"aba*ba", "ab*ba"}, channel: "ababa", want: []int{0, 1}},
		{name: "prefix and suffix that would overlap do not match", patterns: []string{"aba*ba", "aba*aba"}, channel: "aba"},
		{name: "a floating segment counts once", patterns: []string{"*a*", "*aa*"}, channel: "aaaa", want: []int{0, 1}},
		{name: "a floating segment takes its leftmost place", patterns: []string{"*ab*ab", "*ab*b"}, channel: "xabab", want: []int{0, 1}},
		{name: "a floating segment needs room before the suffix", patterns: []string{"*ab*b", "*ab*ab"}, channel: "xab"},
		{name: "classes are followed with literals beside them", patterns: []string{"a[bc]d", "abd", "a?d", "a[^b]d", "a[xy]d"}, channel: "abd", want: []int{0, 1, 2}},
		{name: "classes work backwards", patterns: []string{"*[0-9]x", "*?x", "*[a-f]x", "b*[^x]x"}, channel: "a7x", want: []int{0, 1}},
		{name: "classes work in floating segments", patterns: []string{"*[0-9]:*", "*?:*x", "*[a-f]:*"}, channel: "a7:x", want: []int{0, 1}},
		{name: "complex patterns are tried", patterns: []string{"a*b*c*", "a*b*c*d", "*a*b*c", "b*a*b*c"}, channel: "axbxc", want: []int{0, 2}},
		{name: "patterns that never match are held quietly", patterns: []string{"[]", "a[", "a"}, channel: "a", want: []int{2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := NewIndex[int]()
			for i, glob := range tt.patterns {
				x.Add(Compile(glob), i)
			}
			got := x.Commit().Match(nil, []byte(tt.channel))
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if got, want := x.Len(), len(tt.patterns); got != want {
				t.Errorf("Len: got %d, want %d", got, want)
			}
		})
	}
}

func TestIndexKeyIsTextAndValue(t *testing.T) {
	t.Parallel()
	for _, glob := range []string{"a", "a*", "a*b", "*a*b", "a*b*c*", "a[bc]", "[]"} {
		x := NewIndex[string]()
		for range 2 {
			x.Add(Compile(glob), "one")
			x.Add(Compile(glob), "two")
		}
		if got := x.Len(); got != 2 {
			t.Errorf("%q added twice with two values: Len got %d, want 2", glob, got)
		}
		if x.Remove(Compile(glob), "three") || x.Remove(Compile(glob+"x"), "one") {
			t.Errorf("%q: removed what was not there", glob)
		}
		if !x.Remove(Compile(glob), "one") || x.Remove(Compile(glob), "one") {
			t.Errorf("%q: the first Remove alone finds it", glob)
		}
		if got := x.Len(); got != 1 {
			t.Errorf("%q after Remove: Len got %d, want 1", glob, got)
		}
	}
}

func TestCommitOfNothingReturnsTheSameSnapshot(t *testing.T) {
	t.Parallel()
	x := NewIndex[int]()
	first := x.Commit()
	if first == nil || x.Commit() != first {
		t.Fatal("an index without changes has one snapshot")
	}
	p := Compile("a*")
	x.Add(p, 1)
	second := x.Commit()
	if second == first {
		t.Fatal("an Add makes a new snapshot")
	}
	x.Add(p, 1)
	x.Remove(p, 2)
	x.Add(Compile("[]"), 1)
	if x.Commit() != second {
		t.Error("calls without effect keep the snapshot")
	}
}

func TestMatchAppends(t *testing.T) {
	t.Parallel()
	x := NewIndex[int]()
	x.Add(Compile("a*"), 2)
	s := x.Commit()
	if got, want := s.Match([]int{1}, []byte("ab")), []int{1, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := (&Snapshot[int]{}).Match([]int{1}, []byte("ab")); !slices.Equal(got, []int{1}) {
		t.Errorf("zero Snapshot: got %v, want [1]", got)
	}
}

// Old snapshots answer as they did, whatever the writer does afterwards; in the
// end nothing is left.
func TestIndexAgreesWithItsModelAndLeavesThePastAlone(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := newRand(seed)
		alphabet := alphabets[int(seed)%len(alphabets)]
		pool := randomPool(r, alphabet, 60)
		tr := newTrial(t)
		for range 300 {
			glob, v := pool[r.IntN(len(pool))], r.IntN(3)
			if r.IntN(5) < 3 {
				tr.add(glob, v)
			} else {
				tr.remove(glob, v)
			}
			if r.IntN(4) == 0 {
				countNodes(tr.commit(r.IntN(5) == 0).root)
			}
		}
		tr.commit(true)
		var channels []string
		for range 20 {
			channels = append(channels, likelyName(r, pool[r.IntN(len(pool))], alphabet))
		}
		tr.empty()
		tr.check(append(channels, ""))
	}
}

func randomPool(r *rand.Rand, alphabet string, n int) []string {
	pool := make([]string, n)
	for i := range pool {
		pool[i] = randomText(r, alphabet, 7)
	}
	return pool
}

// More classes than a node takes, and many patterns of one language, go to lists
// that are found, searched and emptied all the same.
func TestIndexWithCrowdedNodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		glob func(i int) string
		hit  string
	}{
		{"different classes at one place", func(i int) string { return fmt.Sprintf("k[%c%ca]z*", 'b'+i%20, 'A'+i/20) }, "kaz"},
		{"different classes before a suffix", func(i int) string { return fmt.Sprintf("*[%c%ca]z", 'b'+i%20, 'A'+i/20) }, "kaz"},
		{"different classes in the middle", func(i int) string { return fmt.Sprintf("*k[%c%ca]z*", 'b'+i%20, 'A'+i/20) }, "xkaz"},
		{"one language", func(i int) string { return fmt.Sprintf("a[b%s]*", strings.Repeat("b", i)+"c") }, "ab"},
		{"complex patterns", func(i int) string { return fmt.Sprintf("a*%d*b*", i) }, "a7b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrial(t)
			for i := range 400 {
				tr.add(tt.glob(i), i)
				if i%100 == 50 {
					tr.commit(true)
				}
			}
			tr.commit(true)
			for i := range 200 { // makes room for classes that had none
				tr.remove(tt.glob(i), i)
			}
			tr.commit(true)
			for i := range 400 { // none of the remaining may enter twice
				tr.add(tt.glob(i), i)
			}
			tr.commit(true)
			tr.empty()
			tr.check([]string{tt.hit, "kbz", "none", "a399b"})
		})
	}
}

// Readers of any snapshot need no lock while the writer goes on (run with -race).
func TestSnapshotIsReadWhileTheIndexChanges(t *testing.T) {
	t.Parallel()
	x := NewIndex[int]()
	globs := []string{"user:%d:*", "*:x%d", "a*%d*b", "a*%d*b*c", "d[xy]%d", "news?%d"}
	add := func(i int) { x.Add(Compile(fmt.Sprintf(globs[i%len(globs)], i)), i) }
	for i := range 300 {
		add(i)
	}
	x.Add(Compile("*"), -1)
	var current atomic.Pointer[Snapshot[int]]
	current.Store(x.Commit())
	var done atomic.Bool
	var readers sync.WaitGroup
	for g := range 2 {
		readers.Go(func() {
			var dst []int
			for i := g; !done.Load(); i++ {
				dst = current.Load().Match(dst[:0], fmt.Appendf(nil, "user:%d:x%d", i%300, i%300))
				if !slices.Contains(dst, -1) {
					t.Error("the pattern that is always there was missed")
					return
				}
			}
		})
	}
	for round := range 200 {
		for i := range 10 {
			k := (round*10 + i) % 300
			x.Remove(Compile(fmt.Sprintf(globs[k%len(globs)], k)), k)
			add(k + 300)
			x.Remove(Compile(fmt.Sprintf(globs[k%len(globs)], k+300)), k+300)
			add(k)
		}
		current.Store(x.Commit())
	}
	done.Store(true)
	readers.Wait()
}

// A transaction copies a node once, however many of its changes pass it.
func TestTransactionEditsItsOwnNodesInPlace(t *testing.T) {
	t.Parallel()
	x := NewIndex[int]()
	for i := range 50 {
		x.Add(Compile(fmt.Sprintf("user:%d*", i)), i)
	}
	before := x.Commit()
	x.Add(Compile("user:50*"), 50)
	own := x.root
	if own == before.root {
		t.Fatal("a shared node was edited")
	}
	x.Add(Compile("user:51*"), 51)
	x.Remove(Compile("user:1*"), 1)
	if x.root != own {
		t.Error("a node of the open transaction was copied again")
	}
}

// What is left of the trie does not keep the text of a removed pattern in memory:
// a peer could otherwise make short patterns cost as much as the longest.
func TestRemovedPatternsLeaveNoTextBehind(t *testing.T) {
	long := strings.Repeat("ab", 500)
	tests := []struct {
		name       string
		others     []string
		labelStays bool // as part of the way to the others
	}{
		{"its label was split by others", []string{"abx", "aby"}, false},
		{"others go on below it", []string{long + "c", long + "d"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := NewIndex[int]()
			addAndRemove := func() (text, label weak.Pointer[byte]) {
				p := Compile(strings.Clone(long) + "*")
				x.Add(p, 1)
				first := x.root.label
				for i, glob := range tt.others {
					x.Add(Compile(glob), i)
				}
				x.Remove(p, 1)
				x.Commit()
				return weak.Make(unsafe.StringData(p.text)), weak.Make(unsafe.StringData(first))
			}
			text, label := addAndRemove()
			runtime.GC()
			if text.Value() != nil {
				t.Error("the text of the removed pattern is still in memory")
			}
			if !tt.labelStays && label.Value() != nil {
				t.Error("the label made for the removed pattern is still in memory")
			}
			runtime.KeepAlive(x)
		})
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte("\x03a*b\x01\x02ab\x84a*b*\x05\x80"))
	f.Add([]byte("\x06a*b*c*\x01\x06[ab]?*\x40\x41\x46a*b*c*\x02*a"))
	f.Fuzz(func(t *testing.T, program []byte) {
		tr := newTrial(t)
		channels := []string{""}
		for len(program) > 1 && len(tr.past) < 20 {
			op, size := program[0]>>6, min(int(program[0]&15), len(program)-1)
			v := int(program[0] >> 4 & 3)
			text := string(program[1 : 1+size])
			program = program[1+size:]
			switch op {
			case 0, 1:
				tr.add(text, v)
			case 2:
				tr.remove(text, v)
			default:
				channels = append(channels, text)
				countNodes(tr.commit(true).root)
			}
		}
		tr.commit(true)
		tr.empty()
		tr.check(channels)
	})
}
