package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// tlsFiles are the TLS settings of one listen setting, as paths.
type tlsFiles struct {
	Cert, Key string // PEM: the certificate with what leads to its root, and its key; empty: no TLS
	ClientCA  string // PEM: whoever connects needs a certificate by one of these; empty: none is asked for
}

// endsSoon is how long before a certificate's end one is warned.
const endsSoon = 14 * 24 * time.Hour

// tlsVersions are the choices of tls-min-version. Older ones are broken.
var tlsVersions = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// check says what is wrong with the settings as such; table is "resp" or "http".
func (f *tlsFiles) check(table string) error {
	switch {
	case f.Cert != "" && f.Key == "":
		return fmt.Errorf("%s.tls-cert is set and %[1]s.tls-key is not: a certificate needs its key", table)
	case f.Cert == "" && f.Key != "":
		return fmt.Errorf("%s.tls-key is set and %[1]s.tls-cert is not: a key needs its certificate", table)
	case f.Cert == "" && f.ClientCA != "":
		return fmt.Errorf("%s.tls-client-ca is set and %[1]s.tls-cert is not: without TLS nobody shows a certificate", table)
	}
	return nil
}

// paths are the files that are set, by setting.
func (f *tlsFiles) paths() []string {
	if f.ClientCA == "" {
		return []string{f.Cert, f.Key}
	}
	return []string{f.Cert, f.Key, f.ClientCA}
}

// read makes the configuration of a handshake out of the files. The error names the
// setting and the file. A certificate that has ended is an error: every peer that
// looks at it would turn away.
func (f *tlsFiles) read(table string, now time.Time) (*tls.Config, error) {
	cert, err := readSetting(table+".tls-cert", f.Cert)
	if err != nil {
		return nil, err
	}
	key, err := readSetting(table+".tls-key", f.Key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s.tls-cert %s with %[1]s.tls-key %[3]s: %[4]w", table, f.Cert, f.Key, err)
	}
	if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		return nil, fmt.Errorf("%s.tls-cert: %s: %w", table, f.Cert, err)
	}
	if end := pair.Leaf.NotAfter; now.After(end) {
		return nil, fmt.Errorf("%s.tls-cert: the certificate in %s has ended on %s", table, f.Cert, end.UTC().Format(time.RFC3339))
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if f.ClientCA == "" {
		return c, nil
	}
	authorities, err := readSetting(table+".tls-client-ca", f.ClientCA)
	if err != nil {
		return nil, err
	}
	c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !c.ClientCAs.AppendCertsFromPEM(authorities) {
		return nil, fmt.Errorf("%s.tls-client-ca: %s has no certificate in PEM", table, f.ClientCA)
	}
	// A resumed session would show no certificate again, and so outlive the
	// authorities that it was accepted by.
	c.SessionTicketsDisabled = true
	return c, nil
}

func readSetting(setting, path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if wrong := (*os.PathError)(nil); errors.As(err, &wrong) {
		return nil, fmt.Errorf("%s: %s: %w", setting, path, wrong.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", setting, path, err)
	}
	return text, nil
}

// doubt is what an operator should know about files that can be used.
type doubt struct{ setting, file, text string }

func (d doubt) String() string { return d.setting + ": " + d.file + ": " + d.text }

// doubts looks at files that could be read into c.
func (f *tlsFiles) doubts(table string, c *tls.Config, now time.Time) []doubt {
	var all []doubt
	leaf := c.Certificates[0].Leaf
	if now.Before(leaf.NotBefore) {
		all = append(all, doubt{table + ".tls-cert", f.Cert, "begins only on " + leaf.NotBefore.UTC().Format(time.RFC3339)})
	}
	if left := leaf.NotAfter.Sub(now); left < endsSoon {
		all = append(all, doubt{table + ".tls-cert", f.Cert, "ends on " + leaf.NotAfter.UTC().Format(time.RFC3339)})
	}
	if info, err := os.Stat(f.Key); err == nil && info.Mode().Perm()&0o004 != 0 {
		all = append(all, doubt{table + ".tls-key", f.Key, fmt.Sprintf("every user of this machine may read it (mode %03o)", info.Mode().Perm())})
	}
	return all
}

// tlsTable is a listen setting with TLS, and the table of the file it stands in.
type tlsTable struct {
	name string
	*tlsFiles
}

// tlsTables are the listen settings with TLS.
func (c *Config) tlsTables() []tlsTable {
	all := []tlsTable{{"resp", &c.RESPTLS}, {"http", &c.HTTPTLS}}
	return slices.DeleteFunc(all, func(t tlsTable) bool { return t.Cert == "" })
}

// tlsLeast is tls-min-version as crypto/tls has it.
func (c *Config) tlsLeast() uint16 { return cmp.Or(tlsVersions[c.TLSMinVersion], tls.VersionTLS12) }
