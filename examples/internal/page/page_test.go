package page

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

var files = fstest.MapFS{
	"index.html": {Data: []byte(`<meta name="broker" content="{{.Broker}}"><meta name="client" content="{{.Client}}"><p>{{.Example}}`)},
	"app.js":     {Data: []byte("// a script")},
}

func ask(t *testing.T, c Config, method, path string) (r *http.Response, body string) {
	t.Helper()
	c.Files = files
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	text, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(text)
}

func TestAPageNamesTheBrokerAndItsClient(t *testing.T) {
	t.Parallel()
	const broker = `wss://chat.example:444/a?b="><script>`
	for _, tt := range []struct {
		name    string
		config  Config
		connect string
	}{
		{"it asks the broker alone", Config{Broker: broker, Example: "<b>"}, "connect-src wss://chat.example:444"},
		{"it asks its server too", Config{Broker: broker, Example: "<b>", Asks: true}, "connect-src 'self' wss://chat.example:444"},
	} {
		r, got := ask(t, tt.config, http.MethodGet, "/")
		policy := r.Header.Get("Content-Security-Policy")
		if !strings.HasSuffix(policy, "; "+tt.connect) || !strings.Contains(policy, "; script-src 'self' https://chat.example:444/client.js;") {
			t.Errorf("%s: got policy %q", tt.name, policy)
		}
		const want = `<meta name="broker" content="wss://chat.example:444/a?b=&#34;&gt;&lt;script&gt;">` +
			`<meta name="client" content="https://chat.example:444/client.js"><p>&lt;b&gt;`
		if got != want {
			t.Errorf("%s: got %q, want %q", tt.name, got, want)
		}
	}
}

func TestAPageServesItsFilesAndTheCommonLook(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method, path string
		status       int
		kind         string
	}{
		{http.MethodGet, "/", 200, "text/html"},
		{http.MethodHead, "/", 200, "text/html"},
		{http.MethodGet, "/app.js", 200, "text/javascript"},
		{http.MethodGet, "/theme.css", 200, "text/css"},
		{http.MethodGet, "/icon.svg", 200, "image/svg+xml"},
		{http.MethodGet, "/page.go", 404, "text/plain"},
		{http.MethodGet, "/shared/icon.svg", 404, "text/plain"},
		{http.MethodGet, "/../page.go", 404, "text/plain"},
		{http.MethodPost, "/", 405, "text/plain"},
	} {
		r, _ := ask(t, Config{Broker: "ws://localhost:8080/ws"}, tt.method, tt.path)
		if kind := r.Header.Get("Content-Type"); r.StatusCode != tt.status || !strings.HasPrefix(kind, tt.kind) {
			t.Errorf("%s %s: got %d %q, want %d %q", tt.method, tt.path, r.StatusCode, kind, tt.status, tt.kind)
		}
		if r.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s %s: no Content-Security-Policy", tt.method, tt.path)
		}
	}
}

func TestAWrongBrokerAddressIsRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "localhost:8080", "http://localhost:8080/ws", "ws://", "ws://a;script-src *", "ws://a'b"} {
		if _, err := New(Config{Files: files, Broker: address}); err == nil {
			t.Errorf("%q: got no error", address)
		}
	}
}

func TestALoopbackAddressIsShownAsTyped(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"127.0.0.1:8090": "localhost:8090", "[::1]:8090": "localhost:8090", "10.0.0.1:80": "10.0.0.1:80", "[::]:80": "[::]:80",
	} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := Address(tcp); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}

// Markup of others must never become part of the document.
func TestNoScriptOfAnExampleUsesMarkupSinks(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("../../*/page/*.js")
	if err != nil || len(scripts) < 5 {
		t.Fatalf("got scripts %v, %v", scripts, err)
	}
	for _, name := range scripts {
		source, err := os.ReadFile(name)
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
