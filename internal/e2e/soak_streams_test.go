package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	soakPublishers = 3 // the last one is a browser
	soakChannels   = 8 // of each publisher
	soakShard      = "soak:shard"
)

// serial is the content of a message: the number that it has in its channel. Some are long.
type serial struct {
	N    int    `json:"n"`
	Fill string `json:"fill,omitempty"`
}

// published is how many messages each channel has got.
type published struct {
	sync.Mutex
	last map[string]int
}

func (p *published) set(channel string, n int) {
	p.Lock()
	defer p.Unlock()
	if p.last == nil {
		p.last = make(map[string]int)
	}
	p.last[channel] = n
}

func (p *published) total() (n int) {
	p.Lock()
	defer p.Unlock()
	for _, last := range p.last {
		n += last
	}
	return n
}

// publishers publish at a steady pace until ctx ends. What they count was acknowledged.
func (s *soak) publishers(ctx context.Context) *sync.WaitGroup {
	var group sync.WaitGroup
	for p := range soakPublishers {
		send, leave := s.publishRESP()
		if p == soakPublishers-1 {
			send, leave = s.publishWS()
		}
		group.Go(func() {
			defer leave()
			s.publish(ctx, p, send)
		})
	}
	return &group
}

// publish numbers the messages of one publisher.
func (s *soak) publish(ctx context.Context, p int, send func(channel string, text []byte) error) {
	next := make([]int, soakChannels+1)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c := i % soakChannels
		channel := soakChannel(p, c)
		if p == 0 && i%10 == 9 {
			c, channel = soakChannels, soakShard
		}
		next[c]++
		text, err := json.Marshal(serial{next[c], strings.Repeat("x", fillOf(i))})
		if err == nil {
			err = send(channel, text)
		}
		if err != nil {
			s.fault(fmt.Errorf("publish to %s: %w", channel, err))
			return
		}
		s.sent.set(channel, next[c])
	}
}

// fillOf makes one message in a hundred a large one.
func fillOf(i int) int {
	if i%100 == 50 {
		return 40_000
	}
	return 100
}

func soakChannel(p, c int) string { return fmt.Sprintf("soak:%d:%d", p, c) }

func soakChannelsOf(p int) []string {
	names := make([]string, soakChannels)
	for c := range names {
		names[c] = soakChannel(p, c)
	}
	return names
}

func (s *soak) publishRESP() (send func(string, []byte) error, leave func()) {
	c := redis.NewClient(&redis.Options{Addr: s.n.RESP, Protocol: 3, PoolSize: 1, MaxRetries: -1})
	ctx := context.WithoutCancel(s.t.Context()) // what is under way at the end is to be acknowledged
	return func(channel string, text []byte) error {
		if channel == soakShard {
			return c.SPublish(ctx, channel, text).Err()
		}
		return c.Publish(ctx, channel, text).Err()
	}, func() { _ = c.Close() }
}

func (s *soak) publishWS() (send func(string, []byte) error, leave func()) {
	c, err := connectWS(s.n)
	if err != nil {
		s.t.Fatal(err)
	}
	c.ctx = context.Background() // the run may be long
	return func(channel string, text []byte) error {
		if err := c.send(fmt.Sprintf(`{"pub":%q,"data":%s,"id":1}`, channel, text)); err != nil {
			return err
		}
		return c.expect(`{"ok":1`)
	}, c.close
}

// counting is a subscriber that looks for gaps and repeats.
type counting struct {
	name  string
	close func()
	next  func() (channel string, n int, err error)
	// whole says that the subscriber was there before the first message.
	whole bool

	mu   sync.Mutex
	last map[string]int
}

// took checks a message: it is the one after the last of its channel.
func (c *counting) took(channel string, n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last := c.last[channel]; (last != 0 || c.whole) && n != last+1 {
		return fmt.Errorf("%s: %s: message %d came after %d", c.name, channel, n, last)
	}
	c.last[channel] = n
	return nil
}

func (c *counting) has(channel string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[channel]
}

// stayer is a subscriber that stays, and what the channels begin with that it gets.
type stayer struct {
	*counting
	prefix string
}

// gets says whether the channel is one of them; patterns do not match shard channels.
func (c *stayer) gets(channel string) bool {
	return strings.HasPrefix(channel, c.prefix) && (channel == soakShard) == (c.prefix == soakShard)
}

// subscribe starts the subscribers that stay, before anything is published.
func (s *soak) subscribe() {
	all, own := "soak:*", soakChannelsOf(2)
	for _, kind := range []struct {
		name   string
		prefix string // of the channels that it gets
		dial   func() (*counting, error)
	}{
		{"RESP by name", "soak:0:", func() (*counting, error) { return countRESP(s.n, "SUBSCRIBE", soakChannelsOf(0)...) }},
		{"RESP by pattern", "soak:", func() (*counting, error) { return countRESP(s.n, "PSUBSCRIBE", all) }},
		{"RESP, shard channel", soakShard, func() (*counting, error) { return countRESP(s.n, "SSUBSCRIBE", soakShard) }},
		{"WebSocket by name", "soak:2:", func() (*counting, error) { return countWS(s.n, "sub", own...) }},
		{"WebSocket by pattern", "soak:", func() (*counting, error) { return countWS(s.n, "psub", all) }},
	} {
		c, err := kind.dial()
		if err != nil {
			s.t.Fatal(err)
		}
		c.name, c.whole = kind.name, true
		s.steady = append(s.steady, stayer{c, kind.prefix})
		s.readers.Go(func() { s.count(c) })
	}
}

// count reads until the subscriber is closed.
func (s *soak) count(c *counting) {
	for {
		channel, n, err := c.next()
		if err != nil {
			if s.ending.Load() {
				return
			}
			s.fault(fmt.Errorf("%s: %w", c.name, err))
			return
		}
		if err := c.took(channel, n); err != nil {
			s.fault(err)
			return
		}
		s.tally.delivered.Add(1)
	}
}

// complete waits until the subscribers that stayed have everything, and lets them leave.
func (s *soak) complete() {
	s.sent.Lock()
	defer s.sent.Unlock()
	for _, c := range s.steady {
		for channel, n := range s.sent.last {
			if c.gets(channel) {
				eventually(s.t, fmt.Sprintf("%s has message %d of %s", c.name, n, channel), func() bool { return c.has(channel) == n })
			}
		}
	}
	s.ending.Store(true)
	for _, c := range s.steady {
		c.close()
	}
	s.readers.Wait()
}

// countRESP subscribes as a back end does, in RESP3.
func countRESP(n *node, verb string, names ...string) (*counting, error) {
	c, err := connectRESP(n)
	if err != nil {
		return nil, err
	}
	_ = c.c.SetDeadline(time.Time{})
	if err := c.ask(command("HELLO", "3"), "%"); err != nil {
		return nil, err
	}
	if err := c.ask(command(append([]string{verb}, names...)...), ">"); err != nil {
		return nil, err
	}
	for range names[1:] {
		if _, err := readReply(c.r); err != nil {
			return nil, err
		}
	}
	return &counting{last: make(map[string]int), close: c.close, next: func() (string, int, error) {
		reply, err := readReply(c.r)
		if err != nil {
			return "", 0, err
		}
		parts := strings.Split(reply, "\r\n") // ">4", "$8", "pmessage", …, channel, length, payload, ""
		if len(parts) < 5 {
			return "", 0, fmt.Errorf("strange reply %q", reply)
		}
		return numberOf(parts[len(parts)-4], []byte(parts[len(parts)-2]))
	}}, nil
}

func numberOf(channel string, payload []byte) (string, int, error) {
	var m serial
	if err := json.Unmarshal(payload, &m); err != nil {
		return "", 0, fmt.Errorf("%s: payload %.80q: %w", channel, payload, err)
	}
	return channel, m.N, nil
}

// countWS subscribes as a browser does.
func countWS(n *node, verb string, names ...string) (*counting, error) {
	c, err := connectWS(n)
	if err != nil {
		return nil, err
	}
	c.ctx = context.Background() // the run may be long
	list, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	if verb == "psub" {
		list, err = json.Marshal(names[0])
	}
	if err != nil {
		return nil, err
	}
	if err := c.send(fmt.Sprintf(`{%q:%s}`, verb, list)); err != nil {
		return nil, err
	}
	for range names {
		if err := c.expect(`subbed":`); err != nil {
			return nil, err
		}
	}
	return &counting{last: make(map[string]int), close: c.close, next: func() (string, int, error) {
		for {
			line, err := c.line()
			if err != nil {
				return "", 0, err
			}
			if bytes.Contains(line, []byte(`"msg":`)) {
				return messageOf(line)
			}
		}
	}}, nil
}

func messageOf(line []byte) (channel string, n int, err error) {
	var m struct {
		Msg  string `json:"msg"`
		Data serial `json:"data"`
	}
	err = json.Unmarshal(line, &m)
	return m.Msg, m.Data.N, err
}

// tally counts what was checked.
type tally struct{ delivered, visits, recovered, told, slow, keys atomic.Int64 }

func (t *tally) String() string {
	return fmt.Sprintf("checked %d, visits %d, resumed %d (told of a loss %d), slow %d, key commands %d",
		t.delivered.Load(), t.visits.Load(), t.recovered.Load(), t.told.Load(), t.slow.Load(), t.keys.Load())
}
