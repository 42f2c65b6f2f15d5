package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// service is a broker that is upgraded now and then: each node of it is another
// process, at the addresses and with the memory of the one before.
type service struct {
	t          *testing.T
	flags      []string
	now        atomic.Pointer[node]
	publishers atomic.Int64 // so far
}

func startService(t *testing.T, rules string) *service {
	t.Helper()
	file := filepath.Join(t.TempDir(), "broker.toml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, flags: []string{"--config", file, "--dir", filepath.Join(t.TempDir(), "state"), "--ws-rate=0"}}
	s.now.Store(startRaced(t, s.flags...))
	return s
}

// restart stops the node in order and starts the next.
func (s *service) restart() {
	s.t.Helper()
	n := s.now.Load()
	if code := n.stop(s.t, syscall.SIGTERM); code != 0 {
		s.t.Fatalf("the stop ended with %d: %s", code, n.output)
	}
	s.now.Store(n.again(s.t, s.flags...))
}

// crash kills the node and starts the next.
func (s *service) crash() {
	s.t.Helper()
	n := s.now.Load()
	n.stop(s.t, syscall.SIGKILL)
	s.now.Store(n.again(s.t, s.flags...))
}

// client is a go-redis client that asks once: what a stop has cut off is an error.
func (s *service) client() *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: s.now.Load().RESP, Protocol: 3, MaxRetries: -1, DialerRetries: 1})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// history is everything that the channel remembers.
func (s *service) history(channel string) []string {
	s.t.Helper()
	reply, err := s.client().Do(s.t.Context(), "HISTORY", channel).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	page, err := readPage(reply)
	if err != nil {
		s.t.Fatal(err)
	}
	return page.texts
}

// page is a reply of HISTORY.
type page struct {
	epoch     string
	recovered bool
	texts     []string
	last      int64 // offset of the last one of them; 0: there is none
}

func readPage(reply any) (p page, err error) {
	fields, _ := reply.(map[any]any)
	p.epoch, _ = fields["epoch"].(string)
	p.recovered = fields["recovered"] == int64(1)
	messages, ok := fields["messages"].([]any)
	if !ok {
		return p, fmt.Errorf("not a page of a history: %v", reply)
	}
	for _, m := range messages {
		entry, _ := m.([]any)
		if len(entry) != 4 {
			return p, fmt.Errorf("not a message of a history: %v", m)
		}
		text, _ := entry[3].(string)
		p.texts = append(p.texts, text)
		p.last, _ = entry[0].(int64)
	}
	return p, nil
}

// betweenNodes is how long whoever finds nobody waits before trying again: the next node needs the processor.
const betweenNodes = 10 * time.Millisecond

// steady publishes numbered messages to a channel, whatever happens to the broker meanwhile.
type steady struct {
	answers atomic.Int64
	stop    func() (answered []string)
}

// publish begins a steady, which waits for the pause before each message.
func (s *service) publish(channel string, pause time.Duration) *steady {
	p := &steady{}
	ctx, cancel := context.WithCancel(s.t.Context())
	var answered []string
	c, ended := s.client(), make(chan struct{})
	who := s.publishers.Add(1)
	go func() {
		defer close(ended)
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			// Not by ctx: what is on its way when it ends is answered.
			text := fmt.Sprintf("%d:%d", who, n)
			if c.Publish(context.WithoutCancel(ctx), channel, text).Err() != nil {
				<-time.After(betweenNodes)
				continue
			}
			answered = append(answered, text)
			p.answers.Add(1)
		}
	}()
	p.stop = func() []string {
		cancel()
		<-ended
		return answered
	}
	s.t.Cleanup(func() { p.stop() })
	return p
}

// end publishes the last message behind all others and returns what the channel remembers, which has everything
// that was answered. What was cut off in the middle may be part of it or not.
func (s *service) end(channel string, publishers ...*steady) (all []string) {
	s.t.Helper()
	var answered [][]string
	for _, p := range publishers {
		answered = append(answered, append(p.stop(), lastOne))
	}
	c := s.client()
	eventually(s.t, "the last message", func() bool { return c.Publish(s.t.Context(), channel, lastOne).Err() == nil })
	all = s.history(channel)
	for _, rest := range answered {
		for _, text := range all {
			if len(rest) > 0 && text == rest[0] {
				rest = rest[1:]
			}
		}
		if len(rest) > 0 {
			s.t.Errorf("message %q was answered and is not in the history", rest[0])
		}
	}
	return all
}

// difference says where what somebody got departs from what there was.
func difference(got, want []string) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return fmt.Sprintf("got %d messages, want %d; they differ from number %d on: got %.60q, want %.60q",
		len(got), len(want), at, got[at:], want[at:])
}

// more waits until so many further messages are answered.
func (p *steady) more(t *testing.T, n int64) {
	t.Helper()
	until := p.answers.Load() + n
	eventually(t, "more is published", func() bool { return p.answers.Load() >= until })
}
