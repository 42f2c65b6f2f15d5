package topic

import (
	"strings"
	"testing"
	"unsafe"
)

func TestPatternTellsWhatItIs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, glob     string
		prefix         string
		complex, never bool
	}{
		{name: "an empty pattern has no prefix", glob: ""},
		{name: "a literal pattern is its own prefix", glob: "news.de", prefix: "news.de"},
		{name: "the prefix ends at a star", glob: "user:1:*", prefix: "user:1:"},
		{name: "the prefix ends at a question mark", glob: "a?c", prefix: "a"},
		{name: "the prefix ends at a class", glob: "dev[xy]1", prefix: "dev"},
		{name: "the prefix is what escapes stand for", glob: `a\*b*`, prefix: "a*b"},
		{name: "a class of one byte belongs to the prefix", glob: "a[*]b*", prefix: "a*b"},
		{name: "two groups of stars are not complex", glob: "a*b*", prefix: "a"},
		{name: "three groups of stars are complex", glob: "*a*b*", complex: true},
		{name: "a run of stars is one group", glob: "a***b****", prefix: "a"},
		{name: "an escaped star is no group", glob: `*a\*b*`},
		{name: "an empty class matches nothing", glob: "a[]b", prefix: "ab", never: true},
		{name: "an unterminated empty class matches nothing", glob: "a[", prefix: "a", never: true},
		{name: "a negated class of all bytes matches nothing", glob: "[^\x80-\x7f]", never: true},
		{name: "a thousand groups before the end may match", glob: strings.Repeat("*a", 1000), complex: true},
		{name: "more than a thousand never match", glob: strings.Repeat("*a", 1001), complex: true, never: true},
		{name: "the last group does not count", glob: strings.Repeat("a*", 1001), prefix: "a", complex: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := Compile(tt.glob)
			if got := p.String(); got != tt.glob {
				t.Errorf("String: got %q, want %q", got, tt.glob)
			}
			if got := p.Prefix(); got != tt.prefix {
				t.Errorf("Prefix: got %q, want %q", got, tt.prefix)
			}
			if got := p.Complex(); got != tt.complex {
				t.Errorf("Complex: got %v, want %v", got, tt.complex)
			}
			if got := p.Never(); got != tt.never {
				t.Errorf("Never: got %v, want %v", got, tt.never)
			}
		})
	}
}

// A pattern without escapes and classes keeps no second copy of its text.
func TestPatternOfPlainTextSharesIt(t *testing.T) {
	t.Parallel()
	for _, glob := range []string{"user:123:*", "chat.*.7.typing", "a?b", "*:x"} {
		text := unsafe.StringData(glob)
		for _, s := range Compile(glob).segs {
			at := uintptr(unsafe.Pointer(unsafe.StringData(s.lit))) - uintptr(unsafe.Pointer(text)) //nolint:gosec // G103: addresses are only compared
			if s.lit != "" && at >= uintptr(len(glob)) {
				t.Errorf("Compile(%q): segment %q is a copy", glob, s.lit)
			}
		}
	}
}

func TestPatternMatchDoesNotAllocate(t *testing.T) {
	for _, glob := range []string{"user:1:*", "*:x", "a*b*c", "*[ab]?*[c-z]*d*", "exact"} {
		p := Compile(glob)
		channel := []byte("user:1:abcabcx")
		if got := testing.AllocsPerRun(100, func() { p.Match(channel) }); got != 0 {
			t.Errorf("Match of %q: got %v allocations, want 0", glob, got)
		}
	}
}

// Patterns that take exponential time in a backtracking matcher end at once: the
// test would not come back.
func TestPatternOfManyStarsMatchesInLinearTime(t *testing.T) {
	t.Parallel()
	channel := strings.Repeat("a", 1024)
	for _, glob := range []string{
		strings.Repeat("a*", 500) + "b", strings.Repeat("*a", 500) + "b*",
		strings.Repeat("[ab]*", 200) + "c", strings.Repeat("?*", 500) + "b",
	} {
		if Compile(glob).MatchString(channel) {
			t.Errorf("%.20q… matches a name without its last byte", glob)
		}
	}
}

func TestPatternAgreesWithTheOracle(t *testing.T) {
	t.Parallel()
	r := newRand(11)
	for i := range 20_000 {
		alphabet := alphabets[i%len(alphabets)]
		pattern := randomText(r, alphabet, 12)
		checkAgainstOracle(t, pattern, likelyName(r, pattern, alphabet))
	}
}

func FuzzMatch(f *testing.F) {
	for _, pair := range quirks() {
		if len(pair[0]) < 64 {
			f.Add(pair[0], pair[1])
		}
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 200 || len(name) > 200 {
			t.Skip("the oracle is slow")
		}
		checkAgainstOracle(t, pattern, name)
	})
}

func checkAgainstOracle(t *testing.T, pattern, name string) {
	t.Helper()
	p := Compile(pattern)
	got, want := p.MatchString(name), oracle(pattern, name)
	if got != want {
		t.Fatalf("Compile(%q).MatchString(%q): got %v, want %v", pattern, name, got, want)
	}
	if got && (p.Never() || len(name) < len(p.Prefix()) || name[:len(p.Prefix())] != p.Prefix()) {
		t.Fatalf("%q matches %q, against Never %v or Prefix %q", pattern, name, p.Never(), p.Prefix())
	}
	for i := 1; i < p.stars() && i < len(p.segs); i++ {
		if got, want := newPlaces(name).find(&p.segs[i]), p.segs[i].find(name); got != want {
			t.Fatalf("segment %q of %q in %q: found at %d by places, %d by trying", p.segs[i].lit, pattern, name, got, want)
		}
	}
}
