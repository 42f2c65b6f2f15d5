package e2e

import (
	"context"
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"
)

// goRedis is the client with its defaults, but for the protocol and a name.
type goRedis struct{ c *redis.Client }

func dialGoRedis(t *testing.T, addr string, protocol int) goRedis {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: addr, Protocol: protocol, ClientName: clientName})
	t.Cleanup(func() { _ = c.Close() })
	return goRedis{c}
}

func (g goRedis) subscribe(t *testing.T, k kind, names ...string) <-chan delivery {
	t.Helper()
	ctx := context.Background()
	subscribe := map[kind]func(context.Context, ...string) *redis.PubSub{
		channels: g.c.Subscribe, patterns: g.c.PSubscribe, shards: g.c.SSubscribe,
	}[k]
	s := subscribe(ctx, names...)
	t.Cleanup(func() { _ = s.Close() })
	for range names {
		if _, err := s.ReceiveTimeout(ctx, patience); err != nil {
			t.Fatalf("subscribe %v: %v", names, err)
		}
	}
	// The client drops what its user does not take within a minute; this much holds a whole test.
	from := s.Channel(redis.WithChannelSize(20_000))
	out := make(chan delivery, 20_000)
	go func() {
		for m := range from {
			out <- delivery{m.Pattern, m.Channel, m.Payload}
		}
	}()
	return out
}

func (g goRedis) publish(ctx context.Context, channel, text string) (int64, error) {
	return g.c.Publish(ctx, channel, text).Result()
}

func (g goRedis) shardPublish(ctx context.Context, channel, text string) (int64, error) {
	return g.c.SPublish(ctx, channel, text).Result()
}

func (g goRedis) pipeline(ctx context.Context, channel string, texts []string) ([]int64, error) {
	replies, err := g.c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, text := range texts {
			p.Publish(ctx, channel, text)
		}
		return nil
	})
	var counts []int64
	for _, reply := range replies {
		if count, is := reply.(*redis.IntCmd); is && count.Err() == nil {
			counts = append(counts, count.Val())
		}
	}
	return counts, err
}

func (g goRedis) transaction(ctx context.Context, key, value, channel string) (string, int64, error) {
	var got *redis.StringCmd
	var count *redis.IntCmd
	_, err := g.c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, key, value, 0)
		got, count = p.Get(ctx, key), p.Publish(ctx, channel, value)
		return nil
	})
	return got.Val(), count.Val(), err
}

func (g goRedis) watched(ctx context.Context, key string, between func()) (bool, error) {
	err := g.c.Watch(ctx, func(tx *redis.Tx) error {
		between()
		_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Set(ctx, key, "mine", 0)
			return nil
		})
		return err
	}, key)
	if errors.Is(err, redis.TxFailedErr) {
		return false, nil
	}
	return err == nil, err
}

func (g goRedis) scan(ctx context.Context, match, kind string, count int64) ([]string, error) {
	var keys []string
	pages := g.c.ScanType(ctx, 0, match, count, kind).Iterator()
	for pages.Next(ctx) {
		keys = append(keys, pages.Val())
	}
	return keys, pages.Err()
}

func (g goRedis) lastError(ctx context.Context) error {
	return g.c.Do(ctx, "NOSUCHTHING", "a", "b").Err()
}

// dial returns a go-redis client of the broker, without a name.
func dial(t testing.TB, addr string, protocol int) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: addr, Protocol: protocol})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// listen subscribes with a connection of its own and returns once the broker has acknowledged.
func listen(t testing.TB, c *redis.Client, patterns ...string) *redis.PubSub {
	t.Helper()
	s := c.PSubscribe(context.Background(), patterns...)
	t.Cleanup(func() { _ = s.Close() })
	for range patterns {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_, err := s.Receive(ctx)
		cancel()
		if err != nil {
			t.Fatalf("subscribe %v: %v", patterns, err)
		}
	}
	return s
}

// receive returns the next message of a subscription.
func receive(t testing.TB, s *redis.PubSub) *redis.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m, err := s.ReceiveMessage(ctx)
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	return m
}

// publish returns to how many subscriptions the message goes.
func publish(t testing.TB, c *redis.Client, channel, text string) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := c.Publish(ctx, channel, text).Result()
	if err != nil {
		t.Fatalf("publish to %s: %v", channel, err)
	}
	return got
}
