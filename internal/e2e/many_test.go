package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// longest bounds a whole many-to-many test.
const longest = 3 * time.Minute

// roomy raises the limits that would end a slow subscriber: under the race detector, on a shared machine,
// these subscribers are slow, and that is not what these tests are about.
var roomy = []string{
	"--push-queue=1gb", "--push-queue-soft=1gb", "--ws-push-queue=1gb", "--ws-push-queue-soft=1gb",
	"--fanout-memory=4gb", "--write-timeout=3m", "--ws-write-timeout=3m", "--ws-ping=3m", "--ws-pong=3m", "--drain-timeout=90s", "--ws-rate=0",
}

// subscribeNth gives subscribers of every sort: half on each transport, half of each by pattern, half of
// the Redis ones in RESP3.
func subscribeNth(n *node, i int) (subscriber, error) {
	if i%2 == 0 {
		return subscribeRESP(n, i%4 == 0, i%8 < 4)
	}
	return subscribeWS(n, i%4 == 1)
}

func publishNth(n *node, i int) (publisher, error) {
	if i%2 == 0 {
		return connectRESP(n)
	}
	return connectWS(n)
}

// must closes a connection at the end of the test, or fails it at once if there is none.
func must[C interface{ close() }](t *testing.T) func(c C, err error) C {
	return func(c C, err error) C {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.close)
		return c
	}
}

const batch = 100 // messages a publisher has in flight

// Twenty publishers, fifty subscribers, half of each on RESP and half on WebSocket: every subscriber gets
// every message exactly once, each publisher's in order, and all see the same order of all messages, while
// others subscribe and leave.
func TestManyToMany(t *testing.T) {
	each := 5000
	if testing.Short() {
		each = 500
	}
	t.Run("as users get it", func(t *testing.T) { manyToMany(t, start(t, roomy...), each) })
	t.Run("with the race detector", func(t *testing.T) { manyToMany(t, startRaced(t, roomy...), 500) })
}

func manyToMany(t *testing.T, n *node, each int) {
	t.Helper()
	const publishers, subscribers = 20, 50

	var reading sync.WaitGroup
	orders := make([]uint64, subscribers)
	for i := range subscribers {
		s := must[subscriber](t)(subscribeNth(n, i))
		reading.Go(func() {
			order, err := readAll(s, publishers, each)
			if err != nil {
				t.Errorf("subscriber %d: %v", i, err)
			}
			orders[i] = order
		})
	}
	stop := visit(t, n, publishers)
	var writing sync.WaitGroup
	for i := range publishers {
		p := must[publisher](t)(publishNth(n, i))
		writing.Go(func() {
			if err := publishAll(p, i, each, subscribers); err != nil {
				t.Errorf("publisher %d: %v", i, err)
			}
		})
	}
	writing.Wait()
	t.Logf("%d visits", stop())
	last := must[publisher](t)(publishNth(n, 0))
	if _, receivers, err := last.publish([]numbered{final}); err != nil || receivers < subscribers {
		t.Errorf("the last message: got %d receivers, %v, want at least %d", receivers, err, subscribers)
	}
	reading.Wait()
	for i, order := range orders {
		if order != orders[0] {
			t.Errorf("subscribers 0 and %d have seen different orders", i)
		}
	}
}

func publishAll(p publisher, publisher, each, subscribers int) error {
	messages := make([]numbered, 0, batch)
	for from := 0; from < each; from += batch {
		messages = messages[:0]
		for i := from; i < min(from+batch, each); i++ {
			messages = append(messages, numbered{publisher, i})
		}
		if _, receivers, err := p.publish(messages); err != nil || receivers < subscribers {
			return fmt.Errorf("got %d receivers, %w, want at least %d", receivers, err, subscribers)
		}
	}
	return nil
}

// readAll reads until the final message; order is a fingerprint of the sequence it has seen.
func readAll(s subscriber, publishers, each int) (order uint64, err error) {
	seen := make([]int, publishers)
	for {
		m, err := s.next()
		switch {
		case err != nil:
			return 0, fmt.Errorf("after %v: %w", seen, err)
		case m == final:
			for p, count := range seen {
				if count != each {
					return 0, fmt.Errorf("got %d messages of publisher %d, want %d", count, p, each)
				}
			}
			return order, nil
		case m.Publisher >= publishers || m.Number != seen[m.Publisher]:
			return 0, fmt.Errorf("got %v after %v", m, seen)
		}
		seen[m.Publisher]++
		order = order*1_099_511_628_211 + uint64(m.Publisher*1_000_000+m.Number) //nolint:gosec // both are small and positive
	}
}

// visit keeps visitors coming and going: each subscribes, checks that what it gets has no gap, leaves,
// checks that nothing comes afterwards, and starts again. It returns when all have come for the first time;
// stop lets those first visits end, which need messages, breaks off the others, and answers how many were
// completed.
func visit(t *testing.T, n *node, publishers int) (stop func() int64) {
	t.Helper()
	const visitors = 4
	ctx, cancel := context.WithCancel(context.Background())
	var visits atomic.Int64
	var running, inside, first sync.WaitGroup
	inside.Add(visitors)
	first.Add(visitors)
	for i := range visitors {
		entered, left := sync.OnceFunc(inside.Done), sync.OnceFunc(first.Done)
		running.Go(func() {
			defer entered()
			defer left()
			for ctx.Err() == nil {
				s, err := subscribeNth(n, i)
				if err != nil {
					t.Errorf("visitor %d: %v", i, err)
					return
				}
				entered()
				unhook := context.AfterFunc(ctx, s.close) // nothing more may come, and it must not wait for it
				err = visitOnce(s, publishers)
				unhook()
				s.close()
				if ctx.Err() != nil {
					return
				}
				if err != nil {
					t.Errorf("visitor %d: %v", i, err)
					return
				}
				visits.Add(1)
				left()
			}
		})
	}
	inside.Wait()
	return func() int64 {
		first.Wait()
		cancel()
		running.Wait()
		return visits.Load()
	}
}

func visitOnce(s subscriber, publishers int) error {
	next := make([]int, publishers) // the number after the last one seen; 0: none seen
	for range 50 {
		m, err := s.next()
		if err != nil {
			return err
		}
		if m.Publisher >= publishers || (next[m.Publisher] != 0 && m.Number != next[m.Publisher]) {
			return fmt.Errorf("got %v, want number %d", m, next[m.Publisher])
		}
		next[m.Publisher] = m.Number + 1
	}
	return s.leave()
}

// SIGTERM while everybody publishes: whatever was acknowledged reaches every subscriber, without a gap, and
// the broker ends by itself with exit code 0.
func TestStopInTheMiddleLosesNothingAcknowledged(t *testing.T) {
	const publishers, subscribers = 10, 20
	before := int64(40_000)
	if testing.Short() {
		before = 4_000
	}
	n := startRaced(t, roomy...)

	received := make([][]int, subscribers)
	var reading sync.WaitGroup
	for i := range subscribers {
		s := must[subscriber](t)(subscribeNth(n, i))
		reading.Go(func() {
			var err error
			if received[i], err = readToEnd(s, publishers); err != nil {
				t.Errorf("subscriber %d: %v", i, err)
			}
		})
	}
	acknowledged := make([]int, publishers)
	var total atomic.Int64
	enough := make(chan struct{})
	var writing sync.WaitGroup
	for i := range publishers {
		p := must[publisher](t)(publishNth(n, i))
		writing.Go(func() {
			for acknowledged[i]+batch < 100_000 { // five digits
				messages := make([]numbered, batch)
				for k := range messages {
					messages[k] = numbered{i, acknowledged[i] + k}
				}
				count, _, err := p.publish(messages)
				acknowledged[i] += count
				if now := total.Add(int64(count)); now >= before && now-int64(count) < before {
					close(enough)
				}
				if err != nil {
					return // the broker has gone, which is the point
				}
			}
		})
	}
	<-enough
	if code := n.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("got exit code %d, want 0: %s", code, n.output)
	}
	writing.Wait()
	reading.Wait()
	for i, counts := range received {
		for p, got := range counts {
			if want := acknowledged[p]; got < want {
				t.Errorf("subscriber %d got %d messages of publisher %d, want the %d acknowledged", i, got, p, want)
			}
		}
	}
	t.Logf("%d messages were acknowledged", total.Load())
}

// readToEnd reads until the broker ends the connection and answers how many messages of each publisher came.
func readToEnd(s subscriber, publishers int) ([]int, error) {
	seen := make([]int, publishers)
	for {
		m, err := s.next()
		switch {
		case errors.Is(err, io.EOF), websocket.CloseStatus(err) == 4503:
			return seen, nil
		case err != nil:
			return seen, fmt.Errorf("want the end of the connection, or close code 4503: %w", err)
		case m.Publisher >= publishers || m.Number != seen[m.Publisher]:
			return seen, fmt.Errorf("got %v after %v", m, seen)
		}
		seen[m.Publisher]++
	}
}
