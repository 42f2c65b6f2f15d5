package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "broker")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "broker")
	build := exec.Command("go", "build", "-o", binary, "-ldflags", "-X main.version=v9.8.7 -X main.commit=abc1234 -X main.date=2030-01-02", ".")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// patience is the time after which something that must happen has not.
const patience = 2 * time.Minute

// outcome is what an invocation that ends by itself left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// invoke runs the program to its end.
func invoke(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// process is a broker that runs.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	resp   string // addresses, from the log
	http   string
	stdout *lockedBuffer
	log    chan map[string]any // entries; closed at its end
	ended  chan struct{}
}

// start runs a broker on free loopback ports and waits until it listens.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startBy(t, []string{binary}, args...)
}

// startBy is start by a command that becomes the broker.
func startBy(t *testing.T, command []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, stdout: &lockedBuffer{}, log: make(chan map[string]any, 10_000), ended: make(chan struct{})}
	args = slices.Concat(command[1:], []string{"--resp", "127.0.0.1:0", "--http", "127.0.0.1:0"}, args)
	p.cmd = exec.CommandContext(t.Context(), command[0], args...)
	p.cmd.Env = []string{}
	p.cmd.Stdout = p.stdout
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(stderr)
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // An error: it has ended.
		<-p.ended
	})
	p.listening()
	return p
}

// listening waits until the broker listens, and takes its addresses from the log.
func (p *process) listening() {
	p.t.Helper()
	for p.resp == "" || p.http == "" {
		entry := p.await("listening")
		switch address, _ := entry["address"].(string); {
		case entry["protocol"] == "http":
			p.http = address
		case !strings.HasPrefix(address, "/"):
			p.resp = address
		}
	}
}

// read takes the log apart until the program ends.
func (p *process) read(stderr io.Reader) {
	defer close(p.ended)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		entry := map[string]any{}
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			entry["msg"] = lines.Text() // Not an entry: a crash.
		}
		p.log <- entry
	}
	close(p.log)
	_ = p.cmd.Wait() // The code is read from ProcessState.
}

// await returns the next log entry with that message.
func (p *process) await(message string) map[string]any {
	p.t.Helper()
	var seen []string
	timeout := time.After(patience)
	for {
		select {
		case entry, more := <-p.log:
			if !more {
				p.t.Fatalf("ended without logging %q; logged:\n%s", message, strings.Join(seen, "\n"))
			}
			if entry["msg"] == message {
				return entry
			}
			seen = append(seen, fmt.Sprint(entry))
		case <-timeout:
			p.t.Fatalf("did not log %q in %s; logged:\n%s", message, patience, strings.Join(seen, "\n"))
		}
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// exit waits for the program's end and returns its exit code, -1 if a signal
// ended it.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("still runs after %s", patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// dial connects to the broker as a Redis client.
func (p *process) dial() *peer {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.resp)
	if err != nil {
		p.t.Fatal(err)
	}
	return newPeer(p.t, conn)
}

// peer is one connection that speaks RESP2, line by line.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func newPeer(t *testing.T, conn net.Conn) *peer {
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &peer{t, conn, bufio.NewReaderSize(conn, 64<<10)}
}

func (p *peer) send(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.conn, format, args...); err != nil {
		p.t.Fatal(err)
	}
}

// line reads one line without its end.
func (p *peer) line() (string, error) {
	s, err := p.in.ReadString('\n')
	return strings.TrimSuffix(s, "\r\n"), err
}

// expect reads lines and compares them.
func (p *peer) expect(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		if got, err := p.line(); err != nil || got != want {
			p.t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
}

// lockedBuffer collects output while it is read.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
