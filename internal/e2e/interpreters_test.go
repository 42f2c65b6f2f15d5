package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// lacking ends a test that needs a program which is not there: skipped, but not in CI, where that would hide
// what is untested.
func lacking(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// leastNode is the oldest Node that the pinned clients say they run on.
const leastNode = 20

// nodeJS is the path of a Node that can run the clients of js/, which make node-clients has installed.
func nodeJS(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		lacking(t, "no node: install the packages nodejs and npm")
	}
	out, err := exec.Command(path, "--version").Output()
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), ".")
	if version, atoi := strconv.Atoi(major); err != nil || atoi != nil || version < leastNode {
		lacking(t, "node "+strings.TrimSpace(string(out))+" is too old: the clients need version "+strconv.Itoa(leastNode))
	}
	if _, err := os.Stat(filepath.Join("js", "node_modules", "redis")); err != nil {
		lacking(t, "no Node clients: run make node-clients")
	}
	return path
}

// python is the path of a Python that has redis-py. The first one of PATH may not be the system's, for which
// the package is installed.
func python(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(path, "-c", "import redis").Run() == nil {
			return path
		}
	}
	lacking(t, "no redis-py: install the package python3-redis")
	return ""
}
