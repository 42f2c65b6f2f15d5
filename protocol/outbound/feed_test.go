package outbound

import (
	"fmt"
	"testing"

	"fanfare/broker"
)

func TestFedLinesFollowTheRepliesThatAreBeingMade(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		r := connect(t, newBroker(t), n)
		for i := range 20 {
			r.queue.Cork()
			for j := range 3 {
				if !r.queue.Feed(fmt.Appendf(nil, "line %d.%d\n", i, j)) {
					t.Fatal("the line was refused")
				}
			}
			r.queue.Uncork(fmt.Appendf(nil, "reply %d\n", i))
			r.queue.Feed(fmt.Appendf(nil, "line %d.3\n", i))
			r.wantLine(fmt.Sprint("reply ", i))
			for j := range 4 {
				r.wantLine(fmt.Sprintf("line %d.%d", i, j))
			}
		}
		eventually(t, "nothing counts as queued", func() bool {
			pushes, replies := r.queue.Queued()
			return pushes == 0 && replies == 0
		})
	})
}

func TestFedLinesAreBoundedLikePushes(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		r := connect(t, newBroker(t), n, func(c *Config) { c.Limits.PushHard = 1 << 20 })
		r.queue.Cork()
		const line, limit = 100 << 10, 1 << 20
		fed := 0
		for r.queue.Feed(make([]byte, line)) {
			if fed += line; fed >= limit {
				t.Fatalf("%d bytes were queued, over a limit of %d", fed, limit)
			}
		}
		r.queue.SetPushLimits(2*limit, 0, 0)
		if !r.queue.Feed(make([]byte, line)) {
			t.Error("a line was refused under a limit that was raised")
		}
		r.session.End(broker.ReasonSlow)
		if pushes, _ := r.queue.Queued(); pushes != 0 {
			t.Errorf("%d bytes are queued after the end", pushes)
		}
		if !r.queue.Feed(make([]byte, 3*limit)) {
			t.Error("a line after the end was refused; it is to vanish")
		}
	})
}
