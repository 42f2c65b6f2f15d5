package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// Each test here guards against a fault that was found in redcon or in another
// server; the row (R1 to R10) is the fault's number in decision 0001.

// R1: a bulk length that overflows killed the process.
func TestImpossibleBulkLengthsAreRefused(t *testing.T) {
	t.Parallel()
	n := start(t)
	for _, length := range []string{
		"9223372036854775807", "9223372036854775800", "18446744073709551615", "4294967297",
		"2147483647", "-1", "-9223372036854775808", "+1", "0x10", "", " 1", "1 ",
	} {
		a := attack(t, n.RESP)
		a.send("*1\r\n$" + length + "\r\n")
		if got, want := a.ended(), "-ERR Protocol error: invalid bulk length\r\n"; got != want {
			t.Errorf("length %q: got %q, want %q", length, got, want)
		}
	}
	n.alive(t)
}

// R2: a huge argument count spun a core for ever, after the peer had left too.
// R3: it cost a second for every packet.
func TestImpossibleArgumentCountsAreRefused(t *testing.T) {
	t.Parallel()
	n := start(t)
	for _, count := range []string{"9223372036854775807", "1000000000", "1048577", "18446744073709551617", "+1", "1x", "-2147483649999"} {
		a := attack(t, n.RESP)
		a.send("*" + count + "\r\n")
		if got, want := a.ended(), "-ERR Protocol error: invalid multibulk length\r\n"; got != want {
			t.Errorf("count %q: got %q, want %q", count, got, want)
		}
	}
	n.calm(t)
	n.alive(t)
}

// R3: with a large legal count, each packet must cost only its own bytes.
func TestManyArgumentsInSmallPacketsCostTheirBytesOnly(t *testing.T) {
	t.Setenv("GOMAXPROCS", "1") // the broker's: the PINGs below wait for what the packets cost
	n := start(t)
	other := attack(t, n.RESP)
	a := attack(t, n.RESP)
	a.send("*1048576\r\n" + bulk("DEL"))
	const packets = 2000
	cost := func(packet string) time.Duration {
		before := n.cpu(t)
		for range packets {
			a.send(packet)
			other.ask("PING", "+PONG\r\n") // so that the broker reads packet by packet
		}
		return n.cpu(t) - before
	}
	with, without := cost(bulk("key")), cost("")
	if with > 2*without+200*time.Millisecond {
		t.Errorf("%d packets cost %v of CPU, the PINGs between them %v", packets, with, without)
	}
}

// R4: every read of an incomplete command deepened the stack; 64 MB after 0.5 MB.
func TestACommandInSingleBytesNeedsNoStack(t *testing.T) {
	t.Parallel()
	n := start(t)
	before := n.memory(t)
	a := attack(t, n.RESP)
	const size = 100_000
	a.send(fmt.Sprintf("*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$%d\r\n", size))
	other := attack(t, n.RESP)
	for i := range size {
		a.send("x")
		if i < size/20 {
			other.ask("PING", "+PONG\r\n") // so that the broker reads byte by byte
		}
	}
	n.grownBelow(t, before, 8<<20)
	a.send("\r\n")
	a.expect(":0\r\n")
	n.alive(t)
}

// R5: each word of a long line took a buffer as long as the rest of the line.
func TestLongLinesOfWordsNeedNoMemory(t *testing.T) {
	t.Parallel()
	n := start(t)
	before := n.memory(t)
	for range 4 {
		a := attack(t, n.RESP)
		a.send(strings.Repeat("a ", 30_000) + "\r\n")
		line, err := a.r.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "-ERR unknown command 'a'") || len(line) > 1000 {
			t.Fatalf("got %.200q (%d bytes), %v", line, len(line), err)
		}
		a.ask("PING", "+PONG\r\n")
		a.send(strings.Repeat("a ", 64<<10) + "\r\n")
		if got, want := a.ended(), "-ERR Protocol error: too big inline request\r\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	n.grownBelow(t, before, 32<<20)
}

// R6: input without end was collected without limit.
func TestInputWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	n := start(t)
	before := n.memory(t)
	for _, c := range []struct{ name, first, want string }{
		{"a line", "", "too big inline request"},
		{"a count", "*", "too big mbulk count string"},
		{"a length", "*1\r\n$", "too big bulk count string"},
	} {
		a := attack(t, n.RESP)
		a.send(c.first)
		piece := strings.Repeat("1", 1<<20)
		for range 64 {
			if _, err := io.WriteString(a.TCPConn, piece); err != nil {
				break
			}
		}
		// The reply may be lost to the reset that unread input causes.
		if got := a.ended(); got != "" && got != "-ERR Protocol error: "+c.want+"\r\n" {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	n.grownBelow(t, before, 32<<20)
	n.alive(t)
}

// R6: memory grows with bytes received, not with bytes announced.
func TestAnnouncedBytesTakeNoMemory(t *testing.T) {
	t.Parallel()
	n := start(t)
	before := n.memory(t)
	for range 20 {
		attack(t, n.RESP).send("*2\r\n$4\r\nECHO\r\n$60000000\r\nx")
		attack(t, n.RESP).send("*1048576\r\n$4\r\nECHO\r\n")
	}
	n.alive(t)
	n.calm(t)
	n.grownBelow(t, before, 32<<20)
}

// R6, CVE-2021-32675, CVE-2025-21605: without a password there are small limits,
// for what is sent and for what is answered.
func TestBeforeAuthenticationLimitsAreSmall(t *testing.T) {
	t.Parallel()
	n := start(t, "--resp-requirepass", "secret")
	before := n.memory(t)
	for _, c := range []struct{ name, sent, want string }{
		{"arguments", "*11\r\n", "-ERR Protocol error: unauthenticated multibulk length\r\n"},
		{"one argument", "*1\r\n$16385\r\n", "-ERR Protocol error: unauthenticated bulk length\r\n"},
		{"a line", strings.Repeat("x", 17<<10), "-ERR Protocol error: too big inline request\r\n"},
	} {
		a := attack(t, n.RESP)
		a.send(c.sent)
		if got := a.ended(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	// Replies nobody reads pause their reader, so that writing stops too.
	a := attack(t, n.RESP)
	if err := a.SetWriteDeadline(time.Now().Add(2 * time.Second)); err != nil {
		t.Fatal(err)
	}
	piece := strings.Repeat("PING\r\n", 10_000)
	for range 2000 {
		if _, err := io.WriteString(a.TCPConn, piece); err != nil {
			if !broken(err) && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
			break
		}
	}
	n.grownBelow(t, before, 32<<20)
	n.alivePassword(t, "secret")
}

func (n *node) alivePassword(t testing.TB, password string) {
	t.Helper()
	a := attack(t, n.RESP)
	a.ask("AUTH "+password, "+OK\r\n")
	a.ask("PING", "+PONG\r\n")
}

// R7: the replies of a whole pipeline were collected before the first was sent.
func TestPipelinedRepliesNobodyReadsTakeNoMemory(t *testing.T) {
	t.Parallel()
	n := start(t)
	value := strings.Repeat("v", 1<<20)
	a := attack(t, n.RESP)
	a.send(command("SET", "b", value))
	a.expect("+OK\r\n")
	before := n.memory(t)
	const gets = 300
	a.send(strings.Repeat("GET b\r\n", gets))
	n.calm(t)
	n.grownBelow(t, before, 100<<20)
	// Nobody is ended for it: all replies are there.
	want := bulk(value)
	for i := range gets {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(a.r, got); err != nil || string(got) != want {
			t.Fatalf("reply %d is cut or wrong: %v", i, err)
		}
	}
	a.ask("PING", "+PONG\r\n")
}

// R8: a connection kept the memory of the largest command it had ever sent.
func TestIdleConnectionsGiveTheirBuffersBack(t *testing.T) {
	t.Parallel()
	n := start(t)
	before := n.memory(t)
	junk := command("NOSUCHCOMMAND", strings.Repeat("j", 8<<20))
	for range 50 {
		a := attack(t, n.RESP)
		a.send(junk)
		if line, err := a.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "-ERR unknown command") {
			t.Fatalf("got %.100q, %v", line, err)
		}
	}
	n.grownBelow(t, before, 200<<20)
}

// R9: one subscriber that did not read stopped every publisher on every channel.
func TestASubscriberThatNeverReadsStopsNobody(t *testing.T) {
	t.Parallel()
	n := start(t)
	before := n.memory(t)
	var stuck []*attacker
	for range 2 {
		a := attack(t, n.RESP)
		if err := a.SetReadBuffer(16 << 10); err != nil {
			t.Fatal(err)
		}
		a.ask("CLIENT SETNAME stuck", "+OK\r\n")
		a.ask("SUBSCRIBE c", "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n")
		stuck = append(stuck, a)
	}
	p := attack(t, n.RESP)
	publish := strings.Repeat(command("PUBLISH", "c", strings.Repeat("m", 1000)), 100)
	replies := func(receivers int) string { return strings.Repeat(fmt.Sprintf(":%d\r\n", receivers), 100) }
	for range 60 { // 6 MB: within the limit, beyond what the kernel takes
		p.send(publish)
		p.expect(replies(2))
	}
	// CLIENT KILL of such a client answers at once, and it no longer counts.
	p.send(command("CLIENT", "LIST"))
	p.send(command("CLIENT", "KILL", "LADDR", n.RESP, "SKIPME", "yes"))
	head, err := p.r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var size int
	if _, err := fmt.Sscanf(head, "$%d", &size); err != nil {
		t.Fatalf("CLIENT LIST: %q", head)
	}
	if _, err := io.CopyN(io.Discard, p.r, int64(size)+2); err != nil {
		t.Fatal(err)
	}
	p.expect(":2\r\n")
	p.ask("PUBLISH c m", ":0\r\n")

	// A third one is ended by its limit of 32 MiB while others go on.
	last := attack(t, n.RESP)
	last.ask("SUBSCRIBE c", "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n")
	other := attack(t, n.RESP)
	other.ask("SUBSCRIBE other", "*3\r\n$9\r\nsubscribe\r\n$5\r\nother\r\n:1\r\n")
	for i := 0; ; i++ {
		p.send(publish)
		reply := make([]byte, 400)
		if _, err := io.ReadFull(p.r, reply); err != nil {
			t.Fatal(err)
		}
		if string(reply) == replies(0) {
			break
		}
		if i > 1000 {
			t.Fatal("100 MB were queued and the subscriber was not ended")
		}
	}
	p.ask("PUBLISH other m", ":1\r\n")
	other.expect("*3\r\n$7\r\nmessage\r\n$5\r\nother\r\n$1\r\nm\r\n")
	for _, a := range append(stuck, last) {
		a.ended()
	}
	n.grownBelow(t, before, 200<<20)
}

// R10: a web page could make a browser send commands in the body of a request.
func TestHTTPOnTheRedisPortExecutesNothing(t *testing.T) {
	t.Parallel()
	n := start(t)
	s := attack(t, n.RESP)
	s.ask("SUBSCRIBE owned", "*3\r\n$9\r\nsubscribe\r\n$5\r\nowned\r\n:1\r\n")
	body := "SET owned 1\r\nPUBLISH owned 1\r\n" + command("SET", "owned", "1")
	for _, method := range []string{"POST", "GET", "PUT", "OPTIONS", "DELETE", "post"} {
		a := attack(t, n.RESP)
		a.send(fmt.Sprintf("%s / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", method, n.RESP, len(body), body))
		if got := a.ended(); strings.Contains(got, "+OK") || strings.Contains(got, ":1") {
			t.Errorf("%s: a command of the body was executed: %q", method, got)
		}
	}
	attack(t, n.RESP).ask("GET owned", "$-1\r\n")
	s.ask("PING", "*2\r\n$4\r\npong\r\n$0\r\n\r\n") // nothing came before it
}
