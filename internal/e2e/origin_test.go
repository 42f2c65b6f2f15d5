package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// attempt is a script that answers whether a WebSocket to the broker opens.
func attempt(address string) string {
	return fmt.Sprintf(`new Promise(answer => {
		const ws = new WebSocket(%q)
		ws.onopen = () => answer('open')
		ws.onerror = () => answer('refused')
	})`, address)
}

// Without credentials only pages of this machine may use the broker. Otherwise any page on the web that
// somebody here opens could read and publish through that person's browser.
func TestOriginsInABrowser(t *testing.T) {
	n := start(t)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<!doctype html><title>a page</title>")
	}))
	t.Cleanup(site.Close)
	as := func(name, address string) string { return strings.Replace(address, "127.0.0.1", name, 1) }
	broker := "ws://" + n.HTTP + "/ws"
	shared := browser(t)
	tests := []struct {
		name, page, broker, want string
	}{
		{"the broker's own page", "http://" + n.HTTP + "/", broker, "open"},
		{"another port of localhost", as("localhost", site.URL), broker, "open"},
		{"another port of 127.0.0.1", site.URL, as("localhost", broker), "open"},
		{"a foreign origin", as("evil.example", site.URL), broker, "refused"},
		// DNS rebinding: the foreign name leads to the broker itself, so origin and host agree.
		{"a foreign name for the broker", as("evil.example", "http://"+n.HTTP+"/"), as("evil.example", broker), "refused"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := shared.open(t, fmt.Sprint("page", i), tt.page)
			if got := eval[string](b, attempt(tt.broker)); got != tt.want {
				t.Errorf("from %s to %s: got %s, want %s", tt.page, tt.broker, got, tt.want)
			}
		})
	}
	if log := n.output.String(); !strings.Contains(log, as("evil.example", site.URL)) || !strings.Contains(log, "origins") {
		t.Errorf("the log names neither the refused origin nor the setting: %s", log)
	}
	t.Run("a sandboxed frame, whose origin is null", func(t *testing.T) {
		b := shared.open(t, "sandbox", as("localhost", site.URL))
		got := eval[string](b, fmt.Sprintf(`new Promise(answer => {
			onmessage = event => answer(event.origin + ' ' + event.data)
			const frame = document.createElement('iframe')
			frame.sandbox = 'allow-scripts'
			frame.srcdoc = '<script>' + %q + '.then(a => parent.postMessage(a, "*"))<' + '/script>'
			document.body.append(frame)
		})`, attempt(broker)))
		if want := "null refused"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
