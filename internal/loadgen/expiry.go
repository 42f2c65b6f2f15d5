//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// expiry is many keys whose time ends within a short while. One connection asks
// for a key that stays, a thousand times a second, until the others are gone:
// what does their end cost somebody who has nothing to do with them?
type expiry struct {
	product product
	keys    int
	ahead   time.Duration // from the first SET to the first deadline: loading must end before
	spread  time.Duration // from the first deadline to the last
	limit   time.Duration // after the last deadline, for the last key to be gone
}

const (
	probeInterval = time.Millisecond
	countInterval = 50 * time.Millisecond
	expiryBatch   = 1000 // SETs in flight while loading
	valueSize     = 64
)

func (e expiry) run(ctx context.Context, l *lab) (figures, error) {
	var out figures
	err := withRig(ctx, l, e.product, func(r *rig) error {
		first := time.Now().Add(e.ahead)
		last := first.Add(e.spread)
		before, err := cpuTime(r.server.pid)
		if err != nil {
			return err
		}
		if err := e.load(r.server.addr, first); err != nil {
			return err
		}
		loaded, err := cpuTime(r.server.pid)
		if err != nil {
			return err
		}
		if until := time.Until(first); until < 0 {
			return fmt.Errorf("loading %d keys took %v longer than planned", e.keys, -until)
		}
		g, err := watchExpiry(r)
		if err != nil {
			return err
		}
		if err := r.loop.run(ctx, 0, func() bool { return g.left == 1 || time.Since(last) > e.limit }); err != nil {
			return err
		}
		after, err := cpuTime(r.server.pid)
		if err != nil {
			return err
		}
		if g.left != 1 {
			return fmt.Errorf("%d keys are left %v after the last deadline", g.left-1, e.limit)
		}
		out = g.report(first)
		out["gone"] = time.Since(last).Seconds()
		out["load"] = float64((loaded - before).Nanoseconds()) / 1e3 / float64(e.keys)
		out["cpu"] = float64((after - loaded).Nanoseconds()) / 1e3 / float64(e.keys)
		return nil
	})
	return out, err
}

// load sets the key that stays and the others, whose deadlines lie evenly
// between first and first + spread.
func (e expiry) load(addr string, first time.Time) error {
	w, err := dial(addr, dialOptions{})
	if err != nil {
		return err
	}
	defer w.close()
	value := string(appendPayload(nil, 0, 0, valueSize))
	if err := w.ask(appendCommand(nil, "SET", "stays", value), []byte("+OK\r\n")); err != nil {
		return err
	}
	answers := bytes.Repeat([]byte("+OK\r\n"), expiryBatch)
	var request []byte
	for i := range e.keys {
		deadline := first.Add(e.spread * time.Duration(i) / time.Duration(e.keys)).UnixMilli()
		request = appendCommand(request, "SET", fmt.Sprintf("ends:%08d", i), value, "PXAT", strconv.FormatInt(deadline, 10))
		if (i+1)%expiryBatch == 0 {
			if err := w.ask(request, answers); err != nil {
				return fmt.Errorf("load key %d: %w", i, err)
			}
			request = request[:0]
		}
	}
	return nil
}

// glance asks for the key that stays and for the number of keys.
type glance struct {
	asked []time.Time // by GET
	times []time.Duration
	rest  []byte // of an incomplete reply
	value []byte // the right reply
	left  int    // keys by the last DBSIZE, -1: not yet known
}

// watchExpiry makes two connections and the timers that drive them.
func watchExpiry(r *rig) (*glance, error) {
	g := &glance{left: -1, value: appendBulk(nil, appendPayload(nil, 0, 0, valueSize))}
	get, err := r.connect(g.got)
	if err != nil {
		return nil, err
	}
	count, err := r.connect(g.counted)
	if err != nil {
		return nil, err
	}
	ask := func() error {
		g.asked = append(g.asked, time.Now())
		return r.loop.send(get, appendCommand(nil, "GET", "stays"))
	}
	if err := r.every(probeInterval, ask); err != nil {
		return nil, err
	}
	return g, r.every(countInterval, func() error { return r.loop.send(count, appendCommand(nil, "DBSIZE")) })
}

// got takes replies to GET.
func (g *glance) got(b []byte) error {
	now := time.Now()
	for g.rest = append(g.rest, b...); len(g.rest) >= len(g.value); g.rest = g.rest[len(g.value):] {
		if !bytes.HasPrefix(g.rest, g.value) {
			return fmt.Errorf("VOID: GET answers %.80q", g.rest)
		}
		g.times = append(g.times, now.Sub(g.asked[len(g.times)]))
	}
	return nil
}

// counted takes a reply to DBSIZE, which comes in one piece: none is asked for
// before the last one has long been answered, and a later one says the same.
func (g *glance) counted(b []byte) error {
	line, _, ok := bytes.Cut(b, []byte("\r\n"))
	if !ok || line[0] != ':' {
		return fmt.Errorf("VOID: DBSIZE answers %.80q", b)
	}
	n, err := strconv.Atoi(string(line[1:]))
	if err != nil {
		return errors.New("VOID: DBSIZE answers " + string(line))
	}
	g.left = n
	return nil
}

// report returns the times of the GETs asked from the first deadline on.
func (g *glance) report(first time.Time) figures {
	from, _ := slices.BinarySearchFunc(g.asked[:len(g.times)], first, time.Time.Compare)
	times := slices.Sorted(slices.Values(g.times[from:]))
	if len(times) == 0 {
		return figures{}
	}
	at := func(share int) float64 { return float64(times[(len(times)-1)*share/1000].Microseconds()) }
	return figures{"p50": at(500), "p99": at(990), "max": at(1000)}
}
