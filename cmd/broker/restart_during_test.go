package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap"
)

// A snapshot whose file is a pipe is being written until somebody reads, and fails then. Nobody saves meanwhile; a
// stop waits for it, and writes a snapshot of its own.
func TestAStopDuringASaveKeepsEverything(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	p := r.start()
	c := p.dial()
	pipe := filepath.Join(r.dir, "fanfare-00000001.snapshot.tmp")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := c.call("SET k early") + c.call("BGSAVE"); got != "+OK\r\n+Background saving started\r\n" {
		t.Fatalf("got %q", got)
	}
	for p.info("rdb_bgsave_in_progress") != "1" {
	}
	for _, command := range []string{"SAVE", "BGSAVE", "BGSAVE SCHEDULE"} {
		if got, want := c.call("%s", command), "-ERR Background save already in progress\r\n"; got != want {
			t.Errorf("%s during a save: got %q, want %q", command, got, want)
		}
	}
	if got := c.call("SET k late"); got != "+OK\r\n" {
		t.Errorf("a write during a save: got %q", got)
	}
	p.signal(syscall.SIGTERM)
	if line, err := c.line(); !errors.Is(err, io.EOF) { // Only the last snapshot is missing now.
		t.Errorf("at the stop: got %q, %v", line, err)
	}
	reader, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, reader)
	_ = reader.Close()
	p.await("the snapshot could not be written; the one before it stays")
	if got := p.exit(); got != exitOK {
		t.Errorf("exit code: got %d, want %d", got, exitOK)
	}
	p = r.start()
	if got := p.dial().call("GET k"); got != "$4\r\nlate\r\n" || p.info("last_stop") != "clean" {
		t.Errorf("got %q, last_stop:%s", got, p.info("last_stop"))
	}
}

// Who is told to stop has not found out yet whether a snapshot can be loaded.
func TestAStopWhileSnapshotsAreTriedDiscardsNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	damaged := filepath.Join(dir, "fanfare-00000001.snapshot")
	if err := os.WriteFile(damaged, []byte("FANFARE\x01"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := load([]string{"--dir", dir, "--discard-snapshot"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, stopped := range []bool{true, false} {
		ctx, stop := context.WithCancel(t.Context())
		if stopped {
			stop()
		}
		d, err := openSnapshots(ctx, &cfg, zap.NewNop())
		stop()
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		if _, err := os.Stat(damaged); stopped && err != nil || !stopped && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("stopped %v: %v", stopped, err)
		}
	}
}

func TestADirectoryThatCannotBeUsedNamesTheFlag(t *testing.T) {
	t.Parallel()
	file := write(t, "")
	for name, dir := range map[string]string{"a file": file, "below a file": filepath.Join(file, "state")} {
		got := invoke(t, nil, "--resp=127.0.0.1:0", "--http=127.0.0.1:0", "--dir", dir)
		last := got.stderr[strings.LastIndex(strings.TrimSpace(got.stderr), "\n")+1:]
		if got.code != exitFailed || !strings.HasPrefix(last, "broker: --dir: ") || !strings.Contains(last, file) || !strings.Contains(last, "not a directory") {
			t.Errorf("%s: got code %d, errors %q", name, got.code, got.stderr)
		}
	}
}
