package e2e

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// cached returns what is kept under key, or makes it and keeps it for about a minute.
func cached(ctx context.Context, c *redis.Client, key string, makeIt func() (string, error)) (string, error) {
	text, err := c.Get(ctx, key).Result()
	if !errors.Is(err, redis.Nil) {
		return text, err
	}
	if text, err = makeIt(); err != nil {
		return "", err
	}
	// Not all at once: pages made together should not end together.
	ttl := time.Minute + rand.N(10*time.Second)
	return text, c.Set(ctx, key, text, ttl).Err()
}

func TestTheCacheMakesAPageOnce(t *testing.T) {
	onBoth(t, func(ctx context.Context, t *testing.T, c *redis.Client) {
		made := 0
		makeIt := func() (string, error) { made++; return "<h1>Tea</h1>", nil }
		for range 3 {
			if got, err := cached(ctx, c, "page:7", makeIt); got != "<h1>Tea</h1>" || err != nil {
				t.Fatalf("got %q, %v", got, err)
			}
		}
		if ttl := c.TTL(ctx, "page:7").Val(); made != 1 || ttl < 10*time.Second || ttl > 71*time.Second {
			t.Errorf("made %d times, kept for %v, want once and about a minute", made, ttl)
		}
		broken := errors.New("the database is away")
		if _, err := cached(ctx, c, "page:8", func() (string, error) { return "", broken }); !errors.Is(err, broken) {
			t.Errorf("got %v, want %v", err, broken)
		}
		if got := c.Exists(ctx, "page:8").Val(); got != 0 {
			t.Error("what could not be made is kept")
		}
	})
}
