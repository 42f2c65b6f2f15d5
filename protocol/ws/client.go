package ws

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"time"
)

// The JavaScript client and its types.
var (
	//go:embed client/client.js
	clientScript []byte
	//go:embed client/client.d.ts
	clientTypes []byte
)

// clientFile is a file that every page may import, also one of an origin that
// may not connect: it holds nothing that is not public.
type clientFile struct {
	text []byte
	kind string
	tag  string // ETag, quotes included
}

// clientFiles are the files by their paths.
var clientFiles = map[string]*clientFile{
	"/client.js":   newClientFile(clientScript, "text/javascript; charset=utf-8"),
	"/client.d.ts": newClientFile(clientTypes, "application/typescript; charset=utf-8"),
}

func newClientFile(text []byte, kind string) *clientFile {
	sum := sha256.Sum256(text)
	return &clientFile{text, kind, `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// serve answers with the file. A browser asks every time whether it has changed,
// so that a page never runs the client of an older broker.
func (f *clientFile) serve(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.text))
}

// readOnly answers methods that change something by an error.
func readOnly(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
	return false
}
