package e2e

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// counter publishes 0, 1, 2 … to a channel until it is stopped.
type counter struct {
	published atomic.Int64
	stop      func() []string
}

func count(t *testing.T, c *redis.Client, channel string) *counter {
	t.Helper()
	k := &counter{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				done <- nil
				return
			case <-tick.C:
			}
			if err := c.Publish(context.Background(), channel, strconv.Itoa(n)).Err(); err != nil {
				done <- err
				return
			}
			k.published.Add(1)
		}
	}()
	k.stop = func() []string {
		cancel()
		if err := <-done; err != nil {
			t.Fatalf("publish: %v", err)
		}
		all := make([]string, k.published.Load())
		for n := range all {
			all[n] = strconv.Itoa(n)
		}
		return all
	}
	t.Cleanup(cancel)
	return k
}

// more waits until so many further messages are published.
func (k *counter) more(t *testing.T, n int64) {
	t.Helper()
	until := k.published.Load() + n
	eventually(t, "more is published", func() bool { return k.published.Load() >= until })
}

// same fails if what a window has got is not exactly what was published.
func same(t *testing.T, b *tab, variable string, want []string) {
	t.Helper()
	eventually(t, "tab "+b.name+" has the last message", func() bool {
		got := b.texts(variable)
		return len(got) >= len(want) && slices.Contains(got, want[len(want)-1])
	})
	if got := b.texts(variable); !slices.Equal(got, want) {
		t.Fatalf("tab %s, %s: %s", b.name, variable, difference(got, want))
	}
	if gaps := eval[int](b, `gaps.length`); gaps != 0 {
		t.Errorf("tab %s: %d gaps are announced", b.name, gaps)
	}
}

// While a publisher is running, all sockets of a window break again and again. It gets every message once and
// in order, on a channel and through a pattern, as the window beside it whose network is sound.
func TestWindowMissesNothingWhenSocketsAreCut(t *testing.T) {
	n := start(t, rules(t, rememberAll)...)
	l := newLine(t, n.HTTP)
	shared := browser(t)
	cut, sound := shared.window(t, "cut", l.addr), shared.window(t, "sound", n.HTTP)
	for _, b := range []*tab{cut, sound} {
		b.watch("room", "chat:lobby", `{}`)
		b.watch("all", "chat:*", `{}`)
	}
	publisher := count(t, dial(t, n.RESP, 3), "chat:lobby")
	for range 5 {
		publisher.more(t, 50)
		l.cut()
		cut.await(`chat.state == 'open' && states.splice(0).includes('waiting')`)
	}
	publisher.more(t, 50)
	want := publisher.stop()
	for _, b := range []*tab{cut, sound} {
		same(t, b, "room", want)
		same(t, b, "all", want)
	}
	if recovered := eval[int](cut, `room.log.filter(m => m.recovered).length`); recovered == 0 {
		t.Error("no message came out of the history: the sockets were not cut")
	}
	if recovered := eval[int](sound, `room.log.filter(m => m.recovered).length`); recovered != 0 {
		t.Errorf("%d messages came out of the history although nothing was cut", recovered)
	}
}

// The network falls silent: no socket breaks, nothing arrives. The client gives the connection up by itself,
// and goes on where it was.
func TestWindowComesBackFromASilentNetwork(t *testing.T) {
	n := start(t, rules(t, rememberAll)...)
	l := newLine(t, n.HTTP)
	b := browser(t).window(t, "silent", l.addr)
	b.watch("room", "chat:lobby", `{}`)
	publisher := count(t, dial(t, n.RESP, 3), "chat:lobby")
	publisher.more(t, 50)
	b.await(`room.log.length > 10`)
	l.silence()
	publisher.more(t, 200)
	if got := eval[string](b, `chat.state`); got != "open" {
		t.Fatalf("the client is %s before it can know that the network is silent", got)
	}
	b.ageBy(36_000)
	b.await(`states.includes('waiting')`)
	l.restore()
	// An attempt made in silence ends by itself, too.
	b.ageBy(11_000)
	b.await(`chat.state == 'open'`)
	publisher.more(t, 50)
	same(t, b, "room", publisher.stop())
}

// What the broker does not keep any more is announced.
func TestWindowIsToldWhatItMissed(t *testing.T) {
	n := start(t, rules(t, "[[channel]]\nmatch = \"chat:*\"\nhistory = { size = 6 }\n")...)
	l := newLine(t, n.HTTP)
	b := browser(t).window(t, "gap", l.addr)
	b.watch("room", "chat:lobby", `{}`)
	c := dial(t, n.RESP, 3)
	publish(t, c, "chat:lobby", "seen")
	b.await(`room.log.length == 1`)
	l.silent.Store(true) // nobody comes back before everything is published
	l.cut()
	for i := range 10 {
		publish(t, c, "chat:lobby", strconv.Itoa(i))
	}
	l.restore()
	l.cut()
	b.await(`room.log.length == 7`)
	if got, want := b.texts("room"), []string{"seen", "4", "5", "6", "7", "8", "9"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := eval[string](b, `JSON.stringify(gaps)`); got != `[{"missed":4}]` {
		t.Errorf("got gaps %s, want one of 4", got)
	}
}

// A publish whose answer a cut has swallowed is repeated if it has a key, and takes effect once.
func TestPublishWithAKeyArrivesOnce(t *testing.T) {
	n := start(t, rules(t, rememberAll)...)
	l := newLine(t, n.HTTP)
	shared := browser(t)
	sender, reader := shared.window(t, "sender", l.addr), shared.window(t, "reader", n.HTTP)
	reader.watch("room", "chat:lobby", `{}`)
	sender.watch("room", "chat:lobby", `{}`)
	const ask = `room.room.publish(%s).then(a => answers.push(a.offset), e => answers.push(e.code)); ({})`
	eval[struct{}](sender, `window.answers = []; `+fmt.Sprintf(ask, `'once', { key: 'k1' }`))
	sender.await(`answers.length == 1`)
	l.mute() // requests arrive, answers do not
	eval[struct{}](sender, fmt.Sprintf(ask, `'twice', { key: 'k2' }`))
	eval[struct{}](sender, fmt.Sprintf(ask, `'perhaps'`))
	reader.await(`room.log.length == 3`)
	l.cut()
	sender.await(`answers.length == 3 && room.log.length == 3`)
	offsets := eval[string](reader, `JSON.stringify([room.log[0].offset, 'lost', room.log[1].offset])`)
	if got := eval[string](sender, `JSON.stringify(answers)`); got != offsets {
		t.Errorf("got answers %s, want %s: nobody knows of the one without a key, and the other one's first offset", got, offsets)
	}
	publish(t, dial(t, n.RESP, 3), "chat:lobby", "the end")
	for _, b := range []*tab{sender, reader} {
		same(t, b, "room", []string{"once", "twice", "perhaps", "the end"})
	}
}
