package outbound

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"fanfare/broker"
)

// loadChannels are published to in turns that differ: two of them, cx and px, are
// seen through one pattern.
var loadChannels = []string{"c0", "cx", "c2", "c3", "p", "px", "c1"}

const loadPattern = "*x"

func loadChannel(i int) string {
	n := len(loadChannels)
	return loadChannels[i*i*i%11%n] // cubes have every rest
}

// A publisher, replies, and a peer that begins to read late: of a conflated
// subscription it misses what it is told it misses and nothing else, the last
// message always arrives, and of plain ones it misses nothing. A subscription to
// both kinds has one order.
func TestConflationUnderLoadTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		const messages = 3000
		var skipped atomic.Int64
		r := connect(t, newBroker(t, conflating), n, framed, func(c *Config) {
			c.Limits.ReplyPause, c.Skipped = 64<<10, &skipped
		})
		r.sub(broker.KindChannel, "c0", "c1", "c2", "c3", "p")
		r.sub(broker.KindPattern, loadPattern)
		r.stick()
		var wg sync.WaitGroup
		s := publisher(t, r.broker)
		stop, half := make(chan struct{}), make(chan struct{})
		wg.Go(func() {
			defer close(stop)
			for i := range messages {
				if i == messages/2 {
					close(half)
				}
				publish(t, s, loadChannel(i), text(i, 10+i%300))
			}
			for i, name := range loadChannels {
				publish(t, s, name, text(messages+i, 10))
			}
		})
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					r.queue.Cork()
					r.queue.Uncork([]byte("{\"reply\":1}\n"))
					r.queue.AwaitReplies(r.session.Done())
				}
			}
		})
		<-half // until then nobody reads
		r.drain()
		r.frame()
		checkLoad(t, r, messages)
		r.session.End(broker.ReasonKilled) // nobody reads any more, and the replies may wait for that
		wg.Wait()
		if skipped.Load() == 0 {
			t.Error("nothing was conflated")
		}
	})
}

// loadLine is a delivery as it arrives.
type loadLine struct {
	skipped  int
	via, msg string
	number   int
}

func parseLoad(t *testing.T, line string) (l loadLine) {
	t.Helper()
	rest := line
	if _, err := fmt.Sscanf(rest, `{"skipped":%d,`, &l.skipped); err == nil {
		rest = "{" + rest[strings.IndexByte(rest, ',')+1:]
	}
	if _, err := fmt.Sscanf(rest, `{"via":%q,`, &l.via); err == nil {
		rest = "{" + rest[strings.IndexByte(rest, ',')+1:]
	}
	if _, err := fmt.Sscanf(rest, `{"msg":%q,"data":"%d `, &l.msg, &l.number); err != nil {
		t.Fatalf("%.100s: %v", line, err)
	}
	return l
}

// loadSubscription returns the subscription that sees a channel.
func loadSubscription(channel string) string {
	if strings.HasSuffix(channel, "x") {
		return loadPattern
	}
	return channel
}

func checkLoad(t *testing.T, r *rig, messages int) {
	t.Helper()
	type message struct {
		channel string
		number  int
	}
	left := map[string][]message{} // of each subscription
	add := func(channel string, i int) {
		sub := loadSubscription(channel)
		left[sub] = append(left[sub], message{channel, i})
	}
	for i := range messages {
		add(loadChannel(i), i)
	}
	for i, name := range loadChannels {
		add(name, messages+i)
	}
	next, last := r.lines(true), -1
	for len(left) > 0 {
		line := next()
		if line == `{"reply":1}` {
			continue
		}
		l := parseLoad(t, line)
		sub := loadSubscription(l.msg)
		want := left[sub]
		if l.skipped >= len(want) || want[l.skipped] != (message{l.msg, l.number}) {
			t.Fatalf("%s: %d messages before its end, got %.100s", sub, len(want), line)
		}
		for _, m := range want[:l.skipped] {
			if m.channel[0] == 'p' {
				t.Fatalf("%s: message %d is skipped", m.channel, m.number)
			}
		}
		if sub[0] == 'c' { // each is conflated, and nothing else
			if l.number < last {
				t.Fatalf("message %d follows %d", l.number, last)
			}
			last = l.number
		}
		if left[sub] = want[l.skipped+1:]; len(left[sub]) == 0 {
			delete(left, sub)
		}
	}
}
