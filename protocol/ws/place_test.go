package ws_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fanfare/internal/memnet"
)

// place is where a server listens and how it is reached.
type place struct {
	listener net.Listener
	dial     func() (net.Conn, error)
	tls      *tls.Config
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
	dir, err := os.MkdirTemp("", "ws")
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
	p.tls = &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
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
