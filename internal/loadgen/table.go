//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// table is what one scenario yielded: medians with [smallest largest], and the
// ratios of the columns that are compared.
type table struct {
	scenario scenario
	rounds   int
	took     time.Duration
	header   []string // the first column, of names, has none
	rows     [][]string
}

func newTable(s scenario, results []result, took time.Duration) table {
	t := table{scenario: s, rounds: len(results[0].Rounds), took: took, header: []string{""}}
	for _, c := range s.columns {
		t.header = append(t.header, c.title)
	}
	for _, c := range s.columns {
		if c.compare {
			t.header = append(t.header, "ratio of "+shortTitle(c.title))
		}
	}
	for i, r := range results {
		base := compared(s.variants[i], results)
		row := []string{r.Variant}
		for _, c := range s.columns {
			row = append(row, r.cell(c.key))
		}
		for _, c := range s.columns {
			if c.compare {
				row = append(row, r.ratioCell(base, c.key))
			}
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// shortTitle leaves the unit away: a ratio has none.
func shortTitle(title string) string {
	word, _, _ := strings.Cut(title, " µs")
	return word
}

// compared finds the results a variant is compared with; nil: they were not measured.
func compared(v variant, results []result) *result {
	if v.versus == "" {
		return &results[0]
	}
	i := slices.IndexFunc(results, func(r result) bool { return r.Variant == v.versus })
	if i < 0 {
		return nil
	}
	return &results[i]
}

// print writes the table in columns, for people.
func (t table) print(out io.Writer) {
	_, _ = fmt.Fprintf(out, "(%s, %v)\n", count(t.rounds, "round"), t.took.Round(time.Second))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{t.header}, t.rows...) {
		_, _ = fmt.Fprintf(w, "  %s\n", strings.Join(row, "\t"))
	}
	_ = w.Flush()
	if t.scenario.goal != "" {
		_, _ = fmt.Fprintf(out, "  goal: %s\n", t.scenario.goal)
	}
}

// markdown returns the section of the document without its heading.
func (t table) markdown(short bool) string {
	var b strings.Builder
	about := t.scenario.about
	fmt.Fprintf(&b, "%s%s.", strings.ToUpper(about[:1]), about[1:])
	if t.scenario.goal != "" {
		fmt.Fprintf(&b, " Goal: %s.", t.scenario.goal)
	}
	fmt.Fprintf(&b, "\n\n| %s |\n|%s\n", strings.Join(t.header, " | "), strings.Repeat("---|", len(t.header)))
	for _, row := range t.rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	fmt.Fprintf(&b, "\nMeasured on %s: %s in %v", time.Now().Format(time.DateOnly), count(t.rounds, "round"), t.took.Round(time.Second))
	if short {
		b.WriteString(", **cut to a tenth: not for comparing**")
	}
	b.WriteString(".\n")
	return b.String()
}
