package main

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// Two publishers without a pause, a subscriber that has megabytes queued, and
// SIGTERM in the middle: what was answered has reached the subscriber when its
// connection ends, in order, and the code is 0.
func TestStopDeliversWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, "--drain-timeout=90s", "--push-queue=1gb", "--push-queue-soft=1gb")
			sub := p.dial()
			sub.send("SUBSCRIBE news\r\n")
			sub.expect("*3", "$9", "subscribe", "$4", "news", ":1")

			// The subscriber does not read until the stop has begun; by then its
			// socket has long been full (16 MB of messages).
			var answered [2]atomic.Int64
			full := make(chan struct{}, len(answered))
			for i := range answered {
				go publish(p.dial(), i, &answered[i], full)
			}
			<-full
			<-full
			p.signal(s)
			p.await("stopping")

			last := [2]int64{-1, -1}
			for publisher, number, more := nextMessage(t, sub); more; publisher, number, more = nextMessage(t, sub) {
				if number != last[publisher]+1 {
					t.Fatalf("publisher %d: got message %d after %d", publisher, number, last[publisher])
				}
				last[publisher] = number
			}
			if got := p.exit(); got != exitOK {
				t.Errorf("exit code: got %d, want %d", got, exitOK)
			}
			for i := range answered {
				if n := answered[i].Load(); last[i]+1 < n {
					t.Errorf("publisher %d: %d messages were answered, %d arrived", i, n, last[i]+1)
				}
			}
		})
	}
}

// publish sends numbered messages of 1 KiB, 100 in flight, and counts answers
// until the connection ends. It tells full once 8,000 were answered.
func publish(c *peer, who int, answered *atomic.Int64, full chan<- struct{}) {
	padding := strings.Repeat("x", 1<<10)
	answer := func() bool {
		line, err := c.line()
		if err != nil || line != ":1" {
			return false
		}
		if answered.Add(1) == 8000 {
			full <- struct{}{}
		}
		return true
	}
	for n := 0; ; n++ {
		if n >= 100 && !answer() {
			return
		}
		if _, err := fmt.Fprintf(c.conn, "PUBLISH news %d.%d.%s\r\n", who, n, padding); err != nil {
			for answer() { // What is still on its way to us was answered too.
			}
			return
		}
	}
}

// nextMessage reads one delivery; more is false at the end of the connection,
// which must not be inside of one.
func nextMessage(t *testing.T, c *peer) (publisher int, number int64, more bool) {
	t.Helper()
	head, err := c.line()
	if err != nil {
		if head != "" {
			t.Fatalf("the connection ended inside a message: %q", head)
		}
		return 0, 0, false
	}
	if head != "*3" {
		t.Fatalf("got %q, want a message", head)
	}
	c.expect("$7", "message", "$4", "news")
	var text [2]string
	for i := range text {
		if text[i], err = c.line(); err != nil {
			t.Fatalf("the connection ended inside a message: %v", err)
		}
	}
	if _, err := fmt.Sscanf(text[1], "%d.%d", &publisher, &number); err != nil {
		t.Fatalf("payload %q: %v", text[1], err)
	}
	return publisher, number, true
}

// A subscriber that does not read holds up the stop for drain-timeout and no
// longer, and does not make it a failure.
func TestStopDoesNotWaitLongerThanDrainTimeout(t *testing.T) {
	t.Parallel()
	p := start(t, "--drain-timeout=300ms")
	stuck(t, p)
	p.signal(syscall.SIGTERM)
	p.await("stopping")
	p.await("stopped before everything was delivered")
	if got := p.exit(); got != exitOK {
		t.Errorf("exit code: got %d, want %d", got, exitOK)
	}
}

func TestSecondSignalEndsTheDrain(t *testing.T) {
	t.Parallel()
	p := start(t, "--drain-timeout=1h")
	stuck(t, p)
	p.signal(syscall.SIGTERM)
	p.await("stopping")
	// The handler is gone a moment after "stopping" at the latest; signals sent
	// before that are only the first one again.
	for p.cmd.Process.Signal(syscall.SIGTERM) == nil {
		runtime.Gosched()
	}
	if got := p.exit(); got != -1 {
		t.Errorf("exit code: got %d, want -1 (ended by the signal)", got)
	}
}

// stuck makes a subscriber that has more queued than its socket takes, and
// does not read.
func stuck(t *testing.T, p *process) *peer {
	t.Helper()
	sub, pub := p.dial(), p.dial()
	sub.send("SUBSCRIBE news\r\n")
	sub.expect("*3", "$9", "subscribe", "$4", "news", ":1")
	payload := strings.Repeat("x", 60<<10)
	for range 200 { // 12 MB: more than loopback's buffers, less than the queue's limit.
		pub.send("PUBLISH news %s\r\n", payload)
		pub.expect(":1")
	}
	return sub
}
