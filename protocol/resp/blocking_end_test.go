package resp

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"fanfare/broker"
)

// blocks dials a client that waits for the key k and has sent more behind that.
func (n *node) blocks(first, behind string) *peer {
	n.t.Helper()
	p := n.dial()
	for line := range strings.SplitSeq(first, "|") {
		p.send(line).read()
	}
	return p.send("PING|BLPOP k 0" + behind).want("+PONG")
}

// A server that stops does not wait for those who wait, and executes nothing that came
// behind a command without reply.
func TestShutdownEndsTheWaitOfBlockedClients(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	p := n.blocks("PING", "|SET done 1|PING")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.server.Shutdown(ctx); err != nil {
		t.Errorf("shut down: %v", err)
	}
	if got := p.read(); got != "EOF" {
		t.Errorf("got %s, want the end", got)
	}
	keys := [][]byte{[]byte("done")}
	tx := n.server.store().Begin(0, keys)
	defer tx.End()
	if tx.Exists(0, keys[0]) || n.server.blocked.len() != 0 {
		t.Errorf("%d keys are waited for, or what came behind was executed", n.server.blocked.len())
	}
}

// What ends a wait inside EXEC comes before what EXEC pushes, since nobody is served
// before its end.
func TestAWaitThatEndsInsideEXECTakesNothing(t *testing.T) {
	t.Parallel()
	for command, reply := range map[string]string{
		"CLIENT KILL ID %s": "EOF", "CLIENT UNBLOCK %s": "nil[]",
		"CLIENT UNBLOCK %s ERROR": `-"UNBLOCKED client unblocked via CLIENT UNBLOCK"`,
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			n := start(t, nil)
			waiter, other := n.dial(), n.dial()
			id := strings.TrimPrefix(waiter.send("CLIENT ID").read(), ":")
			waiter.send("PING|BLPOP k 0").want("+PONG")
			other.send("MULTI|RPUSH k e|"+fmt.Sprintf(command, id)+"|EXEC").want("+OK", "+QUEUED", "+QUEUED", "[:1 :1]")
			waiter.want(reply)
			other.send("LLEN k").want(":1")
		})
	}
}

// A client that waits is like any other one in all that is not its reply.
func TestABlockedClientIsAnOrdinaryOne(t *testing.T) {
	t.Parallel()
	t.Run("it is sent messages", func(t *testing.T) {
		t.Parallel()
		n := start(t, nil)
		p, other := n.blocks("HELLO 3|SUBSCRIBE a", ""), n.dial()
		other.send("PUBLISH a m").want(":1")
		p.want(">[message a m]")
		other.send("RPUSH k e").want(":1")
		p.want("[k e]")
	})
	t.Run("its reply may be off", func(t *testing.T) {
		t.Parallel()
		n := start(t, nil)
		p, other := n.dial(), n.dial()
		p.send("CLIENT REPLY OFF|BLPOP k 0|CLIENT REPLY SKIP|CLIENT REPLY ON|CLIENT REPLY SKIP|BLPOP k 0|ECHO x")
		for other.send("RPUSH k e").read() != ":1" {
		}
		for other.send("LLEN k").read() != ":0" {
		}
		other.send("RPUSH k e")
		p.want("+OK", "x")
	})
	t.Run("RESET behind it", func(t *testing.T) {
		t.Parallel()
		n := start(t, nil)
		p, other := n.blocks("SELECT 0", "|SELECT 1|RESET|SET s v|QUIT"), n.dial()
		other.send("RPUSH k e").want(":1")
		p.want("[k e]", "+OK", "+RESET", "+OK", "+OK", "EOF")
		other.send("GET s").want("v")
	})
	t.Run("it may not send what nobody would take", func(t *testing.T) {
		t.Parallel()
		n := start(t, func(cfg *Config, _ *broker.Config) { cfg.MaxCommand = 1 << 10 })
		p := n.blocks("PING", "")
		p.send(strings.Repeat("PING|", 300))
		p.want("EOF")
		n.dial().send("RPUSH k e|LPOP k").want(":1", "e")
	})
}

// Whoever comes and goes among those who follow keys, the others are told of changes.
func TestFollowersComeAndGoUnnoticedByOthers(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	stop := make(chan struct{})
	var passing sync.WaitGroup
	end := sync.OnceFunc(func() {
		close(stop)
		passing.Wait()
	})
	defer end()
	for i, lines := range []string{
		"BLPOP none 0.001", "CLIENT TRACKING ON|CLIENT TRACKING OFF", "CLIENT TRACKING ON BCAST PREFIX x|GET k|RESET",
	} {
		p := n.dial()
		passing.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				p.send(lines + fmt.Sprintf("|ECHO end%d", i))
				for got := p.read(); got != fmt.Sprintf("end%d", i); got = p.read() {
				}
			}
		})
	}
	writer := n.dial()
	for round := range 300 {
		c := n.dial()
		c.send("HELLO 3").read()
		c.send("CLIENT TRACKING ON|GET k").want("+OK")
		c.read()
		if round%5 == 0 {
			writer.send("FLUSHALL").want("+OK")
			c.want(">[invalidate nil]")
		} else {
			writer.send("SET k v").want("+OK")
			c.want(">[invalidate [k]]")
		}
		writer.send("DEL k").read()
		waiter := n.blocks("PING", "")
		writer.send("RPUSH k e").want(":1")
		waiter.want("[k e]")
		_ = c.conn.Close()
		_ = waiter.conn.Close()
	}
	end()
	for n.server.clients.len() > 4 {
		writer.send("PING").read()
	}
	f := &n.server.following
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.parts != 0 {
		t.Errorf("got %d parts that follow keys, want none", f.parts)
	}
}

// Who is subscribed gets what other transports publish until the end, waiting or not.
func TestABlockedSubscriberIsSentWhatComesBeforeTheEnd(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	p := n.blocks("HELLO 3|SUBSCRIBE a", "|PING")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.server.Quiesce(ctx); err != nil {
		t.Fatal(err)
	}
	session, err := n.broker.Connect(broker.SessionConfig{Outlet: nowhere{}})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	batch := session.Batch()
	defer batch.Release()
	if err := batch.Add(&broker.Message{Channel: "a", Payload: []byte("m")}); err != nil {
		t.Fatal(err)
	}
	batch.Commit(nil)
	p.want(">[message a m]")
	if err := n.server.Shutdown(ctx); err != nil {
		t.Errorf("shut down: %v", err)
	}
	p.want("EOF")
}
