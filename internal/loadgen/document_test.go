//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestASectionIsReplacedOrAddedAtItsPlace(t *testing.T) {
	t.Parallel()
	const text = "# By people\n\n" + resultsBegin + "\n### b\n\nold\n\n### d\n\nkept\n\n" + resultsEnd + "\nMore by people.\n"
	order := []string{"a", "b", "c", "d"}
	for _, c := range []struct{ name, put, want string }{
		{"replaced", "b", "\n### b\n\nnew\n\n### d\n\nkept\n\n"},
		{"first", "a", "\n### a\n\nnew\n\n### b\n\nold\n\n### d\n\nkept\n\n"},
		{"between", "c", "\n### b\n\nold\n\n### c\n\nnew\n\n### d\n\nkept\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, ok := parseDocument(text)
			if !ok {
				t.Fatal("the marks were not found")
			}
			d.put(section{c.put, "new\n"}, order)
			want := "# By people\n\n" + resultsBegin + c.want + resultsEnd + "\nMore by people.\n"
			if got := d.String(); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestADocumentWithoutItsMarksIsRefusedBeforeMeasuring(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"nothing", resultsBegin, resultsEnd + resultsBegin} {
		path := filepath.Join(t.TempDir(), "doc.md")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := run(t.Context(), options{only: "fanout-1", kinds: "fanfare", rounds: 1, markdown: path, binary: "/nowhere"}); err == nil || !strings.Contains(err.Error(), "no place for results") {
			t.Errorf("%q: got %v, want it to be refused", text, err)
		}
	}
}

func TestWritingASectionTwiceLeavesOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new.md")
	for _, text := range []string{"first\n", "second\n"} {
		if err := writeSection(path, &lab{}, "crowd-100", text); err != nil {
			t.Fatal(err)
		}
		if err := writeSection(path, &lab{}, "fanout-1", "other\n"); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	for word, want := range map[string]int{"first": 0, "second": 1, "other": 1, conditionsSection: 1} {
		if n := strings.Count(got, word); n != want {
			t.Errorf("%q stands %d times, want %d, in\n%s", word, n, want, got)
		}
	}
	if strings.Index(got, "### fanout-1\n") > strings.Index(got, "### crowd-100\n") {
		t.Errorf("sections are not in the scenarios' order:\n%s", got)
	}
}

func TestTheProjectsDocumentHasAPlaceForResults(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := parseDocument(string(text)); !ok {
		t.Error("docs/benchmarks.md lacks the marks that -markdown writes between")
	}
}

func TestATableMayCompareInPairsAndInSeveralColumns(t *testing.T) {
	t.Parallel()
	s := scenario{
		name: "s", about: "pairs", goal: "less",
		columns: []column{{"cpu", "CPU µs/command", true}, {"rate", "k/s", false}, {"p99", "p99 µs", true}},
		variants: []variant{
			{name: "SET old"},
			{name: "SET new", versus: "SET old"},
			{name: "GET new", versus: "GET old"}, // which was not chosen
		},
	}
	results := []result{
		{Variant: "SET old", Rounds: []figures{{"cpu": 2, "rate": 1, "p99": 10}}},
		{Variant: "SET new", Rounds: []figures{{"cpu": 1, "rate": 2, "p99": 30}}},
		{Variant: "GET new", Rounds: []figures{{"cpu": 1, "rate": 2, "p99": 30}}},
	}
	got := newTable(s, results, time.Second).markdown(true)
	for _, want := range []string{
		"Pairs. Goal: less.\n",
		"|  | CPU µs/command | k/s | p99 µs | ratio of CPU | ratio of p99 |\n|---|---|---|---|---|---|\n",
		"| SET new | 1.00 [1.00 1.00] | 2.00 [2.00 2.00] | 30.0 [30.0 30.0] | 0.5 [0.5 0.5] of SET old | 3.00 [3.00 3.00] of SET old |\n",
		"| GET new | 1.00 [1.00 1.00] | 2.00 [2.00 2.00] | 30.0 [30.0 30.0] | - | - |\n",
		"not for comparing",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant it to contain %q", got, want)
		}
	}
}

func TestProcessorIsNamedAsTheKernelNamesIt(t *testing.T) {
	t.Parallel()
	if got := processor("processor\t: 0\nmodel name\t: Some CPU @ 2.0\nflags\t: a\n"); got != "Some CPU @ 2.0" {
		t.Errorf("got %q", got)
	}
	if got := processor("nothing"); got == "" {
		t.Error("a processor without a name has no description")
	}
}
