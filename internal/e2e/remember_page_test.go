package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The plain page of docs/javascript.md runs as it stands, but for the broker's address, from a server of its
// own: with its imports, from another origin than the broker's, what two people would do with it.
func TestThePlainPageOfTheDocs(t *testing.T) {
	n := start(t, rules(t, rememberAll)...)
	text := plainPage(t)
	if got := strings.Count(text, "localhost:8080"); got != 2 {
		t.Fatalf("got %d addresses of the broker in the page, want that of the client and that of the WebSocket", got)
	}
	local := func(address string) string { return strings.Replace(address, "127.0.0.1", "localhost", 1) }
	text = strings.ReplaceAll(text, "localhost:8080", local(n.HTTP))
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, text)
	}))
	t.Cleanup(site.Close)
	shared := browser(t)
	lines := func(want ...string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('#messages li')].map(li => li.textContent).join('|') == %q`, strings.Join(want, "|"))
	}
	one, two := shared.open(t, "one", local(site.URL)), shared.open(t, "two", site.URL)
	for _, b := range []*tab{one, two} {
		b.await(`document.getElementById('state').textContent == 'open'`)
	}
	one.do(chromedp.SendKeys(chromedp.CSS("#text"), "hello <b>all</b>"), enter)
	two.await(lines("hello <b>all</b>"))
	publish(t, dial(t, n.RESP, 3), "chat:lobby", `{"text":"from a terminal"}`)
	for _, b := range []*tab{one, two} {
		b.await(lines("hello <b>all</b>", "from a terminal"))
	}
	late := shared.open(t, "late", site.URL)
	late.await(lines("hello <b>all</b>", "from a terminal"))
}

// plainPage is the first block of HTML in docs/javascript.md.
func plainPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/javascript.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "```html\n")
	block, _, closed := strings.Cut(after, "```")
	if !found || !closed {
		t.Fatal("docs/javascript.md has no ```html block")
	}
	return block
}
