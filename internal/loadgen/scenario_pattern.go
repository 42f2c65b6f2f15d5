//go:build linux

package main

import (
	"fmt"
	"time"
)

const manyPatterns = 100_000

// patternScenarios show what 100,000 patterns cost a publish to a channel that
// was published to before (every channel twice before the clock starts), and one
// to a channel that never was.
func patternScenarios(sc scale) []scenario {
	var all []scenario
	for _, sh := range append(shapes, mixed) {
		known := patterned{product: fanfare, shape: sh, channels: patternChannels, warm: 2 * patternChannels, messages: sc.messages(500_000), window: fullWindow}
		// Redis tries every pattern at every publish, and remembers nothing of it:
		// few messages, a small window.
		other := patterned{product: redis, shape: sh, background: manyPatterns, channels: patternChannels, warm: 4, messages: 64, window: 4}
		s := patternScenario("patterns-"+sh.name, sh, known)
		s.variants = append(s.variants, variant{name: "redis, 100,000", run: other.run, versus: "fanfare, 100,000"})
		s.about += fmt.Sprintf("; %d channels in turn, published to before", patternChannels)
		s.goal = "100,000 ≤ 1.5× the CPU of none at most, ≤ 1.3× aimed at; ≥ 1,000× less than Redis"
		s.usual = true
		all = append(all, s)
	}
	for _, sh := range append(shapes, mixed) {
		fresh := patterned{product: fanfare, shape: sh, channels: ringMessages, warm: 1024, messages: ringMessages - 1024, window: fullWindow}
		s := patternScenario("first-"+sh.name, sh, fresh)
		s.round = 3 * time.Second
		s.about += "; every publish to a channel that was never published to before"
		s.goal = "at most 1 µs more with 100,000 than with none"
		all = append(all, s)
	}
	return all
}

func patternScenario(name string, sh shape, none patterned) scenario {
	full := none
	full.background = manyPatterns
	return scenario{
		name:    name,
		about:   fmt.Sprintf("patterns like %s, 1 matching subscriber", sh),
		columns: publishColumns,
		variants: []variant{
			{name: "fanfare, none", run: none.run},
			{name: "fanfare, 100,000", run: full.run},
		},
		round: 8 * time.Second,
	}
}

// patternCountScenarios show how the cost grows with the number of patterns, at
// one window for all: one that Redis can fill in reasonable time. Every variant
// is compared with the same server without patterns.
func patternCountScenarios(sc scale, withNATS bool) []scenario {
	var all []scenario
	for _, sh := range append(shapes, mixed) {
		s := scenario{
			name:    "counts-" + sh.name,
			about:   fmt.Sprintf("none to 100,000 patterns like %s, 1 matching subscriber, 32 publishes in flight, %d channels in turn", sh, patternChannels),
			goal:    "≤ 1.3× the CPU of none at any number; 100× less than Redis at 10,000; ≤ 400 bytes per pattern",
			columns: publishColumns,
			round:   duration(withNATS, 15*time.Second, 20*time.Second), maxRounds: 3,
		}
		for _, n := range []struct{ patterns, redisMessages int }{{0, 200_000}, {1_000, 6_400}, {10_000, 640}, {manyPatterns, 64}} {
			for _, product := range servers(withNATS) {
				p := patterned{product: product, shape: sh, background: n.patterns, channels: patternChannels, warm: 2 * patternChannels, messages: sc.messages(200_000), window: 32}
				if product == redis {
					p.warm, p.messages = 4, max(sc.messages(n.redisMessages), 64)
				}
				s.variants = append(s.variants, variant{
					name:   countName(product, n.patterns),
					run:    p.run,
					versus: countName(product, 0),
				})
			}
		}
		all = append(all, s)
	}
	return all
}

func countName(p product, patterns int) string {
	return fmt.Sprintf("%s, %s", p, thousands(patterns))
}
