//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// stored is the memory that one of many things takes which channels remember.
type stored struct {
	channels, each int
	joins          int  // 0: messages in a history; else members, each joined by so many connections
	tidy           bool // the broker collects its garbage early: what it holds is what it uses
	settle         time.Duration
}

const (
	keepMembers = "[[channel]]\nmatch = \"load:*\"\npresence = true\n"
	memberData  = `{"state":"here"}`
	// storeHolders is how many connections share the members: one may not hold all.
	storeHolders = 10
	storeBatch   = 1000
)

// roomy lets the broker keep more than its limits are by default.
var roomy = []string{"--max-history-bytes", "4gb", "--max-state-bytes", "4gb"}

// run stores everything, members as often as each is joined, and reports the
// last time.
func (s stored) run(ctx context.Context, l *lab) (figures, error) {
	how := launch{product: fanfare, flags: roomy}
	if s.tidy {
		how.env = []string{"GOGC=10"}
	}
	rules := keepHistory
	if s.joins > 0 {
		rules = keepMembers
	}
	var out figures
	err := withRules(ctx, l, how, rules, func(r *rig) error {
		for n := range max(s.joins, 1) {
			holders, err := r.holders(storeHolders)
			defer func() {
				for _, w := range holders {
					w.close()
				}
			}()
			if err == nil {
				out, err = s.fill(ctx, r.server, holders, n)
			}
			if err != nil {
				return err
			}
		}
		return s.verify(r.server.addr)
	})
	return out, err
}

// holders are connections that hold what is stored through them.
func (r *rig) holders(n int) (all []wire, err error) {
	for range n {
		w, err := dial(r.server.addr, dialOptions{})
		if err != nil {
			return all, err
		}
		all = append(all, w)
	}
	return all, nil
}

// fill stores everything once; join counts the times before.
func (s stored) fill(ctx context.Context, server *server, holders []wire, join int) (figures, error) {
	before, err := s.rest(ctx, server)
	if err != nil {
		return nil, err
	}
	cpu, err := cpuTime(server.pid)
	if err != nil {
		return nil, err
	}
	for i, w := range holders {
		if err := s.send(w, i, join); err != nil {
			return nil, err
		}
	}
	spent, err := cpuTime(server.pid)
	if err != nil {
		return nil, err
	}
	after, err := s.rest(ctx, server)
	n := float64(s.channels * s.each)
	return figures{"bytes": float64(after-before) / n, "cpu": float64((spent - cpu).Nanoseconds()) / 1e3 / n}, err
}

// rest waits a while and returns the memory that the broker then holds.
func (s stored) rest(ctx context.Context, server *server) (int64, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(s.settle):
		return residentBytes(server.pid)
	}
}

// send stores the share of one holder, a batch at a time.
func (s stored) send(w wire, holder, join int) error {
	answer := ":0\r\n" // no receivers; not a new member
	if s.joins > 0 && join == 0 {
		answer = ":1\r\n"
	}
	var request, answers []byte
	for i := holder; i < s.channels*s.each; i += storeHolders {
		request = s.command(request, i)
		answers = append(answers, answer...)
		if len(answers) == storeBatch*len(answer) || i+storeHolders >= s.channels*s.each {
			if err := w.ask(request, answers); err != nil {
				return fmt.Errorf("store number %d: %w", i, err)
			}
			request, answers = request[:0], answers[:0]
		}
	}
	return nil
}

func (s stored) command(dst []byte, i int) []byte {
	channel := fmt.Sprintf("load:%06d", i%s.channels)
	if s.joins == 0 {
		return respDialect.publish(dst, channel, appendPayload(nil, 0, i, payloadSize))
	}
	return appendCommand(dst, "PRESENCE", "JOIN", channel, fmt.Sprintf("u%08d", i), "DATA", memberData)
}

// verify looks whether a channel has kept everything.
func (s stored) verify(addr string) error {
	if s.joins > 0 {
		count, err := asked(addr, "PRESENCE", "COUNT", s.last())
		if err == nil && !bytes.Equal(count.Data, fmt.Append(nil, s.each)) {
			err = fmt.Errorf("VOID: a channel has %s members, want %d", count.Data, s.each)
		}
		return err
	}
	history, err := asked(addr, "HISTORY", s.last())
	if err == nil && len(payloads(history)) != s.each {
		err = fmt.Errorf("VOID: a history has %d messages, want %d", len(payloads(history)), s.each)
	}
	return err
}

func (s stored) last() string { return fmt.Sprintf("load:%06d", s.channels-1) }
