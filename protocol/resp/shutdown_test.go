package resp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	run "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/broker"
	"fanfare/internal/memnet"
	"fanfare/kv"
	"fanfare/protocol/outbound"
)

// What was acknowledged before the end reaches every subscriber, and all
// connections are closed.
func TestShutdownDeliversWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	b, err := broker.New(broker.Config{Codecs: []broker.Codec{Codec2(), Codec3()}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	store := kv.New(kv.Config{})
	defer store.Close()
	s, err := New(Config{Broker: b, Store: store, RESP3: 1})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, server: s, broker: b, listener: memnet.Listen("test", 0)}
	served := make(chan error, 1)
	go func() { served <- s.Serve(n.listener) }()

	const subscribers, publishers = 10, 4
	got := make(chan int, subscribers)
	for range subscribers {
		p := n.dial().send("SUBSCRIBE a").want("[subscribe a :1]")
		go func() {
			count := 0
			for strings.HasPrefix(p.read(), "[message a ") {
				count++
			}
			got <- count
		}()
	}
	acknowledged := make(chan int, publishers)
	begun := make(chan struct{}, publishers)
	for range publishers {
		p := n.dial()
		go func() {
			count := 0
			for ; ; count++ {
				if count == 100 {
					begun <- struct{}{}
				}
				if _, err := fmt.Fprint(p.conn, "PUBLISH a x\r\nPUBLISH a y\r\n"); err != nil || p.read() != fmt.Sprintf(":%d", subscribers) {
					break
				}
				if p.read() != fmt.Sprintf(":%d", subscribers) {
					count-- // half of the pair: neither is counted
					break
				}
			}
			acknowledged <- 2 * count
		}()
	}
	for range publishers {
		<-begun
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-served; !errors.Is(err, ErrServerClosed) {
		t.Errorf("serve: %v", err)
	}
	least := 0
	for range publishers {
		least += <-acknowledged
	}
	for range subscribers {
		if count := <-got; count < least {
			t.Errorf("a subscriber got %d messages, %d were acknowledged", count, least)
		}
	}
	if _, err := n.listener.Dial(); err == nil {
		t.Error("the listener is still open")
	}
	if err := s.Serve(memnet.Listen("late", 0)); !errors.Is(err, ErrServerClosed) {
		t.Errorf("a second Serve: %v", err)
	}
}

// One client that reads nothing must not use up the time of all the others.
func TestShutdownDoesNotWaitForAClientThatReadsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, func(c *Config, _ *broker.Config) { c.ReplyPause = 1 << 20 })
		lazy := n.dial().send("SET k " + strings.Repeat("v", 60<<10)).want("+OK")
		lazy.send("GET k" + strings.Repeat("|GET k", 999))
		subscriber := n.dial().send("SUBSCRIBE a").want("[subscribe a :1]")
		n.dial().send("PUBLISH a last").want(":1")
		synctest.Wait()
		begin := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
		defer cancel()
		if err := n.server.Quiesce(ctx); err != nil || time.Since(begin) > 0 {
			t.Errorf("quiesced with %v after %v, want at once", err, time.Since(begin))
		}
		subscriber.want("[message a last]")
	})
}

// A node with little room for messages makes publishers wait, and answers all.
func TestPublishersWaitForRoom(t *testing.T) {
	t.Parallel()
	n := start(t, func(_ *Config, b *broker.Config) { b.Backlog, b.BacklogDeliveries = 1, 1 })
	subscriber := n.dial().send("SUBSCRIBE a").want("[subscribe a :1]")
	const rounds = 200
	p := n.dial().send(strings.Repeat("PUBLISH a 1|PING|MULTI|PUBLISH a 2|EXEC|", rounds))
	for range rounds {
		p.want(":1", "+PONG", "+OK", "+QUEUED", "[:1]")
		subscriber.want(`[message a "1"]`, `[message a "2"]`)
	}
	if got := n.broker.Stats().Stalls; got == 0 {
		t.Error("no publisher has waited")
	}
}

// A session that ended while its reader waited runs nothing any more.
func TestAnEndedSessionRunsNothing(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	subscriber := n.dial().send("SUBSCRIBE a").want("[subscribe a :1]")
	c, _ := n.open()
	c.replies = outbound.Buffer()
	c.cork()
	if c.wait(func() { c.session.End(broker.ReasonKilled) }) {
		t.Error("the wait of an ended session says that it goes on")
	}
	b := outbound.Buffer()
	*b = append(*b, "PUBLISH a 1\r\n"...)
	c.guard.feed(b)
	if c.execute() {
		t.Error("an ended session executes commands")
	}
	n.dial().send("PUBLISH a 2").want(":1")
	subscriber.want(`[message a "2"]`)
}

func TestRedisCLI(t *testing.T) {
	t.Parallel()
	cli, err := run.LookPath("redis-cli")
	if err != nil {
		const missing = "no redis-cli: install the package redis-tools"
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	n := start(t, nil)
	// Not t.TempDir, whose path may be longer than a socket's name may be.
	dir, err := os.MkdirTemp("", "resp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- n.server.Serve(l) }()
	for _, tt := range []struct{ args, want string }{
		{"ping", "PONG"},
		{"-3 hello 3", "server redis\nversion 7.2.4\nproto 3"},
		{"set k v", "OK"},
		{"-3 --json get k", `"v"`},
		{"publish chat hi", "0"},
		{"--no-raw pubsub numsub a", "1) \"a\"\n2) (integer) 0"},
		{"command count", fmt.Sprint(len(table))},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		out, err := run.CommandContext(ctx, cli, append([]string{"-s", socket}, strings.Fields(tt.args)...)...).CombinedOutput() // #nosec G204 -- a test
		cancel()
		if err != nil || !strings.HasPrefix(string(out), tt.want) {
			t.Errorf("redis-cli %s: got %q, %v; want %q", tt.args, out, err, tt.want)
		}
	}
	if err := n.server.Quiesce(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, ErrServerClosed) {
		t.Errorf("serve: %v", err)
	}
}
