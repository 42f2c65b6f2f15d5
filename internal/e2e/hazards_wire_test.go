package e2e

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The tests of the hazards_ files speak to the broker as an attacker does: bytes
// over a socket. Their bounds on memory and CPU are about ten times what the
// broker needs and far below what the fault each one guards against costs.

// attacker is a raw connection. Every wait is limited by patience.
type attacker struct {
	*net.TCPConn
	t testing.TB
	r *bufio.Reader
}

func attack(t testing.TB, addr string) *attacker {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	tcp := c.(*net.TCPConn)
	if err := tcp.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		t.Fatal(err)
	}
	return &attacker{TCPConn: tcp, t: t, r: bufio.NewReaderSize(tcp, 64<<10)}
}

// send writes text; the broker may have closed the connection meanwhile, which
// the tests see when they read.
func (a *attacker) send(text string) {
	a.t.Helper()
	_, err := io.WriteString(a.TCPConn, text)
	if err != nil && !broken(err) {
		a.t.Fatalf("send %.40q: %v", text, err)
	}
}

// broken reports whether err is the peer's way of saying goodbye.
func broken(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF)
}

// expect reads exactly want.
func (a *attacker) expect(want string) {
	a.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(a.r, got)
	if err != nil || string(got) != want {
		a.t.Fatalf("got %.200q (%v), want %.200q", got[:n], err, want)
	}
}

// ended reads until the broker closes and returns what came before.
func (a *attacker) ended() string {
	a.t.Helper()
	rest, err := io.ReadAll(a.r)
	if err != nil && !broken(err) {
		a.t.Fatalf("the connection stays open after %.200q: %v", rest, err)
	}
	return string(rest)
}

// ask sends one inline command and expects its reply.
func (a *attacker) ask(command, want string) {
	a.t.Helper()
	a.send(command + "\r\n")
	a.expect(want)
}

// bulk is one argument or bulk reply.
func bulk(text string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text) }

// command is a command in the multi-bulk form.
func command(args ...string) string {
	text := fmt.Sprintf("*%d\r\n", len(args))
	for _, arg := range args {
		text += bulk(arg)
	}
	return text
}

// alive fails unless a new client is served.
func (n *node) alive(t testing.TB) {
	t.Helper()
	attack(t, n.RESP).ask("PING", "+PONG\r\n")
}

// memory returns the resident bytes of the broker.
func (n *node) memory(t testing.TB) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", n.PID))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if f := bytes.Fields(line); len(f) == 3 && string(f[0]) == "Rss:" {
			kb, err := strconv.ParseInt(string(f[1]), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatal("no resident size")
	return 0
}

// cpu returns the CPU time the broker has used.
func (n *node) cpu(t testing.TB) time.Duration {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^n.PID)<<3|2, &ts); err != nil { // the process' CPU clock
		t.Fatal(err)
	}
	return time.Duration(ts.Nano())
}

// grownBelow fails if the broker's memory has grown by limit or more since before.
func (n *node) grownBelow(t testing.TB, before, limit int64) {
	t.Helper()
	if grown := n.memory(t) - before; grown >= limit {
		t.Errorf("memory grew by %d KiB, want less than %d KiB", grown>>10, limit>>10)
	} else {
		t.Logf("memory grew by %d KiB", grown>>10)
	}
}

// calm waits for a fifth of a second in which the broker does next to nothing.
func (n *node) calm(t testing.TB) {
	t.Helper()
	const span = 200 * time.Millisecond
	tick := time.NewTicker(span)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for before := n.cpu(t); ; {
		<-tick.C
		now := n.cpu(t)
		if now-before < span/4 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the broker goes on computing: %v in the last %v", now-before, span)
		}
		before = now
	}
}

// A browser is an attacker that speaks WebSocket (RFC 6455).
type wsAttacker struct{ *attacker }

// header is the request for an upgrade without its last empty line.
func header(addr string, extra ...string) string {
	lines := []string{
		"GET /ws HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
	}
	if !slices.ContainsFunc(extra, func(s string) bool { return strings.HasPrefix(s, "Host:") }) {
		lines = append(lines, "Host: "+addr)
	}
	return strings.Join(append(lines, extra...), "\r\n") + "\r\n"
}

// answerTo asks for an upgrade and returns the whole head of the answer.
func answerTo(t testing.TB, addr string, extra ...string) (wsAttacker, string) {
	t.Helper()
	a := attack(t, addr)
	a.send(header(addr, extra...) + "\r\n")
	var head strings.Builder
	for {
		line, err := a.r.ReadString('\n')
		if err != nil {
			t.Fatalf("answer to the upgrade: %q, %v", head.String(), err)
		}
		if line == "\r\n" {
			return wsAttacker{a}, head.String()
		}
		head.WriteString(line)
	}
}

// upgraded is a WebSocket that has read its welcome.
func upgraded(t testing.TB, addr string) wsAttacker {
	t.Helper()
	w, head := answerTo(t, addr)
	if !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		t.Fatalf("answer to the upgrade: %q", head)
	}
	w.line(`{"welcome":`)
	return w
}

// frame is one frame as a client sends it, masked with zeros.
func frame(head byte, payload string) string {
	b := []byte{head}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return string(append(b, 0, 0, 0, 0)) + payload
}

// request sends one text frame.
func (w wsAttacker) request(text string) {
	w.t.Helper()
	w.send(frame(0x81, text))
}

// next reads one frame; an error means that the connection has ended.
func (w wsAttacker) next() (op byte, payload []byte, err error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(w.r, head); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1])
	if size := map[uint64]int{126: 2, 127: 8}[n]; size > 0 {
		ext := make([]byte, 8)
		if _, err := io.ReadFull(w.r, ext[8-size:]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(ext)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(w.r, payload)
	return head[0] & 15, payload, err
}

// line reads text frames until one has a line that begins with prefix.
func (w wsAttacker) line(prefix string) string {
	w.t.Helper()
	for {
		op, payload, err := w.next()
		if err != nil || op == 8 {
			w.t.Fatalf("the connection ended (%q, %v), want a line %s…", payload, err, prefix)
		}
		for line := range strings.SplitSeq(string(payload), "\n") {
			if op == 1 && strings.HasPrefix(line, prefix) {
				return line
			}
		}
	}
}

// closeCode reads to the end and returns the code of the close frame; 0: none came.
func (w wsAttacker) closeCode() int {
	w.t.Helper()
	code := 0
	for {
		op, payload, err := w.next()
		if err != nil {
			if !broken(err) && !errors.Is(err, io.ErrUnexpectedEOF) {
				w.t.Fatalf("the connection stays open: %v", err)
			}
			return code
		}
		if op == 8 && len(payload) >= 2 {
			code = int(binary.BigEndian.Uint16(payload))
		}
	}
}
