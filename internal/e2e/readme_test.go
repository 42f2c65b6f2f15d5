package e2e

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The commands of the README are run as they stand, against one fresh broker whose addresses are put in.
//
// Marking: every block ```sh is run, in order. A line is a command, a line "# → text" must be a line of
// the output of the command above it, and other lines that begin with # are comments. Commands that subscribe
// go on in the background: the first of their lines is awaited at once, the others may come until the last
// block is done. Indented blocks are not run, and the block ```js has a test of its own in a browser.
func TestReadmeCommands(t *testing.T) {
	redisCLI(t)
	n := start(t)
	_, port, err := net.SplitHostPort(n.RESP)
	if err != nil {
		t.Fatal(err)
	}
	put := strings.NewReplacer("redis-cli ", "redis-cli -p "+port+" ", "localhost:8080", n.HTTP, "127.0.0.1:8080", n.HTTP)
	commands := readmeCommands(t)
	for i := range commands {
		c := &commands[i]
		line := put.Replace(c.line)
		if !strings.Contains(c.line, "SUBSCRIBE") {
			out, err := exec.Command("sh", "-c", line).CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v", c.line, err)
			}
			c.output = func() string { return string(out) }
			continue
		}
		c.output = run(t, "sh", "-c", line).String
		if len(c.want) == 0 {
			t.Fatalf("%s: nothing says when it has subscribed", c.line)
		}
		eventually(t, c.line+" prints "+c.want[0], func() bool { return c.printed(c.want[0]) })
	}
	for _, c := range commands {
		for _, want := range c.want {
			eventually(t, c.line+" prints "+want, func() bool { return c.printed(want) })
		}
	}
}

type readmeCommand struct {
	line   string
	want   []string      // lines of the output
	output func() string // set once it runs
}

func (c *readmeCommand) printed(line string) bool {
	return slices.Contains(strings.Split(c.output(), "\n"), line)
}

func readmeCommands(t *testing.T) []readmeCommand {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []readmeCommand
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch want, expected := strings.CutPrefix(line, "# → "); {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case !inside || line == "":
		case expected && len(commands) > 0:
			last := &commands[len(commands)-1]
			last.want = append(last.want, want)
		case !strings.HasPrefix(line, "#"):
			commands = append(commands, readmeCommand{line: line})
		}
	}
	if len(commands) == 0 {
		t.Fatal("README.md has no ```sh block with a command")
	}
	return commands
}
