package ws

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are the peers that are believed when they say for whom they speak. The
// headers they say it in can be sent by anybody; from anybody else they are nothing.
type proxies []netip.Prefix

// newProxies reads addresses and networks in CIDR notation.
func newProxies(list []string) (proxies, error) {
	p := make(proxies, 0, len(list))
	for _, entry := range list {
		prefix, err := netip.ParsePrefix(entry)
		if err != nil {
			addr, err := netip.ParseAddr(entry)
			if err != nil || addr.Zone() != "" {
				return nil, fmt.Errorf("proxy %q is neither an address nor a network such as 10.0.0.0/8", entry)
			}
			prefix = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())
		}
		if prefix.Addr().Is4In6() {
			return nil, fmt.Errorf("proxy %q is an IPv4 network and has to be written as one", entry)
		}
		p = append(p, prefix)
	}
	return p, nil
}

func (p proxies) trust(a netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// source is where a request came from.
type source struct {
	addr netip.Addr // of the client, as far as it is known; invalid: the peer has none
	text string     // the same for the log, with the port where the peer is the client
	// encrypted says that the client is known to use TLS, up to here or up to a proxy.
	encrypted bool
}

// elsewhere says that the client is known not to be on this machine.
func (f source) elsewhere() bool { return f.addr.IsValid() && !f.addr.IsLoopback() }

var errForwarded = errors.New("a proxy's header is malformed")

// source finds out where a request came from. The error says that a proxy's header was
// not understood and has been ignored; the source is good all the same.
func (s *Server) source(r *http.Request) (source, error) {
	from := source{text: r.RemoteAddr, encrypted: s.cfg.TLS != nil}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return from, nil //nolint:nilerr // a peer that has no address, as in memory
	}
	from.addr = peer.Addr().Unmap().WithZone("")
	if !s.proxies.trust(from.addr) {
		return from, nil
	}
	addr, badAddress := s.proxies.client(from.addr, r.Header.Values("X-Forwarded-For"))
	if addr != from.addr {
		from.addr, from.text = addr, addr.String()
	}
	encrypted, badScheme := forwardedTLS(r.Header.Values("X-Forwarded-Proto"))
	from.encrypted = from.encrypted || encrypted
	return from, errors.Join(badAddress, badScheme)
}

// client follows X-Forwarded-For from the right, where the trusted peer has added who
// spoke to it, to the first address that is no proxy of ours. What stands left of that
// one is that client's own word and is not looked at. Where an entry is none the way
// ends, and the last proxy before it is all that is known.
func (p proxies) client(peer netip.Addr, headers []string) (netip.Addr, error) {
	for _, header := range slices.Backward(headers) {
		for rest, more := header, true; more; {
			var entry string
			if at := strings.LastIndexByte(rest, ','); at >= 0 {
				rest, entry = rest[:at], rest[at+1:]
			} else {
				entry, more = rest, false
			}
			addr, ok := forwardedAddress(strings.TrimSpace(entry))
			if !ok {
				return peer, errForwarded
			}
			if peer = addr; !p.trust(addr) {
				return peer, nil
			}
		}
	}
	return peer, nil
}

// forwardedAddress reads an address, to which some proxies add the port.
func forwardedAddress(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		both, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = both.Addr()
	}
	return addr.Unmap(), addr.Zone() == ""
}

// forwardedTLS says whether the nearest proxy was spoken to in TLS.
func forwardedTLS(headers []string) (bool, error) {
	if len(headers) == 0 {
		return false, nil
	}
	last := headers[len(headers)-1]
	last = strings.ToLower(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]))
	switch last {
	case "https", "wss":
		return true, nil
	case "http", "ws":
		return false, nil
	}
	return false, errForwarded
}
