package resp_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/internal/conversation"
	"fanfare/internal/place"
)

// peer is a client that is asked for values one by one.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dialPeer(t *testing.T, d conversation.Dialer) *peer {
	t.Helper()
	conn, err := d.RESP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &peer{t, conn, bufio.NewReader(conn)}
}

func (p *peer) send(args ...string) {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
	}
	_, _ = p.conn.Write(b) // an error: it is closed, which the next read says
}

// read returns what comes next; ok is false if the connection has ended.
func (p *peer) read() (v conversation.Value, ok bool) {
	if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return v, false
	}
	v, err := conversation.ReadValue(p.in)
	return v, err == nil
}

func (p *peer) ask(args ...string) conversation.Value {
	p.t.Helper()
	p.send(args...)
	v, ok := p.read()
	if !ok {
		p.t.Errorf("no reply to %q", args)
	}
	return v
}

// blocks sends a command that is known to wait when it returns.
func (p *peer) blocks(args ...string) {
	p.t.Helper()
	if _, err := p.conn.Write([]byte("PING\r\n" + strings.Join(args, " ") + "\r\n")); err != nil {
		p.t.Fatal(err)
	}
	if v, ok := p.read(); !ok || v.Text != "PONG" {
		p.t.Fatalf("got %v", v)
	}
}

// Every element that is pushed reaches exactly one of many clients, some of which give
// up, are unblocked or killed meanwhile, or is left in a list.
func TestEveryElementReachesOneClient(t *testing.T) {
	t.Parallel()
	const producers, consumers, elements = 3, 8, 300
	d := serve(t, place.TCP(t))
	var mu sync.Mutex
	got := map[string]int{}
	var producing, consuming sync.WaitGroup
	for n := range producers {
		p := dialPeer(t, d)
		producing.Go(func() {
			for i := range elements {
				key := fmt.Sprint("k", i%3)
				element := fmt.Sprint(n, "-", i)
				if i%7 == 0 {
					p.ask("MULTI")
					p.ask("RPUSH", key, element)
					p.ask("EXEC")
				} else {
					p.ask("RPUSH", key, element)
				}
			}
		})
	}
	var clients []*consumer
	for n := range consumers {
		c := &consumer{peer: dialPeer(t, d), rand: rand.New(rand.NewPCG(uint64(n), 5))} //nolint:gosec // a test's stream
		c.id = c.ask("CLIENT", "ID").Text
		clients = append(clients, c)
		consuming.Go(func() {
			for element := range c.elements() {
				mu.Lock()
				got[element]++
				mu.Unlock()
			}
		})
	}
	troublemaker := dialPeer(t, d)
	for i := range 400 {
		c := clients[i%consumers]
		if i < 2 {
			troublemaker.ask("CLIENT", "KILL", "ID", c.id)
		}
		troublemaker.ask("CLIENT", "UNBLOCK", c.id, []string{"TIMEOUT", "ERROR"}[i%2])
	}
	producing.Wait()
	for range consumers {
		troublemaker.ask("RPUSH", "end", "end")
	}
	troublemaker.ask("RPUSH", "end", "end")
	consuming.Wait()
	left := 0
	for _, key := range []string{"k0", "k1", "k2", "moved"} {
		for _, e := range troublemaker.ask("LRANGE", key, "0", "-1").Elems {
			got[e.Text]++
			left++
		}
	}
	lost := 0
	for n := range producers {
		for i := range elements {
			switch element := fmt.Sprint(n, "-", i); got[element] {
			case 1:
			case 0:
				lost++
			default:
				t.Errorf("element %s was received %d times", element, got[element])
			}
		}
	}
	// What was on its way to a client when it was killed is gone with it, as in Redis.
	if lost > 2*5 {
		t.Errorf("lost: %d elements, %d are left", lost, left)
	}
}

type consumer struct {
	*peer
	id   string
	rand *rand.Rand
}

// elements takes from the lists until the end comes, or the connection ends.
func (c *consumer) elements() func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			switch c.rand.IntN(3) {
			case 0:
				c.send("BLMPOP", "0.05", "4", "k2", "k1", "k0", "end", "LEFT", "COUNT", "5")
			case 1:
				c.send("BRPOP", "k0", "k1", "end", "k0", "0.002")
			default:
				c.send("BLPOP", "k1", "k2", "k0", "end", "0.05")
			}
			v, ok := c.read()
			if !ok {
				return
			}
			if len(v.Elems) < 2 {
				continue // its time was over
			}
			list := v.Elems[1:]
			if list[0].Elems != nil {
				list = list[0].Elems
			}
			for _, e := range list {
				if e.Text == "end" || !yield(e.Text) {
					return
				}
			}
		}
	}
}

// Who came first is served first, also by commands on several keys, whoever leaves.
func TestClientsAreServedInTheOrderInWhichTheyCame(t *testing.T) {
	t.Parallel()
	d := serve(t, place.TCP(t))
	const clients = 30
	peers := make([]*peer, clients)
	ids := make([]string, clients)
	for i := range peers {
		peers[i] = dialPeer(t, d)
		ids[i] = peers[i].ask("CLIENT", "ID").Text
		switch i % 3 {
		case 0:
			peers[i].blocks("BLPOP", "other", "k", "0")
		case 1:
			peers[i].blocks("BRPOPLPUSH", "k", "moved", "0")
		default:
			peers[i].blocks("BLMPOP", "0", "2", "k", "other", "LEFT")
		}
	}
	pusher := dialPeer(t, d)
	for i := 0; i < clients; i += 10 {
		if got := pusher.ask("CLIENT", "UNBLOCK", ids[i]); got.Text != "1" {
			t.Errorf("unblock %d: got %v", i, got)
		}
	}
	for i := range clients {
		if i%10 == 0 {
			if v, _ := peers[i].read(); !v.Null {
				t.Errorf("client %d: got %v, want null", i, v)
			}
			continue
		}
		element := strconv.Itoa(i)
		pusher.ask("RPUSH", "k", element)
		if v, ok := peers[i].read(); !ok || !strings.Contains(fmt.Sprint(v), element) {
			t.Fatalf("client %d: got %v", i, v)
		}
	}
}

// The number of those who wait makes no difference to a push.
func TestOnePushServesOneOfManyWaiters(t *testing.T) {
	t.Parallel()
	d := serve(t, place.Memory(t))
	const clients = 300
	peers := make([]*peer, clients)
	for i := range peers {
		peers[i] = dialPeer(t, d)
		peers[i].blocks("BLPOP", "k", "0")
	}
	pusher := dialPeer(t, d)
	if info := pusher.ask("INFO", "clients").Text; !strings.Contains(info, "blocked_clients:300\r\n") {
		t.Errorf("got %s", info)
	}
	for i, p := range peers {
		pusher.ask("RPUSH", "k", strconv.Itoa(i))
		if v, ok := p.read(); !ok || len(v.Elems) != 2 || v.Elems[1].Text != strconv.Itoa(i) {
			t.Fatalf("client %d: got %v", i, v)
		}
	}
	if info := pusher.ask("INFO", "clients").Text; !strings.Contains(info, "blocked_clients:0\r\n") {
		t.Errorf("got %s", info)
	}
}

// Nobody is served while writes are paused; the end of the pause makes up for it.
func TestAPauseHoldsServing(t *testing.T) {
	t.Parallel()
	d := serve(t, place.TCP(t))
	waiter, other := dialPeer(t, d), dialPeer(t, d)
	waiter.blocks("BLPOP", "k", "0")
	for _, args := range [][]string{{"MULTI"}, {"RPUSH", "k", "e"}, {"CLIENT", "PAUSE", "60000", "WRITE"}} {
		other.ask(args...)
	}
	if v := other.ask("EXEC"); len(v.Elems) != 2 {
		t.Fatalf("got %v", v)
	}
	if v := other.ask("LLEN", "k"); v.Text != "1" {
		t.Errorf("while paused: got %v elements, want 1", v)
	}
	other.ask("CLIENT", "UNPAUSE")
	if v, ok := waiter.read(); !ok || len(v.Elems) != 2 || v.Elems[1].Text != "e" {
		t.Errorf("got %v", v)
	}
}

// A connection that has gone is no waiter any more, however it went.
func TestAClientThatHasGoneGetsNothing(t *testing.T) {
	t.Parallel()
	d := serve(t, place.TCP(t))
	gone, pusher := dialPeer(t, d), dialPeer(t, d)
	gone.blocks("BLPOP", "k", "0")
	if err := gone.conn.Close(); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(pusher.ask("INFO", "clients").Text, "blocked_clients:0\r\n") {
	}
	pusher.ask("RPUSH", "k", "e")
	if v := pusher.ask("LPOP", "k"); v.Text != "e" {
		t.Errorf("got %v, want e", v)
	}
}

func TestKeysWaitedForAreLimited(t *testing.T) {
	t.Parallel()
	p := dialPeer(t, serve(t, place.TCP(t)))
	args := []string{"BLPOP"}
	for i := range 10_001 {
		args = append(args, strconv.Itoa(i))
	}
	if v := p.ask(append(slices.Clone(args), "0")...); v.Text != "ERR max number of keys waited for reached" {
		t.Errorf("got %v", v)
	}
	if v := p.ask("PING"); v.Text != "PONG" {
		t.Errorf("got %v", v)
	}
}
