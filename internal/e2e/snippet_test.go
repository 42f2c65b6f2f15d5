package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The snippet of the README is pasted into the console of the broker's own page, as its reader does it:
// what Redis clients publish arrives there, and what it publishes reaches Redis clients.
func TestReadmeSnippetInABrowser(t *testing.T) {
	n := start(t)
	host := strings.Replace(n.HTTP, "127.0.0.1", "localhost", 1)
	snippet := readmeSnippet(t)
	if got := strings.Count(snippet, "localhost:8080"); got != 1 {
		t.Fatalf("got %d addresses in the snippet, want one:\n%s", got, snippet)
	}
	b := browser(t).open(t, "console", "http://"+host+"/")
	eval[chromedp.Void](b, `window.logged = []; console.log = (...words) => logged.push(JSON.stringify(words))`)
	b.do(chromedp.Evaluate[chromedp.Void](strings.Replace(snippet, "localhost:8080", host, 1)))

	c := dial(t, n.RESP, 3)
	eventually(t, "the page's subscription counts", func() bool { return publish(t, c, "chat:lobby", "are you there?") == 1 })
	b.await(`logged.includes('["chat:lobby","are you there?"]')`)
	publish(t, c, "chat:2", `{"text": "ob\"ject", "n": 12345678901234567890}`)
	b.await(`logged.length == 2`)
	// The number is the browser's reading of the text; the text itself is unchanged on its way.
	const want = `["chat:2",{"text":"ob\"ject","n":12345678901234567000}]`
	if got := eval[string](b, `logged[1]`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	s := listen(t, c, "chat:*")
	eval[chromedp.Void](b, `say('x')`)
	got := receive(t, s)
	if got.Channel != "chat:lobby" || got.Payload != `{"text":"x"}` {
		t.Errorf("got %s on %s, want {\"text\":\"x\"} on chat:lobby", got.Payload, got.Channel)
	}
	b.await(`logged.includes('["chat:lobby",{"text":"x"}]')`)
}

// readmeSnippet is the block of JavaScript in the README.
func readmeSnippet(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "```js\n")
	block, _, closed := strings.Cut(after, "```")
	if !found || !closed || !strings.Contains(block, "new WebSocket(") {
		t.Fatal("README.md has no ```js block with a WebSocket")
	}
	return block
}
