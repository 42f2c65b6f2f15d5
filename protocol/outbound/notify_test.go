package outbound

import (
	"fmt"
	"testing"

	"fanfare/broker"
)

// Notify is Feed in all but the time at which it is written.
func TestNotifiedLinesFollowTheRepliesThatAreBeingMade(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		r := connect(t, newBroker(t), n)
		for i := range 20 {
			r.queue.Cork()
			for j := range 3 {
				if got := r.queue.Notify(fmt.Appendf(nil, "line %d.%d\n", i, j)); got != broker.Pushed {
					t.Fatalf("got %v while corked, want %v", got, broker.Pushed)
				}
			}
			r.queue.Uncork(fmt.Appendf(nil, "reply %d\n", i))
			for j := range 3 {
				r.queue.Notify(fmt.Appendf(nil, "line %d.%d\n", i, 3+j))
			}
			r.queue.Flush()
			r.wantLine(fmt.Sprint("reply ", i))
			for j := range 6 {
				r.wantLine(fmt.Sprintf("line %d.%d", i, j))
			}
		}
		eventually(t, "nothing counts as queued", func() bool {
			pushes, replies := r.queue.Queued()
			return pushes == 0 && replies == 0
		})
	})
}

func TestNotifiedLinesAreBoundedLikePushes(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		r := connect(t, newBroker(t), n, func(c *Config) { c.Limits.PushHard = 1 << 20 })
		r.queue.Cork()
		const line, limit = 100 << 10, 1 << 20
		for sent := 0; r.queue.Notify(make([]byte, line)) != broker.PushedOver; sent += line {
			if sent >= limit {
				t.Fatalf("%d bytes were queued, over a limit of %d", sent, limit)
			}
		}
	})
}
