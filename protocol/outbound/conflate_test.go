package outbound

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/broker"
)

// conflating makes the channels whose names begin with c conflated ones, and
// deliveries JSON.
func conflating(c *broker.Config) {
	c.Rules = []broker.Rule{{Match: "c*", Slow: broker.SlowConflate}}
	c.Codecs = []broker.Codec{{
		Name: "json lines",
		Prefix: func(dst []byte, _ broker.Kind, pattern string) []byte {
			if pattern == "" {
				return append(dst, '{')
			}
			return fmt.Appendf(dst, `{"via":%q,`, pattern)
		},
		Body: func(dst []byte, m *broker.Message) []byte {
			return fmt.Appendf(dst, `"msg":%q,"data":"%s"`, m.Channel, m.Payload)
		},
		Tail:   func(dst []byte, _ uint64) []byte { return append(dst, "}\n"...) },
		MaxRun: frameMessages,
	}}
}

// delivery is what conflating's format makes of a message.
func delivery(via, channel string, payload []byte) string {
	if via != "" {
		via = fmt.Sprintf(`"via":%q,`, via)
	}
	return fmt.Sprintf(`{%s"msg":%q,"data":"%s"}`, via, channel, payload)
}

// marked is the delivery as it arrives after n others were skipped.
func marked(framed bool, n int, line string) string {
	if !framed || n == 0 {
		return line
	}
	return fmt.Sprintf(`{"skipped":%d,%s`, n, line[1:])
}

// lines returns a function that reads the next line, out of frames if there are.
func (r *rig) lines(framed bool) func() string {
	if !framed {
		return r.line
	}
	var rest []string
	return func() string {
		for len(rest) == 0 {
			rest = strings.Split(string(r.frame().payload), "\n")
		}
		line := rest[0]
		rest = rest[1:]
		return line
	}
}

// wantLines reads lines with what lines has returned.
func wantLines(t *testing.T, next func() string, lines ...string) {
	t.Helper()
	for _, want := range lines {
		if got := next(); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

// stick fills the way to the peer until it takes nothing, with one line.
func (r *rig) stick() {
	r.t.Helper()
	r.queue.Uncork(append(bytes.Repeat([]byte("x"), 1<<19), '\n'))
	eventually(r.t, "the peer takes nothing", func() bool {
		r.queue.mu.Lock()
		defer r.queue.mu.Unlock()
		return r.queue.stuck
	})
}

func (r *rig) drain() {
	r.t.Helper()
	if err := r.broker.Drain(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// wantQueued waits until n bytes of pushes are queued.
func (r *rig) wantQueued(n int64) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%d bytes of pushes are queued", n), func() bool {
		pushes, _ := r.queue.Queued()
		return pushes == n
	})
}

// bothForms runs a test over every kind of connection, with and without frames.
func bothForms(t *testing.T, f func(t *testing.T, n network, framed bool)) {
	everywhere(t, func(t *testing.T, n network) {
		for _, framed := range []bool{false, true} {
			t.Run(fmt.Sprint("framed=", framed), func(t *testing.T) { f(t, n, framed) })
		}
	})
}

func asFramed(framed bool) func(*Config) {
	return func(c *Config) { c.Framed = framed }
}

func TestABlockedConnectionKeepsTheNewestOfEachConflatedSubscription(t *testing.T) {
	t.Parallel()
	bothForms(t, func(t *testing.T, n network, framed bool) {
		var skipped atomic.Int64
		r := connect(t, newBroker(t, conflating), n, asFramed(framed), func(c *Config) { c.Skipped = &skipped })
		r.sub(broker.KindChannel, "c1", "c2", "p")
		r.sub(broker.KindPattern, "*3")
		s := publisher(t, r.broker)
		next := r.lines(framed)
		for round := range 3 {
			r.stick()
			var want []string
			for i := range 10 {
				publish(t, s, "c1", text(i, 50))
				publish(t, s, "p", text(i, 50))
				want = append(want, delivery("", "p", text(i, 50)))
				if i < 5 {
					publish(t, s, "c2", text(i, 50))
				}
				if i == 6 {
					publish(t, s, "c3", text(i, 50))
					publish(t, s, "p3", text(i, 50))
					publish(t, s, "c3", text(i, 60))
					// The slots older than that of *3 keep their order.
					want = append(want, marked(framed, 4, delivery("", "c2", text(4, 50))),
						marked(framed, 6, delivery("", "c1", text(i, 50))),
						delivery("*3", "c3", text(i, 50)), delivery("*3", "p3", text(i, 50)))
				}
			}
			r.drain()
			want = append(want,
				delivery("*3", "c3", text(6, 60)),
				marked(framed, 2, delivery("", "c1", text(9, 50))))
			next() // what filled the way
			for _, w := range want {
				if got := next(); got != w {
					t.Fatalf("round %d: got %.80s, want %.80s", round, got, w)
				}
			}
			r.wantQueued(0)
			if got, want := skipped.Load(), int64(12*(round+1)); got != want {
				t.Errorf("%d skipped messages are counted, want %d", got, want)
			}
		}
	})
}

// sinkFunc is a sink made of its write.
type sinkFunc func(b *batch, wait bool) (int, error)

func (f sinkFunc) write(b *batch, wait bool) (int, error) { return f(b, wait) }

func (sinkFunc) pending() bool { return false }

func (r *rig) replaceSink(f sinkFunc) {
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	r.queue.out = f
}

// A peer that takes all it is given gets every message of a conflated channel,
// also while a goroutine writes because there is much to write.
func TestAPeerThatTakesEverythingIsNotConflated(t *testing.T) {
	t.Parallel()
	r := connect(t, newBroker(t, conflating), networks()[0])
	r.sub(broker.KindChannel, "c")
	turns, taken := make(chan struct{}, maxRounds), make(chan byte, 1<<16)
	r.replaceSink(func(b *batch, _ bool) (int, error) {
		<-turns
		n := min(10, len(b.pieces[0]))
		for _, c := range b.pieces[0][:n] {
			taken <- c
		}
		return n, nil
	})
	for range maxRounds {
		turns <- struct{}{}
	}
	want := strings.Repeat("reply ", 10) + "\n"
	r.queue.Uncork([]byte(want))
	s := publisher(t, r.broker)
	for i := range 5 {
		publish(t, s, "c", text(i, 50))
		want += delivery("", "c", text(i, 50)) + "\n"
	}
	r.drain()
	close(turns)
	for i := range len(want) {
		if got := <-taken; got != want[i] {
			t.Fatalf("byte %d: got %q, want %q", i, got, want[i])
		}
	}
}

// Between two rounds of a flush that began with slots, a delivery still goes into
// the slot of its subscription: else it would overtake the one that is there.
func TestNothingOvertakesASlotThatIsLeft(t *testing.T) {
	t.Parallel()
	memory := networks()[3]
	leaving := &lastMoment{}
	n := network{name: "last moment", pair: func(t testing.TB) (net.Conn, net.Conn) {
		server, client := memory.pair(t)
		leaving.Conn = server
		return leaving, client
	}}
	r := connect(t, newBroker(t, conflating), n, func(c *Config) { c.Limits.WriteTimeout = time.Minute })
	s := publisher(t, r.broker)
	const channels = admitted + 1
	last := fmt.Sprint("c", channels-1)
	for i := range channels {
		r.sub(broker.KindChannel, fmt.Sprint("c", i))
	}
	leaving.f = func() {
		for i := range channels {
			publish(t, s, fmt.Sprint("c", i), []byte("old"))
		}
		r.drain()
	}
	out, tries := make(chan string, 100), 0
	r.replaceSink(func(b *batch, wait bool) (int, error) {
		if !wait {
			tries++
		}
		if !wait && tries == 1 {
			return 0, errAgain
		}
		if !wait && tries == 2 {
			publish(t, s, last, []byte("new"))
			r.drain()
		}
		out <- string(bytes.Join(b.pieces[:b.n], nil))
		return b.bytes, nil
	})
	r.queue.Uncork([]byte("reply\n"))
	got := ""
	for !strings.Contains(got, delivery("", last, []byte("new"))) {
		got += <-out
	}
	r.wantQueued(0)
	for len(out) > 0 {
		got += <-out
	}
	if strings.Contains(got, delivery("", last, []byte("old"))) {
		t.Error("the older message was written too")
	}
	r.session.End(broker.ReasonKilled)
}

func TestMoreSlotsThanEnterTheQueueAtOnceKeepTheirOrder(t *testing.T) {
	t.Parallel()
	bothForms(t, func(t *testing.T, n network, framed bool) {
		const channels = 3*admitted + 7
		r := connect(t, newBroker(t, conflating), n, asFramed(framed))
		s := publisher(t, r.broker)
		for i := range channels {
			r.sub(broker.KindChannel, fmt.Sprint("c", i))
		}
		r.stick()
		for round := range 2 {
			for i := range channels {
				publish(t, s, fmt.Sprint("c", (i+100*round)%channels), text(i, 200*(i%100)))
			}
		}
		r.drain()
		next := r.lines(framed)
		next()
		for i := range channels {
			want := marked(framed, 1, delivery("", fmt.Sprint("c", (i+100)%channels), text(i, 200*(i%100))))
			if got := next(); got != want {
				t.Fatalf("got %.80s, want %.80s", got, want)
			}
		}
		r.wantQueued(0)
	})
}

// What was held back follows what its subscription has in a slot.
func TestWhatTheCorkHeldIsConflatedWhenItIsLetOut(t *testing.T) {
	t.Parallel()
	bothForms(t, func(t *testing.T, n network, framed bool) {
		r := connect(t, newBroker(t, conflating), n, asFramed(framed))
		r.sub(broker.KindChannel, "c1", "c2")
		s := publisher(t, r.broker)
		r.stick()
		publish(t, s, "c1", []byte("1"))
		r.drain()
		r.queue.Cork()
		for _, c := range []string{"c1", "c2", "c1"} {
			publish(t, s, c, []byte("2"))
		}
		r.drain()
		r.wantQueued(4 * int64(len(delivery("", "c1", []byte("1")))+1))
		r.queue.Uncork([]byte("reply\n"))
		r.wantQueued(2 * int64(len(delivery("", "c1", []byte("1")))+1))
		next := r.lines(framed)
		next()
		wantLines(t, next, "reply", delivery("", "c2", []byte("2")), marked(framed, 2, delivery("", "c1", []byte("2"))))
	})
}

func TestASlotIsWrittenWhileTheQueueIsCorked(t *testing.T) {
	t.Parallel()
	bothForms(t, func(t *testing.T, n network, framed bool) {
		r := connect(t, newBroker(t, conflating), n, asFramed(framed))
		r.sub(broker.KindChannel, "c")
		s := publisher(t, r.broker)
		r.stick()
		publish(t, s, "c", []byte("1"))
		r.drain()
		r.queue.Cork()
		publish(t, s, "c", []byte("2"))
		publish(t, s, "c", []byte("3"))
		r.drain()
		next := r.lines(framed)
		next()
		if got, want := next(), delivery("", "c", []byte("1")); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		eventually(t, "the queue is idle", func() bool {
			r.queue.mu.Lock()
			defer r.queue.mu.Unlock()
			return r.queue.state == idle
		})
		r.queue.Uncork([]byte("reply\n"))
		wantLines(t, next, "reply", delivery("", "c", []byte("2")), delivery("", "c", []byte("3")))
	})
}
