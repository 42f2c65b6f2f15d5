package ws

import (
	"io"
	"net/http"
	"testing"
)

func TestTheClientIsServedToEveryPage(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for path, kind := range map[string]string{
		"/client.js": "text/javascript; charset=utf-8", "/client.d.ts": "application/typescript; charset=utf-8",
	} {
		get := func(method, tag string) (*http.Response, string) {
			t.Helper()
			request, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.addr+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Origin", "https://elsewhere.example")
			if tag != "" {
				request.Header.Set("If-None-Match", tag)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			return response, string(body)
		}
		response, body := get(http.MethodGet, "")
		if response.StatusCode != http.StatusOK || body == "" || body != string(clientFiles[path].text) {
			t.Errorf("GET %s: status %d, %d bytes", path, response.StatusCode, len(body))
		}
		for header, want := range map[string]string{
			"Content-Type": kind, "Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
		} {
			if got := response.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", path, header, got, want)
			}
		}
		if response, body := get(http.MethodGet, response.Header.Get("ETag")); response.StatusCode != http.StatusNotModified || body != "" {
			t.Errorf("GET %s that is known: status %d, %d bytes", path, response.StatusCode, len(body))
		}
		if response, body := get(http.MethodHead, ""); response.StatusCode != http.StatusOK || body != "" {
			t.Errorf("HEAD %s: status %d, %d bytes", path, response.StatusCode, len(body))
		}
		if response, _ := get(http.MethodPost, ""); response.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: status %d, want 405", path, response.StatusCode)
		}
	}
}
