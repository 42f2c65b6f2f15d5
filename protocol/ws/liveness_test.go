package ws

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/broker"
	"fanfare/internal/memnet"
)

// bubble is a server in a synctest bubble, with time of its own, over a network
// in memory.
type bubble struct {
	t      *testing.T
	broker *broker.Broker
	server *Server
	net    *memnet.Listener
	began  time.Time
}

func inBubble(t *testing.T, change func(*Config), f func(*bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, err := broker.New(broker.Config{Codecs: []broker.Codec{Codec()}, Workers: 1, Rules: testRules})
		if err != nil {
			t.Fatal(err)
		}
		cfg := Config{Broker: b, Loopback: true, PushHard: 1 << 30, PushSoft: 1 << 30, WriteTimeout: time.Hour}
		if change != nil {
			change(&cfg)
		}
		s, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		bub := &bubble{t: t, broker: b, server: s, net: memnet.Listen("ws", 16<<10), began: time.Now()}
		served := make(chan error, 1)
		go func() { served <- s.Serve(bub.net) }()
		f(bub)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		b.Close()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

// join connects and makes the connection a member, of the name returned.
func (b *bubble) join(channel string) (c *rawConn, member string) {
	b.t.Helper()
	c = b.dial()
	c.write(text(`{"join":"` + channel + `","id":1}`))
	c.expect(`{"ok":1}`)
	c.write(text(`{"who":"` + channel + `","id":1}`))
	_, answer, err := c.next()
	if err != nil {
		b.t.Fatal(err)
	}
	list := strings.Split(string(answer), `"`)
	return c, list[len(list)-2]
}

// dial connects; nothing has a deadline but what the test waits for itself.
func (b *bubble) dial() *rawConn {
	b.t.Helper()
	nc, err := b.net.Dial()
	if err != nil {
		b.t.Fatal(err)
	}
	c := newRawConn(b.t, nc)
	_ = c.SetDeadline(time.Time{})
	c.handshake("")
	if _, got, err := c.next(); err != nil || !strings.HasPrefix(string(got), `{"welcome"`) {
		b.t.Fatalf("got %s, %v; want a welcome", got, err)
	}
	return c
}

func (b *bubble) since() time.Duration { return time.Since(b.began).Round(time.Second) }

func TestPeerThatAnswersPingsStays(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		c := b.dial()
		pings, texts, last := 0, 0, time.Now()
		for pings < 20 || texts < 20 {
			opcode, payload, err := c.next()
			if err != nil {
				t.Fatalf("after %v: %v", b.since(), err)
			}
			if gap := time.Since(last); gap > 27*time.Second {
				t.Errorf("%v without anything", gap)
			}
			last = time.Now()
			switch {
			case opcode == opPing:
				pings++
				c.write(masked(fin|opPong, payload))
			case strings.HasPrefix(string(payload), `{"ping":9`):
				texts++
			default:
				t.Fatalf("got %d %s", opcode, payload)
			}
		}
		if got := b.since(); got < 499*time.Second || got > 520*time.Second {
			t.Errorf("20 pings took %v, want 25 s each", got)
		}
		_ = c.Close()
	})
}

func TestPeerThatAnswersNoPingIsEnded(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		c := b.dial()
		if got := c.ending(); got != 4408 {
			t.Errorf("close code %d, want 4408", got)
		}
		if got := b.since(); got < 35*time.Second || got > 37*time.Second {
			t.Errorf("ended after %v, want 35 s", got)
		}
		if got := b.server.Stats().Late; got != 1 {
			t.Errorf("late = %d, want 1", got)
		}
	})
}

func TestPongTimeCountsFromTheFlush(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		c := b.dial()
		c.write(text(`{"sub":"a"}`))
		if _, got, err := c.next(); err != nil || string(got) != `{"subbed":"a"}` {
			t.Fatalf("got %s, %v", got, err)
		}
		// The peer's buffer is full before the ping, and stays so for a minute.
		for range 100 {
			b.broker.PublishEvent("a", []byte(strings.Repeat("x", 1000)))
		}
		<-time.After(85 * time.Second) // of the bubble's time
		for messages := 0; ; {
			opcode, payload, err := c.next()
			if err != nil {
				t.Fatalf("ended after %v and %d messages", b.since(), messages)
			}
			if opcode == opPing {
				c.write(masked(fin|opPong, payload))
				break
			}
			messages++
		}
		for range 2 { // and goes on living
			if _, _, err := c.next(); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.broker.Stats().Sessions; got != 1 {
			t.Errorf("%d sessions, want 1", got)
		}
		_ = c.Close()
	})
}

func TestPeerThatTakesNoByteIsEndedAsSlow(t *testing.T) {
	inBubble(t, func(c *Config) { c.WriteTimeout = 10 * time.Second }, func(b *bubble) {
		c := b.dial()
		c.write(text(`{"sub":"a"}`))
		if _, _, err := c.next(); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			b.broker.PublishEvent("a", []byte(strings.Repeat("x", 1000)))
		}
		<-time.After(12 * time.Second) // of the bubble's time
		synctest.Wait()
		stats := b.broker.Stats()
		if stats.Sessions != 0 || stats.EndedBy(broker.ReasonSlow) != 1 {
			t.Errorf("%d sessions, %d ended as slow; want 0 and 1", stats.Sessions, stats.EndedBy(broker.ReasonSlow))
		}
		_ = c.Close()
	})
}

func TestTimeForWhichTheReaderWaitsIsNotCounted(t *testing.T) {
	t.Parallel()
	now := time.Now()
	cfg := Config{PingInterval: 25 * time.Second, PongTimeout: 10 * time.Second}
	tests := []struct {
		name  string
		pulse func(*pulse)
		want  bool // late
	}{
		{"a pong that does not come is late", func(*pulse) {}, true},
		{"not while the reader waits", func(p *pulse) { p.pause() }, false},
		{"nor right after it", func(p *pulse) { p.resumed.Store(now.Add(-9 * time.Second).UnixNano()) }, false},
		{"but ten seconds after it", func(p *pulse) { p.resumed.Store(now.Add(-10 * time.Second).UnixNano()) }, true},
		{"one that has come is not", func(p *pulse) { p.pong.Store(now.Add(-time.Second).UnixNano()) }, false},
		{"one of the round before is no help", func(p *pulse) { p.pong.Store(now.Add(-12 * time.Second).UnixNano()) }, true},
	}
	for _, tt := range tests {
		p := &pulse{begun: now.Add(-11 * time.Second), flushed: now.Add(-10 * time.Second)}
		tt.pulse(p)
		if got := p.late(now, &cfg); got != tt.want {
			t.Errorf("%s: late = %v, want %v", tt.name, got, tt.want)
		}
	}
}
