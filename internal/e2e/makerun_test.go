package e2e

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The first command of the README: make run builds the broker, starts it where RESP and HTTP say, and Ctrl-C,
// which a terminal sends to make and to the broker, ends both in peace.
func TestMakeRun(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\n    make run RESP=127.0.0.1:6380 HTTP=127.0.0.1:8081\n") {
		t.Fatal("README.md does not say that make run takes RESP and HTTP")
	}
	var addrs [2]string
	for i := range addrs {
		if addrs[i], err = freeAddress(); err != nil {
			t.Fatal(err)
		}
	}
	path, err := exec.LookPath("make")
	if err != nil {
		lacking(t, "no make: install the package make")
	}
	output := &transcript{}
	cmd := exec.Command(path, "-C", "../..", "run", "RESP="+addrs[0], "HTTP="+addrs[1])
	cmd.Env = append(os.Environ(), "MAKEFLAGS=") // not those of a make that runs the tests
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait() // make ends by the signal too, once the broker has
		close(gone)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the group is the test's own
		<-gone
	})
	awaitBanner(t, output, gone, addrs)
	pingInline(t, addrs[0])

	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-gone:
		if text := output.String(); !strings.Contains(text, "INFO  stopped") {
			t.Errorf("the broker has not said that it has stopped:\n%s", text)
		}
	case <-time.After(patience):
		t.Fatalf("make run goes on after Ctrl-C:\n%s", output)
	}
	for _, addr := range addrs {
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			_ = c.Close()
			t.Errorf("something still listens on %s", addr)
		}
	}
}

// awaitBanner waits, longer than usual because the broker is built first, until the banner is complete, and
// requires the addresses in it.
func awaitBanner(t *testing.T, output *transcript, gone <-chan struct{}, addrs [2]string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * patience); !strings.Contains(output.String(), "Ctrl-C ends the broker."); {
		if time.Now().After(deadline) {
			t.Fatalf("make run does not say that the broker runs:\n%s", output)
		}
		select {
		case <-gone:
			t.Fatalf("make run has ended:\n%s", output)
		case <-tick.C:
		}
	}
	if text := output.String(); !strings.Contains(text, addrs[0]) || !strings.Contains(text, "http://"+addrs[1]) {
		t.Fatalf("got a broker elsewhere than on %v:\n%s", addrs, text)
	}
}

// pingInline asks as a person with a plain connection does.
func pingInline(t *testing.T, addr string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		t.Fatal(err)
	}
	if got, err := bufio.NewReader(c).ReadString('\n'); got != "+PONG\r\n" || err != nil {
		t.Errorf("got %q, %v, want PONG", got, err)
	}
}
