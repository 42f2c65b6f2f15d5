//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/tidwall/redcon"
)

// remembered is one publisher's messages to a channel under the broker's rules.
type remembered struct {
	rules       string // of the configuration file
	subscribers int
	messages    int
	keeps       bool // the channel's rule is keepAll
}

// keptMessages is the size of a history under keepAll.
const keptMessages = 100

// Rules for the channels of a run.
const (
	keepHistory = "[[channel]]\nmatch = \"load:*\"\nhistory = { size = 100 }\n"
	keepAll     = keepHistory + "retain = \"all\"\n"
)

func (m remembered) run(ctx context.Context, l *lab) (figures, error) {
	var out figures
	err := withRules(ctx, l, launch{product: fanfare}, m.rules, func(r *rig) error {
		f := fanout{subscribers: m.subscribers, messages: m.messages, payload: payloadSize}
		d := dialectOf(fanfare)
		if err := f.connect(r, d); err != nil {
			return err
		}
		p, err := r.addPublisher(d, f.commands(d), []int{m.subscribers}, m.messages, fullWindow)
		if err != nil {
			return err
		}
		u, err := r.spend(ctx, []*publisher{p}, each(m.messages), p.start)
		if err != nil {
			return err
		}
		out = perDelivery(u, m.messages)
		if m.keeps {
			return m.verify(r)
		}
		return nil
	})
	return out, err
}

// withRules is withLaunch for a broker with these rules.
func withRules(ctx context.Context, l *lab, how launch, rules string, f func(r *rig) error) error {
	if rules == "" {
		return withLaunch(ctx, l, how, f)
	}
	file, err := os.CreateTemp(l.dir, "rules-*.toml")
	if err != nil {
		return fmt.Errorf("create a configuration: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.WriteString(rules)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write a configuration: %w", err)
	}
	how.flags = append(how.flags, "--config", file.Name())
	return withLaunch(ctx, l, how, f)
}

// verify compares what the channel remembers with the last messages.
func (m remembered) verify(r *rig) error {
	history, err := asked(r.server.addr, "HISTORY", loadChannel)
	if err != nil {
		return err
	}
	kept := payloads(history)
	if want := min(keptMessages, m.messages); len(kept) != want {
		return fmt.Errorf("VOID: the history has %d messages, want %d", len(kept), want)
	}
	for i, got := range kept {
		n := (m.messages - len(kept) + i) % ringMessages
		if want := appendPayload(nil, 0, n, payloadSize); !bytes.Equal(got, want) {
			return fmt.Errorf("VOID: message %d of the history is %.60q, want %.60q", i, got, want)
		}
	}
	retained, err := asked(r.server.addr, "RETAINED", loadChannel)
	if err != nil {
		return err
	}
	if got := payloads(retained); len(got) != 1 || !bytes.Equal(got[0], kept[len(kept)-1]) {
		return fmt.Errorf("VOID: retained is %.60q, want the last message", got)
	}
	return nil
}

// asked returns the whole reply to one command on a connection of its own.
func asked(addr string, args ...string) (redcon.RESP, error) {
	w, err := dial(addr, dialOptions{})
	if err != nil {
		return redcon.RESP{}, err
	}
	defer w.close()
	if err := w.write(appendCommand(nil, args...)); err != nil {
		return redcon.RESP{}, err
	}
	var got []byte
	for buf := make([]byte, 64<<10); ; {
		n, err := w.Read(buf)
		if err != nil {
			return redcon.RESP{}, fmt.Errorf("answer to %s: %w", args[0], err)
		}
		got = append(got, buf[:n]...)
		if size, reply := redcon.ReadNextRESP(got); size > 0 {
			if reply.Type == redcon.Error {
				return reply, fmt.Errorf("answer to %s: %s", args[0], reply.Data)
			}
			return reply, nil
		}
	}
}

// payloads returns the strings in a reply that are as long as our payloads, in
// their order.
func payloads(reply redcon.RESP) [][]byte {
	if reply.Type == redcon.Bulk && len(reply.Data) == payloadSize {
		return [][]byte{reply.Data}
	}
	var all [][]byte
	if reply.Type == redcon.Array {
		reply.ForEach(func(part redcon.RESP) bool {
			all = append(all, payloads(part)...)
			return true
		})
	}
	return all
}
