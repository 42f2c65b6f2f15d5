package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"fanfare/protocol/ws"
)

// Validate says what is wrong with the settings taken together; each one alone
// was checked when it was set. The error has one line per mistake.
func (c *Config) Validate() error {
	if c.RESPListen == "" && c.RESPUnix == "" && c.HTTPListen == "" {
		return errors.New("nothing to listen on: resp.listen, resp.unix and http.listen are all empty")
	}
	return errors.Join(
		checkAddress("resp.listen", c.RESPListen),
		checkAddress("http.listen", c.HTTPListen),
		c.checkProtected(),
		checkPath(c.WS.Path),
		checkOrigins(c.WS.Origins),
		checkList("http.hosts", ws.Config{Hosts: c.WS.Hosts}),
		checkList("http.proxies", ws.Config{Proxies: c.WS.Proxies}),
		c.RESPTLS.check("resp"),
		c.HTTPTLS.check("http"),
	)
}

func checkAddress(key, address string) error {
	if address == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s: %q is not an address of the form host:port", key, shorten(address))
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%s: %q has no port between 0 and 65535", key, shorten(address))
	}
	return nil
}

// checkProtected refuses to be reachable from other machines without asking
// for credentials: whoever connects may do everything. A certificate that has to be
// shown is one.
func (c *Config) checkProtected() error {
	if !c.ProtectedMode {
		return nil
	}
	var all []error
	if !loopback(c.RESPListen) && c.RESP.RequirePass == "" && c.RESPTLS.ClientCA == "" {
		all = append(all, fmt.Errorf("resp.listen: %s is reachable from other machines and Redis clients need no password: "+
			"set resp.requirepass (BROKER_RESP_REQUIREPASS) or resp.tls-client-ca, or allow it with --protected-mode=false", c.RESPListen))
	}
	if !loopback(c.HTTPListen) && c.HTTPTLS.ClientCA == "" {
		all = append(all, fmt.Errorf("http.listen: %s is reachable from other machines and browsers need no credentials: "+
			"listen on %s, set http.tls-client-ca, or allow it with --protected-mode=false", c.HTTPListen, defaultHTTP))
	}
	return errors.Join(all...)
}

// loopback says whether only this machine reaches the address. A name other
// than localhost does not count: what it stands for may change.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true // Empty, or reported by checkAddress.
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func checkPath(path string) error {
	if len(path) < 2 || path[0] != '/' || strings.ContainsAny(path, " ?#{}") {
		return fmt.Errorf("http.path: %q is not a path such as /ws", shorten(path))
	}
	return nil
}

// checkList says what the transport finds wrong with a list of its own.
func checkList(key string, c ws.Config) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// checkOrigins wants origins as browsers send them: a page that would never be
// let in because of a slash at the end is hard to find otherwise.
func checkOrigins(origins []string) error {
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || u.Scheme == "" || u.Host == "" || o != u.Scheme+"://"+u.Host {
			return fmt.Errorf("http.origins: %q is not an origin such as https://example.org (no path, no slash at the end)", shorten(o))
		}
	}
	return nil
}
