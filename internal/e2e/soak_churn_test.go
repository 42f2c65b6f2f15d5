package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// churners are those who come and go until ctx ends.
func (s *soak) churners(ctx context.Context) *sync.WaitGroup {
	var group sync.WaitGroup
	for i, visit := range []func(context.Context, *rand.Rand) error{
		s.visit, s.visit, s.resume, s.fallBehind, s.useKeys, s.beThere, s.half,
	} {
		group.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), uint64(s.began.UnixNano())))
			for ctx.Err() == nil {
				if err := visit(ctx, r); err != nil && !over(ctx, err) {
					s.fault(err)
					return
				}
			}
		})
	}
	return &group
}

// visit subscribes to something, checks some messages and leaves, one way or another.
func (s *soak) visit(ctx context.Context, r *rand.Rand) error {
	p := r.IntN(soakPublishers)
	c, err := []func() (*counting, error){
		func() (*counting, error) { return countRESP(s.n, "SUBSCRIBE", soakChannelsOf(p)...) },
		func() (*counting, error) { return countRESP(s.n, "PSUBSCRIBE", fmt.Sprintf("soak:[%d]:*", p)) },
		func() (*counting, error) { return countWS(s.n, "sub", soakChannelsOf(p)...) },
		func() (*counting, error) { return countWS(s.n, "psub", fmt.Sprintf("soak:%d:?", p)) },
	}[r.IntN(4)]()
	if err != nil {
		return fmt.Errorf("visit: %w", err)
	}
	c.name = "a visitor"
	stop := context.AfterFunc(ctx, c.close)
	defer stop()
	defer c.close()
	for range r.IntN(200) {
		channel, n, err := c.next()
		if err != nil {
			return orDone(ctx, err)
		}
		if err := c.took(channel, n); err != nil {
			return err
		}
		s.tally.delivered.Add(1)
	}
	s.tally.visits.Add(1)
	return nil
}

// orDone hides the error of a connection that was closed because the run ends.
func orDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// resume is a browser that is cut again and again, and goes on where it was.
func (s *soak) resume(ctx context.Context, r *rand.Rand) error {
	c := &counting{name: "a browser that was cut", last: make(map[string]int)}
	cursor := ""
	for ctx.Err() == nil {
		next, err := s.life(ctx, r, c, cursor)
		if err != nil {
			return orDone(ctx, err)
		}
		cursor = next
		pause(ctx, time.Duration(r.IntN(500))*time.Millisecond)
	}
	return nil
}

// life is one connection of it; it returns the cursor at its end.
func (s *soak) life(ctx context.Context, r *rand.Rand, c *counting, cursor string) (string, error) {
	w, err := dialWS(s.n)
	if err != nil {
		return "", err
	}
	defer w.close()
	stop := context.AfterFunc(ctx, w.end)
	defer stop()
	welcome, err := w.line()
	if err != nil {
		return "", err
	}
	var node struct{ Epoch string }
	if err := json.Unmarshal(welcome, &node); err != nil {
		return "", err
	}
	if err := w.send(`{"psub":"soak:1:*"` + cursor + `}`); err != nil {
		return "", err
	}
	offset := int64(0)
	for range 1 + r.IntN(300) {
		line, err := w.line()
		if err != nil {
			return "", err
		}
		var m struct {
			Recovered *bool
			Offset    int64
		}
		if err := json.Unmarshal(line, &m); err != nil {
			return "", err
		}
		if offset = max(offset, m.Offset); bytes.Contains(line, []byte(`"psubbed":`)) {
			s.resumed(c, m.Recovered)
			offset = 0 // its own offset counts once the replay is complete
			continue
		}
		channel, n, err := messageOf(line)
		if err == nil {
			err = c.took(channel, n)
		}
		if err != nil {
			return "", err
		}
		s.tally.delivered.Add(1)
	}
	if offset == 0 {
		return cursor, nil
	}
	return fmt.Sprintf(`,"epoch":%q,"offset":%d`, node.Epoch, offset), nil
}

// resumed notes how the resumption went: who was told of a loss counts anew.
func (s *soak) resumed(c *counting, recovered *bool) {
	switch {
	case recovered == nil:
	case *recovered:
		s.tally.recovered.Add(1)
	default:
		s.tally.told.Add(1)
		c.mu.Lock()
		clear(c.last)
		c.mu.Unlock()
	}
}

// fallBehind subscribes, reads nothing for a while and is cut.
func (s *soak) fallBehind(ctx context.Context, r *rand.Rand) error {
	conn, err := net.Dial("tcp", s.n.RESP)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(command("PSUBSCRIBE", "soak:*"))); err != nil {
		return err
	}
	pause(ctx, time.Duration(1+r.IntN(5))*time.Second)
	s.tally.slow.Add(1)
	return nil
}

// half sends half of something and goes.
func (s *soak) half(ctx context.Context, r *rand.Rand) error {
	address, text := s.n.RESP, "*3\r\n$7\r\nPUBLISH\r\n$6\r\nsoak:0\r\n$1000\r\nx"
	if r.IntN(2) == 0 {
		address, text = s.n.HTTP, "GET /ws HTTP/1.1\r\nHost: "+s.n.HTTP+"\r\nUpgrade: webso"
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(text[:r.IntN(len(text))]))
	pause(ctx, 50*time.Millisecond)
	return orDone(ctx, err)
}

// beThere is a member that joins, changes and leaves, with or without saying so.
func (s *soak) beThere(ctx context.Context, r *rand.Rand) error {
	w, err := connectWS(s.n)
	if err != nil {
		return err
	}
	defer w.close()
	room := fmt.Sprintf("soak:room:%d", r.IntN(5))
	for i := range 1 + r.IntN(3) {
		if err := w.send(fmt.Sprintf(`{"join":%q,"data":{"i":%d},"id":1}`, room, i)); err != nil {
			return err
		}
		if err := w.expect(`{"ok":1`); err != nil {
			return err
		}
	}
	pause(ctx, time.Duration(r.IntN(200))*time.Millisecond)
	if r.IntN(2) == 0 {
		return w.send(fmt.Sprintf(`{"leave":%q}`, room))
	}
	return nil
}

// useKeys writes keys of all types that live for some seconds, and waits for elements.
func (s *soak) useKeys(ctx context.Context, r *rand.Rand) error {
	c := redis.NewClient(&redis.Options{Addr: s.n.RESP, PoolSize: 2})
	defer c.Close()
	for range 20 {
		key := fmt.Sprint("key:", r.IntN(5000))
		pipe := c.TxPipeline()
		for _, kind := range []string{"s", "h", "l", "t", "z"} {
			fill(ctx, pipe, kind+key, r)
			pipe.Expire(ctx, kind+key, time.Duration(1+r.IntN(5))*time.Second)
		}
		pipe.LPush(ctx, "queue", "element")
		commands, err := pipe.Exec(ctx)
		if err != nil {
			return fmt.Errorf("keys: %w", err)
		}
		s.tally.keys.Add(int64(len(commands)))
		if got, err := c.BRPop(ctx, time.Second, "queue").Result(); err != nil || len(got) != 2 {
			return fmt.Errorf("the queue: got %q, %w", got, err)
		}
		pause(ctx, 20*time.Millisecond)
	}
	return nil
}

func fill(ctx context.Context, pipe redis.Pipeliner, key string, r *rand.Rand) {
	value := strings.Repeat("v", r.IntN(300))
	switch key[0] {
	case 's':
		pipe.Set(ctx, key, value, 0)
	case 'h':
		pipe.HSet(ctx, key, fmt.Sprint("f", r.IntN(200)), value)
	case 'l':
		pipe.RPush(ctx, key, value)
	case 't':
		pipe.SAdd(ctx, key, r.IntN(1000))
	default:
		pipe.ZAdd(ctx, key, redis.Z{Score: r.Float64(), Member: r.IntN(1000)})
	}
}

// pause lets some time pass, which is part of the load.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
