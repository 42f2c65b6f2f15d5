//go:build linux

package main

import (
	"fmt"
	"time"
)

// connectionKind is who connects to what.
type connectionKind struct {
	name    string
	product product
	objects bool
}

func connectionKinds(withNATS bool) []connectionKind {
	kinds := []connectionKind{{"redis", redis, false}, {"fanfare RESP", fanfare, false}, {"fanfare WebSocket", fanfare, true}}
	if withNATS {
		kinds = append(kinds, connectionKind{"nats", nats, false})
	}
	return kinds
}

func idleScenario(sc scale, withNATS bool) scenario {
	base := idle{connections: sc.of(10_000), settle: sc.rest(15 * time.Second)}
	s := scenario{
		name:      "idle",
		about:     fmt.Sprintf("%s connections with one subscription each, at once and %v after the last connect", thousands(base.connections), base.settle),
		goal:      "≤ 8 KB RESP and ≤ 16 KB WebSocket, 6 and 12 aimed at; connect ≤ 1.4× Redis' CPU aimed at",
		columns:   idleColumns,
		round:     duration(withNATS, 55*time.Second, 75*time.Second),
		maxRounds: 3, // memory repeats within a few per cent, and each round rests for long
		usual:     true,
	}
	for _, k := range connectionKinds(withNATS) {
		i := base
		i.product, i.objects = k.product, k.objects
		s.variants = append(s.variants, variant{name: k.name, run: i.run})
	}
	return s
}

func stormScenario(sc scale, withNATS bool) scenario {
	base := storm{connections: sc.of(10_000)}
	s := scenario{
		name:    "storm",
		about:   fmt.Sprintf("%s connections one after the other: connect, subscribe, wait for the acknowledgement, leave", thousands(base.connections)),
		goal:    "RESP ≤ 1.4× Redis' CPU aimed at",
		columns: stormColumns,
		round:   duration(withNATS, 7*time.Second, 11*time.Second),
	}
	for _, k := range connectionKinds(withNATS) {
		r := base
		r.product, r.objects = k.product, k.objects
		s.variants = append(s.variants, variant{name: k.name, run: r.run})
	}
	return s
}
