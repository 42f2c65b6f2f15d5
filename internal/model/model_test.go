package model

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seedFlag   = flag.Uint64("model.seed", 0, "seed of the first world; 0: by the clock")
	stepsFlag  = flag.Int("model.steps", 500, "steps in each world")
	worldsFlag = flag.Int("model.worlds", 40, "number of worlds")
	trailFlag  = flag.Int("model.trail", 25, "how many of the last actions a failure shows")
)

// TestBrokerDoesWhatTheReferenceDoes is the proof that no message is lost,
// repeated or reordered, and that every gap is announced.
func TestBrokerDoesWhatTheReferenceDoes(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano()) % 1_000_000 * 1000
	}
	seen := make(counts)
	t.Logf("%d worlds from seed %d, %d steps each", *worldsFlag, seed, *stepsFlag)
	for i := range *worldsFlag {
		t.Run(fmt.Sprintf("seed %d", seed+uint64(i)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { run(t, seed+uint64(i), *stepsFlag, seen) })
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("steps met %v", seen)
	if *worldsFlag**stepsFlag >= enough {
		for _, what := range interesting {
			if seen[what] == 0 {
				t.Errorf("in none of the worlds there was: %s", what)
			}
		}
	}
}

// enough is the number of steps in which everything interesting happens.
const enough = 20_000

// counts says how often something interesting happened.
type counts map[string]int

// interesting is what a run has to meet to prove anything.
var interesting = []string{
	"recovered", "missed some", "missed unknown", "retained", "replayed", "left out", "ended as slow", "silent and lived",
	"repeated key", "left by grace or lease", "came back within the grace", "occupancy", "forgotten", "cleared", "members dropped by rules",
	"storms", "recovered in a storm", "not recovered in a storm",
}
