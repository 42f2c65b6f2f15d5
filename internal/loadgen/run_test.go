//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanfare/topic"

	"golang.org/x/sys/unix"
)

func TestEveryShapeHasOneMatchPerChannelAndOneSize(t *testing.T) {
	t.Parallel()
	for _, sh := range append(shapes, mixed) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			p := patterned{shape: sh, background: 100_000}
			for n := range patternChannels {
				channel := sh.channel(matchedID, n)
				if got, want := len(channel), len(sh.channel(matchedID, 0)); got != want {
					t.Errorf("channel %s has %d bytes, want %d", channel, got, want)
				}
				matches := 0
				for id := matchedID - 1000; id < matchedID+1000; id++ {
					pattern := sh.pattern(id)
					if got, want := len(pattern), len(sh.pattern(0)); got != want {
						t.Fatalf("pattern %s has %d bytes, want %d", pattern, got, want)
					}
					if topic.Compile(pattern).MatchString(channel) {
						matches++
						if !p.matches(id) {
							t.Errorf("background pattern %s matches %s", pattern, channel)
						}
					}
				}
				if matches != 1 {
					t.Errorf("%s has %d matches, want 1", channel, matches)
				}
			}
		})
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		values []float64
		want   spread
	}{
		{"odd", []float64{3, 1, 2}, spread{2, 1, 3}},
		{"even", []float64{4, 1, 2, 3}, spread{2.5, 1, 4}},
		{"one", []float64{7}, spread{7, 7, 7}},
	} {
		if got := spreadOf(c.values); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestTableComparesWithTheFirstVariantRoundByRound(t *testing.T) {
	t.Parallel()
	s := scenario{name: "s", about: "a", columns: []column{{"cpu", "CPU", true}, {"p99", "p99", false}}}
	results := []result{
		{Variant: "old", Rounds: []figures{{"cpu": 2, "p99": 5}, {"cpu": 4, "p99": 5}}},
		{Variant: "new", Rounds: []figures{{"cpu": 1}, {"cpu": 1}}},
	}
	s.variants = []variant{{name: "old"}, {name: "new"}}
	var out bytes.Buffer
	newTable(s, results, time.Second).print(&out)
	for _, want := range []string{"1.00 [1.00 1.00]  -", "0.375 [0.25 0.5] of old"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%s\nwant it to contain %q", out.String(), want)
		}
	}
}

func TestChosenNames(t *testing.T) {
	t.Parallel()
	all := choose(allScenarios(options{}), options{all: true})
	if len(all) != len(allScenarios(options{})) {
		t.Errorf("nothing chosen keeps %d scenarios", len(all))
	}
	for _, s := range choose(allScenarios(options{}), options{}) {
		if !s.usual {
			t.Errorf("%s ran although nobody asked for it", s.name)
		}
	}
	got := choose(allScenarios(options{}), options{only: "idle,crowd-100", kinds: "redis"})
	if len(got) != 3 || len(got[0].variants) != 1 || got[0].variants[0].name != "redis" {
		t.Errorf("got %v", got)
	}
}

// lookPath finds a program, or leaves the test out: in CI none may be missing.
func lookPath(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatalf("%s is not installed", program)
	case err != nil:
		t.Skipf("left out: %s is not installed", program)
	}
	return path
}

// testLab measures without binding the test's own threads: its figures mean
// nothing, its checks do.
func testLab(t *testing.T, p product, program string) *lab {
	t.Helper()
	path := lookPath(t, program)
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		t.Fatal(err)
	}
	l := &lab{dir: t.TempDir(), cpus: pickCPUs(&allowed), files: 1000}
	l.cpus.generator = l.cpus.server
	l.paths[p] = path
	return l
}

// smallRuns are all kinds of runs that a server of another project can take.
func smallRuns(p product) map[string]variant {
	few := fewRooms
	few.product = p
	return map[string]variant{
		"fan-out":      {run: fanout{product: p, subscribers: 3, messages: 640, payload: 64}.run},
		"long payload": {run: fanout{product: p, subscribers: 3, messages: 640, payload: 4096, window: 64}.run},
		"paced":        {run: fanout{product: p, subscribers: 2, messages: 20, payload: 64, interval: time.Millisecond}.run},
		"crowd":        {run: crowd{product: p, publishers: 5, subscribers: 3, messages: 500}.run},
		"rooms":        {run: few.run},
		"neighbour":    {run: neighbour{product: p, subscribers: 20, bigInterval: 10 * time.Millisecond, interval: time.Millisecond, messages: 50}.run},
		"patterns":     {run: patterned{product: p, shape: mixed, background: 2000, channels: patternChannels, warm: 64, messages: 192, window: 16}.run},
		"no patterns":  {run: patterned{product: p, shape: shapes[1], channels: ringMessages, warm: 64, messages: 192, window: 32}.run},
		"idle":         {run: idle{product: p, connections: 20, settle: time.Millisecond}.run},
		"storm":        {run: storm{product: p, connections: 30}.run},
	}
}

func testRuns(t *testing.T, p product, program string, runs map[string]variant) {
	for name, v := range runs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := testLab(t, p, program)
			f, err := v.run(t.Context(), l)
			if err != nil {
				t.Fatal(err)
			}
			if cpu, ok := f["cpu"]; ok && cpu <= 0 {
				t.Errorf("got %v CPU-us per delivery", cpu)
			}
			if p50, ok := f["p50"]; ok && p50 <= 0 {
				t.Errorf("got a median of %v us", p50)
			}
			t.Log(f)
		})
	}
}

func TestRunsAgainstRedis(t *testing.T) {
	t.Parallel()
	runs := smallRuns(redis)
	runs["expiry"] = variant{run: expiry{product: redis, keys: 2000, ahead: time.Second, spread: 50 * time.Millisecond, limit: 20 * time.Second}.run}
	testRuns(t, redis, "redis-server", runs)
}

func TestRunsAgainstNATS(t *testing.T) {
	t.Parallel()
	testRuns(t, nats, "nats-server", smallRuns(nats))
}

func TestKeysAgainstRedis(t *testing.T) {
	t.Parallel()
	lookPath(t, "redis-benchmark")
	for command, probes := range map[string][]probe{
		"set": keyProbes, "get": keyProbes, "incr": keyProbes, "mset": keyProbes,
		"lpush": typeProbes, "hset": typeProbes, "zadd": typeProbes,
	} {
		l := testLab(t, redis, "redis-server")
		f, err := keys{product: redis, command: command, pipeline: 16, requests: 3200, probes: probes, fill: "set"}.run(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		if f["cpu"] <= 0 || f["p99"] <= 0 {
			t.Errorf("%s: got %v", command, f)
		}
	}
}

func TestARunWithAMissingDeliveryIsVoid(t *testing.T) {
	t.Parallel()
	l := testLab(t, redis, "redis-server")
	err := withRig(t.Context(), l, redis, func(r *rig) error {
		f := fanout{product: redis, subscribers: 2, messages: 64, payload: payloadSize}
		if err := f.connect(r, &respDialect); err != nil {
			return err
		}
		commands := f.commands(&respDialect)
		commands = append(commands[:5:5], commands[6:]...) // the sixth is never published
		p, err := r.addPublisher(&respDialect, commands, []int{2}, 64, 16)
		if err != nil {
			return err
		}
		_, err = r.spend(t.Context(), []*publisher{p}, each(64), p.start)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "delivery 5 is missing") {
		t.Errorf("got %v, want the run to be void at delivery 5", err)
	}
}

func TestALastMissingDeliveryVoidsAPacedRun(t *testing.T) {
	t.Parallel()
	lp, err := newLoop()
	if err != nil {
		t.Fatal(err)
	}
	defer lp.close()
	r := &rig{loop: lp}
	if err := r.every(time.Millisecond, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	err = lp.run(t.Context(), 50*time.Millisecond, func() bool { return false })
	if err == nil || !strings.Contains(err.Error(), "VOID") {
		t.Errorf("got %v, want the run to be void although its timer goes on", err)
	}
}

func TestTheUsualSelectionEndsWithinTwelveMinutes(t *testing.T) {
	t.Parallel()
	var took time.Duration
	for _, s := range choose(allScenarios(options{}), options{}) {
		took += s.expected(5, false)
	}
	if took > 12*time.Minute {
		t.Errorf("the usual scenarios take about %v", took)
	}
}

func TestEveryVariantIsComparedWithOneOfItsScenario(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range allScenarios(options{all: true}) {
		if seen[s.name] {
			t.Errorf("two scenarios are called %s", s.name)
		}
		seen[s.name] = true
		if s.round <= 0 || !s.columns[0].compare {
			t.Errorf("%s: does not say how long a round takes or what is compared", s.name)
		}
		results := make([]result, len(s.variants))
		for i, v := range s.variants {
			results[i].Variant = v.name
		}
		for _, v := range s.variants {
			if compared(v, results) == nil {
				t.Errorf("%s: %s is compared with %s, which does not exist", s.name, v.name, v.versus)
			}
		}
	}
}

func TestAScenarioThatFailsDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	ran := 0
	fails := func(context.Context, *lab) (figures, error) { return nil, errors.New("VOID: on purpose") }
	works := func(context.Context, *lab) (figures, error) { ran++; return figures{"cpu": 1}, nil }
	o := options{rounds: 1, markdown: filepath.Join(t.TempDir(), "doc.md")}
	err := measureAll(t.Context(), &lab{}, []scenario{
		{name: "broken", about: "fails", columns: publishColumns, variants: []variant{{name: "a", run: fails}}},
		{name: "sound", about: "works", columns: publishColumns, variants: []variant{{name: "a", run: works}}},
	}, o)
	if err == nil || !strings.Contains(err.Error(), "broken: round 1, a: VOID") || ran != 1 {
		t.Errorf("got %v and %d runs, want the first one's error and the second one's run", err, ran)
	}
	text, err := os.ReadFile(o.markdown)
	if err != nil || strings.Contains(string(text), "### broken") || !strings.Contains(string(text), "### sound") {
		t.Errorf("got %v and\n%s\nwant only the sound one's table", err, text)
	}
}
