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

func TestPageShowsWhoThereIs(t *testing.T) {
	t.Parallel()
	got := body(t, ask(t, httptest.NewRequest(http.MethodGet, "/", nil)))
	for _, want := range []string{
		`<meta name="client" content="https://news.example:444/client.js">`,
		`<meta name="wait" content="5s">`,
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
	for path, want := range map[string]int{"/app.js": http.StatusOK, "/style.css": http.StatusOK, "/desk.go": http.StatusNotFound, "/notify": http.StatusNotFound} {
		if got := ask(t, httptest.NewRequest(http.MethodGet, path, nil)).StatusCode; got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
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
