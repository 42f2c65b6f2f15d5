package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

var chatBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "chat")
	if out, err := exec.Command("go", "build", "-o", path, "fanfare/examples/chat").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build examples/chat: %w\n%s", err, out)
	}
	return path, nil
})

var chatAddress = regexp.MustCompile(`http://localhost:\d+/`)

// startChat serves examples/chat for a broker and returns the page's address.
func startChat(t *testing.T, broker string) string {
	t.Helper()
	path, err := chatBinary()
	if err != nil {
		t.Fatal(err)
	}
	output := &transcript{}
	cmd := exec.Command(path, "--listen", "127.0.0.1:0", "--broker", "ws://"+broker+"/ws")
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, "the chat says where it is", func() bool { return chatAddress.MatchString(output.String()) })
	return chatAddress.FindString(output.String())
}

// perPage is how many subscriptions of a page get a message of the room it shows: one to the room, and one to
// the pattern of all rooms.
const perPage = 2

const connected = `document.getElementById('state').dataset.state == 'open'`

// said is a condition: the newest message on screen is text, from name.
func said(name, text string) string {
	return fmt.Sprintf(`(() => {
		const texts = document.querySelectorAll('#messages .text'), names = document.querySelectorAll('#messages .who b')
		return texts.length > 0 && texts[texts.length-1].textContent == %q && names[names.length-1].textContent == %q
	})()`, text, name)
}

func (b *tab) chatAs(name string) {
	b.t.Helper()
	b.await(connected)
	eval[chromedp.Void](b, `document.getElementById('name').select()`)
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), name))
}

func (b *tab) say(text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), text), enter)
	b.await(`document.getElementById('text').value == ''`)
}

// enter presses the key as a keyboard does: one event that a page can refuse as a whole. kb.Enter sends the
// line feed in an event of its own, which a field takes even if its page has handled the key.
func enter(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
	key := input.DispatchKeyEventParams{Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r"}
	for _, key.Type = range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		if _, err := cdp.Call(ctx, tab, input.DispatchKeyEvent, key); err != nil {
			return chromedp.Void{}, err
		}
	}
	return chromedp.Void{}, nil
}

// adaAndBob are two people in the chat of a broker.
func adaAndBob(t *testing.T, n *node) (ada, bob *tab) {
	t.Helper()
	page, shared := startChat(t, n.HTTP), browser(t)
	ada, bob = shared.open(t, "ada", page), shared.open(t, "bob", page)
	ada.chatAs("Ada")
	bob.chatAs("Bob")
	return ada, bob
}

// Two people in two browsers and one at a terminal talk with each other.
func TestChatBetweenTwoBrowsersAndRedis(t *testing.T) {
	n := start(t)
	ada, bob := adaAndBob(t, n)
	c := dial(t, n.RESP, 2)
	terminal := listen(t, c, "chat:*")

	ada.say(`hello <i>Bob</i> & "all"`)
	ada.await(said("Ada", `hello <i>Bob</i> & "all"`))
	bob.await(said("Ada", `hello <i>Bob</i> & "all"`))
	got := receive(t, terminal)
	if want := `{"name":"Ada","text":"hello <i>Bob</i> & \"all\""}`; got.Payload != want || got.Channel != "chat:lobby" {
		t.Errorf("redis got %s on %s, want %s on chat:lobby", got.Payload, got.Channel, want)
	}
	bob.say("hello Ada")
	ada.await(said("Bob", "hello Ada"))

	if got := publish(t, c, "chat:lobby", "<b>deploy</b> done"); got != 2*perPage+1 {
		t.Errorf("got %d receivers, want both pages and the terminal", got)
	}
	for _, b := range []*tab{ada, bob} {
		b.await(said("redis-cli", "<b>deploy</b> done"))
		if eval[bool](b, `document.querySelector('#messages b b, #messages i, #messages .text *') != null`) {
			t.Errorf("%s: markup of a message became part of the page", b.name)
		}
	}
	// Bytes that are not text are not shown as text.
	publish(t, c, "chat:lobby", "\xff\xfe\x00")
	ada.await(said("redis-cli", "3 bytes that are not text"))
}

func TestChatRooms(t *testing.T) {
	n := start(t)
	b := browser(t).open(t, "page", startChat(t, n.HTTP))
	b.chatAs("Ada")
	if got, want := eval[string](b, `document.title`), "#lobby · Fanfare chat"; got != want {
		t.Errorf("got title %q, want %q", got, want)
	}
	c := dial(t, n.RESP, 3)
	publish(t, c, "chat:on call/ü%", "wake up")
	b.await(`document.title == '(1) #lobby · Fanfare chat'`)
	b.await(`document.querySelector('#rooms li:last-child .room-name').textContent == 'on call/ü%'`)
	b.do(chromedp.Click(chromedp.CSS("#rooms li:last-child a")))
	b.await(said("redis-cli", "wake up"))
	b.await(`document.title == '#on call/ü% · Fanfare chat'`)
	terminal := listen(t, c, "chat:*")
	b.say("coming")
	if got := receive(t, terminal).Channel; got != "chat:on call/ü%" {
		t.Errorf("got channel %q, want that of the room shown", got)
	}
	b.do(chromedp.SendKeys(chromedp.CSS("#room"), "#ops"), enter)
	b.await(`document.title == '#ops · Fanfare chat' && document.querySelectorAll('#rooms li').length == 3`)
}

func TestChatComesBackByItself(t *testing.T) {
	n := start(t)
	l := newLine(t, n.HTTP)
	b := browser(t).open(t, "page", startChat(t, l.addr))
	b.chatAs("Ada")
	b.say("before")
	b.await(said("Ada", "before"))
	l.cut()
	b.await(connected + ` && document.querySelectorAll('#messages .note').length == 1`)
	c := dial(t, n.RESP, 3)
	eventually(t, "only the page's new subscription is left", func() bool { return publish(t, c, "chat:lobby", "after") == perPage })
	b.await(said("redis-cli", "after"))
	b.say("and I hear you")
	b.await(said("Ada", "and I hear you"))
}
