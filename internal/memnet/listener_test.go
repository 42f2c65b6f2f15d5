package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
)

func TestListenerHandsOutConnectionsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Listen("broker", 16)
		for _, text := range []string{"1", "2", "3"} {
			c, err := l.Dial()
			if err != nil {
				t.Fatal(err)
			}
			_, _ = c.Write([]byte(text))
			_ = c.CloseWrite()
		}
		for _, want := range []string{"1", "2", "3"} {
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := io.ReadAll(c); string(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := c.RemoteAddr().String(); got != "broker:"+want {
				t.Errorf("got remote %q, want broker:%s", got, want)
			}
		}
	})
}

func TestListenerCloseWakesAcceptAndRefusesDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Listen("broker", 0)
		done := make(chan error, 1)
		go func() { _, err := l.Accept(); done <- err }()
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept: got %v, want net.ErrClosed", err)
		}
		if c, err := l.DialContext(t.Context(), "", ""); c != nil || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial: got %v, %v, want nil, ECONNREFUSED", c, err)
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second close: got %v, want net.ErrClosed", err)
		}
	})
}

func TestListenerCloseEndsConnectionsNobodyAccepted(t *testing.T) {
	l := Listen("broker", 0)
	c, err := l.Dial()
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want io.EOF", err)
	}
}

func TestListenerRefusesBeyondItsBacklog(t *testing.T) {
	l := Listen("broker", 1)
	for range backlog {
		if _, err := l.Dial(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Dial(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want ECONNREFUSED", err)
	}
}

func TestDialWithAnEndedContextFails(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Listen("broker", 0).DialContext(ctx, "", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestNetHTTPRunsOverItInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Listen("broker", 64)
		server := &http.Server{ //nolint:gosec // no header timeout: the only peer is this test
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }),
		}
		go func() { _ = server.Serve(l) }()
		transport := &http.Transport{DialContext: l.DialContext}
		res, err := (&http.Client{Transport: transport}).Get("http://broker/")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if string(body) != "hello" {
			t.Errorf("got %q, want hello", body)
		}
		transport.CloseIdleConnections()
		_ = server.Close()
	})
}
