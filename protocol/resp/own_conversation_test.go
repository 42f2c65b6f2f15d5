package resp_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fanfare/internal/conversation"
	"fanfare/internal/place"
	"fanfare/protocol/resp"
)

// isOwn tells whether a file is about commands that Redis does not have.
func isOwn(file string) bool {
	return slices.Contains([]string{"retain.txt", "history.txt", "presence.txt", "channel.txt"}, filepath.Base(file))
}

// What channels remember outlives the connections of a section, so that each section, in each version of the
// protocol, has a broker of its own.
func TestOwnConversations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	rules := resp.DocumentedRules(t)
	for _, file := range files {
		if !isOwn(file) {
			continue
		}
		for i, section := range sections(t, file) {
			for name, at := range place.Kinds {
				t.Run(fmt.Sprintf("%s/%s/%d", name, strings.TrimSuffix(filepath.Base(file), ".txt"), i), func(t *testing.T) {
					t.Parallel()
					conversation.Run(t, section, serve(t, at(t), rules...))
				})
			}
		}
	}
}

// sections writes each section of a file, in each version that it is for, to a file of its own in which lines
// have the numbers they had.
func sections(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var names []string
	lines := strings.Split(string(text), "\n")
	for begin := range lines {
		if !strings.HasPrefix(lines[begin], "== ") {
			continue
		}
		end := begin + 1
		for end < len(lines) && !strings.HasPrefix(lines[end], "== ") {
			end++
		}
		for _, proto := range protos(lines[begin:end]) {
			name := filepath.Join(dir, fmt.Sprintf("%d-%s-%s", begin, proto, filepath.Base(file)))
			section := strings.Repeat("\n", begin-1) + "proto " + proto + "\n" + strings.Join(lines[begin:end], "\n")
			if err := os.WriteFile(name, []byte(section), 0o600); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
	}
	return names
}

// protos returns the versions a section is for.
func protos(lines []string) []string {
	for _, line := range lines {
		if proto, only := strings.CutPrefix(line, "proto "); only {
			return []string{proto}
		}
	}
	return []string{"2", "3"}
}
