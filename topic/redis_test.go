package topic

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// redis is a redis-server of the test's own, with two connections: one holds
// patterns, the other publishes.
type redis struct {
	t              *testing.T
	holder, sender *bufio.ReadWriter
	version        string
}

// startRedis starts the installed redis-server on a socket in a temporary folder,
// without persistence. It ends with the test.
func startRedis(t *testing.T) *redis {
	t.Helper()
	path := filepath.Join(t.TempDir(), "redis.sock")
	ctx, cancel := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, "redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no",
		"--dir", filepath.Dir(path)) //nolint:gosec // G204: arguments of our own
	log, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatalf("start redis-server: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		_ = server.Wait() // killed
	})
	awaitLine(t, log, "ready to accept connections")
	r := &redis{t: t, holder: dialRedis(t, path), sender: dialRedis(t, path)}
	info := r.ask(r.sender, "INFO", "server")[0]
	_, r.version, _ = strings.Cut(info, "redis_version:")
	r.version, _, _ = strings.Cut(r.version, "\r\n")
	return r
}

// awaitLine reads until a line contains text, and goes on draining behind it.
func awaitLine(t *testing.T, from io.Reader, text string) {
	t.Helper()
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			go func() { _, _ = io.Copy(io.Discard, from) }()
			return
		}
	}
	t.Fatalf("redis-server ended without saying %q", text)
}

func dialRedis(t *testing.T, path string) *bufio.ReadWriter {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn))
}

// matches asks the server whether the pattern matches the channel.
func (r *redis) matches(pattern, channel string) bool {
	r.t.Helper()
	r.ask(r.holder, "PSUBSCRIBE", pattern)
	count := r.ask(r.sender, "PUBLISH", channel, "x")[0]
	if count == "1" {
		push := r.read(r.holder)
		if push[0] != "pmessage" || push[1] != pattern || push[2] != channel {
			r.t.Fatalf("push %q for pattern %q channel %q", push, pattern, channel)
		}
	}
	r.ask(r.holder, "PUNSUBSCRIBE", pattern)
	return count == "1"
}

// ask sends a command and returns its reply, flat.
func (r *redis) ask(conn *bufio.ReadWriter, args ...string) []string {
	r.t.Helper()
	fmt.Fprintf(conn, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(a), a)
	}
	if err := conn.Flush(); err != nil {
		r.t.Fatal(err)
	}
	return r.read(conn)
}

func (r *redis) read(conn *bufio.ReadWriter) []string {
	r.t.Helper()
	reply, err := readReply(conn.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply
}

func readReply(from *bufio.Reader) ([]string, error) {
	line, err := from.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, rest := line[0], strings.TrimRight(line[1:], "\r\n")
	switch kind {
	case '+', ':':
		return []string{rest}, nil
	case '-':
		return nil, errors.New(rest)
	}
	n, err := strconv.Atoi(rest)
	if err != nil {
		return nil, err
	}
	if kind == '$' {
		body := make([]byte, n+2)
		_, err := io.ReadFull(from, body)
		return []string{string(body[:n])}, err
	}
	var all []string
	for range n {
		one, err := readReply(from)
		if err != nil {
			return nil, err
		}
		all = append(all, one...)
	}
	return all, nil
}
