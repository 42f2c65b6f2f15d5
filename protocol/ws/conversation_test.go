package ws_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"fanfare/broker"
	"fanfare/internal/conversation"
	"fanfare/internal/place"
	"fanfare/kv"
	"fanfare/protocol/resp"
	"fanfare/protocol/ws"
)

// patience is how long a test waits for what has to come.
const patience = 2 * time.Minute

// TestConversations holds the conversations in which both worlds meet: peers
// that are browsers, and peers that are Redis clients, on one broker. They hold
// over every kind of connection, whose ways out differ.
func TestConversations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for name, at := range place.Kinds {
		for _, file := range files {
			t.Run(name+"/"+strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
				t.Parallel()
				conversation.Run(t, file, serve(t, at))
			})
		}
	}
}

// rules are what channels remember in the conversations and in the document.
var rules = []broker.Rule{
	{Match: "room:*", History: broker.History{Size: 4, TTL: 10 * time.Minute}, Presence: true},
	{Match: "price:*", Retain: broker.RetainAll, Slow: broker.SlowConflate},
	{Match: "call:*", Occupancy: true, Presence: true},
}

// serve starts a broker with both transports, each at a place of its own.
func serve(t *testing.T, at func(testing.TB) place.Place) conversation.Dialer {
	t.Helper()
	dialer, _ := serveBroker(t, at)
	return dialer
}

func serveBroker(t *testing.T, at func(testing.TB) place.Place) (conversation.Dialer, *broker.Broker) {
	t.Helper()
	b, err := broker.New(broker.Config{Codecs: []broker.Codec{resp.Codec2(), resp.Codec3(), ws.Codec()}, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	store := kv.New(kv.Config{})
	t.Cleanup(store.Close)
	redisPlace, webPlace := at(t), at(t)
	redis, err := resp.New(resp.Config{Broker: b, Store: store, RESP2: 0, RESP3: 1, TLS: redisPlace.TLS})
	if err != nil {
		t.Fatal(err)
	}
	web, err := ws.New(ws.Config{Broker: b, Format: 2, Loopback: true, TLS: webPlace.TLS})
	if err != nil {
		t.Fatal(err)
	}
	inOrder := func(err error) bool { return err == nil || errors.Is(err, resp.ErrServerClosed) }
	redisPlace.Serve(t, redis, inOrder)
	webPlace.Serve(t, web, inOrder)
	return conversation.Dialer{
		Name: "Fanfare", Release: "7.2.4", Fanfare: true,
		RESP:      redisPlace.Dial,
		WebSocket: (&browsers{server: web, dial: webPlace.Dial}).connect,
	}, b
}

// browsers are the WebSocket peers of one server.
type browsers struct {
	server *ws.Server
	dial   func() (net.Conn, error)
	open   atomic.Int64
}

// connect speaks WebSocket over a connection that dial makes, encrypted or not.
func (b *browsers) connect() (conversation.WebSocket, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return b.dial() },
		DisableKeepAlives: true,
	}}
	c, _, err := websocket.Dial(ctx, "ws://localhost/ws", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(-1)
	b.open.Add(1)
	return web{c, sync.OnceFunc(b.left)}, nil
}

// left returns once the server has noticed that one is gone: its subscriptions must not count in what follows.
// CLIENT LIST, with which the runner waits for Redis clients, does not show browsers.
func (b *browsers) left() {
	open := b.open.Add(-1)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(patience); b.server.Stats().Open > open && time.Now().Before(limit); {
		<-tick.C
	}
}

// web is a WebSocket peer.
type web struct {
	c    *websocket.Conn
	left func()
}

func (w web) Send(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return w.c.Write(ctx, websocket.MessageText, []byte(text))
}

func (w web) Receive(deadline time.Time) (string, error) {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	_, b, err := w.c.Read(ctx)
	if websocket.CloseStatus(err) != -1 || errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return string(b), err
}

func (w web) Close() error {
	err := w.c.CloseNow()
	w.left()
	return err
}
