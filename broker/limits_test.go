package broker

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func TestPublishersWaitForTheNodeAndNotForSubscribers(t *testing.T) {
	t.Parallel()
	b := newBroker(t, func(c *Config) { c.Backlog, c.Workers = 10_000, 1 })
	p, stuck := connect(t, b), connect(t, b)
	stuck.gate = make(chan struct{})
	stuck.sub(KindChannel, "c")
	text := strings.Repeat("x", 1000)
	for n := 0; p.HasRoom(); n++ {
		if n == 1000 {
			t.Fatal("a megabyte is undistributed and there is still room")
		}
		p.pub("c", text)
	}
	if !b.Strained() {
		t.Error("the backlog is full and the node not strained")
	}
	waiting := make(chan struct{})
	go func() {
		p.AwaitRoom()
		close(waiting)
	}()
	close(stuck.gate)
	<-waiting
	if !p.HasRoom() || b.Stats().Stalls != 1 {
		t.Errorf("room: %v, stalls: %d", p.HasRoom(), b.Stats().Stalls)
	}
	settle(t, b)
	if got := b.Stats().Backlog; got != 0 || b.Strained() {
		t.Errorf("backlog after all was distributed: %d", got)
	}
}

func TestTheBacklogIsLimitedInDeliveriesToo(t *testing.T) {
	t.Parallel()
	b := newBroker(t, func(c *Config) { c.BacklogDeliveries, c.Workers = 100, 1 })
	p, stuck := connect(t, b), connect(t, b)
	stuck.gate = make(chan struct{})
	defer close(stuck.gate)
	stuck.sub(KindChannel, "c")
	for range 60 {
		connect(t, b).sub(KindChannel, "c")
	}
	for range 3 {
		p.pub("c", "x")
	}
	if p.HasRoom() {
		t.Error("180 deliveries are undistributed and there is still room")
	}
}

func TestTheEndOfASessionWakesItsWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, err := New(Config{Codecs: testCodecs(), Backlog: 1000, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		stuck, p, q := connect(t, b), connect(t, b), connect(t, b)
		stuck.gate = make(chan struct{})
		stuck.sub(KindChannel, "c")
		q.sub(KindChannel, "q")
		p.pub("c", strings.Repeat("x", 2000))
		q.pub("q", "behind it")
		var wg sync.WaitGroup
		wg.Go(p.AwaitRoom)
		wg.Go(func() {
			barrier, _ := q.Unsubscribe(KindChannel, []string{"q"}, nil)
			q.Await(barrier)
		})
		synctest.Wait() // both are waiting now
		p.Kill()
		q.Kill()
		wg.Wait() // or the bubble is deadlocked
		close(stuck.gate)
		b.Close()
	})
}

func TestASessionOverItsLimitEndsAsSlowAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	slow, p := connect(t, b), connect(t, b)
	slow.verdict = PushedOver
	slow.sub(KindChannel, "c")
	p.sub(KindChannel, "c")
	p.pub("c", "1")
	p.pub("c", "2")
	settle(t, b)
	if slow.Reason() != ReasonSlow {
		t.Errorf("reason: got %v, want slow", slow.Reason())
	}
	wantLines(t, p, "c=1", "c=2")
}

// Nobody waits for a slow session, so its subscriptions go when its own reader removes them, and count until then.
func TestASlowReceiverCountsUntilItsReaderHasCleanedUp(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	slow, p := connect(t, b), connect(t, b)
	slow.verdict = PushedOver
	slow.sub(KindChannel, "c")
	slow.sub(KindPattern, "c*")
	p.sub(KindChannel, "c")
	p.pub("c", "1")
	settle(t, b)
	if slow.Reason() != ReasonSlow {
		t.Fatalf("reason: got %v, want slow", slow.Reason())
	}
	if got := p.pub("c", "2"); got != 3 {
		t.Errorf("receivers before the reader has cleaned up: got %d, want 3", got)
	}
	settle(t, b)
	slow.Close()
	if got := p.pub("c", "3"); got != 1 {
		t.Errorf("receivers after it has: got %d, want 1", got)
	}
	settle(t, b)
	wantLines(t, p, "c=1", "c=2", "c=3")
}

func TestTheHoldersOfTheOldestBytesEndWhenFanoutMemoryRunsOut(t *testing.T) {
	t.Parallel()
	b := newBroker(t, func(c *Config) { c.FanoutMemory, c.Backlog = 1<<20, 256<<10 })
	oldest, younger, p := connect(t, b), connect(t, b), connect(t, b)
	oldest.keep, younger.keep = true, true
	text := strings.Repeat("x", 10_000)
	oldest.sub(KindChannel, "c")
	for range 20 {
		p.pub("c", text)
	}
	younger.sub(KindChannel, "c")
	for oldest.Reason() == ReasonNone {
		p.pub("c", text)
		settle(t, b)
	}
	<-oldest.Done()
	if younger.Reason() != ReasonNone {
		t.Error("a session that holds younger bytes was ended too")
	}
	if got := b.Stats().FanoutBytes; got > 1<<20+4*chunkSize {
		t.Errorf("%d bytes are held", got)
	}
}

// Everything that was published and passed is free again: what stays is the
// chunk that each format writes to.
func TestNoChunkIsLeftBehind(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b)
	n := connect(t, b, func(c *SessionConfig) { c.Format = narrow })
	p.sub(KindPattern, "*", "c*", "?")
	n.sub(KindChannel, "c")
	for i := range 300 {
		p.pub("c", strings.Repeat("x", i*100))
	}
	settle(t, b)
	if got := b.Stats().FanoutBytes; got > 2*chunkSize {
		t.Errorf("%d bytes are live, want at most two chunks", got)
	}
}

// One large message that matches many patterns is stored once.
func TestALargeBodyIsShared(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b)
	p.keep = true
	patterns := numbered("big*", 500)
	for i := range patterns {
		patterns[i] = fmt.Sprintf("bi[g%c]*%s", 'a'+i%26, strings.Repeat("*", i/26))
	}
	counts := p.sub(KindPattern, patterns...)
	body := bytes.Repeat([]byte("y"), 40_000)
	got := p.publish(&Message{Channel: "big", Payload: body})
	if want := counts[len(counts)-1]; got != want {
		t.Fatalf("receivers: got %d, want %d", got, want)
	}
	settle(t, b)
	if live := b.Stats().FanoutBytes; live > 4*chunkSize {
		t.Errorf("%d bytes are live for a message of 40,000", live)
	}
	for i, line := range p.lines() {
		if !strings.HasSuffix(line, ">big="+string(body)) {
			t.Fatalf("delivery %d is not whole", i)
		}
	}
}

// The first delivery in a format may be one to a pattern, when other formats have
// used up what a message may copy.
func TestEveryFormatGetsTheBody(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b)
	n := connect(t, b, func(c *SessionConfig) { c.Format = narrow })
	p.sub(KindChannel, "c")
	n.sub(KindPattern, "c*", "?")
	text := strings.Repeat("x", 10_000)
	if got := p.pub("c", text); got != 3 {
		t.Errorf("receivers: got %d, want 3", got)
	}
	settle(t, b)
	wantLines(t, p, "c="+text)
	for _, line := range n.lines() {
		if line != "*c*>c="+text && line != "*?>c="+text {
			t.Errorf("got %d bytes: %.30q", len(line), line)
		}
	}
}

// Channels that were published to once keep the match that they had. It must not
// keep the names of patterns that are gone.
func TestCachedMatchesKeepNoDeadPatterns(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b)
	p.sub(KindPattern, "c*", "?")
	p.pub("c", "x")
	holders := b.channels.find("c").match.Load().patterns
	p.Await(p.UnsubscribeAll())
	for _, h := range holders {
		if h.name != "" || h.set.Load() != nil {
			t.Errorf("a holder of %q is kept", h.name)
		}
	}
}

// Escaped JSON is longer than its payload; what passes the size of a copied
// body is adopted instead.
func TestABodyThatGrowsWhenEncodedIsWhole(t *testing.T) {
	t.Parallel()
	codecs := testCodecs()
	codecs[plain].Body = func(dst []byte, m *Message) []byte {
		return append(dst, bytes.Repeat(m.Payload, 6)...)
	}
	b := newBroker(t, func(c *Config) { c.Codecs = codecs })
	p := connect(t, b)
	p.sub(KindChannel, "c")
	p.sub(KindPattern, "c")
	p.pub("c", strings.Repeat("z", 16_000))
	settle(t, b)
	whole := strings.Repeat("z", 96_000)
	wantLines(t, p, whole, "c>"+whole)
}

func TestIdleChannelsAreBounded(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b)
	p.sub(KindChannel, "kept")
	for i := range maxIdle + maxIdle/4 {
		p.pub(fmt.Sprint("idle", i), "x")
	}
	n := 0
	b.channels.each(func(*channel) { n++ })
	if n > maxIdle+stripes+1 {
		t.Errorf("%d channels are known, want at most %d", n, maxIdle+stripes+1)
	}
	if got := p.pub("kept", "x"); got != 1 {
		t.Errorf("receivers of a subscribed channel: got %d, want 1", got)
	}
}

// Channels are evicted while others publish to them and subscribe: none may be
// lost between the table and the log.
func TestEvictionLosesNoSubscription(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	churn := connect(t, b)
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				churn.pub(fmt.Sprint("churn", i%(2*maxIdle)), "x")
			}
		}
	})
	for i := range 2000 {
		p := connect(t, b)
		name := fmt.Sprint("churn", i)
		p.sub(KindChannel, name)
		if got := p.pub(name, "mine"); got != 1 {
			t.Fatalf("receivers of %s: got %d, want 1", name, got)
		}
		p.Close()
	}
	close(stop)
	wg.Wait()
}
