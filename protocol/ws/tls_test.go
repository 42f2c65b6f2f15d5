package ws

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"fanfare/internal/place"
)

func newSecureRig(t *testing.T) *rig {
	t.Helper()
	cert, pool := place.Certificate(t)
	r := newRig(t, func(c *Config) {
		c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
		c.PushHard, c.PushSoft = 1<<30, 1<<30
	})
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	r.client = &http.Client{Transport: transport}
	return r
}

func TestOrderAndDrainOverTLS(t *testing.T) {
	t.Parallel()
	r := newSecureRig(t)
	p := r.dial()
	p.send(`{"sub":"a"}`, `{"pub":"a","data":"own","id":1}`)
	p.want(`{"subbed":"a"}`, `{"ok":1,"receivers":1}`, `{"msg":"a","data":"own","time":0}`)
	body := strings.Repeat("x", 5_000)
	for i := range 400 {
		r.publish("a", fmt.Sprint(i, body))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- r.server.Shutdown(ctx) }()
	if got := p.closed(); got != 4503 {
		t.Errorf("close code %d, want 4503", got)
	}
	if err := <-done; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	for i := range 400 {
		p.want(fmt.Sprintf(`{"msg":"a","data":"%d%s","time":0}`, i, body))
	}
}

func TestThePageOverTLSNamesItself(t *testing.T) {
	t.Parallel()
	r := newSecureRig(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url("", "https://"), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := r.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(body), "wss://"+r.addr+"/ws") {
		t.Errorf("the page does not name wss://%s/ws (%v)", r.addr, err)
	}
}

func TestRefusedHandshakesAreCountedAndLogged(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.WarnLevel)
	cert, _ := place.Certificate(t)
	r := newRig(t, func(c *Config) {
		c.Log = zap.New(core)
		c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}
	})
	dial := func() net.Conn {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	_ = dial().Close() // who only looks whether the port is open is not refused
	plain := dial()
	if _, err := io.WriteString(plain, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if answer, _ := io.ReadAll(plain); strings.HasPrefix(string(answer), "HTTP") {
		t.Errorf("plain HTTP was answered: %q", answer)
	}
	old := tls.Client(dial(), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12})
	if err := old.HandshakeContext(t.Context()); err == nil {
		t.Error("TLS 1.2 is accepted, want 1.3 at least")
	}
	_, _ = io.ReadAll(old.NetConn()) // until the server has closed it
	if got := r.server.Stats().RefusedTLS; got != 2 {
		t.Errorf("%d refused handshakes are counted, want 2", got)
	}
	if lines := logs.FilterMessage("TLS handshake refused").All(); len(lines) != 2 || lines[0].ContextMap()["remote"] != plain.LocalAddr().String() {
		t.Errorf("got %v, want two lines, the first about %v", lines, plain.LocalAddr())
	}
}
