package conversation

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Redis starts a redis-server for the test and stops it at its end. Where none is installed the test is
// skipped; with CI in the environment it fails instead, so that a pipeline cannot lose the comparison
// without noticing.
func Redis(t *testing.T, settings ...string) Dialer {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no redis-server to compare with: %v", err)
		}
		t.Skipf("no redis-server to compare with: %v", err)
	}
	// Not t.TempDir, whose path may be longer than the 108 bytes a socket's name has.
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	args := []string{"--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir}
	version := start(t, program, append(args, settings...))
	return Dialer{
		Name:    "redis-server " + version,
		Release: version,
		RESP:    func() (net.Conn, error) { return net.Dial("unix", socket) },
	}
}

var versionForm = regexp.MustCompile(`version=(\d+\.\d+\.\d+)`)

// start runs the program until the test ends and returns its version once it accepts connections.
func start(t *testing.T, program string, args []string) string {
	t.Helper()
	cmd := exec.Command(program, args...) //nolint:gosec // G204: the test's own arguments
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	version, log, err := awaitReady(out)
	if err != nil {
		t.Fatalf("%s did not start: %v\n%s", program, err, log)
	}
	// It would stop at a full pipe.
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return version
}

func awaitReady(out io.Reader) (version, log string, err error) {
	var b strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		text := lines.Text()
		b.WriteString(text + "\n")
		if m := versionForm.FindStringSubmatch(text); m != nil {
			version = m[1]
		}
		if strings.Contains(strings.ToLower(text), "ready to accept connections") {
			return version, b.String(), nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", b.String(), err
	}
	return "", b.String(), io.ErrUnexpectedEOF
}
