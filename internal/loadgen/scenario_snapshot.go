//go:build linux

package main

import (
	"fmt"
	"time"
)

// snapshotScenario compares saving and loading. Both servers save in the background:
// redis-server in a process that it forks, whose memory and time are not counted.
func snapshotScenario(sc scale) scenario {
	s := scenario{
		name:  "snapshot",
		about: fmt.Sprintf("%s keys with values of %d B, saved by BGSAVE while one client sets a key again and again, and loaded by a new process", thousands(sc.of(1_000_000)), payloadSize),
		columns: []column{
			{"save", "save s", true}, {"load", "load s", true}, {"wait", "SET waits at most ms", false},
			{"memory", "MB before", true}, {"saving", "MB after saving", false}, {"loaded", "MB after loading", true}, {"file", "file MB", false},
		},
		round:     20 * time.Second,
		maxRounds: 3,
	}
	for _, p := range servers(false) {
		s.variants = append(s.variants, variant{name: p.String(), run: snapshot{product: p, keys: sc.of(1_000_000), settle: sc.rest(2 * time.Second)}.run})
	}
	return s
}
