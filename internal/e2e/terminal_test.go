package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// terminal is a program that has a terminal of its own and somebody who types.
type terminal struct {
	t    *testing.T
	keys io.Writer
	out  *transcript
	seen int // what await has found ends here
}

// inTerminal runs a command of a shell in a terminal until the test ends.
func inTerminal(t *testing.T, command string) *terminal {
	t.Helper()
	path, err := exec.LookPath("script")
	if err != nil {
		lacking(t, "no script, which makes terminals: install the package bsdutils")
	}
	x := &terminal{t: t, out: &transcript{}}
	// A terminal without a width is asked where its cursor is.
	cmd := exec.Command(path, "--quiet", "--return", "--command", "stty cols 200; exec "+command, "/dev/null")
	cmd.Env = append(os.Environ(), "TERM=xterm", "REDISCLI_HISTFILE=/dev/null", "REDISCLI_RCFILE=/dev/null")
	cmd.Stdout, cmd.Stderr = x.out, x.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if x.keys, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // its child loses the terminal and ends
		_ = cmd.Wait()
	})
	return x
}

// types sends keys; \r is the enter key.
func (x *terminal) types(keys string) {
	x.t.Helper()
	if _, err := io.WriteString(x.keys, keys); err != nil {
		x.t.Fatal(err)
	}
}

// await returns once text is on the screen after what was awaited before.
func (x *terminal) await(text string) {
	x.t.Helper()
	defer func() {
		if x.t.Failed() {
			x.t.Logf("the screen: %q", x.out)
		}
	}()
	eventually(x.t, fmt.Sprintf("the screen shows %q", text), func() bool {
		at := strings.Index(x.out.String()[x.seen:], text)
		if at < 0 {
			return false
		}
		x.seen += at + len(text)
		return true
	})
}

const ctrlC = "\x03"

// A person at a terminal: the prompt comes although COMMAND DOCS, which redis-cli asks first, may be unknown;
// SUBSCRIBE shows messages as they come; Ctrl-C leaves it, and the subscription is gone.
func TestRedisCLIInATerminal(t *testing.T) {
	cli := redisCLI(t)
	for _, server := range servers {
		for _, protocol := range []int{2, 3} {
			t.Run(fmt.Sprintf("%s/RESP%d", server.name, protocol), func(t *testing.T) {
				t.Parallel()
				addr := server.start(t)
				_, port, err := net.SplitHostPort(addr)
				if err != nil {
					t.Fatal(err)
				}
				prompt := "127.0.0.1:" + port + "> "
				c := dial(t, addr, 2)

				x := inTerminal(t, fmt.Sprintf("%s -%d -p %s", cli, protocol, port))
				x.await(prompt)
				x.types("SET greeting hello\r")
				x.await("\r\nOK\r\n" + prompt)
				x.types("GET greeting\r")
				x.await("\r\n\"hello\"\r\n" + prompt)

				x.types("SUBSCRIBE news weather\r")
				x.await("Reading messages... (press Ctrl-C to quit")
				x.await("1) \"subscribe\"\r\n2) \"weather\"\r\n3) (integer) 2\r\n")
				for i := range 2 {
					text := fmt.Sprint("message ", i)
					if got := publish(t, c, "news", text); got != 1 {
						t.Errorf("got %d receivers, want the terminal", got)
					}
					x.await("1) \"message\"\r\n2) \"news\"\r\n3) \"" + text + "\"\r\n")
				}
				x.types(ctrlC)
				x.await(prompt)
				eventually(t, "the subscriptions are gone", func() bool {
					return c.PubSubNumSub(context.Background(), "news").Val()["news"] == 0
				})
				x.types("GET greeting\r")
				x.await("\r\n\"hello\"\r\n" + prompt)
			})
		}
	}
}
