package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPageServesItsFiles(t *testing.T) {
	t.Parallel()
	p, err := newPage("ws://chat.example/ws")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/":          `<meta name="broker" content="ws://chat.example/ws">`,
		"/app.js":    "import",
		"/rooms.js":  "export",
		"/talk.js":   "export",
		"/view.js":   "export",
		"/style.css": "{",
	} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if got := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(got, want) {
			t.Errorf("%s: got %d, %.100q, want %q in it", path, w.Code, got, want)
		}
	}
}

func TestAWrongBrokerAddressIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := newPage("localhost:8080"); err == nil || !strings.Contains(err.Error(), "--broker") {
		t.Errorf("got %v", err)
	}
}
