package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// errLockLost: the lock ended before it was given back, and others may have had it meanwhile.
var errLockLost = errors.New("the lock was lost")

// lock takes the lock, for 30 seconds at most; release gives it back. ok is false where somebody else has it.
func lock(ctx context.Context, c *redis.Client, name string) (release func(context.Context) error, ok bool, err error) {
	token := rand.Text() // of crypto/rand
	if ok, err = c.SetNX(ctx, name, token, 30*time.Second).Result(); err != nil || !ok {
		return nil, false, err
	}
	return func(ctx context.Context) error {
		err := c.Watch(ctx, func(tx *redis.Tx) error {
			owner, err := tx.Get(ctx, name).Result()
			if errors.Is(err, redis.Nil) || err == nil && owner != token {
				return errLockLost
			}
			if err != nil {
				return err
			}
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
				p.Del(ctx, name)
				return nil
			})
			return err
		}, name)
		if errors.Is(err, redis.TxFailedErr) {
			return errLockLost
		}
		return err
	}, true, nil
}

func TestALockIsOneAtATime(t *testing.T) {
	onBoth(t, func(ctx context.Context, t *testing.T, c *redis.Client) {
		take := func(want bool) func(context.Context) error {
			t.Helper()
			release, ok, err := lock(ctx, c, "lock:report")
			if ok != want || err != nil {
				t.Fatalf("got %t, %v, want %t", ok, err, want)
			}
			return release
		}
		first := take(true)
		take(false)
		if err := first(ctx); err != nil {
			t.Errorf("release: %v", err)
		}
		late := take(true)
		if err := c.Del(ctx, "lock:report").Err(); err != nil { // as time would do
			t.Fatal(err)
		}
		second := take(true)
		if err := late(ctx); !errors.Is(err, errLockLost) {
			t.Errorf("got %v, want %v", err, errLockLost)
		}
		take(false)
		if err := second(ctx); err != nil {
			t.Errorf("release: %v", err)
		}
		if err := second(ctx); !errors.Is(err, errLockLost) {
			t.Errorf("released twice: got %v, want %v", err, errLockLost)
		}
	})
}
