package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// docRow is how docs/configuration.md shows a setting.
func docRow(s setting) string {
	cfg := defaults()
	initial := s.value(&cfg).String()
	if initial != "" {
		initial = "`" + initial + "`"
	}
	return fmt.Sprintf("| `%s` | `--%s` | %s | %s |", s.key, s.flagName(), initial, s.help)
}

// ruleRow is how docs/configuration.md shows a key of a rule.
func ruleRow(s ruleSetting) string {
	initial := s.initial()
	if initial != "" {
		initial = "`" + initial + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s |", s.key, initial, s.help)
}

// tableRow is how docs/configuration.md shows a key of [access] or [[token-key]].
func tableRow[T any](table string, s tableSetting[T]) string {
	return fmt.Sprintf("| `%s.%s` | %s |", table, s.key, s.help)
}

func TestTheConfigurationDocumentShowsEverySettingAndNoOther(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, s := range settings {
		want[docRow(s)] = true
	}
	for _, s := range ruleSettings {
		want[ruleRow(s)] = true
	}
	for _, s := range accessSettings {
		want[tableRow(accessKey, s)] = true
	}
	for _, s := range tokenKeySettings {
		want[tableRow(tokenKeysKey, s)] = true
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "| `") && !want[line] {
			t.Errorf("no such row: %s", line)
		}
		delete(want, line)
	}
	for row := range want {
		t.Errorf("missing row: %s", row)
	}
}

func TestHelpShowsEverySettingInLinesThatFitATerminal(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := printHelp(&b); err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		if !strings.Contains(b.String(), "\n  --"+s.flagName()) {
			t.Errorf("%s is missing", s.key)
		}
	}
	keys := append(keysOf(accessSettings), keysOf(tokenKeySettings)...)
	for _, s := range ruleSettings {
		keys = append(keys, s.key)
	}
	for _, key := range keys {
		if !strings.Contains(b.String(), "\n  "+key+" = ") {
			t.Errorf("%s is missing", key)
		}
	}
	for line := range strings.Lines(b.String()) {
		if len(line) > 121 {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
}
