//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var buildDir string

// ownBroker is built once for all tests that need it.
var ownBroker = sync.OnceValues(func() (string, error) { return build(buildDir) })

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fanfare-loadgen-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "create build folder:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	buildDir = dir
	return m.Run()
}

func fanfareLab(t *testing.T) *lab {
	t.Helper()
	path, err := ownBroker()
	if err != nil {
		t.Fatal(err)
	}
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		t.Fatal(err)
	}
	l := &lab{dir: t.TempDir(), cpus: pickCPUs(&allowed), files: 1000}
	l.cpus.generator = l.cpus.server
	l.paths[fanfare] = path
	return l
}

func TestRunsOfChannelsThatRemember(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]variant{
		"no rule":               {run: remembered{subscribers: 2, messages: 640}.run},
		"history":               {run: remembered{rules: keepHistory, messages: 640}.run},
		"history, retained":     {run: remembered{rules: keepAll, subscribers: 2, messages: 640, keeps: true}.run},
		"a history of few":      {run: remembered{rules: keepAll, messages: 64, keeps: true}.run},
		"other channels' rules": {run: remembered{rules: manyRules, subscribers: 1, messages: 640}.run},
		"nothing missed":        {run: recovery{clients: 5}.run},
		"one channel":           {run: recovery{clients: 5, missed: keptMessages}.run},
		"a channel each":        {run: recovery{clients: 5, missed: 7, apart: true}.run},
		"messages":              {run: stored{channels: 20, each: 60, settle: time.Millisecond}.run},
		"members":               {run: stored{channels: 20, each: 60, joins: 1, settle: time.Millisecond}.run},
		"second connections":    {run: stored{channels: 20, each: 60, joins: 2, tidy: true, settle: time.Millisecond}.run},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := v.run(t.Context(), fanfareLab(t))
			if err != nil {
				t.Fatal(err)
			}
			if f["cpu"] <= 0 {
				t.Errorf("got %v, want CPU time", f)
			}
			t.Log(f)
		})
	}
}

// A broker that remembers less than the run says must not get a table.
func TestWhatIsNotRememberedVoidsARun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		run  variant
		want string
	}{
		"no history":        {variant{run: remembered{messages: 640, keeps: true}.run}, "history is not enabled"},
		"nothing retained":  {variant{run: remembered{rules: keepHistory, messages: 640, keeps: true}.run}, "VOID: retained is []"},
		"a history cut":     {variant{run: recovery{clients: 2, missed: keptMessages + 1}.run}, "VOID: not recovered"},
		"more than is kept": {variant{run: stored{channels: 2, each: keptMessages + 1, settle: time.Millisecond}.run}, "VOID: a history has 100 messages, want 101"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.run.run(t.Context(), fanfareLab(t))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestARecoveredMessageOutOfPlaceVoidsARun(t *testing.T) {
	t.Parallel()
	lines := []string{
		`{"welcome":"s","epoch":"e"}`, `{"subbed":"c","offset":9,"recovered":true,"missed":0}`,
		`{"msg":"c","data":"a","time":1,"offset":8}`, `{"msg":"c","data":"b","time":1,"offset":9}`,
	}
	newResumed := func() *resumed {
		return &resumed{objects: objects{head: []byte(`{"msg":"c","data":"`), ring: []byte("ab"), payload: 1}}
	}
	feed := func(s *resumed, order ...int) (err error) {
		for _, i := range order {
			if err == nil {
				err = s.line([]byte(lines[i]))
			}
		}
		return err
	}
	whole := newResumed()
	if err := feed(whole, 0, 1, 2, 3); err != nil || whole.count() != 3 {
		t.Errorf("got %v and %d, want all three to count", err, whole.count())
	}
	for name, order := range map[string][]int{"swapped": {0, 1, 3, 2}, "before subbed": {0, 2}, "twice": {0, 1, 2, 2}} {
		if err := feed(newResumed(), order...); err == nil || !strings.Contains(err.Error(), "VOID") {
			t.Errorf("%s: got %v, want the run to be void", name, err)
		}
	}
}
