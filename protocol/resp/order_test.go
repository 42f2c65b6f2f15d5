package resp

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"fanfare/broker"
	"fanfare/protocol/outbound"
)

func TestRepliesKeepTheOrderOfCommands(t *testing.T) {
	t.Parallel()
	n := start(t, func(_ *Config, b *broker.Config) { b.MaxMessage = 4 })
	n.dial().send("PUBLISH a 1|PING|PUBLISH a 1|PUBLISH a 12345|PING|PUBLISH a 1|SPUBLISH a 1|PUBLISH a|PUBLISH a 1|NOPE|PUBLISH a 1").want(
		":0", "+PONG", ":0", `-"ERR message exceeds max-message (4 bytes)"`, "+PONG", ":0", ":0",
		`-"ERR wrong number of arguments for 'publish' command"`, ":0",
		`-"ERR unknown command 'NOPE', with args beginning with: "`, ":0")
}

func TestOwnMessagesFollowTheReplyOfTheirCause(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	p := n.dial().send("HELLO 3")
	p.read()
	p.send("SUBSCRIBE a|PUBLISH a 1|PING|MULTI|PUBLISH a 2|GET k|EXEC|ECHO done")
	p.want(">[subscribe a :1]", ":1", "+PONG", "+OK", "+QUEUED", "+QUEUED", "[:1 nil]", "done",
		">[message a \"1\"]", ">[message a \"2\"]")
}

// However late the reply: what is pushed while a command runs follows it.
func TestPushesAreHeldWhileCommandsRun(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	c, p := n.open()
	if _, _, err := c.session.Subscribe(broker.KindChannel, []string{"a"}, nil); err != nil {
		t.Fatal(err)
	}
	c.replies = outbound.Buffer()
	c.cork()
	n.broker.PublishEvent("a", []byte("1"))
	if err := n.broker.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.w.buf = append(c.w.buf, "+reply\r\n"...)
	c.uncork()
	p.want("+reply", `[message a "1"]`)
}

// open makes a connection whose reader is the test.
func (n *node) open() (*conn, *peer) {
	n.t.Helper()
	ours, theirs := net.Pipe()
	c, err := n.server.open(ours)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		_ = theirs.Close()
		c.quit = broker.ReasonQuit
		c.close()
	})
	return c, &peer{n.t, theirs, bufio.NewReader(theirs)}
}

func TestAfterTheAcknowledgementOfAnUnsubscribeNothingComes(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	stop := n.publishNumbers("a")
	p := n.dial()
	messages := 0
	for round := 0; round < 100 || messages == 0; round++ { // the publisher may be slow to begin
		p.send("SUBSCRIBE a").want("[subscribe a :1]")
		p.send("UNSUBSCRIBE a")
		for got := p.read(); got != "[unsubscribe a :0]"; got = p.read() {
			if messages++; !strings.HasPrefix(got, "[message a ") {
				t.Fatalf("got %s", got)
			}
		}
		p.send("PING").want("+PONG")
	}
	stop()
}

// The reply of HELLO must not be preceded by a message in the new form, which in
// RESP2 looks like a reply, nor one be lost or doubled at the change.
func TestHelloWhileSubscribedChangesTheFormBetweenMessages(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	publish := n.publishNumbers("a")
	p := n.dial()
	p.send("HELLO 3").read()
	p.send("SUBSCRIBE a").want(">[subscribe a :1]")
	last := -1
	message := func(text string) bool {
		var number int
		if _, err := fmt.Sscanf(strings.TrimPrefix(text, ">"), "[message a \"%d\"]", &number); err != nil {
			return false
		}
		if last >= 0 && number != last+1 {
			t.Fatalf("message %d follows %d", number, last)
		}
		last = number
		return true
	}
	for range 25 {
		p.send("HELLO 2")
		got := p.read()
		for ; strings.HasPrefix(got, ">") && message(got); got = p.read() {
		}
		if !strings.HasPrefix(got, "[server redis") {
			t.Fatalf("got %s, want the reply of HELLO", got)
		}
		p.send("RESET")
		for got = p.read(); got != "+RESET"; got = p.read() {
			if strings.HasPrefix(got, ">") || !message(got) {
				t.Fatalf("got %s, want messages in RESP2", got)
			}
		}
		last = -1
		p.send("HELLO 3").read()
		p.send("SUBSCRIBE a").want(">[subscribe a :1]")
	}
	publish()
}

// publishNumbers publishes 0, 1, 2 … until the function returned is called; ten
// at a time, so that messages come without a pause.
func (n *node) publishNumbers(channel string) (stop func()) {
	n.t.Helper()
	done, stopped := make(chan struct{}), make(chan struct{})
	p := n.dial()
	go func() {
		defer close(stopped)
		for i := 0; ; i += 10 {
			select {
			case <-done:
				return
			default:
			}
			lines := make([]string, 10)
			for j := range lines {
				lines[j] = fmt.Sprintf("PUBLISH %s %d", channel, i+j)
			}
			p.send(strings.Join(lines, "|"))
			for range lines {
				p.read()
			}
		}
	}()
	return func() {
		close(done)
		<-stopped
	}
}
