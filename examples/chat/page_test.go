package main

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func get(t *testing.T, p *page, method, path string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(method, path, nil))
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

func TestPageNamesTheBroker(t *testing.T) {
	p, err := newPage(`wss://chat.example:444/a?b="><script>`)
	if err != nil {
		t.Fatal(err)
	}
	res := get(t, p, http.MethodGet, "/")
	policy := res.Header.Get("Content-Security-Policy")
	if !strings.HasSuffix(policy, "connect-src wss://chat.example:444") {
		t.Errorf("got policy %q, want only the broker to connect to", policy)
	}
	if !strings.Contains(policy, "script-src 'self' https://chat.example:444;") {
		t.Errorf("got policy %q, want scripts from here and from the broker", policy)
	}
	got := body(t, res)
	if !strings.Contains(got, `<meta name="broker" content="wss://chat.example:444/a?b=&#34;&gt;&lt;script&gt;">`) {
		t.Errorf("got %q, want the broker's address, escaped", got)
	}
}

func TestPageServesItsFiles(t *testing.T) {
	p, err := newPage("ws://localhost:8080/ws")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		method, path string
		status       int
		kind         string
	}{
		{http.MethodGet, "/", 200, "text/html"},
		{http.MethodHead, "/", 200, "text/html"},
		{http.MethodGet, "/app.js", 200, "text/javascript"},
		{http.MethodGet, "/rooms.js", 200, "text/javascript"},
		{http.MethodGet, "/talk.js", 200, "text/javascript"},
		{http.MethodGet, "/view.js", 200, "text/javascript"},
		{http.MethodGet, "/style.css", 200, "text/css"},
		{http.MethodGet, "/icon.svg", 200, "image/svg+xml"},
		{http.MethodGet, "/page.go", 404, "text/plain"},
		{http.MethodGet, "/../main.go", 404, "text/plain"},
		{http.MethodPost, "/", 405, "text/plain"},
	}
	for _, tt := range tests {
		res := get(t, p, tt.method, tt.path)
		if kind := res.Header.Get("Content-Type"); res.StatusCode != tt.status || !strings.HasPrefix(kind, tt.kind) {
			t.Errorf("%s %s: got %d %q, want %d %q", tt.method, tt.path, res.StatusCode, kind, tt.status, tt.kind)
		}
		if res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s %s: no Content-Security-Policy", tt.method, tt.path)
		}
	}
}

func TestAWrongBrokerAddressIsRefused(t *testing.T) {
	for _, address := range []string{"", "localhost:8080", "http://localhost:8080/ws", "ws://", "ws://a;script-src *", "ws://a'b"} {
		if _, err := newPage(address); err == nil {
			t.Errorf("%q: got no error", address)
		}
	}
}

func TestPageAddressIsShownAsTyped(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8090": "localhost:8090", "[::1]:8090": "localhost:8090", "10.0.0.1:80": "10.0.0.1:80", "[::]:80": "[::]:80",
	} {
		if got := shown(addr); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}

// Markup of others must never become part of the document.
func TestPageScriptsUseNoMarkupSinks(t *testing.T) {
	scripts, err := fs.Glob(files, "page/*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("got scripts %v, %v", scripts, err)
	}
	for _, name := range scripts {
		source, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"} {
			if strings.Contains(string(source), sink) {
				t.Errorf("%s uses %s", name, sink)
			}
		}
	}
}
