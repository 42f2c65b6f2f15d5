package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func ask(t *testing.T, r *http.Request) *http.Response {
	t.Helper()
	p, err := newPage(`wss://news.example:444/a?b="><script>`, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	nobody := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	t.Cleanup(func() { _ = nobody.Close() })
	routes(p, newDesk(nobody, time.Minute)).ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageNamesTheBrokerAndItsClient(t *testing.T) {
	t.Parallel()
	res := ask(t, httptest.NewRequest(http.MethodGet, "/", nil))
	policy := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{"script-src 'self' https://news.example:444/client.js;", "connect-src 'self' wss://news.example:444"} {
		if !strings.Contains(policy, want) {
			t.Errorf("got policy %q, want it to have %q", policy, want)
		}
	}
	got := body(t, res)
	for _, want := range []string{
		`<meta name="broker" content="wss://news.example:444/a?b=&#34;&gt;&lt;script&gt;">`,
		`<meta name="client" content="https://news.example:444/client.js">`,
		`<a href="#eve" data-person="eve">`,
		`Whoever is away for 5s gets one.`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want it to have %q", got, want)
		}
	}
}

func TestPageServesItsFiles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method, path string
		status       int
		kind         string
	}{
		{http.MethodGet, "/", 200, "text/html"},
		{http.MethodHead, "/", 200, "text/html"},
		{http.MethodGet, "/app.js", 200, "text/javascript"},
		{http.MethodGet, "/style.css", 200, "text/css"},
		{http.MethodGet, "/icon.svg", 200, "image/svg+xml"},
		{http.MethodGet, "/desk.go", 404, "text/plain"},
		{http.MethodPost, "/", 405, "text/plain"},
		{http.MethodGet, "/notify", 404, "text/plain"},
	}
	for _, tt := range tests {
		res := ask(t, httptest.NewRequest(tt.method, tt.path, nil))
		if kind := res.Header.Get("Content-Type"); res.StatusCode != tt.status || !strings.HasPrefix(kind, tt.kind) {
			t.Errorf("%s %s: got %d %q, want %d %q", tt.method, tt.path, res.StatusCode, kind, tt.status, tt.kind)
		}
		if res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s %s: no Content-Security-Policy", tt.method, tt.path)
		}
	}
}

func TestWhoMayNotifyWhom(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, origin, body string
		want               int
	}{
		{"the page itself, but the broker is gone", "http://example.com", `{"to":"ada","text":"x"}`, http.StatusBadGateway},
		{"another site", "http://evil.example", `{"to":"ada","text":"x"}`, http.StatusForbidden},
		{"somebody unknown", "http://example.com", `{"to":"zoe","text":"x"}`, http.StatusBadRequest},
		{"no text", "http://example.com", `{"to":"ada","text":" "}`, http.StatusBadRequest},
		{"no JSON", "http://example.com", `to=ada`, http.StatusBadRequest},
		{"a book", "http://example.com", `{"to":"ada","text":"` + strings.Repeat("x", 9000) + `"}`, http.StatusBadRequest},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(http.MethodPost, "/notify", strings.NewReader(tt.body))
		r.Header.Set("Origin", tt.origin)
		if got := ask(t, r).StatusCode; got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// Who was here when the notification came, or comes before the wait is over, gets no mail.
func TestVisitsAreCounted(t *testing.T) {
	t.Parallel()
	d := newDesk(nil, time.Minute)
	for _, here := range []bool{true, true, false, true} {
		d.note("ada", here)
	}
	d.note("zoe", true)
	if got, want := d.look("ada"), (visits{here: true, count: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if len(d.seen) != 1 {
		t.Errorf("got %v: somebody unknown is remembered", d.seen)
	}
}

func TestAWrongBrokerAddressIsRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "localhost:8080", "http://localhost:8080/ws", "ws://", "ws://a;script-src *", "ws://a'b"} {
		if _, err := newPage(address, 0); err == nil {
			t.Errorf("%q: got no error", address)
		}
	}
}

func TestPageAddressIsShownAsTyped(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{"127.0.0.1:8091": "localhost:8091", "[::1]:8091": "localhost:8091", "10.0.0.1:80": "10.0.0.1:80"} {
		if got := shown(addr); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}

// Markup of others must never become part of the document.
func TestPageScriptUsesNoMarkupSinks(t *testing.T) {
	t.Parallel()
	source, err := files.ReadFile("page/app.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"} {
		if strings.Contains(string(source), sink) {
			t.Errorf("app.js uses %s", sink)
		}
	}
}
