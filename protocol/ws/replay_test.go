package ws

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"fanfare/broker"
	"fanfare/internal/memnet"
)

// stream is somebody who follows the messages of several publishers over many
// connections and subscriptions, and checks that none is missing or repeated.
type stream struct {
	t      *testing.T
	listen *memnet.Listener
	epoch  string
	room   chan struct{} // one for each message that was published and not seen
	verb   string        // of the subscription, with its name
	ack    string
	offset uint64
	next   map[string]int // number of the next message of each publisher
	lines  []string
	c      *rawConn
}

// connect makes a new connection, in place of the one that is cut.
func (s *stream) connect() {
	s.t.Helper()
	if s.c != nil {
		_ = s.c.Close()
	}
	nc, err := s.listen.Dial()
	if err != nil {
		s.t.Fatal(err)
	}
	s.lines, s.c = nil, newRawConn(s.t, nc)
	s.c.handshake("")
	if got := s.line(); !strings.HasPrefix(got, `{"welcome"`) {
		s.t.Fatalf("got %s, want a welcome", got)
	}
}

func (s *stream) line() string {
	s.t.Helper()
	for len(s.lines) == 0 {
		s.lines = strings.Split(s.c.text(), "\n")
	}
	line := s.lines[0]
	s.lines = s.lines[1:]
	return line
}

// subscribe resumes the subscription and wants all that was missed.
func (s *stream) subscribe() {
	s.t.Helper()
	s.c.write(text(fmt.Sprintf(`{%s,"epoch":%q,"offset":%d}`, s.verb, s.epoch, s.offset)))
	var ack struct {
		Offset    uint64
		Recovered *bool
	}
	got := s.line()
	if err := json.Unmarshal([]byte(got), &ack); err != nil || !strings.HasPrefix(got, s.ack) || ack.Recovered == nil || !*ack.Recovered {
		s.t.Fatalf("got %s, %v; want a recovery from %d", got, err, s.offset)
	}
	if ack.Offset < s.offset {
		s.t.Fatalf("subscribed at %d, having seen %d", ack.Offset, s.offset)
	}
}

// message checks one delivery.
func (s *stream) message(line string) {
	s.t.Helper()
	var m struct {
		Msg, Data string
		Offset    uint64
	}
	if err := json.Unmarshal([]byte(line), &m); err != nil || m.Msg == "" {
		s.t.Fatalf("got %.100s, want a message", line)
	}
	publisher, number, _ := strings.Cut(strings.TrimRight(m.Data, "."), ":")
	if want := fmt.Sprint(s.next[publisher]); number != want || m.Offset <= s.offset {
		s.t.Fatalf("message %s of publisher %s at %d, want %s, above %d", number, publisher, m.Offset, want, s.offset)
	}
	s.offset = m.Offset
	s.next[publisher]++
	<-s.room
}

// unsubscribe reads to the acknowledgement.
func (s *stream) unsubscribe() {
	s.t.Helper()
	s.c.write(text("{" + strings.Replace(s.verb, "sub", "unsub", 1) + "}"))
	for line := s.line(); !strings.HasPrefix(line, `{"un`) && !strings.HasPrefix(line, `{"pun`); line = s.line() {
		s.message(line)
	}
}

// TestReplayThenLiveUnderPublishers subscribes again and again while publishers
// run: after the acknowledgement comes what was missed, then what is published,
// each message once and in order.
func TestReplayThenLiveUnderPublishers(t *testing.T) {
	t.Parallel()
	for _, s := range []*stream{
		{verb: `"sub":"big:1"`, ack: `{"subbed":"big:1"`},
		{verb: `"psub":"big:*"`, ack: `{"psubbed":"big:*"`},
	} {
		t.Run(s.ack[2:8], func(t *testing.T) {
			t.Parallel()
			s.listen = memnet.Listen("ws", 16<<10)
			r := newRigAt(t, s.listen, broker.Config{Rules: testRules}, nil)
			s.t, s.epoch, s.next = t, r.broker.Epoch(), map[string]int{}
			s.room = make(chan struct{}, 600)
			stop := make(chan struct{})
			var publishers sync.WaitGroup
			for p := range 3 {
				publishers.Go(func() { s.publish(r, p, stop) })
			}
			defer publishers.Wait()
			defer close(stop)
			s.follow(60)
		})
	}
}

// publish publishes to one channel or to another, as the pattern allows.
func (s *stream) publish(r *rig, p int, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case s.room <- struct{}{}:
		}
		channel := "big:1"
		if strings.HasPrefix(s.ack, `{"p`) {
			channel = fmt.Sprintf("big:%d", n%5)
		}
		r.publish(channel, fmt.Sprintf("%d:%d%s", p, n, strings.Repeat(".", 300)))
	}
}

// follow subscribes so many times, every other time over a new connection.
func (s *stream) follow(rounds int) {
	s.connect()
	for i := range rounds {
		s.subscribe()
		for range i % 97 {
			s.message(s.line())
		}
		if i%2 == 0 {
			s.connect()
		} else {
			s.unsubscribe()
		}
	}
	_ = s.c.Close()
}

func TestAPeerThatTakesNothingOfItsReplayIsEndedForWhatIsPublished(t *testing.T) {
	t.Parallel()
	r := newRememberingRig(t, func(c *Config) { c.ReplyPause, c.PushHard, c.PushSoft = 100_000, 500_000, 500_000 })
	payload := strings.Repeat(".", 5000)
	for range 5000 {
		r.publish("big:1", payload)
	}
	c := r.upgraded()
	c.write(text(`{"sub":"big:1","last":100000}`))
	eventually(t, "the replay waits for the peer", func() bool {
		_, replies := r.only().queue.Queued()
		return replies > 100_000
	})
	eventually(t, "the session ends", func() bool {
		r.publish("big:1", payload)
		return r.broker.Stats().Sessions == 0
	})
	if stats := r.broker.Stats(); stats.EndedBy(broker.ReasonSlow) != 1 {
		t.Error("the session has not ended as slow")
	}
}

func TestALongReplayNeedsNoBufferOfItsLength(t *testing.T) {
	t.Parallel()
	const n = 5000
	r := newRememberingRig(t, func(c *Config) { c.ReplyPause = 100_000 })
	for i := range n {
		r.publish("big:1", fmt.Sprintf("%d%s", i, strings.Repeat(".", 1000)))
	}
	c := r.upgraded()
	c.write(text(`{"sub":"big:1","last":100000}` + "\n" + `{"ping":1}`))
	eventually(t, "the replay waits for the peer", func() bool {
		_, replies := r.only().queue.Queued()
		return replies > 100_000
	})
	if _, replies := r.only().queue.Queued(); replies > 100_000+2*maxPiece {
		t.Errorf("%d bytes are queued, want no more than a piece above the limit", replies)
	}
	r.publish("big:1", "live")
	seen := 0
	for done := false; !done; {
		_, payload, err := c.next()
		if err != nil {
			t.Fatalf("after %d messages: %v", seen, err)
		}
		if len(payload) > 64<<10 {
			t.Errorf("a frame of %d bytes, want 64 KiB at most", len(payload))
		}
		for line := range strings.SplitSeq(string(payload), "\n") {
			switch {
			case strings.HasPrefix(line, `{"subbed"`):
			case strings.HasPrefix(line, `{"pong"`):
				if seen != n {
					t.Errorf("the answer to the next request came after %d messages, want %d", seen, n)
				}
			case strings.HasPrefix(line, `{"msg":"big:1","data":"live"`):
				done = true
			case strings.HasPrefix(line, fmt.Sprintf(`{"msg":"big:1","data":"%d.`, seen)):
				seen++
			default:
				t.Fatalf("after %d messages: %.100s", seen, line)
			}
		}
	}
}
