package outbound

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/broker"
)

// Several publishers, messages of all sizes, a peer that reads in small steps
// through small buffers: every message once, whole and in order.
func TestEveryMessageArrivesWholeAndInOrder(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		const publishers, messages = 3, 300
		b := newBroker(t)
		r := connect(t, b, n)
		r.sub(broker.KindPattern, "*")
		r.sub(broker.KindChannel, "p1")
		var wg sync.WaitGroup
		for id := range publishers {
			s := publisher(t, b)
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(id), 7))
				for i := range messages {
					size := rnd.IntN(300)
					if i%50 == 49 {
						size = 10_000 + rnd.IntN(60_000)
					}
					publish(t, s, fmt.Sprint("p", id), text(i, size))
				}
			})
		}
		defer wg.Wait()
		next := map[string]int{}
		for range (publishers + 1) * messages {
			name, payload, _ := strings.Cut(r.line(), "=")
			var i int
			var fill string
			if _, err := fmt.Sscanf(payload+" ", "%d %s", &i, &fill); err != nil && fill != "" {
				t.Fatal(err)
			}
			if i != next[name] {
				t.Fatalf("%s: got message %d, want %d", name, i, next[name])
			}
			if fill != string(filler(len(fill))) {
				t.Fatalf("%s: message %d is damaged", name, i)
			}
			next[name]++
		}
	})
}

func TestRepliesPrecedeWhatTheCorkHeld(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		b := newBroker(t)
		r := connect(t, b, n)
		r.sub(broker.KindChannel, "c")
		s := publisher(t, b)
		for i := range 20 {
			r.queue.Cork()
			publish(t, s, "c", text(i, 10))
			if err := b.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.queue.Uncork([]byte(fmt.Sprintf("reply %d\n", i)))
			r.wantLine(fmt.Sprint("reply ", i))
			r.wantLine("c=" + string(text(i, 10)))
		}
	})
}

func TestDropForgetsOnlyWhatIsHeldForTheSubscription(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	r := connect(t, b, networks()[0])
	r.sub(broker.KindChannel, "a", "b")
	s := publisher(t, b)
	r.queue.Cork()
	for _, name := range []string{"a", "b", "a"} {
		publish(t, s, name, []byte("x"))
	}
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.session.UnsubscribeInExec(broker.KindChannel, []string{"a"}, nil)
	r.queue.Uncork([]byte("ok\n"))
	r.wantLine("ok")
	r.wantLine("b=x")
	r.queue.Uncork([]byte("end\n"))
	r.wantLine("end")
	if pushes, _ := r.queue.Queued(); pushes != 0 {
		t.Errorf("%d bytes of pushes are still counted", pushes)
	}
}

// Replies that the socket does not take are copied: the caller's buffer is its
// own again.
func TestRepliesAreTheCallersAgain(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		b := newBroker(t)
		r := connect(t, b, n)
		want := bytes.Repeat([]byte("0123456789abcde\n"), 40_000)
		reply := bytes.Clone(want)
		r.queue.Uncork(reply)
		clear(reply)
		r.queue.Uncork([]byte("end\n"))
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r.in, got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatal("the reply is damaged")
		}
		r.wantLine("end")
	})
}

func TestASubscriberThatNeverReadsEndsAndFreesItsMemory(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		b := newBroker(t)
		slow := connect(t, b, n, func(c *Config) { c.Limits.PushHard = 1 << 20 })
		quick := connect(t, b, n)
		slow.sub(broker.KindChannel, "c")
		quick.sub(broker.KindChannel, "c")
		s := publisher(t, b)
		for i := range 2000 {
			publish(t, s, "c", text(i, 1000))
			quick.wantLine("c=" + string(text(i, 1000)))
		}
		<-slow.session.Done()
		if got := slow.session.Reason(); got != broker.ReasonSlow {
			t.Errorf("reason: got %v, want slow", got)
		}
		if _, err := io.Copy(io.Discard, slow.peer); err != nil && n.name == "memory" {
			t.Errorf("the peer reads %v", err)
		}
		eventually(t, "the memory is free", func() bool { return b.Stats().FanoutBytes <= 1<<18 })
	})
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		<-time.After(time.Millisecond) // real sockets have no event to wait for
	}
}

func TestThePeerMustTakeAByteWithinTheWriteTimeout(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		b := newBroker(t)
		r := connect(t, b, n, func(c *Config) { c.Limits.WriteTimeout = 50 * time.Millisecond })
		r.queue.Uncork(make([]byte, 8<<20))
		<-r.session.Done()
		if got := r.session.Reason(); got != broker.ReasonSlow {
			t.Errorf("reason: got %v, want slow", got)
		}
	})
}

func TestTheSoftLimitEndsWhoStaysAboveIt(t *testing.T) {
	t.Parallel()
	q := New(Config{Conn: sinkhole{}, Limits: Limits{PushSoft: 100, PushSoftFor: time.Hour}})
	q.pushBytes = 50
	if q.overLimit(60) || q.softSince.IsZero() {
		t.Error("above the limit the clock begins, and nothing else")
	}
	if q.overLimit(50) || !q.softSince.IsZero() {
		t.Error("at the limit the clock is reset")
	}
	q.softSince = time.Now().Add(-2 * time.Hour)
	if !q.overLimit(60) {
		t.Error("two hours above the limit of one are too long")
	}
}

func TestTheHardLimitEndsWhoReachesIt(t *testing.T) {
	t.Parallel()
	q := New(Config{Conn: sinkhole{}, Limits: Limits{PushHard: 100, PushSoft: 50, PushSoftFor: time.Hour}})
	q.pushBytes = 40
	for _, tt := range []struct {
		rule string
		n    int64
		over bool
	}{
		{"a byte below it is within", 59, false},
		{"exactly at it is over", 60, true},
		{"above it is over", 61, true},
	} {
		if got := q.overLimit(tt.n); got != tt.over {
			t.Errorf("%s: got %v, want %v", tt.rule, got, tt.over)
		}
	}
}

func TestTheReaderPausesWhileRepliesAreQueued(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		b := newBroker(t)
		r := connect(t, b, n, func(c *Config) { c.Limits.ReplyPause = 64 << 10 })
		r.queue.Uncork(make([]byte, 4<<20))
		if _, queued := r.queue.Queued(); queued <= 64<<10 {
			t.Fatalf("only %d bytes are queued: the test's buffers are too large", queued)
		}
		resumed := make(chan int64, 1)
		go func() {
			r.queue.AwaitReplies(r.session.Done())
			_, queued := r.queue.Queued()
			resumed <- queued
		}()
		if _, err := io.CopyN(io.Discard, r.in, 4<<20); err != nil {
			t.Fatal(err)
		}
		if queued := <-resumed; queued > 64<<10 {
			t.Errorf("the reader went on with %d bytes queued", queued)
		}
	})
}

func TestTheEndOfTheSessionWakesAReaderThatPauses(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	r := connect(t, b, networks()[0], func(c *Config) { c.Limits.ReplyPause = 1 })
	r.queue.Uncork(make([]byte, 4<<20))
	go r.session.End(broker.ReasonKilled)
	r.queue.AwaitReplies(r.session.Done())
}

// What was queued when the node stops reaches a peer that takes it, however
// slowly, until the deadline.
func TestShutdownWritesWhatIsQueued(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		const messages = 3000
		r := waiting(t, n, messages, 1000)
		r.unhurried()
		r.session.End(broker.ReasonShutdown)
		for i := range messages {
			r.wantLine("c=" + string(text(i, 1000)))
		}
		if rest := r.wantEnd(); len(rest) != 0 {
			t.Errorf("%d bytes follow", len(rest))
		}
	})
}

func TestShutdownDoesNotWaitForAPeerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		b := newBroker(t)
		server, client := n.pair(t)
		defer client.Close()
		q := New(Config{Conn: server})
		s, err := b.Connect(broker.SessionConfig{Outlet: q})
		if err != nil {
			t.Fatal(err)
		}
		q.Bind(s)
		q.Uncork(make([]byte, 8<<20))
		q.Finish(time.Now().Add(50 * time.Millisecond))
		s.End(broker.ReasonShutdown)
		s.Close()
		q.Close() // returns
	})
}

func TestQuitWritesItsReply(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		b := newBroker(t)
		r := connect(t, b, n)
		r.queue.Uncork(append(bytes.Repeat([]byte("x"), 1<<20), "\nbye\n"...))
		r.unhurried()
		r.session.End(broker.ReasonQuit)
		r.line()
		r.wantLine("bye")
		if rest := r.wantEnd(); len(rest) != 0 {
			t.Errorf("%d bytes follow", len(rest))
		}
	})
}

func TestNothingIsQueuedAfterTheEnd(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	r := connect(t, b, networks()[0])
	r.sub(broker.KindChannel, "c")
	r.session.End(broker.ReasonQuit)
	r.queue.Uncork([]byte("late reply\n"))
	r.queue.Frame([]byte("late frame\n"))
	publish(t, publisher(t, b), "c", []byte("late push"))
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rest := r.wantEnd(); len(rest) != 0 {
		t.Errorf("got %q", rest)
	}
}

// lastMoment is a connection that is given something to write in the moment in
// which its flusher leaves: when it takes its deadline back.
type lastMoment struct {
	net.Conn
	once sync.Once
	f    func()
}

func (c *lastMoment) SetWriteDeadline(t time.Time) error {
	if t.IsZero() {
		c.once.Do(c.f)
	}
	return c.Conn.SetWriteDeadline(t)
}

func TestWhatIsQueuedWhileTheFlusherLeavesIsWritten(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	memory := networks()[3]
	n := network{name: "last moment", pair: func(t testing.TB) (net.Conn, net.Conn) {
		server, client := memory.pair(t)
		return &lastMoment{Conn: server}, client
	}}
	var r *rig
	r = connect(t, b, n, func(c *Config) {
		c.Limits.WriteTimeout = time.Minute // or the deadline is never set
		c.Conn.(*lastMoment).f = func() { r.queue.Frame([]byte("second\n")) }
	})
	r.queue.Frame([]byte("first\n"))
	r.wantLine("first")
	r.wantLine("second")
}

// A blocked connection with little queued must not pin chunks of 64 KiB.
func TestABlockedConnectionCopiesWhatIsSmall(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	r := connect(t, b, networks()[3])
	r.sub(broker.KindChannel, "c")
	s := publisher(t, b)
	publish(t, s, "c", text(0, 12_000)) // more than the pipe holds
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the push is copied", func() bool {
		_, holds := r.queue.Oldest()
		return !holds
	})
	r.wantLine("c=" + string(text(0, 12_000)))
}

func TestAnIdleQueueHoldsNoMemory(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	r := connect(t, b, networks()[0])
	r.sub(broker.KindChannel, "c")
	s := publisher(t, b)
	for i := range 100 {
		publish(t, s, "c", text(i, 100))
		r.queue.Uncork([]byte("reply\n"))
	}
	for range 200 {
		r.line()
	}
	eventually(t, "the queue is idle", func() bool {
		r.queue.mu.Lock()
		defer r.queue.mu.Unlock()
		return r.queue.state == idle
	})
	if cap(r.queue.entries) > smallQueue || cap(r.queue.held) > smallQueue || r.queue.borrowed != nil {
		t.Errorf("entries %d, held %d, borrowed %v", cap(r.queue.entries), cap(r.queue.held), r.queue.borrowed != nil)
	}
}
