// Package page serves the pages of the examples: embedded files, told where the broker is, under a policy that
// lets them speak to it and to nobody else.
package page

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// look is what all pages have: theme.css, with colours and plain elements, and icon.svg.
//
//go:embed shared
var look embed.FS

// Config says what a page is.
type Config struct {
	Files   fs.FS  // index.html, and what it asks for
	Broker  string // WebSocket address, as the browser reaches it
	Asks    bool   // its scripts ask the server of the page, too
	Example any    // what index.html shows as .Example
}

// Page is a handler for everything that a browser asks for to show a page. index.html is a template and gets the
// broker's address as .Broker, that of its JavaScript client as .Client, and .Example.
type Page struct {
	index  *template.Template
	shown  shown
	files  http.Handler
	look   fs.FS
	policy string // Content-Security-Policy
}

type shown struct {
	Broker, Client string
	Example        any
}

// New checks the broker's address, which becomes part of the page and of its security policy. The client comes
// from there too.
func New(c Config) (*Page, error) {
	u, err := url.Parse(c.Broker)
	if err != nil || (u.Scheme != "ws" && u.Scheme != "wss") || u.Host == "" {
		return nil, fmt.Errorf("--broker %q: want an address like ws://localhost:8080/ws", c.Broker)
	}
	// A policy ends at ';', a source at white space: neither may come out of an address.
	if strings.ContainsAny(u.Host, "; \t\r\n,'\"") {
		return nil, fmt.Errorf("--broker %q: strange host", c.Broker)
	}
	shared, err := fs.Sub(look, "shared")
	if err != nil {
		return nil, fmt.Errorf("embedded files: %w", err)
	}
	index, err := template.ParseFS(c.Files, "index.html")
	if err != nil {
		return nil, fmt.Errorf("embedded page: %w", err)
	}
	client := strings.Replace(u.Scheme, "ws", "http", 1) + "://" + u.Host + "/client.js"
	connect := u.Scheme + "://" + u.Host
	if c.Asks {
		connect = "'self' " + connect
	}
	return &Page{
		index: index,
		shown: shown{c.Broker, client, c.Example},
		files: http.FileServerFS(c.Files),
		look:  shared,
		policy: "default-src 'none'; script-src 'self' " + client + "; style-src 'self'; img-src 'self'; base-uri 'none'; " +
			"form-action 'none'; frame-ancestors 'none'; connect-src " + connect,
	}, nil
}

// ServeHTTP answers GET and HEAD. The policy is a second wall behind the page's own escaping: even markup
// that slipped through could neither run a script nor send anything elsewhere.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	switch path := r.URL.Path; {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
	case path == "/":
		h.Set("Content-Type", "text/html; charset=utf-8")
		_ = p.index.Execute(w, p.shown) // fails only when the browser has gone
	case path == "/theme.css", path == "/icon.svg":
		http.ServeFileFS(w, r, p.look, path[1:])
	default:
		p.files.ServeHTTP(w, r)
	}
}

// Address writes a loopback address by name: a broker without credentials takes pages from there, and it is what
// one types.
func Address(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsLoopback() {
		return net.JoinHostPort("localhost", port)
	}
	return addr.String()
}
