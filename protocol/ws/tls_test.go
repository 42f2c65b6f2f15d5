package ws

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

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
