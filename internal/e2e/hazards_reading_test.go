package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Each test here guards against a fault that was found by reading other servers, or that has a number of its own
// in the list of vulnerabilities of one.

// By reading: commands after QUIT in the same packet were executed.
func TestNothingRunsAfterQuit(t *testing.T) {
	t.Parallel()
	n := start(t)
	a := attack(t, n.RESP)
	a.send("QUIT\r\nSET late 1\r\n")
	if got := a.ended(); got != "+OK\r\n" {
		t.Errorf("got %q, want one +OK", got)
	}
	attack(t, n.RESP).ask("GET late", "$-1\r\n")
}

// By reading: the idle limit ended subscribers, which are silent by nature.
func TestTheIdleLimitSparesSubscribers(t *testing.T) {
	t.Parallel()
	n := start(t, "--resp-timeout", "1h")
	s := attack(t, n.RESP)
	s.ask("SUBSCRIBE c", "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n")
	attack(t, n.RESP).ask("CONFIG SET timeout 1", "+OK\r\n") // once nothing has to be said in time
	s.ask("PING", "*2\r\n$4\r\npong\r\n$0\r\n\r\n")
	for range 2 {
		attack(t, n.RESP).ended() // an idle one ends after a second
	}
	w := upgraded(t, n.HTTP)
	w.request(`{"pub":"c","data":"m","id":1}`)
	w.line(`{"ok":1,"receivers":1}`)
	s.expect("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n")
}

// By reading: an unknown command was echoed whole.
func TestUnknownCommandsAreEchoedInShort(t *testing.T) {
	t.Parallel()
	n := start(t)
	a := attack(t, n.RESP)
	a.send(command(strings.Repeat("x", 1<<20), strings.Repeat("y", 1<<20)))
	if line, err := a.r.ReadString('\n'); err != nil || len(line) > 500 {
		t.Errorf("got %d bytes, %v", len(line), err)
	}
	a.ask("PING", "+PONG\r\n")
}

// By reading: all arguments shared one copy of the command, so that a name that
// was kept kept the payload beside it.
func TestKeptNamesDoNotKeepPayloads(t *testing.T) {
	t.Parallel()
	n := start(t)
	before := n.memory(t)
	a := attack(t, n.RESP)
	payload := strings.Repeat("p", 1_000_000)
	for i := range 200 {
		a.send(command("PUBLISH", fmt.Sprintf("channel:%d", i), payload))
		a.expect(":0\r\n")
	}
	n.grownBelow(t, before, 64<<20)
}

// By reading: repeated subscriptions leaked, patterns that do not match were
// counted as receivers, and counts were kept per kind.
func TestSubscriptionsAreCountedOnce(t *testing.T) {
	t.Parallel()
	n := start(t)
	s := attack(t, n.RESP)
	ack := func(verb, name string, count int) string {
		return "*3\r\n" + bulk(verb) + bulk(name) + fmt.Sprintf(":%d\r\n", count)
	}
	s.ask("SUBSCRIBE a a", ack("subscribe", "a", 1)+ack("subscribe", "a", 1))
	s.ask("PSUBSCRIBE b* b*", ack("psubscribe", "b*", 2)+ack("psubscribe", "b*", 2))
	p := attack(t, n.RESP)
	p.ask("PUBLISH a m", ":1\r\n")
	p.ask("PUBLISH c m", ":0\r\n")
	p.ask("PUBLISH b m", ":1\r\n")
	s.expect("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n*4\r\n$8\r\npmessage\r\n$2\r\nb*\r\n$1\r\nb\r\n$1\r\nm\r\n")
	s.ask("UNSUBSCRIBE a", ack("unsubscribe", "a", 1))
	p.ask("PUBLISH a m", ":0\r\n")
}

// By reading: each subscribe walked all subscriptions of its connection.
func TestSubscribingCostsTheSameHoweverManyAreHeld(t *testing.T) {
	t.Parallel()
	n := start(t)
	before := n.cpu(t)
	a := attack(t, n.RESP)
	const names = 20_000
	var sent, want strings.Builder
	for i := range names {
		name := fmt.Sprintf("channel:%d", i)
		sent.WriteString(command("SUBSCRIBE", name))
		want.WriteString("*3\r\n" + bulk("subscribe") + bulk(name) + fmt.Sprintf(":%d\r\n", i+1))
	}
	go a.send(sent.String())
	a.expect(want.String())
	if used := n.cpu(t) - before; used > 5*time.Second {
		t.Errorf("%d subscriptions cost %v of CPU", names, used)
	}
}

// CVE-2022-36021, CVE-2024-31228: patterns that cost exponential time or the stack.
func TestHostilePatternsCostLittle(t *testing.T) {
	t.Parallel()
	n := start(t)
	before := n.cpu(t)
	s := attack(t, n.RESP)
	const patterns = 200
	for i := range patterns {
		pattern := strings.Repeat("a*", 490) + fmt.Sprintf("b%03d", i)
		s.ask("PSUBSCRIBE "+pattern, "*3\r\n"+bulk("psubscribe")+bulk(pattern)+fmt.Sprintf(":%d\r\n", i+1))
	}
	p := attack(t, n.RESP)
	for range 20 {
		p.ask("PUBLISH "+strings.Repeat("a", 1000)+" m", ":0\r\n")
	}
	if used := n.cpu(t) - before; used > 5*time.Second {
		t.Errorf("%d patterns cost %v of CPU", patterns, used)
	}
	s.ask("PSUBSCRIBE "+strings.Repeat("*", 1025), "-ERR channel or pattern is longer than max-name")
}
