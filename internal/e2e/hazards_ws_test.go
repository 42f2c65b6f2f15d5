package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// Each test here guards against a fault that was found in coder/websocket or in
// another server; the row (W1 to W8) is the fault's number in decision 0001.

// W1: a peer that answered a close with a frame of 2^40 announced bytes, and
// sent them one by one, kept the connection for ever.
func TestClosingDoesNotWaitForThePeer(t *testing.T) {
	t.Parallel()
	n := start(t, "--ws-ping", "10m")
	for _, c := range []struct{ name, reason string }{
		{"after a violation", frame(0x81, "\xff\xfe")},
		{"after the peer's own close", frame(0x88, "\x03\xe8")},
		{"after a frame that is too large", "\x81\xff\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := upgraded(t, n.HTTP)
			w.send(c.reason)
			w.send("\x82\xff\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00") // 2^40 bytes, announced
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			began := time.Now()
			for {
				if _, err := io.WriteString(w.TCPConn, "x"); err != nil {
					return // the broker has hung up
				}
				if time.Since(began) > patience {
					t.Fatalf("the connection still takes bytes after %v", patience)
				}
				<-tick.C
			}
		})
	}
}

// W2: a violation was an error of the read, and the socket stayed open.
func TestEveryViolationEndsTheConnection(t *testing.T) {
	t.Parallel()
	n := start(t, "--ws-ping", "10m") // a missing pong would end it as well
	unmasked := "\x81\x0d" + `{"ping":true}`
	for _, c := range []struct{ name, bytes string }{
		{"a frame without mask", unmasked},
		{"reserved bit 1", frame(0xc1, "{}")},
		{"reserved bit 2", frame(0xa1, "{}")},
		{"reserved bit 3", frame(0x91, "{}")},
		{"reserved opcode 3", frame(0x83, "{}")},
		{"reserved control opcode 11", frame(0x8b, "")},
		{"a fragmented ping", frame(0x09, "")},
		{"a ping of 126 bytes", frame(0x89, strings.Repeat("x", 126))},
		{"a continuation of nothing", frame(0x80, "{}")},
		{"a message inside a message", frame(0x01, "{") + frame(0x81, "{}")},
		{"a close frame of one byte", frame(0x88, "x")},
		{"a close code that may not be sent", frame(0x88, "\x03\xed")},
		{"text that is not UTF-8", frame(0x81, "{\"pub\":\"c\",\"data\":\"\xff\"}")},
		{"a frame over the limit", frame(0x81, strings.Repeat(" ", 65<<10))},
		{"a negative length", "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := upgraded(t, n.HTTP)
			w.send(c.bytes)
			w.closeCode() // reads until the end, whatever came before
		})
	}
}

// W3: a slow consumer's connection was cut without a word, which a browser
// cannot tell from a lost network.
func TestASlowBrowserIsToldSo(t *testing.T) {
	t.Parallel()
	n := start(t)
	w := upgraded(t, n.HTTP)
	w.request(`{"sub":"c"}`)
	w.line(`{"subbed":"c"`)
	p := attack(t, n.RESP)
	publish := command("PUBLISH", "c", strings.Repeat("m", 10_000))
	for i := 0; ; i++ {
		p.send(publish)
		reply, err := p.r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if reply == ":0\r\n" {
			break
		}
		if i > 10_000 {
			t.Fatal("100 MB were queued and the browser was not ended")
		}
	}
	if got, want := w.closeCode(), 4507; got != want {
		t.Errorf("got close code %d, want %d", got, want)
	}
}

// W4: half-sent requests and frames were waited for without end, and so were
// peers that had gone without a word.
func TestHalfSentThingsAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	n := start(t, "--ws-ping", "10m") // with the read timeout of ten seconds, which is enough for a request
	t.Run("a request", func(t *testing.T) {
		t.Parallel()
		a := attack(t, n.HTTP)
		a.send("GET /ws HTTP/1.1\r\nHost: x\r\nX-Half: ")
		a.ended()
	})
	t.Run("nothing at all", func(t *testing.T) {
		t.Parallel()
		attack(t, n.HTTP).ended()
	})
	t.Run("a frame", func(t *testing.T) {
		t.Parallel()
		w := upgraded(t, n.HTTP)
		w.send(frame(0x81, `{"ping":1}`)[:7])
		w.closeCode()
	})
	t.Run("a message in fragments", func(t *testing.T) {
		t.Parallel()
		w := upgraded(t, n.HTTP)
		w.send(frame(0x01, `{"ping":`))
		w.closeCode()
	})
}

// W4: a peer that was gone without a word stayed for ever.
func TestPeersThatDoNotAnswerPingsAreEnded(t *testing.T) {
	t.Parallel()
	n := start(t, "--ws-ping", "5s", "--ws-pong", "5s")
	t.Run("a peer that does not answer pings", func(t *testing.T) {
		t.Parallel()
		if got, want := upgraded(t, n.HTTP).closeCode(), 4408; got != want {
			t.Errorf("got close code %d, want %d", got, want)
		}
	})
	t.Run("an answer to pings keeps the connection", func(t *testing.T) {
		t.Parallel()
		w := upgraded(t, n.HTTP)
		for range 3 { // without the first answer it ends with the second ping
			op, payload, err := w.next()
			for err == nil && op != 9 {
				op, payload, err = w.next()
			}
			if err != nil {
				t.Fatalf("the connection ended: %v", err)
			}
			w.send(frame(0x8a, string(payload)))
		}
	})
}

// W4: headers had no limit but net/http's of a megabyte.
func TestRequestHeadersAreLimited(t *testing.T) {
	t.Parallel()
	n := start(t)
	a := attack(t, n.HTTP)
	a.send(header(n.HTTP, "X-Long: "+strings.Repeat("x", 64<<10)) + "\r\n")
	if got := a.ended(); got != "" && !strings.HasPrefix(got, "HTTP/1.1 431 ") {
		t.Errorf("got %.100q, want status 431", got)
	}
}

// W5: empty fragments and pings without end kept the reader busy.
func TestFloodsOfFramesThatSayNothingEndTheConnection(t *testing.T) {
	t.Parallel()
	n := start(t, "--ws-ping", "10m")
	before := n.memory(t)
	for _, c := range []struct{ name, first, flood string }{
		{"pings", "", strings.Repeat(frame(0x89, "x"), 100)},
		{"pings whose pongs are not read", "", strings.Repeat(frame(0x89, strings.Repeat("x", 125)), 1000)},
		{"pongs nobody asked for", "", strings.Repeat(frame(0x8a, ""), 100)},
		{"empty fragments", frame(0x01, "{"), strings.Repeat(frame(0x00, ""), 100)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := upgraded(t, n.HTTP)
			w.send(c.first)
			deadline := time.Now().Add(patience)
			for time.Now().Before(deadline) {
				if _, err := io.WriteString(w.TCPConn, c.flood); err != nil {
					if errors.Is(err, os.ErrDeadlineExceeded) {
						t.Fatal("the flood is neither taken nor refused")
					}
					return
				}
			}
			t.Fatalf("the flood was taken for %v", patience)
		})
	}
	t.Cleanup(func() { n.grownBelow(t, before, 64<<20) })
}

// W6: text was not checked, and one bad message made every browser hang up.
func TestWhatReachesABrowserIsAlwaysValid(t *testing.T) {
	t.Parallel()
	n := start(t)
	w := upgraded(t, n.HTTP)
	w.request(`{"psub":"*"}`)
	w.line(`{"psubbed":"*"`)
	p := attack(t, n.RESP)
	for _, c := range []struct{ name, payload, want string }{
		{"not UTF-8", "\xff\xfe", `"b64":"//4="`},
		{"JSON with a string that is not UTF-8", "{\"a\":\"\xff\"}", `"b64":"eyJhIjoi/yJ9"`},
		{"half a surrogate", "\xed\xa0\x80", `"b64":"7aCA"`},
		{"JSON with line feeds", "{\n\"a\":\n1}", `"data":{"a":1}`},
		{"text with line feeds", "a\nb", `"data":"a\nb"`},
		{"JSON that does not end", `{"a":`, `"data":"{\"a\":"`},
		{"JSON nested too deeply", strings.Repeat("[", 1000) + strings.Repeat("]", 1000), `"data":"[[`},
	} {
		p.send(command("PUBLISH", "c", c.payload))
		p.expect(":1\r\n")
		if got := w.line(`{"via":"*","msg":"c"`); !strings.Contains(got, c.want) || !utf8.ValidString(got) {
			t.Errorf("%s: got %.200q, want it to contain %q", c.name, got, c.want)
		}
	}
	// Names cannot be turned into bytes and are kept from browsers altogether.
	for _, name := range []string{"\xff", "a\nb", "a\x00b"} {
		p.send(command("PUBLISH", name, "m"))
		p.expect(":0\r\n")
	}
	p.send(command("PUBLISH", "last", "m"))
	p.expect(":1\r\n")
	w.line(`{"via":"*","msg":"last"`)
}

// W7: a page of a foreign site, also one whose name was rebound to a loopback
// address, could connect.
func TestForeignPagesAreRefused(t *testing.T) {
	t.Parallel()
	n := start(t)
	_, port, _ := strings.Cut(n.HTTP, ":")
	for _, c := range []struct {
		name   string
		header []string
		status int
	}{
		{"no origin: not a browser", nil, 101},
		{"own page", []string{"Origin: http://" + n.HTTP}, 101},
		{"own page by name", []string{"Host: localhost:" + port, "Origin: http://localhost:" + port}, 101},
		{"a page of another local port", []string{"Origin: http://localhost:8090"}, 101},
		{"a foreign page", []string{"Origin: http://evil.example"}, 403},
		{"a foreign page with our port", []string{"Origin: http://evil.example:" + port}, 403},
		{"a name that begins as ours", []string{"Origin: http://localhost.evil.example"}, 403},
		{"a name that ends as ours", []string{"Origin: http://evil-localhost"}, 403},
		{"a sandboxed page", []string{"Origin: null"}, 403},
		{"no web page", []string{"Origin: file://"}, 403},
		{"rebound: the name is the page's and the host's", []string{"Host: evil.example:" + port, "Origin: http://evil.example:" + port}, 403},
		{"rebound, without origin", []string{"Host: evil.example:" + port}, 403},
		{"two origins", []string{"Origin: http://" + n.HTTP, "Origin: http://evil.example"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, head := answerTo(t, n.HTTP, c.header...)
			if want := "HTTP/1.1 " + strconv.Itoa(c.status) + " "; !strings.HasPrefix(head, want) {
				t.Errorf("got %q, want %q", head, want)
			}
		})
	}
}

// What a stranger's page calls itself is one line of the log, whatever ends lines elsewhere or moves a cursor.
func TestARefusedPageIsOneLineOfTheLog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, origin string }{
		{"an ordinary origin", "http://evil.example"},
		{"a forged line", "http://evil.example\t\xc2\x85\xe2\x80\xa818:00:00.000  INFO  stopped"},
		{"a terminal's commands", "http://evil.example/\xc2\x9b2J\xc2\x9b1A"},
		{"bytes that are no text", "http://\xff\xfe"},
		{"a very long one", "http://" + strings.Repeat("evil", 1000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := start(t, "--log-format", "console")
			eventually(t, "the start is told", func() bool { return strings.Contains(n.output.String(), "Ctrl-C ends") })
			before := n.output.String()
			if _, head := answerTo(t, n.HTTP, "Origin: "+c.origin); !strings.HasPrefix(head, "HTTP/1.1 403 ") {
				t.Fatalf("got %q, want 403", head)
			}
			if code := n.stop(t, syscall.SIGTERM); code != 0 {
				t.Errorf("got exit code %d, want 0", code)
			}
			added, fresh := strings.CutPrefix(n.output.String(), before)
			if !fresh {
				t.Fatal("the log has changed")
			}
			line, rest, _ := strings.Cut(added, "\n")
			if !consoleLine.MatchString(line) || !strings.Contains(line, "request refused") || len(line) > 1000 {
				t.Errorf("got %q, want one short line about the refusal, in printable characters", line)
			}
			if !strings.Contains(rest, "INFO  stopping") || strings.Count(rest, "\n") != 2 {
				t.Errorf("got %q after it, want the two lines of the stop", rest)
			}
		})
	}
}

// consoleLine is a line of the log for people: nothing in it ends a line or commands a terminal.
var consoleLine = regexp.MustCompile(`^[^\pC\p{Zl}\p{Zp}]+$`)

// W8: secrets offered as a subprotocol were echoed, and compression took 1.2 MB
// per connection.
func TestTheHandshakeEchoesNoSecretAndCompressesNothing(t *testing.T) {
	t.Parallel()
	n := start(t)
	_, head := answerTo(t, n.HTTP,
		"Sec-WebSocket-Protocol: bearer.s3cret, broker.v1",
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
	if !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		t.Fatalf("got %q", head)
	}
	if strings.Contains(head, "s3cret") || strings.Contains(head, "Extensions") {
		t.Errorf("got %q, want neither the secret nor an extension", head)
	}
	if !strings.Contains(head, "Sec-Websocket-Protocol: broker.v1\r\n") && !strings.Contains(head, "Sec-WebSocket-Protocol: broker.v1\r\n") {
		t.Errorf("got %q, want the subprotocol broker.v1", head)
	}
}

// W8: a blocked write of data kept the pong from leaving, which ended the reader.
func TestAReaderGoesOnWhileItsWritesAreBlocked(t *testing.T) {
	t.Parallel()
	n := start(t, roomy...)
	w := upgraded(t, n.HTTP)
	if err := w.SetReadBuffer(16 << 10); err != nil {
		t.Fatal(err)
	}
	w.request(`{"sub":"c"}`)
	w.line(`{"subbed":"c"`)
	p := attack(t, n.RESP)
	p.ask("SUBSCRIBE out", "*3\r\n$9\r\nsubscribe\r\n$3\r\nout\r\n:1\r\n")
	filler := attack(t, n.RESP)
	const messages = 150
	for range messages { // below the limit of the queue, beyond what a socket takes at once
		filler.send(command("PUBLISH", "c", strings.Repeat("m", 20_000)))
		filler.expect(":1\r\n")
	}
	w.send(frame(0x89, "still there?"))
	for i := range 20 {
		w.request(fmt.Sprintf(`{"pub":"out","data":"%d"}`, i))
		text := strconv.Itoa(i)
		p.expect("*3\r\n$7\r\nmessage\r\n$3\r\nout\r\n" + bulk(text))
	}
	if err := w.SetReadBuffer(4 << 20); err != nil { // the small one would take its time
		t.Fatal(err)
	}
	// What was queued comes whole and in order, the pong among it.
	pong, lines := false, 0
	for !pong || lines < messages {
		op, payload, err := w.next()
		if err != nil || op == 8 {
			t.Fatalf("ended after %d messages: %q, %v", lines, payload, err)
		}
		switch op {
		case 10:
			pong = string(payload) == "still there?"
		case 1:
			lines += strings.Count(string(payload), `{"msg":"c"`)
		}
	}
}
