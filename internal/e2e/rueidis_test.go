package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// rueidisClient is the client without its cache, which needs client tracking.
type rueidisClient struct{ c rueidis.Client }

func dialRueidis(t *testing.T, addr string, resp2 bool) rueidisClient {
	t.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{addr}, DisableCache: true, AlwaysRESP2: resp2, ClientName: clientName,
	})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(c.Close)
	return rueidisClient{c}
}

func (r rueidisClient) subscribe(t *testing.T, k kind, names ...string) <-chan delivery {
	t.Helper()
	build := map[kind]func() rueidis.Completed{
		channels: func() rueidis.Completed { return r.c.B().Subscribe().Channel(names...).Build() },
		patterns: func() rueidis.Completed { return r.c.B().Psubscribe().Pattern(names...).Build() },
		shards:   func() rueidis.Completed { return r.c.B().Ssubscribe().Channel(names...).Build() },
	}[k]
	out := make(chan delivery, 20_000)
	acknowledged := make(chan struct{}, 1000)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	ctx = rueidis.WithOnSubscriptionHook(ctx, func(rueidis.PubSubSubscription) {
		select {
		case acknowledged <- struct{}{}:
		default: // a later resubscription: nobody counts it
		}
	})
	go func() {
		// A broken connection ends Receive; calling it again is the user's part.
		for ctx.Err() == nil {
			_ = r.c.Receive(ctx, build(), func(m rueidis.PubSubMessage) {
				out <- delivery{m.Pattern, m.Channel, m.Message}
			})
		}
	}()
	for range names {
		select {
		case <-acknowledged:
		case <-time.After(patience):
			t.Fatalf("subscribe %v: no acknowledgement", names)
		}
	}
	return out
}

func (r rueidisClient) publish(ctx context.Context, channel, text string) (int64, error) {
	return r.c.Do(ctx, r.c.B().Publish().Channel(channel).Message(text).Build()).AsInt64()
}

func (r rueidisClient) shardPublish(ctx context.Context, channel, text string) (int64, error) {
	return r.c.Do(ctx, r.c.B().Spublish().Channel(channel).Message(text).Build()).AsInt64()
}

func (r rueidisClient) pipeline(ctx context.Context, channel string, texts []string) ([]int64, error) {
	commands := make(rueidis.Commands, len(texts))
	for i, text := range texts {
		commands[i] = r.c.B().Publish().Channel(channel).Message(text).Build()
	}
	var counts []int64
	for _, reply := range r.c.DoMulti(ctx, commands...) {
		count, err := reply.AsInt64()
		if err != nil {
			return counts, err
		}
		counts = append(counts, count)
	}
	return counts, nil
}

func (r rueidisClient) transaction(ctx context.Context, key, value, channel string) (got string, receivers int64, err error) {
	err = r.c.Dedicated(func(c rueidis.DedicatedClient) error {
		b := c.B()
		replies := c.DoMulti(ctx, b.Multi().Build(), b.Set().Key(key).Value(value).Build(), b.Get().Key(key).Build(),
			b.Publish().Channel(channel).Message(value).Build(), b.Exec().Build())
		results, err := replies[len(replies)-1].ToArray()
		if err != nil {
			return err
		}
		if got, err = results[1].ToString(); err != nil {
			return err
		}
		receivers, err = results[2].AsInt64()
		return err
	})
	return got, receivers, err
}

func (r rueidisClient) watched(ctx context.Context, key string, between func()) (done bool, err error) {
	err = r.c.Dedicated(func(c rueidis.DedicatedClient) error {
		b := c.B()
		if err := c.Do(ctx, b.Watch().Key(key).Build()).Error(); err != nil {
			return err
		}
		between()
		replies := c.DoMulti(ctx, b.Multi().Build(), b.Set().Key(key).Value("mine").Build(), b.Exec().Build())
		err := replies[len(replies)-1].Error()
		done = err == nil
		if rueidis.IsRedisNil(err) {
			return nil
		}
		return err
	})
	return done, err
}

func (r rueidisClient) scan(ctx context.Context, match, kind string, count int64) ([]string, error) {
	var keys []string
	for cursor := uint64(0); ; {
		page, err := r.c.Do(ctx, r.c.B().Scan().Cursor(cursor).Match(match).Count(count).Type(kind).Build()).AsScanEntry()
		if err != nil {
			return keys, err
		}
		keys = append(keys, page.Elements...)
		if cursor = page.Cursor; cursor == 0 {
			return keys, nil
		}
	}
}

func (r rueidisClient) lastError(ctx context.Context) error {
	return r.c.Do(ctx, r.c.B().Arbitrary("NOSUCHTHING", "a", "b").Build()).Error()
}
