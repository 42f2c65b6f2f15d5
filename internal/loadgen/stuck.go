//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// stuck is a fan-out with one more subscriber, which never reads. The publisher
// must not notice, and the subscriber must be ended when what waits for it passes
// its limit.
type stuck struct {
	fanout
	kind  stuckKind
	limit int // bytes the server may keep for it
}

type stuckKind uint8

const (
	noneStuck stuckKind = iota
	respStuck
	objectsStuck
)

// kernelShare is what both sockets of a connection may hold besides the
// server's queue: the sender's buffer may grow to tcp_wmem's largest, 4 MiB, and
// the receiver's is set below; the rest is room for the kernel's own overhead.
const kernelShare = 16 << 20

func (s stuck) run(ctx context.Context, l *lab) (figures, error) {
	var out figures
	err := withRig(ctx, l, s.product, func(r *rig) error {
		d := dialectOf(s.product)
		if err := s.connect(r, d); err != nil {
			return err
		}
		receivers := []int{s.subscribers}
		var dead wire
		if s.kind != noneStuck {
			var err error
			if dead, err = s.subscribeStuck(r); err != nil {
				return fmt.Errorf("the subscriber that never reads: %w", err)
			}
			defer dead.close()
			receivers = append(receivers, s.subscribers+1) // until it is ended
		}
		p, err := r.addPublisher(d, s.commands(d), receivers, s.messages, fullWindow)
		if err != nil {
			return err
		}
		u, err := r.spend(ctx, []*publisher{p}, each(s.messages), p.start)
		if err != nil {
			return err
		}
		out = perDelivery(u, s.messages*s.subscribers)
		out["publishes"] = float64(s.messages) / u.wall.Seconds() / 1e3
		if s.kind == noneStuck {
			return nil
		}
		got, err := s.ended(dead)
		out["kept"] = float64(got) / (1 << 20)
		return err
	})
	return out, err
}

// subscribeStuck connects the subscriber that will never read.
func (s stuck) subscribeStuck(r *rig) (wire, error) {
	addr := r.server.addr
	if s.kind == objectsStuck {
		addr = r.server.http
	}
	w, err := dial(addr, dialOptions{receiveBuffer: 16 << 10})
	if err != nil {
		return wire{}, err
	}
	if s.kind == objectsStuck {
		f := &frames{line: func([]byte) error { return nil }}
		err = upgrade(w, addr, loadChannel, f)
	} else {
		err = w.ask(respDialect.subscribe(loadSubscription))
	}
	if err != nil {
		w.close()
		return wire{}, err
	}
	return w, nil
}

// ended reads the stuck connection at last. It must end, and must not hold more
// than its limit and the kernel's share.
func (s stuck) ended(w wire) (int64, error) {
	got, err := io.Copy(io.Discard, struct{ io.Reader }{w})
	switch {
	case errors.Is(err, unix.EAGAIN):
		return got, errors.New("the subscriber that never reads was not ended")
	case err != nil && !errors.Is(err, unix.ECONNRESET):
		return got, err
	case got > int64(s.limit)+kernelShare:
		return got, fmt.Errorf("the subscriber that never reads was kept %d bytes, its limit is %d", got, s.limit)
	}
	return got, nil
}

// stuckVariants are the same fan-out without and with such a subscriber.
func stuckVariants(messages int) []variant {
	base := fanout{product: fanfare, subscribers: 10, messages: messages, payload: 1024}
	return []variant{
		{name: "fanfare, all read", run: stuck{fanout: base}.run},
		{name: "one RESP never reads", run: stuck{fanout: base, kind: respStuck, limit: 32 << 20}.run},
		{name: "one WebSocket never reads", run: stuck{fanout: base, kind: objectsStuck, limit: 1 << 20}.run},
	}
}
