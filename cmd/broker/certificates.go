package main

import (
	"crypto/tls"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// certificatesEvery is how often at most the files are looked at for a change.
const certificatesEvery = time.Second

// certificates is what one listen setting shows to those who connect, and keeps it as
// new as the files are: whoever renews a certificate need not tell the broker. It
// looks when a handshake comes, and when it is told to; a watch on the directory would
// miss links that are turned to another file, as certbot and Kubernetes do.
//
// Its methods may be called from any goroutine. Handshakes never wait for one that
// reads the files.
type certificates struct {
	// set at construction
	table     string // "resp" or "http"
	files     tlsFiles
	least     uint16
	protocols []string // for ALPN
	log       *zap.Logger

	current atomic.Pointer[tls.Config]

	mu     sync.Mutex // held by whoever looks or reads
	looked time.Time
	seen   []os.FileInfo // the files as of the last try to read them
}

// newCertificates reads the files of a table.
func newCertificates(cfg *Config, table string, files *tlsFiles, log *zap.Logger) (*certificates, error) {
	c := &certificates{table: table, files: *files, least: cfg.tlsLeast(), log: log}
	if table == "http" {
		// Web servers would offer HTTP/2, which no WebSocket begins in.
		c.protocols = []string{"http/1.1"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c, c.read(time.Now())
}

// server is the configuration for the transport.
func (c *certificates) server() *tls.Config {
	return &tls.Config{MinVersion: c.least, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		c.look(time.Now())
		return c.current.Load(), nil
	}}
}

// look reads the files again if they have changed and the last look was long enough ago.
func (c *certificates) look(now time.Time) {
	if !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	if now.Sub(c.looked) < certificatesEvery {
		return
	}
	c.looked = now
	if !sameFiles(c.seen, statAll(c.files.paths())) {
		c.again(now)
	}
}

// reload reads the files again, whether they look changed or not.
func (c *certificates) reload() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.again(time.Now())
}

// again reads the files and says how it went. What cannot be used leaves everything as
// it was; it is tried again when the files have changed once more.
func (c *certificates) again(now time.Time) {
	if err := c.read(now); err != nil {
		c.log.Error("certificate not reloaded: the one before stays", zap.Error(err))
		return
	}
	c.log.Info("certificate reloaded", zap.String("setting", c.table+".tls-cert"), zap.String("file", c.files.Cert),
		zap.Time("ends", c.current.Load().Certificates[0].Leaf.NotAfter))
}

// read is called with mu held.
func (c *certificates) read(now time.Time) error {
	c.seen = statAll(c.files.paths()) // Before reading: what changes from here on is seen as a change.
	next, err := c.files.read(c.table, now)
	if err != nil {
		return err
	}
	next.MinVersion, next.NextProtos = c.least, c.protocols
	c.current.Store(next)
	for _, d := range c.files.doubts(c.table, next, now) {
		c.log.Warn("certificate is doubtful", zap.String("setting", d.setting), zap.String("file", d.file), zap.String("doubt", d.text))
	}
	return nil
}

// statAll looks at files; nil stands for one that cannot be looked at.
func statAll(paths []string) []os.FileInfo {
	infos := make([]os.FileInfo, len(paths))
	for i, path := range paths {
		if info, err := os.Stat(path); err == nil {
			infos[i] = info
		}
	}
	return infos
}

func sameFiles(a, b []os.FileInfo) bool {
	for i := range a {
		switch {
		case a[i] == nil && b[i] == nil:
		case a[i] == nil || b[i] == nil:
			return false
		case !os.SameFile(a[i], b[i]), a[i].Size() != b[i].Size(), !a[i].ModTime().Equal(b[i].ModTime()):
			return false
		}
	}
	return true
}

// openCertificates reads the certificates of all listen settings and makes the
// transports use them.
func openCertificates(cfg *Config, log *zap.Logger) ([]*certificates, error) {
	var all []*certificates
	for _, t := range cfg.tlsTables() {
		c, err := newCertificates(cfg, t.name, t.tlsFiles, log)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
		if t.name == "http" {
			cfg.WS.TLS = c.server()
		} else {
			cfg.RESP.TLS = c.server()
		}
	}
	return all, nil
}
