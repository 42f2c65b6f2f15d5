package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// seen counts a view of the page, and says whether it is the visitor's first today.
func seen(ctx context.Context, c *redis.Client, day, page, visitor string) (views int64, first bool, err error) {
	var count, added *redis.IntCmd
	_, err = c.Pipelined(ctx, func(p redis.Pipeliner) error {
		count = p.Incr(ctx, "views:"+day+":"+page)
		p.ExpireNX(ctx, "views:"+day+":"+page, 90*24*time.Hour)
		added = p.SAdd(ctx, "visitors:"+day, visitor)
		p.ExpireNX(ctx, "visitors:"+day, 90*24*time.Hour)
		return nil
	})
	return count.Val(), added.Val() == 1, err
}

func TestViewsAndVisitorsAreCounted(t *testing.T) {
	onBoth(t, func(ctx context.Context, t *testing.T, c *redis.Client) {
		for i, visit := range []struct {
			page, visitor string
			views         int64
			first         bool
		}{
			{"/tea", "ada", 1, true}, {"/tea", "bob", 2, true}, {"/tea", "ada", 3, false}, {"/milk", "bob", 1, false},
		} {
			views, first, err := seen(ctx, c, "2026-11-23", visit.page, visit.visitor)
			if views != visit.views || first != visit.first || err != nil {
				t.Errorf("visit %d: got %d, %t, %v, want %d, %t", i, views, first, err, visit.views, visit.first)
			}
		}
		if got := c.SCard(ctx, "visitors:2026-11-23").Val(); got != 2 {
			t.Errorf("got %d visitors, want 2", got)
		}
		if ttl := c.TTL(ctx, "visitors:2026-11-23").Val(); ttl < 89*24*time.Hour {
			t.Errorf("got %v left, want ninety days", ttl)
		}
	})
}
