package e2e

import (
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// startRedis runs a redis-server until the test ends and returns its address. Without one the test is
// skipped, but not in CI.
func startRedis(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		lacking(t, "no redis-server: install the package redis-server")
	}
	// A free port may be taken by somebody else before the server listens.
	for range 5 {
		addr, err := freeAddress()
		if err != nil {
			t.Fatal(err)
		}
		host, port, _ := strings.Cut(addr, ":")
		cmd := exec.Command(path, "--bind", host, "--port", port, "--dir", t.TempDir(), "--save", "", "--loglevel", "warning")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait() // an unusable port is seen below
			close(ended)
		}()
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			<-ended
		})
		if listens(addr, ended) {
			return addr
		}
	}
	t.Fatal("redis-server does not start")
	return ""
}

// listens waits until addr accepts connections; false: ended was closed before, or patience is over.
func listens(addr string, ended <-chan struct{}) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			_ = c.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
	return false
}
