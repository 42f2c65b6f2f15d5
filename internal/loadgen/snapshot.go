//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// snapshot is how long a server takes to save its keys and to load them again, what
// memory that needs, and how long others wait meanwhile.
type snapshot struct {
	product product
	keys    int
	settle  time.Duration
}

func (s snapshot) run(ctx context.Context, l *lab) (figures, error) {
	dir, err := os.MkdirTemp(l.dir, "state")
	if err != nil {
		return nil, fmt.Errorf("create a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	how := launch{product: s.product, flags: []string{"--dir", dir}}
	if s.product == fanfare {
		how.flags = append(how.flags, "--save-every", "0")
	}
	out := figures{}
	if err := s.save(ctx, l, how, out); err != nil {
		return nil, err
	}
	if out["file"], err = largest(dir); err != nil {
		return nil, err
	}
	return out, s.load(ctx, l, how, out)
}

// save fills the keys and saves them.
func (s snapshot) save(ctx context.Context, l *lab, how launch, out figures) error {
	server, err := l.start(ctx, how)
	if err != nil {
		return err
	}
	defer server.stop()
	if err := s.fill(server.addr); err != nil {
		return err
	}
	if err := rest(ctx, s.settle); err != nil {
		return err
	}
	if out["memory"], err = megabytes(server.pid); err != nil {
		return err
	}
	began := time.Now()
	if _, err := asked(server.addr, "BGSAVE"); err != nil {
		return err
	}
	worst, err := awaitSaved(ctx, server.addr)
	if err != nil {
		return err
	}
	out["save"], out["wait"] = time.Since(began).Seconds(), float64(worst.Microseconds())/1e3
	out["saving"], err = megabytes(server.pid)
	return err
}

func (s snapshot) fill(addr string) error {
	w, err := dial(addr, dialOptions{})
	if err != nil {
		return err
	}
	defer w.close()
	answers := bytes.Repeat([]byte("+OK\r\n"), storeBatch)
	for i := 0; i < s.keys; i += storeBatch {
		var request []byte
		for j := range storeBatch {
			request = appendCommand(request, "SET", fmt.Sprintf("key:%012d", i+j), string(appendPayload(nil, 0, i+j, payloadSize)))
		}
		if err := w.ask(request, answers); err != nil {
			return fmt.Errorf("set key %d: %w", i, err)
		}
	}
	return nil
}

// awaitSaved returns when the save that has begun is over, and the longest time that
// a command took meanwhile.
func awaitSaved(ctx context.Context, addr string) (worst time.Duration, err error) {
	w, err := dial(addr, dialOptions{})
	if err != nil {
		return 0, err
	}
	defer w.close()
	request, answer := appendCommand(nil, "SET", "key:other", "v"), []byte("+OK\r\n")
	for looked := time.Now(); ctx.Err() == nil; {
		began := time.Now()
		if err := w.ask(request, answer); err != nil {
			return 0, err
		}
		worst = max(worst, time.Since(began))
		if time.Since(looked) < 5*time.Millisecond {
			continue
		}
		looked = time.Now()
		info, err := asked(addr, "INFO", "persistence")
		if err != nil {
			return 0, err
		}
		if bytes.Contains(info.Data, []byte("rdb_bgsave_in_progress:0")) {
			if !bytes.Contains(info.Data, []byte("rdb_last_bgsave_status:ok")) {
				return 0, fmt.Errorf("VOID: not saved: %.500s", info.Data)
			}
			return worst, nil
		}
	}
	return 0, ctx.Err()
}

// load starts a server that has to load first, and waits until it has.
func (s snapshot) load(ctx context.Context, l *lab, how launch, out figures) error {
	began := time.Now()
	server, err := l.start(ctx, how)
	if err != nil {
		return err
	}
	defer server.stop()
	for {
		size, err := asked(server.addr, "DBSIZE")
		if err == nil && !bytes.HasPrefix(size.Data, []byte("LOADING")) {
			out["load"] = time.Since(began).Seconds()
			if n := s.keys + 1; !bytes.Equal(size.Data, fmt.Append(nil, n)) && !bytes.Equal(size.Data, fmt.Append(nil, n-1)) {
				return fmt.Errorf("VOID: %s keys were loaded, want %d", size.Data, n)
			}
			break
		}
		if err := rest(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
	out["loaded"], err = megabytes(server.pid)
	return err
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func megabytes(pid int) (float64, error) {
	n, err := residentBytes(pid)
	return float64(n) / 1e6, err
}

// largest returns the size in megabytes of the largest file in a folder.
func largest(dir string) (size float64, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return 0, err
		}
		size = max(size, float64(info.Size())/1e6)
	}
	return size, nil
}
