package outbound

import (
	"bytes"
	"io"
	"testing"

	"fanfare/broker"
)

func TestCorkTellsUpToWhereItIsPassed(t *testing.T) {
	t.Parallel()
	r := connect(t, newBroker(t, conflating), networks()[0])
	r.sub(broker.KindChannel, "a", "c")
	s := publisher(t, r.broker)
	if got := r.queue.Cork(); got != 0 {
		t.Errorf("before anything was pushed: got %d, want 0", got)
	}
	r.queue.Uncork(nil)
	for _, name := range []string{"a", "nobody's", "c", "nobody's"} {
		publish(t, s, name, []byte("x"))
		publish(t, s, name, []byte("x"))
	}
	r.drain()
	if got, want := r.queue.Cork(), r.broker.Stats().Sequence-2; got != want {
		t.Errorf("got %d, want %d", got, want)
	}
	publish(t, s, "a", []byte("held"))
	r.drain()
	r.queue.Uncork(nil)
	if got, want := r.queue.Cork(), r.broker.Stats().Sequence; got != want {
		t.Errorf("after what was held: got %d, want %d", got, want)
	}
	r.session.UnsubscribeInExec(broker.KindChannel, []string{"a", "c"}, nil)
}

// What a reply covers is pushed before it, also if it was to be conflated.
func TestWhatIsConflatedPrecedesTheReplyAfterSettle(t *testing.T) {
	t.Parallel()
	bothForms(t, func(t *testing.T, n network, framed bool) {
		r := connect(t, newBroker(t, conflating), n, asFramed(framed))
		r.sub(broker.KindChannel, "c", "p")
		s := publisher(t, r.broker)
		r.stick()
		for i := range 3 {
			publish(t, s, "c", text(i, 10))
			publish(t, s, "p", text(i, 10))
		}
		r.drain()
		if got, want := r.queue.Settle(), r.broker.Stats().Sequence; got != want {
			t.Errorf("sequence: got %d, want %d", got, want)
		}
		publish(t, s, "c", text(3, 10))
		r.drain()
		r.queue.Uncork([]byte("reply\n"))
		next := r.lines(framed)
		next()
		wantLines(t, next,
			delivery("", "p", text(0, 10)), delivery("", "p", text(1, 10)), delivery("", "p", text(2, 10)),
			marked(framed, 2, delivery("", "c", text(2, 10))), "reply", delivery("", "c", text(3, 10)),
		)
	})
}

// A replay may leave piece by piece: what is live waits for its end.
func TestReplyStaysCorked(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		r := connect(t, newBroker(t), n, func(c *Config) { c.Limits.ReplyPause = 64 << 10 })
		r.sub(broker.KindChannel, "c")
		s := publisher(t, r.broker)
		r.queue.Cork()
		publish(t, s, "c", []byte("before"))
		r.drain()
		const pieces = 20
		replayed := make(chan struct{})
		go func() {
			defer close(replayed)
			piece := make([]byte, 0, 48<<10)
			for i := range pieces {
				publish(t, s, "c", text(i, 0))
				piece = append(append(piece[:0], text(i, 48_000)...), '\n')
				r.queue.Reply(piece)
				clear(piece) // it is the caller's again
				r.queue.AwaitReplies(r.session.Done())
				if _, queued := r.queue.Queued(); queued > 64<<10 {
					t.Errorf("the replay went on with %d bytes queued", queued)
				}
			}
			if err := r.broker.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			r.queue.Uncork([]byte("end\n"))
		}()
		for i := range pieces {
			r.wantLine(string(text(i, 48_000)))
		}
		r.wantLine("end")
		r.wantLine("c=before")
		for i := range pieces {
			r.wantLine("c=" + string(text(i, 0)))
		}
		<-replayed
	})
}

func TestAReplyAfterTheEndVanishes(t *testing.T) {
	t.Parallel()
	r := connect(t, newBroker(t), networks()[0])
	r.queue.Cork()
	r.session.End(broker.ReasonQuit)
	r.queue.Reply([]byte("late\n"))
	r.queue.Reply(bytes.Repeat([]byte("late\n"), 1<<20))
	if rest, err := io.ReadAll(r.in); err != nil || len(rest) != 0 {
		t.Errorf("got %d bytes, %v", len(rest), err)
	}
}

// HELLO changes the form of deliveries at once: what is in the old one precedes
// its reply, conflated or not.
func TestUncorkFormatLeavesNothingOfTheOldFormat(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		b := newBroker(t, conflating, func(c *broker.Config) {
			second := c.Codecs[0]
			second.Name, second.Tail = "second", func(dst []byte, _ uint64) []byte { return append(dst, "}!\n"...) }
			c.Codecs = append(c.Codecs, second)
		})
		r := connect(t, b, n)
		r.sub(broker.KindChannel, "c1", "c2", "p")
		s := publisher(t, b)
		r.stick()
		publish(t, s, "c1", text(1, 0))
		r.drain()
		r.queue.Cork()
		publish(t, s, "c2", text(2, 0))
		publish(t, s, "p", text(3, 0))
		barrier := r.session.SetFormat(1)
		for _, name := range []string{"c1", "c2", "p"} {
			publish(t, s, name, text(4, 0))
		}
		r.session.Await(barrier)
		r.drain()
		r.queue.UncorkFormat([]byte("earlier\n"), 0)
		r.queue.Uncork([]byte("hello\n"))
		r.line()
		for _, want := range []string{
			"earlier", delivery("", "p", text(3, 0)), delivery("", "c1", text(1, 0)), delivery("", "c2", text(2, 0)),
			"hello", delivery("", "p", text(4, 0)) + "!", delivery("", "c1", text(4, 0)) + "!", delivery("", "c2", text(4, 0)) + "!",
		} {
			r.wantLine(want)
		}
	})
}
