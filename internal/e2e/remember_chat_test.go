package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const chatRules = "../../examples/chat/broker.toml"

// saidAll is a condition: exactly these texts are on screen.
func saidAll(texts ...string) string {
	return fmt.Sprintf(`JSON.stringify([...document.querySelectorAll('#messages .text')].map(p => p.textContent)) == %q`, toJSON(texts))
}

// bannered is a condition: the banner says this.
func bannered(kind, text string) string {
	return fmt.Sprintf(`(b => !b.hidden && b.dataset.kind == %q && b.textContent.includes(%q))(document.getElementById('banner'))`, kind, text)
}

// present is a condition: these people are listed as being here.
func present(names ...string) string {
	return fmt.Sprintf(`JSON.stringify([...document.querySelectorAll('.member-name')].map(p => p.firstChild.textContent).sort()) == %q`, toJSON(names))
}

// Who comes late finds what was said before, and nothing of it is new.
func TestChatShowsWhatWasSaidBefore(t *testing.T) {
	n := start(t, "--config", chatRules)
	page := startChat(t, n.HTTP)
	shared := browser(t)
	ada := shared.open(t, "ada", page)
	ada.chatAs("Ada")
	ada.say("one")
	publish(t, dial(t, n.RESP, 3), "chat:lobby", "two")
	ada.await(saidAll("one", "two"))
	bob := shared.open(t, "bob", page)
	bob.await(saidAll("one", "two"))
	if got := eval[bool](bob, `document.querySelector('#messages .new') == null`); !got {
		t.Error("what was said before anybody came is marked as new")
	}
}

// A reload within the grace: the others see nobody leave and nobody come.
func TestOthersDoNotSeeAReload(t *testing.T) {
	n := start(t, "--config", chatRules, "--http-presence-grace", "1h")
	ada, bob := adaAndBob(t, n)
	ada.await(present("Ada", "Bob"))
	bob.say("before")
	ada.await(saidAll("before"))
	eval[chromedp.Void](ada, `{
		window.lists = new Set()
		const look = () => lists.add([...document.querySelectorAll('.member-name')].map(p => p.firstChild.textContent).sort().join())
		new MutationObserver(look).observe(document.getElementById('members'), { childList: true, subtree: true })
		window.counts = new Set()
		const count = document.getElementById('people-count')
		new MutationObserver(() => counts.add(count.textContent)).observe(count, { childList: true, characterData: true, subtree: true })
	}`)
	bob.do(chromedp.Reload())
	bob.await(connected + ` && ` + saidAll("before"))
	bob.await(present("Ada", "Bob"))
	bob.say("after")
	ada.await(saidAll("before", "after"))
	ada.await(present("Ada", "Bob"))
	if got := eval[[]string](ada, `[...lists]`); len(got) > 1 || (len(got) == 1 && got[0] != "Ada,Bob") {
		t.Errorf("the list of people was %q meanwhile, want Ada and Bob all the time", got)
	}
	if got := eval[[]string](ada, `[...counts]`); len(got) > 1 || (len(got) == 1 && got[0] != "2") {
		t.Errorf("the number of people was %q meanwhile, want 2 all the time", got)
	}
}

// Somebody who has been gone for longer than the grace has left, although the browser keeps the page, with its
// connection, for the way back. Who comes that way is here again, and has missed nothing.
func TestChatShowsWhoHasGone(t *testing.T) {
	n := start(t, "--config", chatRules, "--http-presence-grace", "300ms")
	ada, bob := adaAndBob(t, n)
	ada.await(present("Ada", "Bob"))
	eval[chromedp.Void](bob, `window.kept = true`)
	bob.do(chromedp.Navigate("about:blank"))
	ada.await(present("Ada"))
	ada.say("are you there?")
	eval[chromedp.Void](bob, `history.back()`)
	bob.await(`window.kept && ` + saidAll("are you there?"))
	ada.await(present("Ada", "Bob"))
}

// Typing is seen by the others while it lasts, not by who types, and is part of no history.
func TestChatShowsWhoIsTyping(t *testing.T) {
	n := start(t, "--config", chatRules)
	ada, bob := adaAndBob(t, n)
	bob.await(present("Ada", "Bob"))
	bob.do(chromedp.SendKeys(chromedp.CSS("#text"), "hel"))
	ada.await(`document.getElementById('typing').textContent == 'Bob is typing…'`)
	if got := eval[string](bob, `document.getElementById('typing').textContent`); got != "" {
		t.Errorf("Bob is told that %q", got)
	}
	bob.do(chromedp.SendKeys(chromedp.CSS("#text"), "lo"), enter)
	ada.await(saidAll("hello") + ` && document.getElementById('typing').textContent == ''`)
	got, err := dial(t, n.RESP, 2).Do(context.Background(), "HISTORY", "chat:lobby").Slice()
	if err != nil {
		t.Fatal(err)
	}
	if kept := got[7].([]any); len(kept) != 1 {
		t.Errorf("the history has %d messages, want what was said only: %v", len(kept), kept)
	}
}

// All sockets are cut while people write: nothing is missed, and what was written meanwhile is sent once.
func TestChatMissesNothingWhileItsNetworkIsCut(t *testing.T) {
	n := start(t, "--config", chatRules)
	l := newLine(t, n.HTTP)
	b := browser(t).open(t, "page", startChat(t, l.addr))
	b.chatAs("Ada")
	b.say("one")
	c := dial(t, n.RESP, 3)
	b.await(said("Ada", "one"))
	l.silent.Store(true) // nobody comes back yet
	l.cut()
	b.await(`document.getElementById('state').dataset.state != 'open'`)
	for _, text := range []string{"two", "three"} {
		publish(t, c, "chat:lobby", text)
	}
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), "four"), enter)
	b.await(`document.querySelectorAll('#pending li').length == 1`)
	l.restore()
	l.cut()
	b.await(bannered("back", "Nothing was missed."))
	b.await(saidAll("one", "two", "three", "four") + ` && document.querySelectorAll('#pending li').length == 0`)
	if got := eval[int](b, `document.querySelectorAll('#messages .note').length`); got != 0 {
		t.Errorf("%d notes say that something is missing", got)
	}
}

// The network falls silent: the page notices by itself, says so, and comes back.
func TestChatNoticesASilentNetwork(t *testing.T) {
	n := start(t, "--config", chatRules)
	l := newLine(t, n.HTTP)
	b := browser(t).open(t, "page", startChat(t, l.addr))
	b.chatAs("Ada")
	b.say("one")
	b.await(said("Ada", "one"))
	l.silence()
	publish(t, dial(t, n.RESP, 3), "chat:lobby", "two")
	b.ageBy(36_000)
	b.await(bannered("away", "No connection."))
	l.restore()
	b.ageBy(11_000) // an attempt made in silence ends by itself
	b.await(bannered("back", "Nothing was missed."))
	b.await(saidAll("one", "two"))
}

// What is said in another room is counted there, and marked where reading begins.
func TestChatMarksWhatIsUnread(t *testing.T) {
	n := start(t, "--config", chatRules)
	b := browser(t).open(t, "page", startChat(t, n.HTTP))
	b.chatAs("Ada")
	c := dial(t, n.RESP, 3)
	room := func(name string) {
		t.Helper()
		b.do(chromedp.SendKeys(chromedp.CSS("#room"), name), enter)
		b.await(fmt.Sprintf(`document.getElementById('title').textContent == '#%s'`, name))
	}
	room("ops")
	publish(t, c, "chat:ops", "all quiet")
	b.await(saidAll("all quiet"))
	room("lobby")
	publish(t, c, "chat:ops", "disk is full")
	publish(t, c, "chat:ops", "really")
	b.await(`document.title.startsWith('(2) ')`)
	badges := eval[[]string](b, `[...document.querySelectorAll('#rooms .badge')].map(e => e.hidden ? '' : e.firstChild.textContent)`)
	if want := []string{"", "2"}; !slices.Equal(badges, want) {
		t.Errorf("got badges %q, want %q", badges, want)
	}
	b.do(chromedp.Click(chromedp.CSS("#rooms li:last-child a")))
	b.await(saidAll("all quiet", "disk is full", "really"))
	if got, want := eval[string](b, `document.querySelector('#messages .new').nextElementSibling.querySelector('.text').textContent`), "disk is full"; got != want {
		t.Errorf("the marker stands above %q, want %q", got, want)
	}
	b.await(`!document.title.startsWith('(')`)

	// What was read before a reload comes once more then, and is not new.
	room("lobby")
	b.do(chromedp.Reload())
	b.await(connected)
	publish(t, c, "chat:ops", "fixed")
	b.await(`document.title.startsWith('(')`)
	if got := eval[string](b, `document.title`); !strings.HasPrefix(got, "(1) ") {
		t.Errorf("got title %q, want only the last message to be new", got)
	}
}
