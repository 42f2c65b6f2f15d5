package resp

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/broker"
)

// remembering starts a node with the rules of the document.
func remembering(t testing.TB, change func(*Config, *broker.Config)) *node {
	t.Helper()
	rules := DocumentedRules(t)
	return start(t, func(c *Config, b *broker.Config) {
		b.Rules = rules
		if change != nil {
			change(c, b)
		}
	})
}

const (
	denied = `-"NOPERM No permissions to access a channel"`
	full   = `-"OOM command not allowed when used memory > 'maxmemory'."`
)

// The sleeps are those of a bubble, whose clock goes on when everybody waits: they take no time, and are exact.
func TestWhatHasExpiredIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := remembering(t, nil)
		p := n.dial().send("RETAIN chat:1 brief EX 10|PRESENCE JOIN chat:1 ann EX 10|PRESENCE JOIN chat:1 bob PX 20000").want(":0", ":1", ":1")
		p.send("RETAIN chat:2 late PX 9999|PRESENCE JOIN chat:1 carl").want(":0", ":1")
		time.Sleep(9500 * time.Millisecond)
		p.send("PRESENCE JOIN chat:1 ann EX 20|RETAINED chat:1").want(":0")
		if got := p.read(); !strings.HasSuffix(got, ":500 :1]]") {
			t.Errorf("got %s, want half a second left", got)
		}
		time.Sleep(500 * time.Millisecond)
		p.send("RETAINED chat:1 chat:2|PRESENCE LIST chat:1").want("[nil nil]", "[ann nil bob nil carl nil]")
		n.dial().send("SUBSCRIBE chat:1|PSUBSCRIBE chat:*|PING").want("[subscribe chat:1 :1]", "[psubscribe chat:* :2]", `[pong ""]`)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		p.send("PRESENCE LIST chat:1|PRESENCE COUNT chat:1").want("[ann nil carl nil]", ":2")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		p.send("PRESENCE LIST chat:1|PRESENCE COUNT chat:1").want("[carl nil]", ":1")
	})
}

// A pattern can bring more than fits a buffer, or a reply: it leaves in pieces, in order, before what is live,
// while the peer takes it.
func TestManyRetainedMessagesLeaveInPieces(t *testing.T) {
	t.Parallel()
	n := remembering(t, func(c *Config, _ *broker.Config) { c.MaxReply, c.ReplyPause = 100<<10, 64<<10 })
	text := strings.Repeat("x", 500)
	p := n.dial()
	for i := range 1001 {
		p.send(fmt.Sprintf("RETAIN chat:%04d %s", i, text)).want(":0")
	}
	for _, begin := range []string{"PSUBSCRIBE chat:*", "MULTI|PSUBSCRIBE chat:*|EXEC"} {
		s := n.dial().send(begin)
		if strings.HasPrefix(begin, "MULTI") {
			s.want("+OK", "+QUEUED", "[[psubscribe chat:* :1]]")
		} else {
			s.want("[psubscribe chat:* :1]")
		}
		for published := 0; published == 0; { // until the subscription counts
			p.send("PUBLISH chat:0000 live")
			if got := p.read(); got != ":0" {
				published++
			}
		}
		for i := range 1000 {
			s.want(fmt.Sprintf("[pmessage chat:* chat:%04d %s]", i, text))
		}
		s.want("[pmessage chat:* chat:0000 live]")
		s.send("QUIT").want("+OK").closed()
		p.send("CLIENT KILL TYPE pubsub").read()
	}
}

// What EXEC's subscriptions bring is in the form that the connection has after it.
func TestWhatExecBringsHasTheNewForm(t *testing.T) {
	t.Parallel()
	n := remembering(t, nil)
	n.dial().send("RETAIN chat:1 hello").want(":0")
	p := n.dial().send("MULTI|SUBSCRIBE chat:1|HELLO 3|EXEC").want("+OK", "+QUEUED", "+QUEUED")
	if got := p.read(); !strings.HasPrefix(got, "[[subscribe chat:1 :1] %{server redis") {
		t.Errorf("got %s", got)
	}
	p.want(">[message chat:1 hello]")
}

// A message that replaces the retained one after the subscription has its place comes live, once.
func TestARetainedMessageComesOnceWhileItIsReplaced(t *testing.T) {
	t.Parallel()
	n := remembering(t, nil)
	publisher, stop := n.dial(), make(chan struct{})
	publisher.send("RETAIN chat:1 0").want(":0")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			publisher.send(fmt.Sprintf("RETAIN chat:1 %d", i)).read()
		}
	}()
	for range 50 {
		p := n.dial().send("SUBSCRIBE chat:1").want("[subscribe chat:1 :1]")
		last := -1
		for range 5 {
			var number int
			got := p.read()
			if _, err := fmt.Sscanf(got, "[message chat:1 \"%d\"]", &number); err != nil || last >= 0 && number != last+1 {
				t.Fatalf("got %s behind %d", got, last)
			}
			last = number
		}
		_ = p.conn.Close()
	}
	close(stop)
	<-stopped
}

func TestMemoryForWhatIsRememberedIsBounded(t *testing.T) {
	t.Parallel()
	n := remembering(t, func(_ *Config, b *broker.Config) { b.MaxState = 4 << 10 })
	large := strings.Repeat("x", 8<<10)
	s := n.dial().send("PSUBSCRIBE *").want(`[psubscribe "*" :1]`)
	p := n.dial().send("RETAIN chat:1 "+large+"|PUBLISH status:1 "+large+"|PUBLISH chat:1 small|PING").want(full, full, ":1", "+PONG")
	p.send("PRESENCE JOIN room:1 ann DATA "+large+"|PRESENCE COUNT room:1|MULTI|RETAIN chat:1 "+large+"|EXEC").
		want(full, ":0", "+OK", "+QUEUED", "["+full+"]")
	s.want("[pmessage \"*\" chat:1 small]")
	p.send("HISTORY chat:1")
	if got, want := p.readPage(n), "[epoch E offset :1 recovered :0 messages "+p.entry(n, "chat:1")+"]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// readPage reads the reply of HISTORY; for the epoch it has E.
func (p *peer) readPage(n *node) string {
	p.t.Helper()
	epoch := regexp.MustCompile(`"?` + n.broker.Epoch() + `"?`) // it may begin with a digit
	return epoch.ReplaceAllString(p.read(), "E")
}

// entry returns the only message of a channel's history, as a conversation shows it.
func (p *peer) entry(n *node, channel string) string {
	p.t.Helper()
	session, err := n.broker.Connect(broker.SessionConfig{Outlet: nowhere{}})
	if err != nil {
		p.t.Fatal(err)
	}
	defer session.Close()
	page, err := session.History(channel, broker.HistoryQuery{})
	if err != nil || len(page.Messages) != 1 {
		p.t.Fatalf("got %v, %v; want one message", page, err)
	}
	m := &page.Messages[0]
	return fmt.Sprintf("[[:%d :%d nil %s]]", m.Offset, m.Time, m.Payload)
}

// nowhere is an outlet that takes nothing.
type nowhere struct{}

func (nowhere) Push(*broker.Delivery, *broker.Subscription) broker.Verdict { return broker.Pushed }
func (nowhere) Flush()                                                     {}
func (nowhere) Drop(*broker.Subscription)                                  {}
func (nowhere) End(broker.Reason)                                          {}
func (nowhere) Oldest() (uint64, bool)                                     { return 0, false }

func TestInfoShowsWhatIsRemembered(t *testing.T) {
	t.Parallel()
	p := remembering(t, nil).dial().send("RETAIN chat:1 x|PRESENCE JOIN room:1 ann|INFO memory|INFO stats").want(":0", ":1")
	got := p.read() + p.read()
	for _, want := range []string{`used_memory_history:[1-9]`, `used_memory_state:[1-9]`, `remembered_channels:2\D`, `evicted_histories:0\D`} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("got %s, want %s in it", got, want)
		}
	}
}

// A subscriber that takes nothing gets, where the rule says so, the newest message only, and what was left out
// is counted.
func TestConflatedMessagesAreCounted(t *testing.T) {
	t.Parallel()
	n := start(t, func(_ *Config, b *broker.Config) {
		b.Rules = []broker.Rule{{Match: "price:*", Slow: broker.SlowConflate}}
	})
	s, p := n.dial().send("SUBSCRIBE price:1").want("[subscribe price:1 :1]"), n.dial()
	text := strings.Repeat("x", 500)
	// The fan-out follows at its own pace: only the counter tells that the subscriber's queue is blocked.
	messages := 1
	for ; n.server.Stats().Conflated == 0; messages++ {
		p.send(fmt.Sprintf("PUBLISH price:1 %s%d", text, messages)).want(":1")
	}
	last, received := fmt.Sprintf("[message price:1 %s%d]", text, messages), 1
	p.send(fmt.Sprintf("PUBLISH price:1 %s%d", text, messages)).want(":1")
	for s.read() != last {
		if received++; received == messages {
			t.Fatal("the newest message did not come, or nothing was left out")
		}
	}
	s.send("PING").want(`[pong ""]`)
	p.send("INFO stats")
	if got, want := p.read(), fmt.Sprintf("conflated_deliveries:%d\\r", messages-received); !strings.Contains(got, want) {
		t.Errorf("got %s, want %s in it", got, want)
	}
}

// What is refused when a run is committed is counted for its own command.
func TestRefusedMessagesOfARunAreCounted(t *testing.T) {
	t.Parallel()
	n := remembering(t, nil)
	p := n.dial().send("PUBLISH plain 1|RETAIN plain 2|RETAIN chat:1 3|PUBLISH plain 4|ECHO x")
	p.want(":0", `-"ERR retained messages are disabled for this channel"`, ":0", ":0", "x")
	p.send("INFO commandstats")
	got := p.read()
	for _, want := range []string{
		`cmdstat_publish:calls=2,`, `cmdstat_retain:calls=2,`, `cmdstat_echo:calls=1,`,
	} {
		_, line, found := strings.Cut(got, want)
		line, _, _ = strings.Cut(line, `\r`)
		if failed := strings.HasSuffix(line, "failed_calls=1"); !found || failed != strings.Contains(want, "retain") {
			t.Errorf("%s%s in %s", want, line, got)
		}
	}
	if got := n.server.calls.errorCodes()["ERR"]; got != 1 {
		t.Errorf("got %d errors, want 1", got)
	}
}

func TestRightsOfWhatIsRemembered(t *testing.T) {
	t.Parallel()
	actions := map[broker.Action]string{
		broker.ActionPublish:   "RETAIN chat:1 x|UNRETAIN chat:1|CHANNEL CLEAR chat:1|CHANNEL FORGET chat:1 1",
		broker.ActionSubscribe: "RETAINED chat:2 chat:1|CHANNEL INFO chat:1|SUBSCRIBE chat:1",
		broker.ActionHistory:   "HISTORY chat:1",
		broker.ActionPresence:  "PRESENCE JOIN chat:1 ann|PRESENCE LEAVE chat:1 ann|PRESENCE LIST chat:1|PRESENCE COUNT chat:1",
	}
	for action, commands := range actions {
		t.Run(action.String(), func(t *testing.T) {
			t.Parallel()
			n := remembering(t, func(_ *Config, b *broker.Config) {
				b.Access = func(_ broker.Identity, a broker.Action, channel string) bool {
					return a != action || channel != "chat:1"
				}
			})
			p := n.dial().send(commands)
			for range strings.SplitSeq(commands, "|") {
				p.want(denied)
			}
			for other, allowed := range actions {
				if other != action {
					p.send("HELLO 3").read()
					p.send(allowed)
					for range strings.SplitSeq(allowed, "|") {
						if got := p.read(); got == denied {
							t.Errorf("without the right to %s, one of %s was refused", action, allowed)
						}
					}
					p.send("RESET").read()
				}
			}
		})
	}
}
