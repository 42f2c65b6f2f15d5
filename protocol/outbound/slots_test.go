package outbound

import (
	"fmt"
	"io"
	"testing"
	"time"

	"fanfare/broker"
)

// A large message to a pattern is stored in two parts; the mark is a third.
func TestALargeMessageIsConflatedWithoutACopy(t *testing.T) {
	t.Parallel()
	bothForms(t, func(t *testing.T, n network, framed bool) {
		r := connect(t, newBroker(t, conflating), n, asFramed(framed))
		r.sub(broker.KindPattern, "c*")
		r.sub(broker.KindChannel, "c")
		s := publisher(t, r.broker)
		r.stick()
		if _, holds := r.queue.Oldest(); holds {
			t.Error("a queue of replies holds memory of the log")
		}
		for i := range 3 {
			publish(t, s, "c", text(i, 100_000))
		}
		r.drain()
		if _, holds := r.queue.Oldest(); !holds {
			t.Error("large slots hold memory of the log, and Oldest does not know")
		}
		want := []string{delivery("", "c", text(2, 100_000)), delivery("c*", "c", text(2, 100_000))}
		r.wantQueued(int64(len(want[0]) + len(want[1]) + 2))
		next := r.lines(framed)
		next()
		for _, w := range want {
			if got := next(); got != marked(framed, 2, w) {
				t.Fatalf("got %.80s of %d bytes, want %.80s of %d", got, len(got), marked(framed, 2, w), len(w))
			}
		}
		r.wantQueued(0)
		eventually(t, "the memory is free", func() bool { return r.broker.Stats().FanoutBytes <= 64<<10 })
	})
}

func TestSmallSlotsHoldNoMemoryOfTheLog(t *testing.T) {
	t.Parallel()
	r := connect(t, newBroker(t, conflating), networks()[0])
	r.stick()
	s := publisher(t, r.broker)
	for i := range 50 {
		r.sub(broker.KindChannel, fmt.Sprint("c", i))
		publish(t, s, fmt.Sprint("c", i), text(i, 10_000))
	}
	r.drain()
	if _, holds := r.queue.Oldest(); holds {
		t.Error("a slot of 10 KB holds a chunk of the log")
	}
	if got := r.broker.Stats().FanoutBytes; got > 128<<10 {
		t.Errorf("%d bytes of the log are kept", got)
	}
}

func TestSlotsCountAsQueuedAndReplaceEachOther(t *testing.T) {
	t.Parallel()
	bothForms(t, func(t *testing.T, n network, framed bool) {
		const limit, channels = 64 << 10, 100
		r := connect(t, newBroker(t, conflating), n, asFramed(framed), func(c *Config) { c.Limits.PushHard = limit })
		for i := range channels {
			r.sub(broker.KindChannel, fmt.Sprint("c", i))
		}
		r.stick()
		s := publisher(t, r.broker)
		for i := range 500 {
			publish(t, s, "c0", text(i, 1000))
		}
		publish(t, s, "c0", text(0, 2*limit)) // the only push there is
		publish(t, s, "c0", text(0, 2*limit))
		publish(t, s, "c0", text(0, 1000))
		r.drain()
		if got := r.session.Reason(); got != broker.ReasonNone {
			t.Fatalf("one slot ended the session: %v", got)
		}
		r.wantQueued(int64(len(delivery("", "c0", text(0, 1000))) + 1))
		for i := range channels {
			publish(t, s, fmt.Sprint("c", i), text(i, 1000))
		}
		<-r.session.Done()
		if got := r.session.Reason(); got != broker.ReasonSlow {
			t.Errorf("%d slots of 1 KB under a limit of %d: got %v, want slow", channels, limit, got)
		}
		r.wantQueued(0)
	})
}

func TestUnsubscribingDropsTheSlot(t *testing.T) {
	t.Parallel()
	bothForms(t, func(t *testing.T, n network, framed bool) {
		r := connect(t, newBroker(t, conflating), n, asFramed(framed))
		r.sub(broker.KindChannel, "c1", "c2")
		s := publisher(t, r.broker)
		r.stick()
		publish(t, s, "c1", []byte("1"))
		publish(t, s, "c2", []byte("2"))
		r.drain()
		r.queue.Cork()
		r.session.UnsubscribeInExec(broker.KindChannel, []string{"c1"}, nil)
		r.wantQueued(int64(len(delivery("", "c2", []byte("2"))) + 1))
		r.queue.Uncork([]byte("unsubscribed\n"))
		next := r.lines(framed)
		next()
		wantLines(t, next, "unsubscribed", delivery("", "c2", []byte("2")))
		r.wantQueued(0)
	})
}

// deaf is a queue that is not told of an unsubscribe in time.
type deaf struct{ *Queue }

func (deaf) Drop(*broker.Subscription) {}

func TestTheSlotOfAnEndedSubscriptionDoesNotEnterTheQueue(t *testing.T) {
	t.Parallel()
	b := newBroker(t, conflating)
	server, client := networks()[3].pair(t)
	q := New(Config{Conn: server})
	s, err := b.Connect(broker.SessionConfig{Outlet: deaf{q}})
	if err != nil {
		t.Fatal(err)
	}
	q.Bind(s)
	if _, _, err := s.Subscribe(broker.KindChannel, []string{"c"}, nil); err != nil {
		t.Fatal(err)
	}
	q.Uncork(append(filler(100_000), '\n'))
	publish(t, publisher(t, b), "c", text(0, 50_000))
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.UnsubscribeInExec(broker.KindChannel, []string{"c"}, nil)
	q.Uncork([]byte("end\n"))
	if _, err := io.CopyN(io.Discard, client, 100_001); err != nil {
		t.Fatal(err)
	}
	go func() { // what is queued is written until the peer has it
		q.Finish(time.Now().Add(patience))
		s.End(broker.ReasonShutdown)
		s.Close()
		q.Close()
	}()
	if got, err := io.ReadAll(client); err != nil || string(got) != "end\n" {
		t.Errorf("got %.80q, %v", got, err)
	}
	eventually(t, "the memory is free", func() bool { return b.Stats().FanoutBytes <= 64<<10 })
	_ = client.Close()
}

func TestTheEndOfASlowSessionReleasesItsSlots(t *testing.T) {
	t.Parallel()
	bothForms(t, func(t *testing.T, n network, framed bool) {
		r := connect(t, newBroker(t, conflating), n, asFramed(framed))
		r.sub(broker.KindChannel, "c1", "c2")
		s := publisher(t, r.broker)
		r.stick()
		publish(t, s, "c1", text(1, 10))
		publish(t, s, "c2", text(2, 500_000))
		r.drain()
		r.session.End(broker.ReasonSlow)
		if pushes, _ := r.queue.Queued(); pushes != 0 {
			t.Errorf("%d bytes are queued after the end", pushes)
		}
		if got := r.broker.Stats().FanoutBytes; got > 64<<10 {
			t.Errorf("%d bytes of the log are kept after the end", got)
		}
	})
}

func TestALostConnectionReleasesItsSlots(t *testing.T) {
	t.Parallel()
	bothForms(t, func(t *testing.T, n network, framed bool) {
		r := connect(t, newBroker(t, conflating), n, asFramed(framed))
		r.sub(broker.KindChannel, "c")
		s := publisher(t, r.broker)
		r.stick()
		publish(t, s, "c", text(0, 500_000))
		r.drain()
		_ = r.peer.Close()
		r.wantQueued(0)
		eventually(t, "the memory is free", func() bool { return r.broker.Stats().FanoutBytes <= 64<<10 })
	})
}

// The wrapper that a WebSocket library holds is closed after the close frame.
func TestNothingConflatedFollowsTheClose(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		r := connect(t, newBroker(t, conflating), n, framed)
		r.sub(broker.KindChannel, "c")
		s := publisher(t, r.broker)
		r.stick()
		publish(t, s, "c", text(0, 10))
		r.drain()
		closeFrame := []byte{0x88, 2, 3, 0xE8}
		if _, err := r.queue.Conn().Write(closeFrame); err != nil {
			t.Fatal(err)
		}
		r.unhurried()
		if err := r.queue.Conn().Close(); err != nil {
			t.Fatal(err)
		}
		r.frame()
		if f := r.frame(); f.opcode != 8 {
			t.Errorf("opcode %d, want the close frame", f.opcode)
		}
		if rest := r.wantEnd(); len(rest) != 0 {
			t.Errorf("%q follows", rest)
		}
	})
}

// A liveness check learns when its ping has left, also behind marked deliveries.
func TestWrittenCountsMarks(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		r := connect(t, newBroker(t, conflating), n, framed)
		r.sub(broker.KindChannel, "c1", "c2")
		s := publisher(t, r.broker)
		r.stick()
		for i := range 2 {
			publish(t, s, "c1", text(i, 10))
			publish(t, s, "c2", text(i, 50_000))
		}
		r.drain()
		r.queue.Settle()
		end := r.queue.Frame(pingFrame)
		for r.frame().opcode != 9 {
		}
		eventually(t, "the ping is written", func() bool { return r.queue.Written() >= end })
		if got := r.queue.Written(); got != end {
			t.Errorf("written: got %d, want %d", got, end)
		}
	})
}

// A node that stops has promised every message to those who take it: the newest
// of a conflated subscription, too.
func TestAShutdownWritesTheSlotsBeforeTheCloseFrame(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		r := connect(t, newBroker(t, conflating), n, framed)
		r.sub(broker.KindChannel, "c")
		s := publisher(t, r.broker)
		r.stick()
		for i := range 3 {
			publish(t, s, "c", text(i, 10))
		}
		r.drain()
		r.unhurried()
		r.session.End(broker.ReasonShutdown)
		r.frame()
		if got, want := string(r.frame().payload), marked(true, 2, delivery("", "c", text(2, 10))); got != want {
			t.Errorf("got %.80s, want %s", got, want)
		}
		if f := r.frame(); f.opcode != 8 {
			t.Errorf("opcode %d, want the close frame", f.opcode)
		}
		r.wantEnd()
	})
}
