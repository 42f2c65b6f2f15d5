//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"
)

// weight is the memory that a key takes: by the kernel's account of the process,
// and by the server's own.
type weight struct {
	product product
	tidy    bool // the broker collects its garbage early: what it holds is what it uses
	keys    int
	// command appends the command that makes the i-th key, and answer is its reply.
	command func(dst []byte, i int) []byte
	answer  string
	settle  time.Duration
}

// accounts are the lines of INFO memory with a server's own account.
var accounts = map[product]string{redis: "used_memory:", fanfare: "used_memory_keyspace:"}

func (w weight) run(ctx context.Context, l *lab) (figures, error) {
	how := launch{product: w.product}
	if w.tidy {
		how.env = []string{"GOGC=10"}
	}
	server, err := l.start(ctx, how)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	before, own, err := w.look(ctx, server)
	if err != nil {
		return nil, err
	}
	if err := w.fill(server.addr); err != nil {
		return nil, err
	}
	after, owned, err := w.look(ctx, server)
	n := float64(w.keys)
	return figures{"rss": float64(after-before) / n, "account": float64(owned-own) / n, "total": float64(after) / (1 << 20)}, err
}

// look waits a while and returns what the server then takes.
func (w weight) look(ctx context.Context, s *server) (rss, own int64, err error) {
	if err := rest(ctx, w.settle); err != nil {
		return 0, 0, err
	}
	if rss, err = residentBytes(s.pid); err != nil {
		return 0, 0, err
	}
	info, err := asked(s.addr, "INFO", "memory")
	if err != nil {
		return 0, 0, err
	}
	_, text, _ := bytes.Cut(info.Data, []byte("\n"+accounts[w.product]))
	line, _, _ := bytes.Cut(text, []byte("\r\n"))
	if own, err = strconv.ParseInt(string(line), 10, 64); err != nil {
		return 0, 0, fmt.Errorf("INFO memory says %s%.40q", accounts[w.product], line)
	}
	return rss, own, nil
}

func (w weight) fill(addr string) error {
	c, err := dial(addr, dialOptions{})
	if err != nil {
		return err
	}
	defer c.close()
	const batch = 100
	var request []byte
	for i := 0; i < w.keys; i += batch {
		n := min(batch, w.keys-i)
		request = request[:0]
		for j := range n {
			request = w.command(request, i+j)
		}
		if err := c.ask(request, bytes.Repeat([]byte(w.answer), n)); err != nil {
			return fmt.Errorf("make key %d: %w", i, err)
		}
	}
	return nil
}
