package resp

import (
	"net"
	"testing"

	"fanfare/broker"
	"fanfare/kv"
)

// What ends a wait ends it before whoever serves takes anything, though the waiter is
// still in its queue.
func TestNothingIsTakenForAWaiterWhoseWaitIsOver(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end  func(c *conn)
		left int
	}{
		"it waits":              {func(*conn) {}, 0},
		"its time is over":      {func(c *conn) { c.waiter.Load().finish(timedOut) }, 1},
		"it was unblocked":      {func(c *conn) { c.waiter.Load().finish(unblocked) }, 1},
		"its session has ended": {func(c *conn) { c.session.End(broker.ReasonKilled) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newWaitingServer(t)
			store, keys := s.store(), [][]byte{[]byte("k")}
			c := s.waits(t)
			tt.end(c)
			s.pushed(t)
			s.serve()
			tx := store.Begin(0, keys)
			defer tx.End()
			if n, err := tx.LLen(0, keys[0]); n != tt.left || err != nil {
				t.Errorf("got %d elements, %v, want %d", n, err, tt.left)
			}
			if s.blocked.len() != 0 {
				t.Errorf("got %d keys waited for, want none", s.blocked.len())
			}
		})
	}
}

// Between a push and its serving nobody overtakes those who wait.
func TestALateComerWaitsBehindTheOthers(t *testing.T) {
	t.Parallel()
	s := newWaitingServer(t)
	first := s.waits(t)
	s.pushed(t)
	late := s.waits(t)
	s.serve()
	if got := first.waiter.Load().state.Load(); got != served {
		t.Errorf("the first: got state %d, want %d", got, served)
	}
	if w := late.waiter.Load(); w == nil || w.state.Load() != waiting {
		t.Error("the late comer does not wait")
	}
}

// waitingServer has clients that wait for the key k.
type waitingServer struct{ *Server }

func newWaitingServer(t *testing.T) waitingServer {
	t.Helper()
	b, err := broker.New(broker.Config{Codecs: []broker.Codec{Codec2(), Codec3()}})
	if err != nil {
		t.Fatal(err)
	}
	changes := new(Changes)
	store := kv.New(kv.Config{Touched: changes.Touched})
	t.Cleanup(func() {
		store.Close()
		b.Close()
	})
	s, err := New(Config{Broker: b, Store: store, RESP2: 0, RESP3: 1, Changes: changes})
	if err != nil {
		t.Fatal(err)
	}
	return waitingServer{s}
}

// waits returns a connection that has called BLPOP k 0.
func (s waitingServer) waits(t *testing.T) *conn {
	t.Helper()
	c := s.connection(t)
	s.waitOn(c)
	return c
}

func (s waitingServer) waitOn(c *conn) {
	c.runLocked(&call{conn: c, cmd: table["blpop"], args: [][]byte{[]byte("BLPOP"), []byte("k"), []byte("0")}, w: &c.w})
}

// connection returns one that does nothing by itself.
func (s waitingServer) connection(t *testing.T) *conn {
	t.Helper()
	ours, peers := net.Pipe()
	c, err := s.open(ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = peers.Close()
		c.session.Close()
		c.queue.Close()
	})
	return c
}

// pushed pushes an element and serves nobody.
func (s waitingServer) pushed(t *testing.T) {
	t.Helper()
	key := []byte("k")
	tx := s.store().Begin(0, [][]byte{key})
	defer tx.End()
	if _, err := tx.Push(0, key, kv.Left, [][]byte{[]byte("e")}, false); err != nil {
		t.Fatal(err)
	}
}
