package broker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Every subscriber sees the node's messages in one order, with any number of
// workers, publishers and channels, and each publisher's in its own.
func TestAllSubscribersSeeOneOrder(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 2, 3} {
		t.Run(fmt.Sprint("workers=", workers), func(t *testing.T) {
			t.Parallel()
			b := newBroker(t, func(c *Config) { c.Workers = workers })
			var everything []*peer
			for range 6 {
				p := connect(t, b)
				p.sub(KindPattern, "*")
				everything = append(everything, p)
			}
			one := connect(t, b)
			one.sub(KindChannel, "c1")
			const publishers, messages = 4, 500
			var wg sync.WaitGroup
			for i := range publishers {
				p := connect(t, b)
				wg.Go(func() { publishRuns(p, i, messages) })
			}
			wg.Wait()
			settle(t, b)
			want := everything[0].lines()
			if len(want) != publishers*messages {
				t.Fatalf("got %d messages, want %d", len(want), publishers*messages)
			}
			for _, p := range everything[1:] {
				if !slices.Equal(p.lines(), want) {
					t.Fatal("two subscribers saw different orders")
				}
			}
			checkPublisherOrder(t, want)
			wantLines(t, one, ofChannel(want, "c1")...)
		})
	}
}

// publishRuns publishes n messages to three channels in batches of random size.
func publishRuns(p *peer, id, n int) {
	r := rand.New(rand.NewPCG(uint64(id), 1))
	batch := p.Batch()
	defer batch.Release()
	for i := 0; i < n; {
		for k := r.IntN(5); k >= 0 && i < n; k-- {
			text := fmt.Appendf(nil, "%d.%d", id, i)
			if err := batch.Add(&Message{Channel: fmt.Sprint("c", r.IntN(3)), Payload: text}); err != nil {
				p.t.Error(err)
				return
			}
			i++
		}
		if !p.HasRoom() {
			p.AwaitRoom()
		}
		batch.Commit(nil)
	}
}

func checkPublisherOrder(t *testing.T, lines []string) {
	t.Helper()
	next := map[int]int{}
	for _, line := range lines {
		var id, i int
		if _, err := fmt.Sscanf(line[strings.Index(line, "=")+1:], "%d.%d", &id, &i); err != nil {
			t.Fatal(err)
		}
		if i != next[id] {
			t.Fatalf("publisher %d: got message %d, want %d", id, i, next[id])
		}
		next[id]++
	}
}

func ofChannel(lines []string, channel string) []string {
	var own []string
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "*>"); ok && strings.HasPrefix(rest, channel+"=") {
			own = append(own, rest)
		}
	}
	return own
}

// A subscription begins at one position: of messages published all the while,
// a session gets a run without a hole that ends with the barrier.
func TestSubscriptionsBeginAndEndAtAPosition(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	publisher := connect(t, b)
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				publisher.pub("c", fmt.Sprint(i))
			}
			if !publisher.HasRoom() {
				publisher.AwaitRoom()
			}
		}
	})
	for i := range 200 {
		p := connect(t, b)
		p.sub(KindChannel, "c")
		if i%2 == 0 {
			p.sub(KindPattern, "c*") // changes the root under the publisher
		}
		barrier, _ := p.Unsubscribe(KindChannel, []string{"c"}, nil)
		p.Await(barrier)
		got := p.lines()
		p.Await(p.UnsubscribeAll())
		checkRun(t, got)
		p.Close()
	}
	close(stop)
	wg.Wait()
}

func checkRun(t *testing.T, lines []string) {
	t.Helper()
	last := -1
	for _, line := range lines {
		var i int
		if n, _ := fmt.Sscanf(line, "c=%d", &i); n != 1 {
			continue // of the pattern
		}
		if last >= 0 && i != last+1 {
			t.Fatalf("message %d follows %d", i, last)
		}
		last = i
	}
}

func TestNothingArrivesAfterTheBarrierOfAnUnsubscribe(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p, publisher := connect(t, b), connect(t, b)
	for range 300 {
		p.sub(KindChannel, "c")
		publisher.pub("c", "x")
		barrier, _ := p.Unsubscribe(KindChannel, []string{"c"}, nil)
		p.Await(barrier)
		n := len(p.lines())
		publisher.pub("c", "late")
		settle(t, b)
		if got := len(p.lines()); got != n {
			t.Fatalf("%d messages arrived after the barrier", got-n)
		}
	}
	if got := len(p.lines()); got != 300 {
		t.Errorf("got %d messages, want the 300 published before an unsubscribe", got)
	}
}

func TestUnsubscribeInExecDropsWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	b := newBroker(t, func(c *Config) { c.Workers = 1 })
	gate := make(chan struct{})
	stuck := connect(t, b)
	stuck.gate = gate
	p := connect(t, b)
	stuck.sub(KindChannel, "first")
	p.sub(KindChannel, "c")
	p.pub("first", "x") // the worker is held up here
	p.pub("c", "undistributed")
	if got := p.UnsubscribeInExec(KindChannel, []string{"c"}, nil); !slices.Equal(got, []int{0}) {
		t.Errorf("counts: got %v", got)
	}
	close(gate)
	settle(t, b)
	wantLines(t, p)
	if len(p.dropped) != 1 {
		t.Error("the outlet was not told to drop what it holds")
	}
}

func TestSetFormatTakesEffectAtItsBarrier(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b)
	p.sub(KindChannel, numbered("c", 20)...)
	p.sub(KindPattern, "c*")
	p.pub("c1", "old")
	p.Await(p.SetFormat(narrow))
	if got := p.pub("c1", "new"); got != 2 {
		t.Errorf("receivers: got %d, want 2", got)
	}
	settle(t, b)
	wantLines(t, p, "c1=old", "c*>c1=old", "*c1=new", "*c*>c1=new")
	if p.Format() != narrow || p.Count(KindChannel) != 21 {
		t.Errorf("format %d, %d subscriptions", p.Format(), p.Count(KindChannel))
	}
}

// The batch was encoded for the formats that had receivers when it was filled;
// somebody who comes before it is committed gets it all the same.
func TestABatchIsPreparedAgainForLateSubscribers(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b)
	batch := p.Batch()
	defer batch.Release()
	for i := range 3 {
		if err := batch.Add(&Message{Channel: "c", Payload: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	late := connect(t, b, func(c *SessionConfig) { c.Format = narrow })
	late.sub(KindChannel, "c")
	if got, want := receivers(batch.Commit(nil)), []int{1, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("counts: got %v, want %v", got, want)
	}
	if err := batch.Add(&Message{Channel: "c", Payload: []byte("3")}); err != nil {
		t.Fatal(err)
	}
	late.sub(KindPattern, "?")
	if got, want := receivers(batch.Commit(nil)), []int{2}; !slices.Equal(got, want) {
		t.Errorf("counts: got %v, want %v", got, want)
	}
	settle(t, b)
	wantLines(t, late, "*c=0", "*c=1", "*c=2", "*c=3", "*?>c=3")
}

// A channel that leaves the table between the look-up and the append is looked
// up again: its new self may have subscribers.
func TestABatchFindsTheChannelThatReplacedAnEvictedOne(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b)
	batch := p.Batch()
	defer batch.Release()
	if err := batch.Add(&Message{Channel: "c", Payload: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	for i := 0; b.channels.find("c") != nil; i++ {
		b.channels.get(fmt.Sprint("other", i))
	}
	p.sub(KindChannel, "c")
	if got := receivers(batch.Commit(nil)); !slices.Equal(got, []int{1}) {
		t.Errorf("receivers: got %v, want 1", got)
	}
}
