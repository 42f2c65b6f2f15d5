package ws

import (
	_ "embed"
	"html/template"
	"net"
	"net/http"

	"go.uber.org/zap"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// pagePolicy lets the page load nothing, but lets what somebody pastes into its
// console import the client and open a WebSocket.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; " +
	"connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// servePage answers GET / with the page that shows what to paste, and is the
// place to paste it: a script pasted there has the origin that may connect.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request, from source) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	if !readOnly(w, r) {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		return
	}
	scheme := "ws://"
	if from.encrypted {
		scheme = "wss://"
	}
	err := page.Execute(w, struct{ URL, Redis string }{scheme + r.Host + s.cfg.Path, redisOptions(s.cfg.RESP, s.cfg.RESPTLS)})
	if err != nil {
		s.log.Debug("write page", zap.Error(err))
	}
}

// redisOptions is what redis-cli needs to find the address, nothing where it
// is the one that redis-cli looks at by itself.
func redisOptions(address string, encrypted bool) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	var options string
	if encrypted {
		options = " --tls"
	}
	if host != "" && !isLocal(host) {
		options += " -h " + host
	}
	if port != "6379" {
		options += " -p " + port
	}
	return options
}
