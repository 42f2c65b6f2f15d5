package topic

import "strings"

// quirks are pairs at the corners of the language; the golden table holds what
// redis-server answers to each.
func quirks() [][2]string {
	rows := [][2]string{
		{"a?c", "aéc"}, {"a??c", "aéc"}, {"?", "é"}, {"??", "é"}, // bytes, not runes
		{"\\", "\\"}, {"a\\", "a\\"}, {"a\\", "a"}, {"\\*", "*"}, {"\\*", "a"}, {"\\a", "a"}, {"\\\\", "\\"}, {"\\", "\\\\"},
		{"a\\*", "a*"}, {"a\\*", "ab"}, {"\\[a]", "[a]"}, {"\\[a]", "a"}, {"*\\", "a\\"}, {"*\\", "a"},
		{"[[]", "["}, {"[]]", "]"}, {"[^]]", "a]"}, {"[^]]", "ba"}, {"a]", "a]"}, {"]", "]"},
		{"x[]", "x"}, {"x[", "xa"}, {"x[^", "xa"}, {"x[^", "x"}, {"*[^", "xa"}, {"*[", "a"}, {"[*]", "*"}, {"[*]", "a"}, {"[?]", "?"}, {"[?]", "a"},
	}
	add := func(patterns, names []string) {
		for _, p := range patterns {
			for _, n := range names {
				rows = append(rows, [2]string{p, n})
			}
		}
	}
	// The empty name; collapsing and trailing stars.
	add([]string{"", "*", "**", "***", "?", "[^]", "[", "\\", "a*", "*a"}, []string{"", "a", "\x00"})
	add([]string{"a*", "a**", "**a", "*a*", "**a**", "a*b", "a**b", "*?", "?*", "*?*", "?**"}, []string{"a", "ab", "ba", "aab", "b", "abb"})
	// Negation, empty and unterminated classes, what '!' is not.
	add([]string{"[^a]", "[!a]", "[^!]", "[]abc]", "[^]", "[^]a]", "[abc", "[", "[^", "[^^]", "[a^]", "[^abc", "x[]y", "[]"},
		[]string{"a", "b", "c", "!", "^", "]", "abc]", "x", "xy", "ya]", "\xff"})
	// Ranges: the third byte is taken as it is; reversed; signed.
	add([]string{"[a-]", "[a-", "[a-\\]]", "[z-a]", "[a-z]", "[--a]", "[a-a]", "[-a]", "[a--]", "[^a-]", "[^a-]]", "[a-]]", "[a-z-9]"},
		[]string{"]", "^", "_", "`", "a", "b", "z", "\\", "-", "a]", "\\]", "9", "."})
	add([]string{"[\\a-z]", "[\\]]", "[\\^a]", "[\\", "[a\\", "[\\\\]", "[\\-]", "[^\\]]", "[a\\-z]", "[\\]-a]"},
		[]string{"a", "b", "z", "-", "]", "^", "\\", "]]", "m"})
	add([]string{"[a-\xff]", "[\xff-a]", "[\x80-\xff]", "[\x7f-\x80]", "[\x80-\x7f]", "[\x00-\x7f]", "[^a-\xff]", "[\x00-\xff]", "[\x01-\xfe]"},
		[]string{"\x00", "\x01", "A", "a", "b", "\x7f", "\x80", "\xfe", "\xff"})
	// NUL is a byte like any other, also where Redis reads one beyond the end.
	add([]string{"\x00", "*\x00", "\x00*", "a\x00*", "[\x00]", "[^\x00]", "[a", "?"}, []string{"\x00", "a", "a\x00", "\x00a", "aa"})
	// Several stars, and what a greedy matcher gets wrong.
	add([]string{"a*b*c", "*ab*ab", "a*a", "*aab", "*a?b*", "a*[bc]d", "*abab*ab", "a*b*c*d*e", "*[ab][ab]c*", "*a*?*b*"},
		[]string{"abc", "aabcbc", "abab", "ab", "a", "aa", "aaab", "aaxb", "abcd", "abd", "ababab", "abababab", "abcde", "edcba", "bbac", "abaac"})
	// Redis' limit on nesting, counted without the last group of stars.
	for _, n := range []int{999, 1000, 1001, 1002} {
		stars, name := strings.Repeat("*a", n), strings.Repeat("a", n)
		rows = append(rows, [2]string{stars, name}, [2]string{stars + "*", name}, [2]string{stars + "*", name + "b"},
			[2]string{strings.Repeat("a*", n), name}, [2]string{stars + "**", name})
	}
	return rows
}
