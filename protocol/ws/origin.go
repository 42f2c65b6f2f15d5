package ws

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// origins decides which web pages may connect. A browser sends the page's
// origin with every WebSocket handshake and lets pages of any origin try, so
// without this check every page somebody visits could talk to a broker on that
// person's machine or network.
//
// Programs other than browsers send no Origin and are not held up: they could
// send any.
type origins struct {
	allowed map[string]bool // "scheme://host:port"
	hosts   map[string]bool // the host names in allowed
	// loopback says that the server can be reached on loopback only. Then a
	// page that has pointed its own name at 127.0.0.1 (DNS rebinding) has the
	// right Origin, and only the Host header gives it away.
	loopback bool
	// anyLocal lets pages from every port of this machine connect.
	anyLocal bool
}

var (
	errHost   = errors.New("the Host header names neither this machine nor a configured origin")
	errOrigin = errors.New("the origin is not allowed")
)

func newOrigins(c *Config) (*origins, error) {
	o := &origins{
		allowed:  make(map[string]bool),
		hosts:    make(map[string]bool),
		loopback: c.Loopback,
		anyLocal: c.Loopback && !c.Credentials,
	}
	for _, entry := range c.Origins {
		origin, host, ok := splitOrigin(entry)
		if !ok {
			return nil, fmt.Errorf("origin %q is not of the form scheme://host[:port]", entry)
		}
		o.allowed[origin] = true
		o.hosts[host] = true
	}
	return o, nil
}

// checkHost refuses requests that reached a loopback server under a foreign
// name.
func (o *origins) checkHost(r *http.Request) error {
	if !o.loopback {
		return nil
	}
	host := hostname(r.Host)
	if isLocal(host) || o.hosts[host] {
		return nil
	}
	return errHost
}

// check refuses handshakes from pages that may not connect.
func (o *origins) check(r *http.Request) error {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return nil
	}
	origin, host, ok := splitOrigin(values[0])
	if len(values) > 1 || !ok {
		return errOrigin // "null" among them: sandboxed frames, data: and file: pages
	}
	switch {
	case o.allowed[origin]:
		return nil
	case !strings.HasPrefix(origin, "http://") && !strings.HasPrefix(origin, "https://"):
		return errOrigin
	case isOwn(origin, r.Host):
		return nil
	case o.anyLocal && isLocal(host):
		return nil
	}
	return errOrigin
}

// isOwn says whether the page came from this very server. The scheme may be
// either: TLS may have ended at a proxy in front.
func isOwn(origin, host string) bool {
	scheme, _, _ := strings.Cut(origin, "://")
	own, _, ok := splitOrigin(scheme + "://" + host)
	return ok && own == origin
}

// splitOrigin parses an origin (RFC 6454) and returns it in one spelling, with
// the port always there for http and https, and its host name.
func splitOrigin(text string) (origin, host string, ok bool) {
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return "", "", false
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		switch u.Scheme {
		case "http":
			port = "80"
		case "https":
			port = "443"
		}
	}
	return u.Scheme + "://" + net.JoinHostPort(host, port), host, true
}

// hostname is the name in a Host header, in lower case and without the port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// isLocal says whether a host name can only mean this machine. Browsers
// resolve localhost themselves, so nobody else can own it.
func isLocal(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
