package ws

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fanfare/broker"
)

// pingRequests are n requests with ids, or without.
func pingRequests(n int, id bool) []byte {
	lines := make([]string, n)
	for i := range lines {
		if id {
			lines[i] = fmt.Sprintf(`{"ping":1,"id":%d}`, i)
		} else {
			lines[i] = `{"ping":1}`
		}
	}
	return text(strings.Join(lines, "\n"))
}

// answers reads until as many lines as the requests have answers, and counts
// those that are pongs and those that refuse.
func (c *rawConn) answers(n int) (pongs, refusals int) {
	c.t.Helper()
	for pongs+refusals < n {
		for line := range strings.SplitSeq(c.text(), "\n") {
			switch {
			case strings.HasPrefix(line, `{"pong":1`):
				pongs++
			case strings.HasPrefix(line, `{"err":429,"text":"too many requests"`):
				refusals++
			default:
				c.t.Fatalf("got %s", line)
			}
		}
	}
	return pongs, refusals
}

func TestRequestsHaveARateAndABurst(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		c := b.dial()
		for _, tt := range []struct {
			after time.Duration
			send  int
			want  int // that are run
		}{{0, 150, 100}, {0, 5, 0}, {100 * time.Millisecond, 8, 5}, {time.Second, 60, 50}, {20 * time.Second, 150, 100}} {
			<-time.After(tt.after)
			c.write(pingRequests(tt.send, true))
			if pongs, refusals := c.answers(tt.send); pongs != tt.want || refusals != tt.send-tt.want {
				t.Errorf("of %d requests %v later %d were run and %d refused, want %d run", tt.send, tt.after, pongs, refusals, tt.want)
			}
		}
		if got := b.server.Stats().Limited; got != 118 {
			t.Errorf("%d requests counted as too many, want 118", got)
		}
		_ = c.Close()
	})
}

func TestARefusalKeepsItsPlaceAmongTheAnswers(t *testing.T) {
	inBubble(t, func(c *Config) { c.Burst = 2 }, func(b *bubble) {
		c := b.dial()
		c.write(text("{\"pub\":\"a\",\"data\":1,\"id\":1}\n{\"pub\":\"a\",\"data\":1,\"id\":2}\n{\"pub\":\"a\",\"data\":1,\"id\":3}\nnot JSON"))
		c.expect(`{"ok":1,"receivers":0}`, `{"ok":2,"receivers":0}`, `{"err":429,"pub":"a","text":"too many requests","id":3}`, `{"err":429,"text":"too many requests"}`)
		_ = c.Close()
	})
}

func TestOneRefusalASecondIsToldToThoseWithoutAnID(t *testing.T) {
	inBubble(t, func(c *Config) { c.Burst = 1 }, func(b *bubble) {
		c := b.dial()
		for i := range 5 { // 100 requests every half second
			c.write(pingRequests(100, false))
			want := (i + 1) % 2
			if pongs, refusals := c.answers(1 + want); pongs != 1 || refusals != want {
				t.Errorf("after %v: %d pongs and %d refusals, want 1 and %d", b.since(), pongs, refusals, want)
			}
			<-time.After(time.Second / 2)
		}
		_ = c.Close()
	})
}

func TestTenSecondsOverTheRateEndTheConnection(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		c, done := b.dial(), make(chan int)
		go func() { done <- c.ending() }()
		began := time.Now()
		for b.broker.Stats().Sessions == 1 && time.Since(began) < time.Minute {
			if _, err := c.Write(pingRequests(200, true)); err != nil {
				break
			}
			<-time.After(900 * time.Millisecond)
		}
		if got := <-done; got != 4429 {
			t.Errorf("close code %d, want 4429", got)
		}
		if took := time.Since(began); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("ended after %v, want 10 s", took)
		}
		stats := b.broker.Stats()
		if got := stats.EndedBy(broker.ReasonRate); got != 1 {
			t.Errorf("%d sessions ended for their rate, want 1", got)
		}
	})
}

func TestASecondOfRestForgivesTheRate(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		c := b.dial()
		for range 30 {
			c.write(pingRequests(200, true))
			if _, refusals := c.answers(200); refusals == 0 {
				t.Fatal("nothing was refused")
			}
			<-time.After(time.Second)
		}
		_ = c.Close()
	})
}

func TestANegativeRateIsNoLimit(t *testing.T) {
	inBubble(t, func(c *Config) { c.Rate = -1 }, func(b *bubble) {
		c := b.dial()
		c.write(pingRequests(1000, true))
		if pongs, _ := c.answers(1000); pongs != 1000 {
			t.Errorf("%d of 1000 requests were run", pongs)
		}
		_ = c.Close()
	})
}
