package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/redis/go-redis/v9"
)

var notifyBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "notify")
	if out, err := exec.Command("go", "build", "-o", path, "fanfare/examples/notify").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build examples/notify: %w\n%s", err, out)
	}
	return path, nil
})

var notifyAddress = regexp.MustCompile(`http://localhost:\d+/`)

const notifyRules = "../../examples/notify/broker.toml"

// startNotify runs examples/notify for a broker and returns the page's address.
func startNotify(t *testing.T, n *node, wait string) string {
	t.Helper()
	path, err := notifyBinary()
	if err != nil {
		t.Fatal(err)
	}
	output := run(t, path, "--listen", "127.0.0.1:0", "--redis", n.RESP, "--broker", "ws://"+n.HTTP+"/ws", "--wait", wait)
	eventually(t, "the service says where it is", func() bool { return notifyAddress.MatchString(output.String()) })
	return notifyAddress.FindString(output.String())
}

// isHere is a condition: the page shows that somebody is here, or away.
func isHere(person string, here bool) string {
	return fmt.Sprintf(`document.querySelector('[data-person=%s]').classList.contains('here') == %t`, person, here)
}

// listed is a condition: the list with this id is exactly these texts, the newest first.
func listed(id string, texts ...string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('#%s li p')].map(p => p.textContent).join('|') == %q`, id, strings.Join(texts, "|"))
}

func (b *tab) notify(person, text, want string) {
	b.t.Helper()
	eval[chromedp.Void](b, fmt.Sprintf(`document.getElementById('to').value = %q`, person))
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), text), enter)
	b.await(fmt.Sprintf(`document.getElementById('way').textContent == %q`, want))
}

// Who has a page open is told there, who has not gets a mail, and finds it on the page later.
func TestNotifyDecidesBetweenBrowserAndMail(t *testing.T) {
	n := start(t, "--config", notifyRules)
	page := startNotify(t, n, "200ms")
	shared := browser(t)
	ada, nobody := shared.open(t, "ada", page+"#ada"), shared.open(t, "nobody", page)
	nobody.await(isHere("ada", true) + " && " + isHere("bob", false))

	nobody.notify("ada", "tea <b>is</b> ready", "Ada has it in the browser.")
	ada.await(listed("inbox", "tea <b>is</b> ready"))
	nobody.notify("bob", "call your mother", "Bob is away: a mail goes out unless Bob is back within 200ms.")
	for _, b := range []*tab{ada, nobody} {
		b.await(listed("outbox", "call your mother"))
	}
	bob := shared.open(t, "bob", page+"#bob")
	bob.await(listed("inbox", "call your mother"))
	bob.await(listed("outbox", "call your mother"))
	if got, want := eval[string](bob, `document.querySelector('#inbox small').textContent.split(' · ')[1]`), "while you were away"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	nobody.await(isHere("bob", true))

	publish(t, dial(t, n.RESP, 3), "user:ada", "from a terminal")
	ada.await(listed("inbox", "from a terminal", "tea <b>is</b> ready"))
	// A window may become somebody else's.
	for _, person := range []string{"", "eve"} {
		ada.do(chromedp.Navigate(page + "#" + person))
		nobody.await(isHere("ada", false) + " && " + isHere("eve", person == "eve"))
		ada.await(listed("inbox"))
	}
}

// A page that was only reloaded, or a moment in a lift, is no reason for a mail.
func TestWhoComesBackInTimeGetsNoMail(t *testing.T) {
	n := start(t, "--config", notifyRules)
	page := startNotify(t, n, "10s")
	b := browser(t).open(t, "nobody", page)
	b.await(isHere("ada", false))
	b.notify("ada", "first", "Ada is away: a mail goes out unless Ada is back within 10s.")
	listenTo(t, dial(t, n.RESP, 3), "user:ada")
	b.await(isHere("ada", true))
	// Bob's wait begins later: when his mail is there, Ada's would be too.
	b.notify("bob", "second", "Bob is away: a mail goes out unless Bob is back within 10s.")
	b.await(listed("outbox", "second"))
}

// The service learns who is here also when it starts late, and again when it had lost the broker meanwhile: of
// what happened then no event tells it.
func TestNotifyLearnsWhoIsHereAgain(t *testing.T) {
	n := start(t, "--config", notifyRules)
	c := dial(t, n.RESP, 3)
	ada := listenTo(t, c, "user:ada")
	l := newLine(t, n.RESP)
	b := browser(t).open(t, "nobody", startNotify(t, &node{RESP: l.addr, HTTP: n.HTTP}, "1m"))
	b.await(isHere("ada", true) + " && " + isHere("eve", false))
	l.silent.Store(true) // the service does not come back yet
	l.cut()
	_ = ada.Close()
	listenTo(t, c, "user:eve")
	eventually(t, "Ada has gone", func() bool {
		return c.PubSubNumSub(context.Background(), "user:ada").Val()["user:ada"] == 0
	})
	l.restore()
	l.cut()
	b.await(isHere("ada", false) + " && " + isHere("eve", true))
}

// listenTo subscribes to a channel and returns once the broker has acknowledged.
func listenTo(t *testing.T, c *redis.Client, channel string) *redis.PubSub {
	t.Helper()
	s := c.Subscribe(context.Background(), channel)
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Receive(context.Background()); err != nil {
		t.Fatalf("subscribe to %s: %v", channel, err)
	}
	return s
}
