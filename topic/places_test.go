package topic

import (
	"slices"
	"strings"
	"testing"
)

// wideMatch is Match with a walk that turns to sets of positions once it has made
// that many steps, so that tests need no name of a thousand bytes to see it.
func wideMatch(s *Snapshot[int], channel string, after int) []int {
	if s.root == nil || channel == "" {
		return s.Match(nil, []byte(channel))
	}
	w := walk[int]{channel: channel, steps: patience*(len(channel)+32) + 1 - after}
	w.forward(s.root, 0, nil)
	return w.dst
}

func TestPlacesFindTheLeftmostPlace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, glob, channel string
		want                int
	}{
		{"the start of the name", "*[ab]c*", "bcac", 0},
		{"the end of the name", "*[ab]c*", "xxac", 2},
		{"the leftmost of several", "*?c*", "aacbc", 1},
		{"beyond a word of positions", "*[xy]z*", strings.Repeat("a", 63) + "xz", 63},
		{"across words of positions", "*?[xy]?z*", strings.Repeat("a", 62) + "axaz", 62},
		{"the last bit of a word", "*[xy]*", strings.Repeat("a", 127) + "x", 127},
		{"a byte that is nowhere", "*[ab]z*", "abab", -1},
		{"a name that is too short", "*?b?*", "ab", -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := newPlaces(tt.channel).find(&Compile(tt.glob).segs[1]); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// Long names with segments of classes take the other way through Match.
func TestPatternMatchesLongNamesWithClasses(t *testing.T) {
	glob := "a*" + strings.Repeat("[ab]", 40) + "[^a]*[xy]" + strings.Repeat("?", 40) + "z"
	channel := strings.Repeat("a", 500) + "b" + strings.Repeat("y", 100) + "z"
	p := Compile(glob)
	if !p.MatchString(channel) || !oracle(glob, channel) {
		t.Errorf("got no match, want one")
	}
	if p.MatchString(strings.Repeat("a", 600) + "z") {
		t.Errorf("got a match without a byte of the class in the middle")
	}
	if testing.AllocsPerRun(10, func() { p.MatchString(channel) }) == 0 {
		t.Errorf("every position was tried, sets of positions were not used")
	}
}

// Patterns made so that each nearly matches everywhere are answered rightly, and
// without entering each node again at each position.
func TestMatchOfPatternsThatNearlyMatchEverywhere(t *testing.T) {
	t.Parallel()
	forms := []struct {
		name string
		glob func(i int) string
	}{
		{"prefixes of each other", func(i int) string {
			return strings.Repeat("a", i%60) + "*" + strings.Repeat("a", i/60) + "b*"
		}},
		{"overlapping classes", func(i int) string { return "*" + classesOf(i) + "b*" }},
		{"overlapping classes before a suffix", func(i int) string { return "*" + classesOf(i) + "*b" + strings.Repeat("a", i%50) }},
	}
	channel := strings.Repeat("a", 600)
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			t.Parallel()
			x := NewIndex[int]()
			for i := range 3_000 {
				x.Add(Compile(form.glob(i)), i)
			}
			s := x.Commit()
			if got := s.Match(nil, []byte(channel)); len(got) != 0 {
				t.Errorf("got %d matches, want none", len(got))
			}
			w := walk[int]{channel: channel}
			w.forward(s.root, 0, nil)
			if most := 16*(len(channel)+32) + 2*countNodes(s.root); w.steps > most {
				t.Errorf("got %d nodes entered, want at most %d", w.steps, most)
			}
			hit := channel[:200] + "b" + strings.Repeat("a", 3)
			var want []int
			for i := range 3_000 {
				if Compile(form.glob(i)).MatchString(hit) {
					want = append(want, i)
				}
			}
			got := s.Match(nil, []byte(hit))
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("got %d matches, want %d", len(got), len(want))
			}
		})
	}
}

// classesOf writes i in binary, with "[ab]" and "?" for digits: both match 'a'.
func classesOf(i int) string {
	var b strings.Builder
	for bit := range 12 {
		b.WriteString([]string{"?", "[ab]"}[i>>bit&1])
	}
	return b.String()
}

func BenchmarkMatchNearMisses(b *testing.B) {
	x := NewIndex[int]()
	for i := range 4_096 {
		x.Add(Compile("*"+classesOf(i)+"b*"), i)
	}
	s := x.Commit()
	channel := []byte(strings.Repeat("a", 500))
	for b.Loop() {
		s.Match(nil, channel)
	}
}
