package place

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
)

var errStopped = errors.New("stopped")

// echo is a server that says again what it hears.
type echo struct{ Place }

func (e echo) Serve(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return errStopped
		}
		if e.TLS != nil {
			c = tls.Server(c, e.TLS)
		}
		_, _ = io.Copy(c, c)
		_ = c.Close()
	}
}

func (e echo) Shutdown(context.Context) error { return e.Listener.Close() }

func TestAServerIsReachedAtEachKindOfPlace(t *testing.T) {
	t.Parallel()
	for name, kind := range Kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := kind(t)
			if (p.TLS != nil) != (name == "tls") {
				t.Errorf("encrypted: %v", p.TLS != nil)
			}
			p.Serve(t, echo{p}, func(err error) bool { return errors.Is(err, errStopped) })
			c, err := p.Dial()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			got := make([]byte, 5)
			if _, err := io.WriteString(c, "hello"); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
