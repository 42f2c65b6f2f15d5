package outbound

import (
	"fmt"
	"io"
	"sync"
	"testing"

	"fanfare/broker"
)

// A large message to a pattern is stored in two parts. Replies that come all the
// while are never queued between them.
func TestRepliesNeverDivideALargeMessage(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		const messages = 300
		b := newBroker(t)
		r := connect(t, b, n, func(c *Config) { c.Limits.ReplyPause = 1 << 10 })
		r.sub(broker.KindPattern, "c*")
		s := publisher(t, b)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		defer wg.Wait()
		defer r.session.End(broker.ReasonKilled) // nobody reads any more, and the replies may wait for that
		defer close(stop)
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					r.queue.Cork()
					r.queue.Uncork([]byte("reply\n"))
				}
				r.queue.AwaitReplies(r.session.Done())
			}
		})
		body := filler(20_000)
		wg.Go(func() {
			for range messages {
				publish(t, s, "c1", body)
			}
		})
		for got := 0; got < messages; {
			line := r.line()
			if line == "reply" {
				continue
			}
			if line != "c*c1="+string(body) {
				t.Fatalf("after %d messages: %.30q… of %d bytes", got, line, len(line))
			}
			got++
		}
	})
}

// What a worker is about to push when EXEC ends the subscription does not follow
// the acknowledgement.
func TestNothingIsHeldForASubscriptionThatHasEnded(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	server, client := dial(t, "tcp", "127.0.0.1:0")
	h := &hook{Queue: New(Config{Conn: server})}
	s, err := b.Connect(broker.SessionConfig{Outlet: h})
	if err != nil {
		t.Fatal(err)
	}
	h.Bind(s)
	if _, _, err := s.Subscribe(broker.KindChannel, []string{"c"}, nil); err != nil {
		t.Fatal(err)
	}
	h.Cork()
	h.before = func(*broker.Subscription) { s.UnsubscribeInExec(broker.KindChannel, []string{"c"}, nil) }
	publish(t, publisher(t, b), "c", []byte("late"))
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.Uncork([]byte("acknowledged\n"))
	s.End(broker.ReasonQuit)
	go func() {
		s.Close()
		h.Close()
	}()
	if got, err := io.ReadAll(client); err != nil || string(got) != "acknowledged\n" {
		t.Errorf("got %q, %v", got, err)
	}
	_ = client.Close()
}

// Who keeps up is not slow, however large one message is.
func TestOneMessageAboveTheLimitIsTakenByAnEmptyQueue(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		b := newBroker(t)
		r := connect(t, b, n, func(c *Config) { c.Limits.PushHard = 1 << 19 })
		r.sub(broker.KindChannel, "c")
		s := publisher(t, b)
		for i := range 3 {
			publish(t, s, "c", text(i, 1<<20-100))
			r.wantLine("c=" + string(text(i, 1<<20-100)))
			eventually(t, "the queue is empty", func() bool {
				pushes, _ := r.queue.Queued()
				return pushes == 0
			})
		}
	})
}

// The memory of a peer that reads nothing is what its limits count: small
// replies share it.
func TestSmallRepliesTakeTheMemoryOfTheirBytes(t *testing.T) {
	t.Parallel()
	server, client := dial(t, "tcp", "127.0.0.1:0")
	defer client.Close()
	q := New(Config{Conn: server})
	defer q.Close()
	q.Uncork(filler(8 << 20)) // the socket takes no more
	for i := range 9000 {
		q.Cork()
		q.Uncork(fmt.Appendf(nil, "+PONG %d\r\n", i))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	bytes, memory := 0, 0
	for i := range q.entries[1:] {
		e := &q.entries[i+1]
		bytes += e.len()
		memory += cap(*e.own)
	}
	if memory > 3*bytes || len(q.entries) > 100 {
		t.Errorf("%d bytes of replies take %d in %d entries", bytes, memory, len(q.entries))
	}
	q.finishBy = q.finishBy.AddDate(1, 0, 0) // the end need not wait for the peer
}

// An empty write is no write: not one of what another connection wrote before.
func TestAnEmptyFrameWritesNothing(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		b := newBroker(t)
		r := connect(t, b, n)
		if _, err := r.queue.Conn().Write(nil); err != nil {
			t.Fatal(err)
		}
		r.queue.Uncork([]byte("end\n"))
		r.wantLine("end")
	})
}

// A framed connection that is stuck lets go of its memory when it is ended, so
// that nobody else is ended for it.
func TestRelievingTheMemoryEndsOnlyWhoHoldsIt(t *testing.T) {
	t.Parallel()
	b := newBroker(t, func(c *broker.Config) { c.FanoutMemory, c.Backlog, c.Workers = 8<<20, 1<<20, 1 })
	stuck := connect(t, b, networks()[0], framed)
	stuck.sub(broker.KindChannel, "c")
	s := publisher(t, b)
	for b.Stats().FanoutBytes < 7<<20 {
		publish(t, s, "c", filler(10_000))
		if err := b.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	others := make([]*rig, 5)
	var wg sync.WaitGroup
	for i := range others {
		others[i] = connect(t, b, networks()[0], framed)
		others[i].sub(broker.KindChannel, "c")
		wg.Go(func() { _, _ = io.Copy(io.Discard, others[i].peer) })
	}
	for rest := 100; rest > 0; {
		publish(t, s, "c", filler(10_000))
		for _, o := range others {
			eventually(t, "a peer that reads keeps up", func() bool {
				pushes, _ := o.queue.Queued()
				return pushes == 0
			})
		}
		if stuck.session.Reason() != broker.ReasonNone {
			rest--
		}
	}
	for i, o := range others {
		if got := o.session.Reason(); got != broker.ReasonNone {
			t.Errorf("peer %d, which reads, was ended: %v", i, got)
		}
		_ = o.peer.Close()
	}
	wg.Wait()
}
