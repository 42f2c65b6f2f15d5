package main

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
)

//go:embed page
var files embed.FS

// page serves the embedded files; index.html names the broker.
type page struct {
	index  *template.Template
	files  http.Handler
	broker string
	policy string // Content-Security-Policy
}

// clientOrigin is where the page gets the broker's JavaScript client from.
func clientOrigin(broker *url.URL) string {
	if broker.Scheme == "wss" {
		return "https://" + broker.Host
	}
	return "http://" + broker.Host
}

// newPage checks the broker's address, which becomes part of the page and of its security policy.
func newPage(broker string) (*page, error) {
	u, err := url.Parse(broker)
	if err != nil || (u.Scheme != "ws" && u.Scheme != "wss") || u.Host == "" {
		return nil, fmt.Errorf("--broker %q: want an address like ws://localhost:8080/ws", broker)
	}
	// A policy ends at ';', a source at white space: neither may come out of an address.
	if strings.ContainsAny(u.Host, "; \t\r\n,'\"") {
		return nil, fmt.Errorf("--broker %q: strange host", broker)
	}
	root, err := fs.Sub(files, "page")
	if err != nil {
		return nil, fmt.Errorf("embedded files: %w", err)
	}
	index, err := template.ParseFS(root, "index.html")
	if err != nil {
		return nil, fmt.Errorf("embedded page: %w", err)
	}
	return &page{
		index:  index,
		files:  http.FileServerFS(root),
		broker: broker,
		policy: "default-src 'none'; script-src 'self' " + clientOrigin(u) + "; style-src 'self'; img-src 'self'; base-uri 'none'; " +
			"form-action 'none'; frame-ancestors 'none'; connect-src " + u.Scheme + "://" + u.Host,
	}, nil
}

// ServeHTTP answers GET and HEAD. The policy is a second wall behind the page's own escaping: even markup
// that slipped through could neither run a script nor send anything elsewhere.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path != "/" {
		p.files.ServeHTTP(w, r)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	_ = p.index.Execute(w, struct{ Broker string }{p.broker}) // fails only when the browser has gone
}
