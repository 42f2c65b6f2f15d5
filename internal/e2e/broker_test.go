// Package e2e tests the real binary from outside: over sockets, with real
// clients and with a real browser. Nothing here imports the broker's packages,
// so that a test can only see what a user can see.
package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for something that should happen at once. It is
// generous because the tests share the machine with whatever else runs there.
const patience = 2 * time.Minute

// node is one running broker process.
type node struct {
	RESP string // host:port of the Redis side
	HTTP string // host:port of the WebSocket side
	PID  int

	cmd    *exec.Cmd
	exited chan struct{} // closed once the process is gone and cmd.ProcessState is set
	output *transcript   // standard output and standard error together
}

var buildDir string

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fanfare-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "create build folder:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	buildDir = dir
	return m.Run()
}

// The broker is built at most twice per test run: as users get it, which most of these tests look at, and with
// the race detector, for those that let many goroutines of it meet.
var (
	plainBroker = built("broker", "CGO_ENABLED=0")
	racedBroker = built("broker-race", "CGO_ENABLED=1", "-race")
)

// built returns a function that builds the broker when it is first called, and answers its path.
func built(name, environment string, flags ...string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		path := filepath.Join(buildDir, name)
		cmd := exec.Command("go", slices.Concat([]string{"build", "-trimpath", "-o", path}, flags, []string{"fanfare/cmd/broker"})...)
		cmd.Env = append(os.Environ(), environment)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build the broker %v: %w\n%s", flags, err, out)
		}
		return path, nil
	})
}

// start runs a broker of its own on free loopback ports and returns once both
// accept connections. Further flags come after the addresses. The process is
// ended when the test ends; a test fails if its broker has panicked.
func start(t testing.TB, flags ...string) *node {
	t.Helper()
	return startBuild(t, plainBroker, flags)
}

// startRaced is start with the race detector in the broker; a race that it has seen fails the test.
func startRaced(t testing.TB, flags ...string) *node {
	t.Helper()
	return startBuild(t, racedBroker, flags)
}

func startBuild(t testing.TB, build func() (string, error), flags []string) *node {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	// A free port may be taken by somebody else before the broker listens.
	for range 5 {
		n, err := launch(path, flags)
		if err == nil {
			t.Cleanup(func() { n.cleanUp(t) })
			return n
		}
		if !strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
	}
	t.Fatal("no free port after five attempts")
	return nil
}

// again starts the same build at the addresses of a node that has ended.
func (n *node) again(t testing.TB, flags ...string) (next *node) {
	t.Helper()
	eventually(t, "the addresses are free again", func() bool {
		var err error
		if next, err = launchAt(n.cmd.Path, n.RESP, n.HTTP, flags); err != nil && !strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
		return err == nil
	})
	t.Cleanup(func() { next.cleanUp(t) })
	return next
}

func launch(path string, flags []string) (*node, error) {
	resp, err := freeAddress()
	if err != nil {
		return nil, err
	}
	http, err := freeAddress()
	if err != nil {
		return nil, err
	}
	return launchAt(path, resp, http, flags)
}

func launchAt(path, resp, http string, flags []string) (*node, error) {
	n := &node{RESP: resp, HTTP: http, exited: make(chan struct{}), output: &transcript{}}
	args := append([]string{"--resp", resp, "--http", http}, flags...)
	n.cmd = exec.Command(path, args...)
	n.cmd.Stdout, n.cmd.Stderr = n.output, n.output
	n.cmd.WaitDelay = time.Second
	if err := n.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the broker: %w", err)
	}
	n.PID = n.cmd.Process.Pid
	go func() {
		_ = n.cmd.Wait() // the state is read from cmd.ProcessState
		close(n.exited)
	}()
	for _, addr := range []string{n.RESP, n.HTTP} {
		if err := n.awaitListener(addr); err != nil {
			_ = n.cmd.Process.Kill()
			<-n.exited
			return nil, err
		}
	}
	return n, nil
}

// awaitListener returns once addr accepts connections.
func (n *node) awaitListener(addr string) error {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return c.Close()
		}
		select {
		case <-n.exited:
			return fmt.Errorf("the broker ended while starting: %s", n.output)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return fmt.Errorf("nothing listens on %s: %s", addr, n.output)
}

// stop sends sig and returns the exit code; it kills a broker that does not end.
func (n *node) stop(t testing.TB, sig syscall.Signal) int {
	t.Helper()
	if err := n.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal the broker: %v", err)
	}
	select {
	case <-n.exited:
	case <-time.After(patience):
		_ = n.cmd.Process.Kill()
		<-n.exited
		t.Errorf("the broker did not end within %v of %v: %s", patience, sig, n.output)
	}
	return n.cmd.ProcessState.ExitCode()
}

// running reports whether the process still lives.
func (n *node) running() bool {
	select {
	case <-n.exited:
		return false
	default:
		return true
	}
}

func (n *node) cleanUp(t testing.TB) {
	if n.running() {
		_ = n.cmd.Process.Kill() // the drain has tests of its own
		<-n.exited
	}
	text := n.output.String()
	for _, sign := range []string{"panic:", "fatal error:", "[running]:", "WARNING: DATA RACE"} {
		if strings.Contains(text, sign) {
			t.Errorf("the broker has panicked, or raced:\n%s", text)
			return
		}
	}
	if t.Failed() && text != "" {
		t.Logf("output of the broker:\n%s", text)
	}
}

// freeAddress returns a loopback address nobody listened on a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// transcript collects a process' output; it may be read while it grows.
type transcript struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// eventually polls until ok holds; what names the condition in the failure.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		<-tick.C
	}
}
