package main

import (
	"fmt"
	"slices"
)

// unknown says that name is no kind of ours, and which known one was probably
// meant, if any is near enough to be worth a guess.
func unknown(kind, name string, known []string) error {
	if n := nearest(name, known); n != "" && n != name {
		return fmt.Errorf("unknown %s %q: did you mean %q?", kind, shorten(name), n)
	}
	return fmt.Errorf("unknown %s %q", kind, shorten(name))
}

// shorten keeps a mistyped name from filling the screen: distance is only
// computed for names of sensible length too.
func shorten(name string) string {
	const most = 128
	if len(name) <= most {
		return name
	}
	return name[:most] + "…"
}

// nearest returns the candidate with the smallest edit distance to name, the
// alphabetically first of equals, or "" if none is near: within two edits or a
// third of its length, and not a wholly different word.
func nearest(name string, candidates []string) string {
	name = shorten(name)
	best, bestDistance := "", -1
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		d := distance(name, c)
		if d > max(2, len(c)/3) || d >= len(c) {
			continue
		}
		if bestDistance < 0 || d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the number of single-character edits between two names, where
// swapping two neighbours is one edit, as it is at a keyboard (optimal string
// alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, row, next := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := range s {
		next[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(t)]
}
