package e2e

import (
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// redisCLI is the path of redis-cli. Without it the test is skipped, but not in CI.
func redisCLI(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("redis-cli")
	if err != nil {
		lacking(t, "no redis-cli: install the package redis-tools")
	}
	return path
}

// run runs a program that lives until the test ends, with its children.
func run(t *testing.T, path string, args ...string) *transcript {
	t.Helper()
	out := &transcript{}
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a group of its own, so that a shell's children end with it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return out
}

func TestRedisCLI(t *testing.T) {
	cli := redisCLI(t)
	for _, protocol := range []string{"-2", "-3"} {
		t.Run("protocol "+protocol, func(t *testing.T) {
			t.Parallel()
			n := start(t)
			_, port, err := net.SplitHostPort(n.RESP)
			if err != nil {
				t.Fatal(err)
			}
			args := func(more ...string) []string { return append([]string{protocol, "-p", port}, more...) }
			ask := func(input string, more ...string) string {
				t.Helper()
				cmd := exec.Command(cli, args(more...)...)
				cmd.Stdin = strings.NewReader(input)
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("redis-cli %v: %v: %s", more, err, out)
				}
				return string(out)
			}
			grows := func(out *transcript, want string) {
				t.Helper()
				eventually(t, "redis-cli prints\n"+want, func() bool { return out.String() == want })
			}

			exact := run(t, cli, args("SUBSCRIBE", "news", "weather")...)
			grows(exact, "subscribe\nnews\n1\nsubscribe\nweather\n2\n")
			globs := run(t, cli, args("PSUBSCRIBE", "n?w*")...)
			grows(globs, "psubscribe\nn?w*\n1\n")

			if got := ask("", "PUBLISH", "news", "hi there"); got != "2\n" {
				t.Errorf("PUBLISH: got %q, want 2 deliveries", got)
			}
			grows(exact, "subscribe\nnews\n1\nsubscribe\nweather\n2\nmessage\nnews\nhi there\n")
			grows(globs, "psubscribe\nn?w*\n1\npmessage\nn?w*\nnews\nhi there\n")

			got := ask("PUBLISH weather \"a\\tb\"\nPUBSUB NUMSUB weather\nNOSUCHTHING\nSET k v EX 100\nTTL k\n")
			if want := "1\nweather\n1\nERR unknown command 'NOSUCHTHING', with args beginning with: \n\nOK\n100\n"; got != want {
				t.Errorf("a script on standard input: got %q, want %q", got, want)
			}
		})
	}
}

// redis-cli --pipe sends without reading, then ECHO, and reads until that comes back.
func TestRedisCLIMassInsertion(t *testing.T) {
	cli := redisCLI(t)
	n := start(t)
	_, port, err := net.SplitHostPort(n.RESP)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(cli, "-p", port, "--pipe")
	cmd.Stdin = strings.NewReader(strings.Repeat("SET k v\r\n", 1000) + strings.Repeat("*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1\r\nx\r\n", 1000))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "errors: 0, replies: 2000") {
		t.Errorf("got %v: %s, want 2000 replies and no error", err, out)
	}
}
