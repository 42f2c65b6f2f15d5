//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// What the tool writes into a document stands between these marks; everything
// else in it is written by people and stays as it is.
const (
	resultsBegin = "<!-- results: written by loadgen -markdown -->\n"
	resultsEnd   = "<!-- end of results -->\n"
)

// document is a file with a place for results: sections under a heading each.
type document struct {
	before, after string
	sections      []section
}

type section struct {
	name, text string // text ends with a newline
}

// readDocument reads the file. One that does not exist has only the marks.
func readDocument(path string) (document, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return document{before: resultsBegin, after: resultsEnd}, nil
	}
	if err != nil {
		return document{}, fmt.Errorf("read the document: %w", err)
	}
	d, ok := parseDocument(string(text))
	if !ok {
		return document{}, fmt.Errorf("%s has no place for results: the line %q and after it the line %q",
			path, strings.TrimSpace(resultsBegin), strings.TrimSpace(resultsEnd))
	}
	return d, nil
}

func parseDocument(text string) (document, bool) {
	before, rest, ok := strings.Cut(text, resultsBegin)
	results, after, closed := strings.Cut(rest, resultsEnd)
	d := document{before: before + resultsBegin, after: resultsEnd + after}
	for part := range strings.SplitSeq("\n"+results, "\n### ") {
		name, body, _ := strings.Cut(part, "\n")
		if body = strings.Trim(body, "\n"); body != "" {
			d.sections = append(d.sections, section{name, body + "\n"})
		}
	}
	return d, ok && closed
}

// put replaces the section with this name, or adds it at its place: sections
// stand in the order of names, unknown ones before all.
func (d *document) put(s section, order []string) {
	place := map[string]int{}
	for i, name := range order {
		place[name] = i + 1
	}
	for i, old := range d.sections {
		switch {
		case old.name == s.name:
			d.sections[i] = s
			return
		case place[old.name] > place[s.name]:
			d.sections = append(d.sections[:i], append([]section{s}, d.sections[i:]...)...)
			return
		}
	}
	d.sections = append(d.sections, s)
}

func (d *document) String() string {
	var b strings.Builder
	b.WriteString(d.before)
	for _, s := range d.sections {
		fmt.Fprintf(&b, "\n### %s\n\n%s", s.name, s.text)
	}
	b.WriteString("\n" + d.after)
	return b.String()
}

// conditionsSection says what was measured last, and where.
const conditionsSection = "Machine and versions"

// writeSection puts one scenario's section and the machine's into the document.
func writeSection(path string, l *lab, name, text string) error {
	d, err := readDocument(path)
	if err != nil {
		return err
	}
	order := []string{conditionsSection}
	for _, s := range allScenarios(options{}) {
		order = append(order, s.name)
	}
	d.put(section{conditionsSection, "- " + strings.ReplaceAll(l.describe(), "\n", "\n- ") + "\n"}, order)
	d.put(section{name, text}, order)
	if err := os.WriteFile(path, []byte(d.String()), 0o644); err != nil { //nolint:gosec // a document of the repository, to be read by all
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}
