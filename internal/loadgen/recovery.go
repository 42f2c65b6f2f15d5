//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// recovery is WebSocket clients that come back at the same moment and ask for
// what they have missed. Their connections are open before the clock starts.
type recovery struct {
	clients int
	missed  int  // messages each of them has missed, at most keptMessages
	apart   bool // each has a channel of its own
}

func (c recovery) run(ctx context.Context, l *lab) (figures, error) {
	var out figures
	err := withRules(ctx, l, launch{product: fanfare}, keepHistory, func(r *rig) error {
		at, err := place(r.server)
		if err != nil {
			return err
		}
		if err := c.publish(r.server.addr); err != nil {
			return err
		}
		back := &returns{rig: r, want: 1 + c.missed}
		r.onTake = back.arrived
		peers, err := c.connect(r)
		if err != nil {
			return err
		}
		u, err := r.spend(ctx, nil, each(1+c.missed), func() error {
			back.began = time.Now()
			return c.resume(r, peers, at)
		})
		if err != nil {
			return err
		}
		out = back.report()
		out["cpu"] = float64(u.cpu.Nanoseconds()) / 1e3 / float64(c.clients)
		if c.missed > 0 {
			out["message"] = out["cpu"] / float64(c.missed)
		}
		return nil
	})
	return out, err
}

func (c recovery) channel(client int) string {
	if !c.apart {
		client = 0
	}
	return fmt.Sprintf("load:%06d", client)
}

// cursor is what a client sends back to go on behind it.
type cursor struct {
	Epoch  string `json:"epoch"`
	Offset uint64 `json:"offset"`
}

// place returns the broker's present place in the order of messages, as a client
// learns it: from welcome and subbed.
func place(s *server) (cursor, error) {
	const channel = "load:before"
	if _, err := asked(s.addr, "PUBLISH", channel, "so that there is a place"); err != nil {
		return cursor{}, err
	}
	w, err := dial(s.http, dialOptions{})
	if err != nil {
		return cursor{}, err
	}
	defer w.close()
	var said struct {
		cursor
		Subbed string
	}
	f := &frames{line: func(b []byte) error { return json.Unmarshal(b, &said) }}
	rest, err := shake(w, s.http)
	if err != nil {
		return cursor{}, err
	}
	err = w.write(clientFrame(opText, fmt.Appendf(nil, `{"sub":%q}`, channel)))
	for buf := make([]byte, 4096); err == nil && said.Subbed == ""; {
		if err = f.take(rest); err != nil || said.Subbed != "" {
			break
		}
		var n int
		n, err = w.Read(buf)
		rest = buf[:n]
	}
	if err == nil && (said.Epoch == "" || said.Offset == 0) {
		err = fmt.Errorf("VOID: no cursor in %+v", said)
	}
	return said.cursor, err
}

// publish publishes what the clients have missed, to nobody.
func (c recovery) publish(addr string) error {
	channels := 1
	if c.apart {
		channels = c.clients
	}
	w, err := dial(addr, dialOptions{})
	if err != nil {
		return err
	}
	defer w.close()
	answers := bytes.Repeat([]byte(":0\r\n"), channels)
	for n := range c.missed {
		var request []byte
		for i := range channels {
			request = respDialect.publish(request, c.channel(i), appendPayload(nil, 0, n, payloadSize))
		}
		if err := w.ask(request, answers); err != nil {
			return fmt.Errorf("publish message %d: %w", n, err)
		}
	}
	return nil
}

// connect opens the clients' WebSockets, which have not subscribed yet.
func (c recovery) connect(r *rig) ([]*peer, error) {
	var ring []byte
	for n := range max(c.missed, 1) {
		ring = appendPayload(ring, 0, n, payloadSize)
	}
	peers := make([]*peer, c.clients)
	for i := range peers {
		head := fmt.Appendf(nil, `{"msg":%q,"data":"`, c.channel(i))
		s := &resumed{objects: objects{head: head, ring: ring, payload: payloadSize}}
		var err error
		if peers[i], err = r.open(s, &frames{line: s.line}); err != nil {
			return nil, fmt.Errorf("client %d: %w", i, err)
		}
	}
	return peers, nil
}

// open connects a WebSocket that sends nothing by itself.
func (r *rig) open(c checker, f *frames) (*peer, error) {
	w, err := dial(r.server.http, dialOptions{})
	if err != nil {
		return nil, err
	}
	rest, err := shake(w, r.server.http)
	if err == nil {
		err = f.take(rest)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	if err := r.adopt(w, c, f.take); err != nil {
		return nil, err
	}
	p := r.loop.peers[int32(w.fd)] //nolint:gosec // a descriptor
	f.pong = func(frame []byte) error { return r.loop.send(p, frame) }
	return p, nil
}

// resume subscribes all clients behind their cursor.
func (c recovery) resume(r *rig, peers []*peer, at cursor) error {
	for i, p := range peers {
		request := fmt.Appendf(nil, `{"sub":%q,"epoch":%q,"offset":%d}`, c.channel(i), at.Epoch, at.Offset)
		if err := r.loop.send(p, clientFrame(opText, request)); err != nil {
			return err
		}
	}
	return nil
}

// resumed checks a client that comes back: told that nothing is lost, then given
// what it missed.
type resumed struct {
	objects
	back bool
}

func (s *resumed) line(b []byte) error {
	switch {
	case s.back:
		return s.objects.line(b)
	case bytes.HasPrefix(b, []byte(`{"welcome":`)):
		return nil
	case !bytes.HasPrefix(b, []byte(`{"subbed":`)) || !bytes.Contains(b, []byte(`"recovered":true,"missed":0`)):
		return fmt.Errorf("VOID: not recovered: %.200q", b)
	}
	s.back = true
	return nil
}

func (s *resumed) count() int {
	if s.back {
		return 1 + s.total
	}
	return 0
}

// returns takes the time until a client has all that it must get.
type returns struct {
	rig   *rig
	want  int
	began time.Time
	times []time.Duration
}

func (t *returns) arrived(client int) {
	if t.rig.checkers[client].count() == t.want {
		t.times = append(t.times, time.Since(t.began))
	}
}

func (t *returns) report() figures {
	slices.Sort(t.times)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
	return figures{"p50": ms(t.times[len(t.times)/2]), "last": ms(t.times[len(t.times)-1])}
}
