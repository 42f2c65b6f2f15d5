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
	// named are the only hosts by which the server may be called; nil: the names of
	// this machine on loopback, else any.
	named map[string]bool
	// anyLocal lets pages from every port of this machine connect.
	anyLocal bool
}

var (
	errHost   = errors.New("the Host header names neither this machine nor a configured host or origin")
	errNamed  = errors.New("the Host header names no configured host")
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
	if len(c.Hosts) > 0 {
		o.named = make(map[string]bool, len(c.Hosts))
	}
	for _, entry := range c.Hosts {
		if entry == "" || strings.ContainsAny(entry, "/ ,@*") || hasPort(entry) {
			return nil, fmt.Errorf("host %q is not a name or an address without a port", entry)
		}
		o.named[hostname(entry)] = true
	}
	return o, nil
}

// checkHost refuses requests that reached the server under a name that is not its
// own: a loopback server under a foreign one, any under one that is not in the list
// of hosts, if there is such a list.
func (o *origins) checkHost(r *http.Request) error {
	host := hostname(r.Host)
	if o.named != nil {
		if o.named[host] {
			return nil
		}
		return errNamed
	}
	if !o.loopback {
		return nil
	}
	if isLocal(host) || o.hosts[host] {
		return nil
	}
	return errHost
}

// check refuses handshakes from pages that may not connect. A page of the client's
// own machine is one of this machine only if the client is here too, which behind a
// proxy it is not.
func (o *origins) check(r *http.Request, from source) error {
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
	case isOwn(origin, r.Host) && (!from.encrypted || strings.HasPrefix(origin, "https://")):
		return nil
	case o.anyLocal && isLocal(host) && !from.elsewhere():
		return nil
	}
	return errOrigin
}

// isOwn says whether the page came from this very server. The scheme may be
// either: TLS may have ended at a proxy in front that does not say so. Where TLS is
// known to be spoken, check wants the page to have come by it too: anybody between
// could have put another one in its place.
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

// hasPort says that an entry of the list of hosts ends in a port.
func hasPort(host string) bool {
	_, _, err := net.SplitHostPort(host)
	return err == nil
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
