package resp

import (
	"sync"
	"testing"

	"fanfare/broker"
	"fanfare/kv"
)

// A client that begins to wait because others wait for a key that has elements is
// served, though the others leave while it is on its way into the queue.
func TestNobodyWaitsForAKeyThatHasElements(t *testing.T) {
	t.Parallel()
	s := newWaitingServer(t)
	first, late := s.connection(t), s.connection(t)
	for round := range 1000 {
		s.waitOn(first)
		s.pushed(t)
		s.pushed(t)
		var both sync.WaitGroup
		both.Go(s.serve)
		both.Go(func() {
			s.waitOn(late)
			s.serve()
		})
		both.Wait()
		if n := s.elements(t); n != 0 {
			t.Fatalf("round %d: got %d elements left, want none", round, n)
		}
		for _, c := range []*conn{first, late} {
			if w := c.waiter.Load(); w != nil {
				c.leave(w)
			}
		}
	}
}

// What was begun for a key by those who have left goes on for those who have come.
func TestWhoWaitsBehindSomebodyWhoLeavesIsServed(t *testing.T) {
	t.Parallel()
	s := newWaitingServer(t)
	first := s.waits(t)
	s.pushed(t)
	if _, marked := s.blocked.next(); !marked {
		t.Fatal("the key is not marked")
	}
	s.blocked.pending.Add(-1) // as if somebody had served, and found first about to leave
	late := s.waits(t)
	first.leave(first.waiter.Load())
	s.serve()
	if got := late.waiter.Load().state.Load(); got != served {
		t.Errorf("got state %d, want %d", got, served)
	}
}

// Who has been served learns of it when the locks have been given back, and all who
// keep values have been told.
func TestTheServedLearnOfItWhenTheTransactionIsOver(t *testing.T) {
	t.Parallel()
	s := newWaitingServer(t)
	w := s.waits(t).waiter.Load()
	early := true
	take := w.take
	w.take = func(x *call, key []byte) {
		take(x, key)
		x.tx.After(func() {
			select {
			case <-w.done:
			default:
				early = false
			}
		})
	}
	s.pushed(t)
	s.serve()
	<-w.done
	if early {
		t.Error("it was told before the locks were given back")
	}
}

// elements counts those of the key k.
func (s waitingServer) elements(t *testing.T) int {
	t.Helper()
	keys := [][]byte{[]byte("k")}
	tx := s.store().Begin(0, keys)
	defer tx.End()
	n, err := tx.LLen(0, keys[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A server that is not told of changes lets nobody wait for them.
func TestNobodyWaitsWhereNobodyTells(t *testing.T) {
	t.Parallel()
	store := kv.New(kv.Config{})
	defer store.Close()
	n := start(t, func(cfg *Config, _ *broker.Config) { cfg.Store = store })
	p := n.dial()
	p.send("BLPOP k 0").want(`-"ERR this server does not follow what happens to keys"`)
	p.send("RPUSH k e|BLPOP k 0").want(":1", "[k e]")
}
