//go:build linux

package main

import (
	"fmt"
	"time"
)

// weightScenarios compare what small values take. Fanfare is measured as it is
// started, where the collector leaves garbage for as long as there is memory, and
// with an eager collector, as it works near maxmemory.
func weightScenarios(sc scale) []scenario {
	var all []scenario
	for _, c := range []struct {
		name, about string
		keys        int
		command     func(dst []byte, i int) []byte
		answer      string
	}{
		{"bytes-strings", "strings of 16 B under keys of 16 B", 1_000_000, weighString, "+OK\r\n"},
		{"bytes-hashes", "hashes of 10 fields of 6 B with values of 12 B", 100_000, weighHash, ":10\r\n"},
		{"bytes-sorted", "sorted sets of 100 members of 12 B", 10_000, weighSorted, ":100\r\n"},
	} {
		s := scenario{
			name:      c.name,
			about:     fmt.Sprintf("%s %s: what the process and its own account grow by, divided by the keys", thousands(sc.of(c.keys)), c.about),
			columns:   []column{{"rss", "bytes/key", true}, {"account", "own account B/key", true}, {"total", "MB in all", false}},
			round:     15 * time.Second,
			maxRounds: 3,
		}
		w := weight{keys: sc.of(c.keys), command: c.command, answer: c.answer, settle: sc.rest(3 * time.Second)}
		for _, p := range servers(false) {
			w.product = p
			s.variants = append(s.variants, variant{name: p.String(), run: w.run})
		}
		w.tidy = true
		s.variants = append(s.variants, variant{name: fanfare.String() + ", GOGC=10", run: w.run})
		all = append(all, s)
	}
	return all
}

func weighString(dst []byte, i int) []byte {
	return appendCommand(dst, "SET", fmt.Sprintf("key:%012d", i), fmt.Sprintf("value:%010d", i))
}

func weighHash(dst []byte, i int) []byte {
	words := []string{"HSET", fmt.Sprintf("hash:%011d", i)}
	for f := range 10 {
		words = append(words, fmt.Sprintf("field%d", f), fmt.Sprintf("value:%06d", i+f))
	}
	return appendCommand(dst, words...)
}

func weighSorted(dst []byte, i int) []byte {
	words := []string{"ZADD", fmt.Sprintf("zset:%011d", i)}
	for m := range 100 {
		words = append(words, fmt.Sprint(i*7+m*13), fmt.Sprintf("member%06d", m))
	}
	return appendCommand(dst, words...)
}
