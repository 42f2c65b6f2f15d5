//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// scenario is a question with the variants that answer it.
type scenario struct {
	name      string
	about     string
	goal      string   // what Fanfare is meant to reach; empty: nothing is promised
	columns   []column // the first one is compared, and others that say so
	variants  []variant
	round     time.Duration // about how long one round takes, at full length
	maxRounds int           // 0: as many as asked for
	usual     bool          // part of the selection that runs when nothing is chosen
}

// column is a figure in the table.
type column struct {
	key     string
	title   string
	compare bool // as a ratio to the variant it is compared with
}

// variant is one kind of run.
type variant struct {
	name   string
	run    func(ctx context.Context, l *lab) (figures, error)
	versus string // the variant it is compared with; empty: the first
}

var (
	cpuColumn       = column{"cpu", "CPU µs/delivery", true}
	deliveryColumns = []column{cpuColumn, {"rate", "M deliveries/s", false}}
	pacedColumns    = []column{cpuColumn, {"p50", "p50 µs", false}, {"p99", "p99 µs", true}}
	// The first column is what the goal is about.
	neighbourColumns = []column{{"p99", "p99 µs", true}, {"max", "max µs", true}, {"p50", "p50 µs", false}, {"cpu", "CPU µs/delivery of all", false}}
	publishColumns   = []column{{"cpu", "CPU µs/publish", true}, {"rate", "M publishes/s", false}, {"bytes", "bytes/pattern", false}}
	idleColumns      = []column{{"kb", "KB/connection", true}, {"at once", "KB at once", false}, {"connect", "CPU µs/connect", true}, {"total", "MB in all", false}}
	stormColumns     = []column{{"connect", "CPU µs/connection", true}, {"rate", "k connections/s", false}}
	stuckColumns     = []column{{"publishes", "k publishes/s", true}, {"cpu", "CPU µs/delivery", false}, {"kept", "MB it got", false}}
	keyColumns       = []column{{"cpu", "CPU µs/command", true}, {"rate", "k commands/s", false}, {"p50", "p50 µs", false}, {"p99", "p99 µs", true}}
	coreColumns      = []column{{"rate", "k commands/s", true}, {"cpu", "CPU µs/command", false}, {"p50", "p50 µs", false}, {"p99", "p99 µs", false}}
	expiryColumns    = []column{{"p99", "GET p99 µs", true}, {"max", "GET max µs", true}, {"p50", "GET p50 µs", false}, {"gone", "gone after s", false}, {"cpu", "CPU µs/expired key", false}, {"load", "CPU µs/SET", false}}
)

// allScenarios lists everything in the order of the report.
func allScenarios(o options) []scenario {
	sc := scale(o.short)
	withNATS := o.nats || o.all
	var all []scenario
	all = append(all, fanoutScenarios(sc, withNATS)...)
	all = append(all, crowdScenarios(sc, withNATS)...)
	all = append(all, roomsScenario(sc, withNATS))
	all = append(all, pacedScenarios(sc, withNATS)...)
	all = append(all, neighbourScenario(sc, withNATS))
	all = append(all, websocketScenarios(sc)...)
	all = append(all, patternScenarios(sc)...)
	all = append(all, patternCountScenarios(sc, withNATS)...)
	all = append(all, stuckScenario(sc), idleScenario(sc, withNATS), stormScenario(sc, withNATS))
	all = append(all, keyScenarios(sc)...)
	all = append(all, typeScenarios(sc)...)
	all = append(all, coresScenario(sc), expiryScenario(sc), snapshotScenario(sc))
	all = append(all, weightScenarios(sc)...)
	return append(all, rememberScenarios(sc)...)
}

// choose keeps what the options ask for: all scenarios, those with one of the
// words in their name, or the usual ones; of each the chosen variants.
func choose(all []scenario, o options) []scenario {
	var kept []scenario
	for _, s := range all {
		if !named(s.name, o.only) || (o.only == "" && !o.all && !s.usual) {
			continue
		}
		var variants []variant
		for _, v := range s.variants {
			if named(v.name, o.kinds) {
				variants = append(variants, v)
			}
		}
		if s.variants = variants; len(variants) > 0 {
			kept = append(kept, s)
		}
	}
	return kept
}

// named reports whether name contains one of the comma-separated words, or there are none.
func named(name, words string) bool {
	for word := range strings.SplitSeq(words, ",") {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// expected is about how long the scenario takes with so many rounds.
func (s scenario) expected(rounds int, sc scale) time.Duration {
	if s.maxRounds > 0 {
		rounds = min(rounds, s.maxRounds)
	}
	d := s.round * time.Duration(rounds)
	if sc {
		d /= 5 // a tenth of the messages; starting and connecting remain
	}
	return d
}

// servers are the products to compare, the reference first.
func servers(withNATS bool) []product {
	if withNATS {
		return []product{redis, fanfare, nats}
	}
	return []product{redis, fanfare}
}

// duration picks about how long a round takes, on a quiet machine of 2020 or so.
func duration(withNATS bool, without, with time.Duration) time.Duration {
	if withNATS {
		return with
	}
	return without
}

// scale makes short runs of long ones.
type scale bool

// messages returns a multiple of 64: whole units for every dialect.
func (short scale) messages(n int) int {
	if short {
		n /= 10
	}
	return max(n/64, 1) * 64
}

// of returns n or, for a short run, a tenth of it.
func (short scale) of(n int) int {
	if short {
		return n / 10
	}
	return n
}

func (short scale) rest(d time.Duration) time.Duration {
	if short {
		return d / 10
	}
	return d
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return thousands(n) + " " + noun
}

// thousands writes a number as people read it.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
