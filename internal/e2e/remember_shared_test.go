package e2e

import (
	"context"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// What redis-cli publishes reaches both windows, and is part of the history, for a window that opens later and
// for redis-cli.
func TestRedisCLIReachesWindowsAndHistory(t *testing.T) {
	cli := redisCLI(t)
	n := start(t, rules(t, rememberAll)...)
	_, port, err := net.SplitHostPort(n.RESP)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(cli, append([]string{"-p", port}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("redis-cli %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	shared := browser(t)
	one, two := shared.window(t, "one", n.HTTP), shared.window(t, "two", n.HTTP)
	one.watch("room", "chat:lobby", `{}`)
	two.watch("room", "chat:*", `{}`)
	if got := ask("PUBLISH", "chat:lobby", "first"); got != "2\n" {
		t.Errorf("got %q receivers, want both windows", got)
	}
	ask("PUBLISH", "chat:lobby", `{"text": "second"}`)
	const want = `["first",{"text":"second"}]`
	for _, b := range []*tab{one, two} {
		b.await(`room.log.length == 2`)
		if got := eval[string](b, `JSON.stringify(room.log.map(m => m.data))`); got != want {
			t.Errorf("tab %s: got %s, want %s", b.name, got, want)
		}
	}
	if got := eval[string](one, `room.room.history({ limit: 10 }).then(all => JSON.stringify(all.map(m => m.data)))`); got != want {
		t.Errorf("history of the window: got %s, want %s", got, want)
	}
	late := shared.window(t, "late", n.HTTP)
	late.watch("room", "chat:lobby", `{ last: 1 }`)
	late.await(`room.log.length == 1`)
	if got := eval[string](late, `JSON.stringify([room.log[0].data, room.log[0].recovered])`); got != `[{"text":"second"},true]` {
		t.Errorf("a later window: got %s, want the last message", got)
	}
	if out := ask("HISTORY", "chat:lobby"); !strings.Contains(out, "first") || !strings.Contains(out, `{"text": "second"}`) {
		t.Errorf("HISTORY prints %s, want both messages as they were published", out)
	}
}

// Who comes late sees the retained message, from a window or from a terminal, until it is taken back.
func TestLateWindowSeesTheRetainedMessage(t *testing.T) {
	n := start(t, rules(t, "[[channel]]\nmatch = \"price:*\"\n")...)
	c := dial(t, n.RESP, 3)
	shared := browser(t)
	early := shared.window(t, "early", n.HTTP)
	early.watch("price", "price:tea", `{}`)
	eval[struct{}](early, `price.room.publish({ pence: 120 }, { retain: true }).then(() => ({}))`)
	early.await(`price.log.length == 1`)
	if eval[bool](early, `price.log[0].retained`) {
		t.Error("the live message says that it is a retained one")
	}
	if err := c.Do(context.Background(), "RETAIN", "price:milk", "90").Err(); err != nil {
		t.Fatal(err)
	}
	late := shared.window(t, "late", n.HTTP)
	late.watch("price", "price:tea", `{}`)
	late.watch("all", "price:*", `{}`)
	late.watch("none", "price:m*", `{ retained: false }`)
	late.await(`price.log.length == 1 && all.log.length == 2`)
	const want = `[["price:milk","90",true],["price:tea",{"pence":120},true]]`
	if got := eval[string](late, `JSON.stringify(all.log.map(m => [m.channel, m.data, m.retained]))`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := eval[string](late, `JSON.stringify([price.log[0].data, price.log[0].retained])`); got != `[{"pence":120},true]` {
		t.Errorf("got %s", got)
	}
	eval[struct{}](late, `price.room.unretain().then(() => ({}))`)
	later := shared.window(t, "later", n.HTTP)
	later.watch("price", "price:tea", `{}`)
	// The answer to a question asked afterwards: nothing else was on its way.
	later.watch("end", "price:end", `{}`)
	if got := eval[int](later, `price.log.length`); got != 0 {
		t.Errorf("got %d messages although the retained one was taken back", got)
	}
	if got := eval[int](late, `none.log.length`); got != 0 {
		t.Errorf("got %d messages although none was asked for", got)
	}
}

// Both windows see who is there, who says something new of themselves, and who leaves: at once, not after the
// grace.
func TestMembersInTwoWindows(t *testing.T) {
	n := start(t, append(rules(t, rememberAll), "--http-presence-grace", "1h")...)
	l := newLine(t, n.HTTP)
	shared := browser(t)
	ada, bob := shared.window(t, "ada", n.HTTP), shared.window(t, "bob", l.addr)
	ada.watch("room", "chat:lobby", `{ presence: { name: 'Ada' } }`)
	bob.watch("room", "chat:lobby", `{ presence: { name: 'Bob' } }`)
	ada.await(`room.log.filter(e => e.joined).length == 2`)
	names := func(b *tab) []string {
		t.Helper()
		return eval[[]string](b, `room.room.who().then(who => Object.values(who).map(d => d.name).sort())`)
	}
	for _, b := range []*tab{ada, bob} {
		if got, want := names(b), []string{"Ada", "Bob"}; !slices.Equal(got, want) {
			t.Errorf("tab %s: got %q, want %q", b.name, got, want)
		}
	}
	eval[struct{}](bob, `room.room.join({ name: 'Bobby' }).then(() => ({}))`)
	ada.await(`room.log.at(-1).data?.name == 'Bobby' && 'updated' in room.log.at(-1)`)
	eval[chromedp.Void](bob, `chat.close()`)
	ada.await(`'left' in room.log.at(-1)`)
	if got, want := names(ada), []string{"Ada"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
