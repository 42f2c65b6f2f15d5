package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// announceLogouts tells the users whose sessions end, until the context ends.
func announceLogouts(ctx context.Context, c *redis.Client) error {
	if err := c.ConfigSet(ctx, "notify-keyspace-events", "Ex").Err(); err != nil {
		return err
	}
	ended := c.Subscribe(ctx, "__keyevent@0__:expired")
	defer func() { _ = ended.Close() }()
	events := ended.Channel()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event := <-events:
			name := strings.Split(event.Payload, ":")
			if len(name) != 3 || name[0] != "session" {
				continue
			}
			if err := c.Publish(ctx, "user:"+name[1], `{"event":"logout"}`).Err(); err != nil {
				return err
			}
		}
	}
}

func TestASessionThatEndsLogsItsUserOut(t *testing.T) {
	onBoth(t, func(ctx context.Context, t *testing.T, c *redis.Client) {
		ctx, stop := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = announceLogouts(ctx, c) // that it ends is the test's doing
		}()
		defer func() {
			stop()
			<-ended
		}()
		s := listenTo(t, c, "user:ada")
		eventually(t, "the service listens", func() bool {
			return c.PubSubNumSub(ctx, "__keyevent@0__:expired").Val()["__keyevent@0__:expired"] == 1
		})
		for _, key := range []string{"other:ada:1", "session:ada", "session:ada:5f1c"} {
			if err := c.HSet(ctx, key, "user", "ada").Err(); err != nil {
				t.Fatal(err)
			}
			if err := c.PExpire(ctx, key, 10*time.Millisecond).Err(); err != nil {
				t.Fatal(err)
			}
			eventually(t, key+" has ended", func() bool { return c.Exists(ctx, key).Val() == 0 })
		}
		if got := receive(t, s); got.Payload != `{"event":"logout"}` {
			t.Errorf("got %s", got.Payload)
		}
		publish(t, c, "user:ada", "the next")
		if got := receive(t, s); got.Payload != "the next" {
			t.Errorf("got %s, want one log-out", got.Payload)
		}
	})
}
