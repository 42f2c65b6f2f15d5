package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// tellRecovery makes the page write down what it is told when it has subscribed again.
func (b *tab) tellRecovery(variables ...string) {
	b.t.Helper()
	eval[chromedp.Void](b, `window.recoveries = []`)
	for _, variable := range variables {
		eval[chromedp.Void](b, fmt.Sprintf(`%s.room.on('subscribed', m => recoveries.push(m.recovered)); undefined`, variable))
	}
}

// A browser is connected while the broker is upgraded again and again and publishers go on. Its window has every
// message once and in order, on a channel and through a pattern, and is told so; also the window that finds its
// way back only after the new node has published.
func TestWindowMissesNothingWhenTheBrokerIsRestarted(t *testing.T) {
	const restarts = 3
	s := startService(t, rememberAll)
	address := s.now.Load().HTTP
	l := newLine(t, address)
	shared := browser(t)
	prompt, late := shared.window(t, "prompt", address), shared.window(t, "late", l.addr)
	windows := []*tab{prompt, late}
	for _, b := range windows {
		b.watch("room", "chat:lobby", `{}`)
		b.watch("all", "chat:*", `{}`)
		b.tellRecovery("room", "all")
	}
	publisher := s.publish("chat:lobby", time.Millisecond)
	for range restarts {
		publisher.more(t, 50)
		l.silent.Store(true)
		s.restart()
		publisher.more(t, 50)
		l.restore()
		l.cut()
		for _, b := range windows {
			b.await(`chat.state == 'open' && states.splice(0).includes('waiting')`)
		}
	}
	publisher.more(t, 50)
	want := s.end("chat:lobby", publisher)
	for _, b := range windows {
		same(t, b, "room", want)
		same(t, b, "all", want)
		if told := eval[[]bool](b, `recoveries`); len(told) < 2*restarts || slices.Contains(told, false) {
			t.Errorf("tab %s: got recovered %v, want true after each of %d restarts, for both", b.name, told, restarts)
		}
	}
	if replayed := eval[int](late, `room.log.filter(m => m.recovered).length`); replayed < 50*restarts {
		t.Errorf("only %d messages came out of the history", replayed)
	}
}

// The broker is killed: what it had not saved is lost. A window that returns when the new node has published as much
// is told that it may have missed something, gets what there is, and goes on.
func TestWindowIsToldWhenTheBrokerWasKilled(t *testing.T) {
	s := startService(t, rememberAll)
	c := s.client()
	say := func(text string) {
		t.Helper()
		eventually(t, "a message is answered", func() bool { return c.Publish(t.Context(), "chat:lobby", text).Err() == nil })
	}
	l := newLine(t, s.now.Load().HTTP)
	b := browser(t).window(t, "window", l.addr)
	b.watch("room", "chat:lobby", `{}`)
	b.tellRecovery("room")
	say("saved")
	if err := c.Save(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	say("lost")
	b.await(`room.log.length == 2`)
	l.silent.Store(true)
	s.crash()
	say("new 1")
	say("new 2")
	l.restore()
	l.cut()
	b.await(`room.log.length == 5`)
	s.restart()
	b.await(`recoveries.length == 2`)
	say("new 3")
	b.await(`room.log.length == 6`)
	if got, want := b.texts("room"), []string{"saved", "lost", "saved", "new 1", "new 2", "new 3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := eval[string](b, `JSON.stringify([recoveries, gaps])`), `[[false,true],[{"missed":-1}]]`; got != want {
		t.Errorf("got recovered and gaps %s, want %s", got, want)
	}
}
