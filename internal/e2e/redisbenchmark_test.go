package e2e

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
)

// redis-benchmark, as people type it, runs to its end. What it measures is not looked at here: it ends with
// an error of its own when a reply is one, and warns when CONFIG GET does not answer.
func TestRedisBenchmark(t *testing.T) {
	path, err := exec.LookPath("redis-benchmark")
	if err != nil {
		lacking(t, "no redis-benchmark: install the package redis-tools")
	}
	const tests = "ping,set,get,incr,mset"
	usual := []string{"PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"}
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"one request at a time", []string{"-t", tests}, usual},
		{"pipelined in RESP3", []string{"-3", "-P", "16", "-t", tests}, usual},
		{"random keys", []string{"-r", "1000", "-t", tests}, usual},
		{"PUBLISH", []string{"PUBLISH", "chan", "msg"}, []string{"PUBLISH chan msg"}},
		{"pipelined PUBLISH", []string{"-P", "16", "PUBLISH", "chan", "msg"}, []string{"PUBLISH chan msg"}},
	} {
		for _, server := range servers {
			t.Run(fmt.Sprintf("%s/%s", server.name, tt.name), func(t *testing.T) {
				_, port, err := net.SplitHostPort(server.start(t))
				if err != nil {
					t.Fatal(err)
				}
				out, err := exec.Command(path, append([]string{"-p", port, "-n", "3000", "-c", "20", "--csv"}, tt.args...)...).CombinedOutput()
				if err != nil || strings.Contains(string(out), "WARNING") || strings.Contains(strings.ToLower(string(out)), "error") {
					t.Errorf("got %v:\n%s", err, out)
				}
				for _, test := range tt.want {
					if !strings.Contains(string(out), "\n\""+test+"\",") {
						t.Errorf("no result of %s in\n%s", test, out)
					}
				}
			})
		}
	}
}
