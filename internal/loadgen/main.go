//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// options are the command's flags.
type options struct {
	only     string
	kinds    string
	all      bool
	rounds   int
	short    bool
	json     string
	markdown string
	nats     bool
	binary   string
	list     bool
}

func main() {
	var o options
	flag.StringVar(&o.only, "only", "", "run the scenarios whose name contains one of these (comma-separated)")
	flag.StringVar(&o.kinds, "variants", "", "of these, the variants whose name contains one of these (comma-separated)")
	flag.BoolVar(&o.all, "all", false, "run every scenario, with nats-server; without it the usual ones (marked * by -list)")
	flag.IntVar(&o.rounds, "rounds", 5, "interleaved rounds per scenario")
	flag.BoolVar(&o.short, "short", false, "a tenth of the messages and connections: for trying out, not for figures")
	flag.StringVar(&o.json, "json", "", "write every run's figures to this file as JSON")
	flag.StringVar(&o.markdown, "markdown", "", "write the tables into this file, between its two marks; scenarios that are not run stay as they are")
	flag.BoolVar(&o.nats, "nats", false, "measure nats-server too where a scenario allows it")
	flag.StringVar(&o.binary, "broker", "", "this broker binary instead of one built from ./cmd/broker")
	flag.BoolVar(&o.list, "list", false, "print the scenarios and end")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.list {
		list(os.Stdout, o)
		return nil
	}
	scenarios := choose(allScenarios(o), o)
	if len(scenarios) == 0 {
		return fmt.Errorf("nothing is called %q %q; -list shows the scenarios", o.only, o.kinds)
	}
	if o.rounds < 1 {
		return fmt.Errorf("-rounds %d: at least one round is needed", o.rounds)
	}
	if o.markdown != "" {
		// Found now, not after an hour of measuring.
		if _, err := readDocument(o.markdown); err != nil {
			return err
		}
	}
	lab, err := newLab(o)
	if err != nil {
		return err
	}
	defer lab.close()
	return measureAll(ctx, lab, scenarios, o)
}

// list prints all scenarios with the time each takes; * marks the usual ones.
func list(w io.Writer, o options) {
	var usual, all time.Duration
	for _, s := range allScenarios(o) {
		took := s.expected(o.rounds, scale(o.short))
		mark := " "
		if s.usual {
			mark = "*"
			usual += took
		}
		all += took
		_, _ = fmt.Fprintf(w, "%s %-20s %5s  %s\n", mark, s.name, took.Round(time.Second), s.about)
	}
	_, _ = fmt.Fprintf(w, "about %v for those marked *, about %v for all\n", usual.Round(time.Minute), all.Round(time.Minute))
}

// measureAll runs the scenarios in order. Each one's table is printed, and
// written to the document, as soon as it is complete; the JSON file comes at the
// end. A scenario that is void has no table, and the others go on without it.
func measureAll(ctx context.Context, l *lab, scenarios []scenario, o options) error {
	fmt.Println(l.describe())
	var all []result
	var failed []error
	for _, s := range scenarios {
		results, err := measureOne(ctx, l, s, o)
		if err != nil {
			err = fmt.Errorf("%s: %w", s.name, err)
			fmt.Println(err)
			failed = append(failed, err)
		}
		if ctx.Err() != nil {
			break
		}
		all = append(all, results...)
	}
	if o.json != "" {
		failed = append(failed, writeJSON(o.json, l, all))
	}
	return errors.Join(failed...)
}

func measureOne(ctx context.Context, l *lab, s scenario, o options) ([]result, error) {
	began := time.Now()
	fmt.Printf("\n%s: %s (about %v)\n", s.name, s.about, s.expected(o.rounds, scale(o.short)).Round(time.Second))
	results, err := measure(ctx, l, s, o.rounds)
	if err != nil {
		return nil, err
	}
	t := newTable(s, results, time.Since(began))
	t.print(os.Stdout)
	if o.markdown == "" {
		return results, nil
	}
	return results, writeSection(o.markdown, l, s.name, t.markdown(o.short))
}

// raiseFileLimit lets this process and its children hold as many descriptors as
// the system allows, and returns that number.
func raiseFileLimit() (uint64, error) {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0, fmt.Errorf("read the descriptor limit: %w", err)
	}
	r.Cur = r.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0, fmt.Errorf("raise the descriptor limit: %w", err)
	}
	return r.Cur, nil
}
