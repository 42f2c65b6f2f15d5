package resp_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/broker"
	"fanfare/internal/conversation"
	"fanfare/internal/memnet"
	"fanfare/kv"
	"fanfare/protocol/resp"
	"fanfare/protocol/ws"
)

// places are the kinds of connection, whose ways out differ.
var places = map[string]func(*testing.T) place{"tcp": tcp, "unix": unix, "tls": encrypted, "memory": memory}

// Every file holds against redis-server, which proves that it is true, and against Fanfare over every
// kind of connection.
func TestConversations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	files = slices.DeleteFunc(files, isOwn)
	for _, file := range files {
		title := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run("redis/"+title, func(t *testing.T) {
			t.Parallel()
			conversation.Run(t, file, conversation.Redis(t))
		})
		for name, at := range places {
			t.Run(name+"/"+title, func(t *testing.T) {
				t.Parallel()
				conversation.Run(t, file, serve(t, at(t)))
			})
		}
	}
}

// place is where a server listens and how it is reached.
type place struct {
	listener net.Listener
	dial     func() (net.Conn, error)
	tls      *tls.Config
}

// serve starts a Fanfare for the test and stops it at its end.
func serve(t *testing.T, p place, rules ...broker.Rule) conversation.Dialer {
	t.Helper()
	b, err := broker.New(broker.Config{Codecs: []broker.Codec{resp.Codec2(), resp.Codec3(), ws.Codec()}, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	store := kv.New(kv.Config{})
	s, err := resp.New(resp.Config{Broker: b, Store: store, RESP2: 0, RESP3: 1, TLS: p.tls, Snapshots: &resp.Snapshots{
		Loading: func() bool { return false },
		Save:    func() error { return nil },
		Stats:   func() resp.SnapshotStats { return resp.SnapshotStats{Last: time.Now()} },
	}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(p.listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		if err := <-done; !errors.Is(err, resp.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
		b.Close()
		store.Close()
	})
	return conversation.Dialer{Name: "Fanfare", Release: "7.2.4", Fanfare: true, RESP: p.dial}
}

func tcp(t *testing.T) place {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return place{listener: l, dial: func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }}
}

func unix(t *testing.T) place {
	t.Helper()
	// Not t.TempDir, whose path may be longer than a socket's name may be.
	dir, err := os.MkdirTemp("", "resp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	name := filepath.Join(dir, "s")
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	return place{listener: l, dial: func() (net.Conn, error) { return net.Dial("unix", name) }}
}

func memory(t *testing.T) place {
	t.Helper()
	l := memnet.Listen("memory", 0)
	return place{listener: l, dial: func() (net.Conn, error) { return l.Dial() }}
}

func encrypted(t *testing.T) place {
	t.Helper()
	p := tcp(t)
	certificate, pool := selfSigned(t)
	p.tls = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	plain := p.dial
	p.dial = func() (net.Conn, error) {
		conn, err := plain()
		if err != nil {
			return nil, err
		}
		return tls.Client(conn, &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}), nil
	}
	return p
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
