package ws_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/coder/websocket"

	"fanfare/broker"
	"fanfare/internal/conversation"
	"fanfare/kv"
	"fanfare/protocol/resp"
	"fanfare/protocol/ws"
)

// TestConversations holds the conversations in which both worlds meet: peers
// that are browsers, and peers that are Redis clients, on one broker.
func TestConversations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			conversation.Run(t, file, serve(t))
		})
	}
}

// transport is what both servers are.
type transport interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
}

// serve starts a broker with both transports.
func serve(t *testing.T) conversation.Dialer {
	t.Helper()
	b, err := broker.New(broker.Config{Codecs: []broker.Codec{resp.Codec2(), resp.Codec3(), ws.Codec()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	store := kv.New(kv.Config{})
	t.Cleanup(store.Close)
	redis, err := resp.New(resp.Config{Broker: b, Store: store, RESP2: 0, RESP3: 1})
	if err != nil {
		t.Fatal(err)
	}
	web, err := ws.New(ws.Config{Broker: b, Format: 2, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	redisAddr, webAddr := listen(t, redis), listen(t, web)
	return conversation.Dialer{
		Name: "Fanfare", Release: "7.2.4", Fanfare: true,
		RESP:      func() (net.Conn, error) { return net.Dial("tcp", redisAddr) },
		WebSocket: func() (conversation.WebSocket, error) { return dialWeb(webAddr) },
	}
}

func listen(t *testing.T, s transport) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // that it ends is the test's doing
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		<-done
	})
	return l.Addr().String()
}

// web is a WebSocket peer.
type web struct{ c *websocket.Conn }

func dialWeb(addr string) (conversation.WebSocket, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+addr+"/ws", nil)
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(-1)
	return web{c}, nil
}

func (w web) Send(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
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

func (w web) Close() error { return w.c.CloseNow() }
