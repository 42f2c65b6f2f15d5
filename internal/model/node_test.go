package model

import (
	"context"
	"errors"
	"testing"
	"time"

	"fanfare/broker"
	"fanfare/internal/memnet"
	"fanfare/kv"
	"fanfare/protocol/resp"
	"fanfare/protocol/ws"
)

const (
	// pushLimit is what may be queued for a peer before it is ended as slow, and
	// socket what its connection holds besides.
	pushLimit = 32 << 10
	socket    = 4 << 10
	// All deadlines lie between the moments at which a world does something:
	// those are whole seconds, deadlines have a fraction.
	fraction = 250 * time.Millisecond
	grace    = 10*time.Second + fraction
	// never is longer than a world lasts.
	never = 1000 * time.Hour
)

// node is a broker with both its transports.
type node struct {
	broker *broker.Broker
	store  *kv.Store
	resp   *resp.Server
	ws     *ws.Server
	redis  *memnet.Listener
	http   *memnet.Listener
	served chan error
}

func startNode(t *testing.T, workers int, rules []broker.Rule) *node {
	t.Helper()
	b, err := broker.New(broker.Config{
		Codecs: []broker.Codec{resp.Codec2(), resp.Codec3(), ws.Codec()}, Workers: workers, Rules: rules,
	})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{
		broker: b, store: kv.New(kv.Config{Databases: 1}), served: make(chan error, 2),
		redis: memnet.Listen("redis", socket), http: memnet.Listen("http", socket),
	}
	n.resp, err = resp.New(resp.Config{
		Broker: b, Store: n.store, RESP2: 0, RESP3: 1, PushHard: pushLimit, WriteTimeout: never,
	})
	if err != nil {
		t.Fatal(err)
	}
	n.ws, err = ws.New(ws.Config{
		Broker: b, Format: 2, Loopback: true, Rate: -1, PushHard: pushLimit, PushSoft: pushLimit,
		WriteTimeout: never, PingInterval: never, PongTimeout: never, Grace: grace,
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { n.served <- n.resp.Serve(n.redis) }()
	go func() { n.served <- n.ws.Serve(n.http) }()
	return n
}

// stop ends the node; nobody is connected any more.
func (n *node) stop(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := n.resp.Shutdown(ctx); err != nil {
		t.Errorf("shutdown of RESP: %v", err)
	}
	if err := n.ws.Shutdown(ctx); err != nil {
		t.Errorf("shutdown of WebSocket: %v", err)
	}
	for range cap(n.served) {
		if err := <-n.served; err != nil && !errors.Is(err, resp.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	}
	n.store.Close()
	n.broker.Close()
}
