//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// product is a server program under measurement.
type product uint8

const (
	fanfare product = iota
	redis
	nats
)

func (p product) String() string {
	return [...]string{"fanfare", "redis", "nats"}[p]
}

// lab is what all runs share: the programs, the CPUs and the descriptor limit.
type lab struct {
	dir   string // temporary; holds the built broker
	paths [3]string
	names [3]string // product and version as the program says it
	cpus  cpus
	files uint64
}

// newLab builds the broker, finds the other programs and binds this process to
// its CPU. Programs that are missing are an error only when a run needs them.
func newLab(o options) (*lab, error) {
	l := &lab{}
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return nil, fmt.Errorf("read the CPU affinity: %w", err)
	}
	l.cpus = pickCPUs(&allowed)
	var err error
	if l.files, err = raiseFileLimit(); err != nil {
		return nil, err
	}
	if l.dir, err = os.MkdirTemp("", "fanfare-loadgen-"); err != nil {
		return nil, fmt.Errorf("create a folder: %w", err)
	}
	if o.binary != "" {
		// Servers run in a folder of their own.
		if l.paths[fanfare], err = filepath.Abs(o.binary); err != nil {
			return nil, fmt.Errorf("-broker: %w", err)
		}
	} else {
		// A failed build is reported by the first run that needs the broker:
		// redis-server can be measured without it.
		if l.paths[fanfare], err = build(l.dir); err != nil {
			fmt.Fprintln(os.Stderr, "loadgen:", err)
		}
	}
	l.paths[redis], _ = exec.LookPath("redis-server")
	l.paths[nats], _ = exec.LookPath("nats-server")
	for p, arg := range [...]string{fanfare: "version", redis: "--version", nats: "--version"} {
		l.names[p] = version(l.paths[p], arg)
	}
	if err := pinSelf(l.cpus); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func build(dir string) (string, error) {
	path := filepath.Join(dir, "broker")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "fanfare/cmd/broker")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the broker: %w\n%s", err, out)
	}
	return path, nil
}

// version asks a program for its version: the first line it prints.
func version(path, arg string) string {
	if path == "" {
		return "not available"
	}
	out, err := exec.Command(path, arg).Output() //nolint:gosec // a path found by LookPath or given by the user
	if err != nil {
		return "unknown version"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	line, _, _ = strings.Cut(line, " sha=") // Redis goes on with how it was built
	return strings.TrimSpace(line)
}

func (l *lab) close() {
	_ = os.RemoveAll(l.dir)
}

// describe returns the lines above the tables: what was measured where.
func (l *lab) describe() string {
	lines := []string{
		machine(),
		fmt.Sprintf("server on CPU %d, generator on CPU %d", l.cpus.server, l.cpus.generator),
	}
	if l.cpus.shared {
		lines = append(lines, "ONLY ONE CPU: these figures are not comparable")
	}
	for p, name := range l.names {
		lines = append(lines, fmt.Sprintf("%s: %s", product(p), name))
	}
	return strings.Join(lines, "\n")
}

// server is one running program.
type server struct {
	product product
	addr    string // Redis or NATS protocol
	http    string // WebSocket; Fanfare only
	pid     int

	cmd    *exec.Cmd
	exited chan error
	stderr *tail
}

// launch is a program and how it is started.
type launch struct {
	product product
	flags   []string // beside the addresses
	env     []string // beside the generator's own environment
	wide    bool     // on both CPUs, beside the generator
}

// start runs the program anew on free ports, bound to the server's CPU unless it is wide.
// The caller stops it.
func (l *lab) start(ctx context.Context, how launch) (*server, error) {
	if l.paths[how.product] == "" {
		return nil, fmt.Errorf("%s cannot be run: not installed or not built", how.product)
	}
	// A free port may be taken by somebody else before the server listens.
	var err error
	for range 5 {
		var s *server
		if s, err = l.startOnce(ctx, how); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func (l *lab) startOnce(ctx context.Context, how launch) (*server, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	p := how.product
	s := &server{product: p, exited: make(chan error, 1), stderr: &tail{}}
	s.addr = "127.0.0.1:" + ports[0]
	s.http = "127.0.0.1:" + ports[1]
	s.cmd = exec.Command(l.paths[p], append(arguments(p, ports[0], s), how.flags...)...) //nolint:gosec // see version
	s.cmd.Env = append(os.Environ(), how.env...)
	s.cmd.Dir = l.dir
	s.cmd.Stderr = s.stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := onCPUs(l.cpus.of(how.wide), setOf(l.cpus.generator), s.cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", p, err)
	}
	s.pid = s.cmd.Process.Pid
	go func() { s.exited <- s.cmd.Wait() }()
	if err := s.awaitListeners(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// maxClients leaves room for publishers beside 10,000 subscribers.
const maxClients = "12000"

func arguments(p product, port string, s *server) []string {
	switch p {
	case redis:
		return []string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--logfile", "/dev/null", "--maxclients", maxClients}
	case nats:
		return []string{"--addr", "127.0.0.1", "--port", port}
	default:
		return []string{"--resp", s.addr, "--http", s.http, "--max-clients", maxClients}
	}
}

func (s *server) awaitListeners(ctx context.Context) error {
	addrs := []string{s.addr}
	if s.product == fanfare {
		addrs = append(addrs, s.http)
	}
	deadline := time.Now().Add(20 * time.Second)
	for _, addr := range addrs {
		for {
			c, err := net.DialTimeout("tcp", addr, time.Second)
			if err == nil {
				_ = c.Close() // only asked whether it listens
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case err := <-s.exited:
				s.exited <- err
				return fmt.Errorf("%s ended while starting: %w: %s", s.product, err, s.stderr)
			case <-time.After(5 * time.Millisecond):
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%s does not listen on %s: %s", s.product, addr, s.stderr)
			}
		}
	}
	return nil
}

// stop kills the program and waits for its end. There is nothing to save, and
// no figure is taken from its way out.
func (s *server) stop() {
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintln(os.Stderr, "loadgen: stop", s.product, err)
	}
	if err := <-s.exited; err != nil && s.cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, "loadgen: await the end of", s.product, err)
	}
}

// freePorts returns different loopback ports nobody listened on a moment ago.
func freePorts(n int) ([]string, error) {
	ports := make([]string, 0, n)
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = l.Close() }() // kept until the end, so that the ports differ
		ports = append(ports, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}
