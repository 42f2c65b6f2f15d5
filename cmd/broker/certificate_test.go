package main

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	places "fanfare/internal/place"
)

// wallet is a directory with the files of one listen setting.
type wallet struct {
	t         *testing.T
	authority *places.Authority
	dir       string
	files     tlsFiles
}

// newWallet has a certificate that is good for a long time.
func newWallet(t *testing.T) *wallet {
	t.Helper()
	w := &wallet{t: t, authority: places.NewAuthority(t), dir: t.TempDir()}
	w.files = tlsFiles{Cert: filepath.Join(w.dir, "cert.pem"), Key: filepath.Join(w.dir, "key.pem")}
	w.renew(time.Now().Add(999 * time.Hour))
	return w
}

// write puts a file into its place at once, as those who renew certificates do.
func (w *wallet) write(path string, text []byte) {
	w.t.Helper()
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		w.t.Fatal(err)
	}
}

// renew makes another certificate, and returns it.
func (w *wallet) renew(ends time.Time) (cert []byte) {
	w.t.Helper()
	cert, key := w.authority.Issue("localhost", ends)
	w.write(w.files.Key, key)
	w.write(w.files.Cert, cert)
	return cert
}

// clients makes a client need a certificate by the wallet's authority.
func (w *wallet) clients() {
	w.files.ClientCA = filepath.Join(w.dir, "clients.pem")
	w.write(w.files.ClientCA, w.authority.PEM())
}

// flags are what makes a table use the wallet.
func (w *wallet) flags(table string) []string {
	flags := []string{"--" + table + "-tls-cert=" + w.files.Cert, "--" + table + "-tls-key=" + w.files.Key}
	if w.files.ClientCA != "" {
		flags = append(flags, "--"+table+"-tls-client-ca="+w.files.ClientCA)
	}
	return flags
}

func TestUnusableCertificatesNameTheSettingAndTheFile(t *testing.T) {
	t.Parallel()
	soon := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		spoil func(w *wallet)
		want  []string
	}{
		"no certificate": {func(w *wallet) { _ = os.Remove(w.files.Cert) }, []string{"http.tls-cert: ", "cert.pem: no such file"}},
		"no key":         {func(w *wallet) { _ = os.Remove(w.files.Key) }, []string{"http.tls-key: ", "key.pem: no such file"}},
		"a certificate that is none": {func(w *wallet) { w.write(w.files.Cert, []byte("x")) },
			[]string{"http.tls-cert ", "cert.pem", "failed to find any PEM data in certificate input"}},
		"a key that is none": {func(w *wallet) { w.write(w.files.Key, []byte("x")) },
			[]string{"http.tls-key ", "key.pem", "failed to find any PEM data in key input"}},
		"another one's key": {func(w *wallet) {
			_, key := w.authority.Issue("localhost", soon)
			w.write(w.files.Key, key)
		}, []string{"http.tls-cert ", "cert.pem", "http.tls-key ", "key.pem", "private key does not match public key"}},
		"a certificate that has ended": {func(w *wallet) { w.renew(time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)) },
			[]string{"http.tls-cert: the certificate in ", "cert.pem has ended on 2020-01-02T03:04:05Z"}},
		"no authorities": {func(w *wallet) {
			w.clients()
			_ = os.Remove(w.files.ClientCA)
		}, []string{"http.tls-client-ca: ", "clients.pem: no such file"}},
		"authorities that are none": {func(w *wallet) {
			w.clients()
			w.write(w.files.ClientCA, []byte("x"))
		}, []string{"http.tls-client-ca: ", "clients.pem has no certificate in PEM"}},
	} {
		w := newWallet(t)
		c.spoil(w)
		_, err := w.files.read("http", time.Now())
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want an error with %q", name, err, want)
			}
		}
	}
}

func TestTLSSettingsBelongTogether(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]tlsFiles{
		"":                      {},
		"resp.tls-key is not":   {Cert: "c"},
		"resp.tls-cert is not":  {Key: "k"},
		"resp.tls-client-ca is": {ClientCA: "a"},
	} {
		if err := f.check("resp"); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", f, err, want)
		}
	}
}

func TestDoubtsAboutUsableCertificates(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	now := time.Now()
	look := func() string {
		t.Helper()
		c, err := w.files.read("resp", now)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, d := range w.files.doubts("resp", c, now) {
			texts = append(texts, d.String())
		}
		return strings.Join(texts, "\n")
	}
	if got := look(); got != "" {
		t.Errorf("a good one: got %q", got)
	}
	w.renew(now.Add(endsSoon - time.Minute))
	if got := look(); !strings.Contains(got, "resp.tls-cert: "+w.files.Cert+": ends on ") {
		t.Errorf("one that ends soon: got %q", got)
	}
	w.renew(now.Add(2001 * time.Hour))
	if got := look(); !strings.Contains(got, "begins only on ") {
		t.Errorf("one that has not begun: got %q", got)
	}
	w.renew(now.Add(999 * time.Hour))
	if err := os.Chmod(w.files.Key, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := look(); got != "resp.tls-key: "+w.files.Key+": every user of this machine may read it (mode 644)" {
		t.Errorf("a key that all may read: got %q", got)
	}
}

// shown is the certificate that the next handshake would get, after a look at the files.
func (c *certificates) shown(t *testing.T) []byte {
	t.Helper()
	c.mu.Lock()
	c.looked = time.Time{} // The last look was long ago.
	c.mu.Unlock()
	next, err := c.server().GetConfigForClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	return next.Certificates[0].Certificate[0]
}

func TestCertificatesFollowTheirFiles(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	core, logs := observer.New(zapcore.InfoLevel)
	cfg := &Config{TLSMinVersion: "1.3"}
	c, err := newCertificates(cfg, "http", &w.files, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	expect := func(what string, old []byte, changed bool, infos, errs int) (now []byte) {
		t.Helper()
		now = c.shown(t)
		if bytes.Equal(old, now) == changed {
			t.Errorf("%s: changed = %v, want %v", what, !changed, changed)
		}
		got := logs.TakeAll()
		if n := len(got); n != infos+errs || n > 0 && (got[0].Level == zapcore.ErrorLevel) != (errs == 1) {
			t.Errorf("%s: logged %v, want %d infos and %d errors", what, got, infos, errs)
		}
		return now
	}
	first := expect("at the start", nil, true, 0, 0)
	w.renew(time.Now().Add(998 * time.Hour))
	second := expect("after a renewal", first, true, 1, 0)
	_, key := w.authority.Issue("localhost", time.Now().Add(time.Hour))
	w.write(w.files.Key, key)
	expect("after half of a renewal", second, false, 0, 1)
	expect("after the same again", second, false, 0, 0)
	if err := os.Remove(w.files.Cert); err != nil {
		t.Fatal(err)
	}
	expect("without a certificate", second, false, 0, 1)
	expect("still without", second, false, 0, 0)
	w.renew(time.Now().Add(997 * time.Hour))
	third := expect("after the other half", second, true, 1, 0)
	c.reload()
	expect("when told to look", third, false, 1, 0)
	w.renew(time.Now().Add(996 * time.Hour))
	c.look(c.looked.Add(certificatesEvery - 1))
	if logs.Len() != 0 {
		t.Errorf("looked again within %v: %v", certificatesEvery, logs.All())
	}
	next := c.current.Load()
	if next.MinVersion != tls.VersionTLS13 || len(next.NextProtos) != 1 || next.NextProtos[0] != "http/1.1" {
		t.Errorf("after reloads the version is %x and ALPN %v, want 1.3 and http/1.1", next.MinVersion, next.NextProtos)
	}
}
