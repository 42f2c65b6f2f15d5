// Package place has the kinds of places at which the servers of tests listen. Their
// ways out of the node differ, so what holds at one is tried at all.
package place

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fanfare/internal/memnet"
)

// Place is where a server listens and how it is reached.
type Place struct {
	Listener net.Listener
	Dial     func() (net.Conn, error)
	TLS      *tls.Config // for the server's configuration; nil: not encrypted
}

// Kinds are all kinds of places, by name. Each call makes another place, which is
// gone at the end of the test at the latest.
var Kinds = map[string]func(testing.TB) Place{"tcp": TCP, "unix": Unix, "tls": TLS, "memory": Memory}

// TCP is a free port of the loopback.
func TCP(t testing.TB) Place {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return at(t, l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })
}

// Unix is a Unix socket.
func Unix(t testing.TB) Place {
	t.Helper()
	// Not t.TempDir, whose path may be longer than a socket's name may be.
	dir, err := os.MkdirTemp("", "place")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	name := filepath.Join(dir, "s")
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	return at(t, l, func() (net.Conn, error) { return net.Dial("unix", name) })
}

// Memory is a network without descriptors.
func Memory(t testing.TB) Place {
	t.Helper()
	l := memnet.Listen("memory", 0)
	return at(t, l, func() (net.Conn, error) { return l.Dial() })
}

// TLS is a port of the loopback behind TLS.
func TLS(t testing.TB) Place {
	t.Helper()
	p := TCP(t)
	certificate, pool := Certificate(t)
	// Web servers would offer HTTP/2, which no WebSocket begins in.
	p.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
	plain := p.Dial
	p.Dial = func() (net.Conn, error) {
		conn, err := plain()
		if err != nil {
			return nil, err
		}
		return tls.Client(conn, &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}), nil
	}
	return p
}

func at(t testing.TB, l net.Listener, dial func() (net.Conn, error)) Place {
	t.Cleanup(func() { _ = l.Close() }) // an error: its server has closed it
	return Place{Listener: l, Dial: dial}
}

// Server is a transport.
type Server interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
}

// Serve runs a server at the place until the end of the test, and checks that it
// shuts down in order. ended says of the error of Serve whether it is a good one.
func (p Place) Serve(t testing.TB, s Server, ended func(error) bool) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.Serve(p.Listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		if err := <-done; !ended(err) {
			t.Errorf("serve: %v", err)
		}
	})
}
