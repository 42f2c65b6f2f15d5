package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestADamagedSnapshotStopsTheStart(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(file []byte) []byte{
		"a bit":     func(file []byte) []byte { file[len(file)/2] ^= 1; return file },
		"cut":       func(file []byte) []byte { return file[:len(file)-1] },
		"foreign":   func([]byte) []byte { return []byte("REDIS0011\xfa\x09redis-ver\x057.2.4") },
		"too young": func(file []byte) []byte { return append([]byte("FANFARE\x02"), file[8:]...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRestartable(t)
			p := r.start()
			c := p.dial()
			if got := c.call("SET k old") + c.call("SAVE") + c.call("SET k new"); got != "+OK\r\n+OK\r\n+OK\r\n" {
				t.Fatalf("got %q", got)
			}
			r.stop(p)
			file := filepath.Join(r.dir, "fanfare-00000002.snapshot")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, damage(text), 0o600); err != nil {
				t.Fatal(err)
			}
			args := append([]string{"--resp=127.0.0.1:0", "--http=127.0.0.1:0"}, r.args...)
			got := invoke(t, nil, args...)
			last := got.stderr[strings.LastIndex(strings.TrimSpace(got.stderr), "\n")+1:]
			if got.code != exitFailed || !strings.HasPrefix(last, "broker: load "+file) || !strings.Contains(last, "; --discard-snapshot ") || got.stdout != "" {
				t.Errorf("got code %d, output %q, errors %q", got.code, got.stdout, got.stderr)
			}
			p = r.start("--discard-snapshot")
			if got := p.dial().call("GET k"); got != "$3\r\nold\r\n" {
				t.Errorf("the one before it: got %q", got)
			}
			if got := p.info("last_stop"); got != "unclean" {
				t.Errorf("got last_stop:%s", got)
			}
			if names := r.files(); !slices.Contains(names, "fanfare-00000002.snapshot.discarded") {
				t.Errorf("the damaged one is not there any more: %q", names)
			}
		})
	}
}

func TestAForgottenDiscardSnapshotCostsNothing(t *testing.T) {
	t.Parallel()
	r := newRestartable(t, "--discard-snapshot")
	p := r.start()
	fill(p)
	want := asked(p)
	r.stop(p)
	p = r.start()
	if got := asked(p); got != want || p.info("last_stop") != "clean" {
		t.Errorf("got last_stop:%s and\n%s\nwant\n%s", p.info("last_stop"), got, want)
	}
}

// The start is refused, nothing has changed, and with the setting as it was the node
// goes on as if it had never been tried.
func TestASnapshotThatDoesNotFitNamesTheSetting(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	p := r.start()
	c := p.dial()
	for i := range 300 {
		c.call("SET k%d %s", i, strings.Repeat("x", 1000))
		c.call("RETAIN chat:%d %s", i, strings.Repeat("x", 1000))
	}
	c.call("SELECT 9")
	c.call("SET k v")
	epoch := p.info("epoch")
	r.stop(p)
	for flag, want := range map[string]string{
		"--kv-maxmemory=100kb": "kv.maxmemory", "--max-state-bytes=100kb": "limits.max-state-bytes", "--kv-databases=9": "kv.databases",
	} {
		for _, more := range []string{"--discard-snapshot=false", "--discard-snapshot"} { // It is not the file's fault.
			got := invoke(t, nil, append([]string{"--resp=127.0.0.1:0", "--http=127.0.0.1:0", flag, more}, r.args...)...)
			if name, _, _ := strings.Cut(want, "."); got.code != exitFailed || !strings.Contains(got.stderr, name) || !strings.Contains(got.stderr, strings.SplitN(flag, "=", 2)[0]) {
				t.Errorf("%s: got code %d, errors %q", flag, got.code, got.stderr)
			}
		}
	}
	p = r.start()
	if stop, now := p.info("last_stop"), p.info("epoch"); stop != "clean" || now != epoch {
		t.Errorf("got last_stop:%s, epoch %s, want %s", stop, now, epoch)
	}
}

func TestOneBrokerUsesADirectory(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	r.start()
	got := invoke(t, nil, append([]string{"--resp=127.0.0.1:0", "--http=127.0.0.1:0"}, r.args...)...)
	if got.code != exitFailed || !strings.Contains(got.stderr, r.dir+": another broker uses this directory") {
		t.Errorf("got code %d, errors %q", got.code, got.stderr)
	}
}

// The next snapshot's temporary file is made a link to a device that is always full.
func TestAFullDiskLeavesTheOldSnapshotAndEverythingRunning(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full")
	}
	r := newRestartable(t)
	p := r.start()
	c := p.dial()
	fillUp := func(n int) {
		if err := os.Symlink("/dev/full", filepath.Join(r.dir, fmt.Sprintf("fanfare-%08d.snapshot.tmp", n))); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.call("SET k old") + c.call("SAVE"); got != "+OK\r\n+OK\r\n" {
		t.Fatalf("got %q", got)
	}
	fillUp(2)
	if got, want := c.call("SET k new")+c.call("SAVE")+c.call("GET k"), "+OK\r\n-ERR the snapshot could not be written; the log says why\r\n$3\r\nnew\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if entry := fmt.Sprint(p.await("the snapshot could not be written; the one before it stays")); !strings.Contains(entry, "no space left on device") {
		t.Errorf("got %s", entry)
	}
	if status, failures := p.info("rdb_last_bgsave_status"), p.info("snapshot_failures"); status != "err" || failures != "1" {
		t.Errorf("got status %s, %s failures", status, failures)
	}
	fillUp(2)
	p.signal(syscall.SIGTERM)
	if got := p.exit(); got != exitFailed {
		t.Errorf("a stop whose snapshot cannot be written: got code %d, want %d", got, exitFailed)
	}
	p = r.start()
	if got := p.dial().call("GET k"); got != "$3\r\nold\r\n" || p.info("last_stop") != "unclean" {
		t.Errorf("got %q, last_stop:%s", got, p.info("last_stop"))
	}
	if got := p.dial().call("SAVE"); got != "+OK\r\n" || p.info("rdb_last_bgsave_status") != "ok" {
		t.Errorf("with room again: got %q", got)
	}
}
