package resp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fanfare/broker"
	"fanfare/internal/conversation"
)

// kept starts a node whose channels keep everything that a test publishes.
func kept(t *testing.T) *node {
	t.Helper()
	return start(t, func(_ *Config, b *broker.Config) {
		b.Rules = []broker.Rule{{Match: "chat:*", History: broker.History{Size: 1_000_000}}}
	})
}

// resumer is a back end that must see each message once and in order.
type resumer struct {
	*peer
	epoch string
	last  int // offset of the last message seen
	seen  []string
}

// history asks for what came after the last message seen. It returns the pushes before the reply, and the
// messages of the reply.
func (r *resumer) history() (pushed, replied []string) {
	r.t.Helper()
	r.send(fmt.Sprintf("HISTORY chat:1 SINCE %q %d", r.epoch, r.last))
	for {
		v, err := conversation.ReadValue(r.in)
		if err != nil {
			r.t.Fatal(err)
		}
		if v.Kind == '>' {
			pushed = append(pushed, v.Elems[2].Text)
			continue
		}
		if v.Kind != '%' || v.Elems[5].Text != "1" && r.epoch != "" {
			r.t.Fatalf("got %s, want everything since %d", v, r.last)
		}
		r.epoch = v.Elems[1].Text
		for _, entry := range v.Elems[7].Elems {
			if r.last, err = strconv.Atoi(entry.Elems[0].Text); err != nil {
				r.t.Fatal(err)
			}
			replied = append(replied, entry.Elems[3].Text)
		}
		return pushed, replied
	}
}

// HISTORY takes its place in the order of messages: on one RESP3 connection, while others publish, every push
// before its reply is covered by it, and every later one is newer.
func TestABackEndResumesWithoutGapOrDuplicate(t *testing.T) {
	t.Parallel()
	n := kept(t)
	var stops []func()
	for i := range 3 {
		stops = append(stops, n.publishOn("chat:1", i))
	}
	n.awaitPublishers("chat:1", 3)
	r := &resumer{}
	pushes := 0
	for round := 0; round < 10 || pushes == 0 && round < 1000; round++ {
		r.peer = n.dial().send("HELLO 3")
		r.read()
		r.send("SUBSCRIBE chat:1").want(">[subscribe chat:1 :1]")
		pushed, replied := r.history()
		if len(pushed) > len(replied) || !slices.Equal(pushed, replied[len(replied)-len(pushed):]) {
			t.Fatalf("pushed before the reply: %v; the reply has %v", pushed, replied)
		}
		r.seen = append(r.seen, replied...)
		for range 5 {
			// What is pushed from here to the next reply is what that reply has.
			pushed, replied = r.history()
			if !slices.Equal(pushed, replied) {
				t.Fatalf("pushed between the replies: %v; the reply has %v", pushed, replied)
			}
			r.seen = append(r.seen, replied...)
			pushes += len(pushed)
		}
		_ = r.conn.Close()
	}
	for _, stop := range stops {
		stop()
	}
	checkNumbers(t, r.seen)
	if pushes == 0 {
		t.Error("nothing was pushed between two replies")
	}
	t.Logf("%d messages, %d of them pushed and covered", len(r.seen), pushes)
}

// awaitPublishers returns when so many publishers have each published to the channel.
func (n *node) awaitPublishers(channel string, count int) {
	n.t.Helper()
	p := n.dial()
	p.send("SUBSCRIBE " + channel)
	p.read()
	seen := map[byte]bool{}
	for len(seen) < count {
		if text, ok := strings.CutPrefix(p.read(), "[message "+channel+" "); ok {
			seen[strings.Trim(text, `"`)[0]] = true
		}
	}
	_ = p.conn.Close()
}

// publishOn publishes "i:0", "i:1" … until the function returned is called.
func (n *node) publishOn(channel string, i int) (stop func()) {
	n.t.Helper()
	done, stopped := make(chan struct{}), make(chan struct{})
	p := n.dial()
	go func() {
		defer close(stopped)
		for number := 0; number < 100_000; number += 5 { // well within what the history keeps
			select {
			case <-done:
				return
			default:
			}
			lines := make([]string, 5)
			for j := range lines {
				lines[j] = fmt.Sprintf("PUBLISH %s %d:%d", channel, i, number+j)
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

// checkNumbers checks that each publisher's numbers are there once and in order.
func checkNumbers(t *testing.T, seen []string) {
	t.Helper()
	next := map[string]int{}
	for _, text := range seen {
		publisher, number, _ := strings.Cut(text, ":")
		if number != strconv.Itoa(next[publisher]) {
			t.Fatalf("%s follows number %d of publisher %s", text, next[publisher]-1, publisher)
		}
		next[publisher]++
	}
	if len(next) != 3 {
		t.Errorf("messages of %d publishers, want 3", len(next))
	}
}

// Before the first message of a node there is nothing to cover, and what comes next is pushed.
func TestHistoryOfAnEmptyNodeCoversNothing(t *testing.T) {
	t.Parallel()
	n := kept(t)
	p := n.dial().send("HELLO 3")
	p.read()
	p.send("SUBSCRIBE chat:1").want(">[subscribe chat:1 :1]")
	p.send("HISTORY chat:1")
	if got, want := p.readPage(n), "%{epoch E offset :0 recovered :0 messages []}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What a browser publishes is JSON: a Redis client gets its text, of a string the bytes, live and later.
func TestPayloadsOfBrowsersAreShownAsBytes(t *testing.T) {
	t.Parallel()
	n := remembering(t, nil)
	live := n.dial().send("SUBSCRIBE chat:1").want("[subscribe chat:1 :1]")
	browser, err := n.broker.Connect(broker.SessionConfig{Outlet: nowhere{}, Identity: broker.Identity{User: "u1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer browser.Close()
	batch := browser.Batch()
	defer batch.Release()
	for _, text := range []string{`{"a":1}`, `"caf\u00e9"`} {
		m := broker.Message{Channel: "chat:1", Payload: []byte(text), JSON: true, From: "u1", Retain: true}
		if err := batch.Add(&m); err != nil {
			t.Fatal(err)
		}
	}
	for _, receipt := range batch.Commit(nil) {
		if receipt.Err != nil || receipt.Receivers != 1 {
			t.Errorf("got %+v, want one receiver", receipt)
		}
	}
	if _, err := browser.Join("chat:1", broker.Member{Name: "u1", Data: []byte(`"hi"`), JSON: true}, 0); err != nil {
		t.Fatal(err)
	}
	const cafe = `"caf\xc3\xa9"`
	live.want(`[message chat:1 "{\"a\":1}"]`, "[message chat:1 "+cafe+"]")
	p := n.dial().send("PRESENCE LIST chat:1").want("[u1 hi]")
	p.send("HISTORY chat:1")
	got := p.read()
	for _, want := range []string{` u1 "{\"a\":1}"]`, " u1 " + cafe + "]"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %s in it", got, want)
		}
	}
	p.send("RETAINED chat:1")
	if got := p.read(); !strings.HasPrefix(got, "[["+cafe) {
		t.Errorf("got %s", got)
	}
	p.send("PSUBSCRIBE chat:*").want("[psubscribe chat:* :1]", "[pmessage chat:* chat:1 "+cafe+"]")
}

func TestPauseOfWritesHoldsWhatChangesAChannel(t *testing.T) {
	t.Parallel()
	n := remembering(t, nil)
	p, q := n.dial(), n.dial()
	q.send("RETAIN chat:1 x").want(":0")
	for _, command := range []string{
		"RETAIN chat:1 y", "UNRETAIN chat:1", "PRESENCE JOIN chat:1 ann", "PRESENCE LEAVE chat:1 ann", "CHANNEL CLEAR chat:1",
	} {
		n.dial().send("CLIENT PAUSE 100000 WRITE").want("+OK")
		p.send(command)
		q.send("RETAINED chat:9|HISTORY chat:9|PRESENCE LIST chat:9|CHANNEL INFO chat:9|INFO clients")
		for range 4 {
			q.read()
		}
		for !strings.Contains(q.read(), "blocked_clients:1") {
			q.send("INFO clients")
		}
		n.dial().send("CLIENT UNPAUSE").want("+OK")
		p.read()
	}
}

func TestMembersOfAConnectionAreBounded(t *testing.T) {
	t.Parallel()
	n := remembering(t, func(_ *Config, b *broker.Config) { b.MaxSubscriptions = 2 })
	p := n.dial().send("PRESENCE JOIN room:1 a|PRESENCE JOIN room:1 b|PRESENCE JOIN room:1 c|PRESENCE JOIN room:1 a").
		want(":1", ":1", `-"ERR max number of members of a connection reached"`, ":0")
	p.send("PRESENCE JOIN room:1 c EX 10|PRESENCE LEAVE room:1 a|PRESENCE JOIN room:1 d").want(":1", ":1", ":1")
}
