package resp

import (
	"fmt"
	"strings"
	"testing"

	"fanfare/broker"
	"fanfare/kv"
)

// tracks dials a client in RESP3 that tracks.
func tracks(n *node, options string) *peer {
	p := n.dial().send("HELLO 3")
	p.read()
	return p.send("CLIENT TRACKING ON " + options).want("+OK")
}

// Redis leaves clients with the values of the other database.
func TestSwappedDatabasesAreToldAsAFlushIs(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	a, b := tracks(n, ""), n.dial()
	a.send("GET k").want("nil")
	b.send("SELECT 1|SET k v|SWAPDB 0 0|SWAPDB 0 1").want("+OK", "+OK", "+OK", "+OK")
	a.want(`>[invalidate [k]]`)
	a.want(`>[invalidate nil]`)
	a.send("GET k").want("v")
}

func TestTooManyTrackedKeysAreInvalidated(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	a := tracks(n, "")
	a.send("CONFIG SET tracking-table-max-keys 3").want("+OK")
	a.send("GET a|GET b|GET c").want("nil", "nil", "nil")
	a.send("GET d").want("nil")
	told := map[string]bool{}
	told[a.read()] = true
	table := &n.server.tracking.table
	if keys, items := table.keys.Load(), table.items.Load(); keys != 3 || items != 3 {
		t.Errorf("got %d keys and %d items, want 3 each", keys, items)
	}
	n.dial().send("MSET a 1 b 1 c 1 d 1").want("+OK")
	for range 3 {
		told[a.read()] = true
	}
	for _, key := range []string{"a", "b", "c", "d"} {
		if !told[">[invalidate ["+key+"]]"] {
			t.Errorf("%s was not told: %v", key, told)
		}
	}
	if got := n.server.Stats().Untracked; got != 1 {
		t.Errorf("got %d keys forgotten, want 1", got)
	}
	if keys, items, bytes := table.keys.Load(), table.items.Load(), table.bytes.Load(); keys+items+bytes != 0 {
		t.Errorf("got %d keys, %d items and %d bytes left, want none", keys, items, bytes)
	}
}

func TestPrefixesAreLimited(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	a := tracks(n, "BCAST PREFIX first:")
	var many strings.Builder
	for i := range maxPrefixes {
		fmt.Fprintf(&many, " PREFIX %04d", i)
	}
	a.send("CLIENT TRACKING ON BCAST" + many.String()).want(`-"ERR max number of prefixes reached"`)
	a.send("CLIENT TRACKING ON BCAST PREFIX " + strings.Repeat("p", maxPrefix+1)).want(`-"ERR prefix is longer than 1024 bytes"`)
	a.send("CLIENT TRACKINGINFO").want(`%{flags ~[on bcast] redirect :0 prefixes [first:]}`)
	if got := n.server.Stats().RefusedPrefixes; got != 2 {
		t.Errorf("got %d refusals, want 2", got)
	}
}

// What connections that have gone had read does not stay for ever.
func TestTheTableForgetsConnectionsThatHaveGone(t *testing.T) {
	t.Parallel()
	var table trackingTable
	gone, stays := &tracker{}, &tracker{}
	stays.conn.Store(&conn{})
	gone.conn.Store(&conn{})
	for i := range 2 * sweepFrom {
		key := []byte(fmt.Sprint(i))
		table.add(i%kv.Shards, key, gone)
		if i%4 == 0 {
			table.add(i%kv.Shards, key, stays)
		}
	}
	gone.conn.Store(nil)
	table.leave(gone)
	if keys, items := table.keys.Load(), table.items.Load(); keys != sweepFrom/2 || items != keys || gone.items.Load() != 0 {
		t.Errorf("got %d keys, %d items and %d of the one that has gone; want %d, %[4]d and 0", keys, items, gone.items.Load(), sweepFrom/2)
	}
	table.clear()
	if keys, bytes := table.keys.Load(), table.bytes.Load(); keys != 0 || bytes != 0 || stays.items.Load() != 0 {
		t.Errorf("got %d keys, %d bytes and %d items left, want none", keys, bytes, stays.items.Load())
	}
}

// The store tells of changes only while somebody tracks.
func TestTrackingThatNobodyNeedsCostsNothing(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	a, b := tracks(n, "BCAST"), tracks(n, "")
	b.send("CLIENT TRACKING OFF").want("+OK")
	a.send("QUIT").want("+OK").closed()
	for n.server.clients.len() > 1 { // the connection is tidying up
		b.send("PING").want("+PONG")
	}
	if tr := &n.server.tracking; tr.clients.Load() != 0 || tr.prefixes.any.Load() || n.server.following.parts != 0 {
		t.Errorf("got %d clients, prefixes %v and %d followers; want none", tr.clients.Load(), tr.prefixes.any.Load(), n.server.following.parts)
	}
}

// A client that does not read what it is told is ended as every slow one.
func TestAClientThatDoesNotReadInvalidationsIsSlow(t *testing.T) {
	t.Parallel()
	n := start(t, func(c *Config, _ *broker.Config) { c.PushHard, c.PushSoft = 4<<10, 4<<10 })
	c, _ := n.open()
	c.setGate(pushNative)
	c.queue.Cork()
	for sent := 0; c.session.Reason() == broker.ReasonNone; sent++ {
		if sent > 1000 {
			t.Fatal("it still waits for a client that does not read")
		}
		c.push(&invalidation{keys: []string{"key"}})
	}
	if got := c.session.Reason(); got != broker.ReasonSlow {
		t.Errorf("got %v, want %v", got, broker.ReasonSlow)
	}
}

// A RESP2 connection never finds a message where it looks for a reply: what is told
// while it leaves its last channel comes before the acknowledgement or not at all.
func TestAMessageNeverFollowsTheEndOfSubscribedMode(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	r := n.dial()
	id := strings.TrimPrefix(r.send("CLIENT ID").read(), ":")
	_ = tracks(n, "BCAST REDIRECT "+id)
	writer := n.dial()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				writer.send("SET k v").read()
			}
		}
	}()
	for range 300 {
		r.send("SUBSCRIBE c|UNSUBSCRIBE c|PING|GET none")
		r.want("[subscribe c :1]")
		got := r.read()
		for strings.HasPrefix(got, "[message ") {
			got = r.read()
		}
		if got != "[unsubscribe c :0]" {
			t.Fatalf("got %s, want the acknowledgement", got)
		}
		r.want("+PONG", "nil")
	}
	close(stop)
	<-done
}
