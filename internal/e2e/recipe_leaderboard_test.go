package e2e

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/redis/go-redis/v9"
)

// score adds points and publishes the best ten where a change among them may show.
func score(ctx context.Context, c *redis.Client, player string, points float64) error {
	var rank *redis.IntCmd
	var best *redis.ZSliceCmd
	if _, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.ZIncrBy(ctx, "scores", points, player)
		rank = p.ZRevRank(ctx, "scores", player)
		best = p.ZRevRangeWithScores(ctx, "scores", 0, 9)
		return nil
	}); err != nil {
		return err
	}
	if rank.Val() > 9 {
		return nil
	}
	var top [][2]any
	for _, z := range best.Val() {
		top = append(top, [2]any{z.Member, z.Score})
	}
	text, err := json.Marshal(top)
	if err != nil {
		return err
	}
	return c.Publish(ctx, "top", text).Err()
}

func TestTheTopIsPublished(t *testing.T) {
	onBoth(t, func(ctx context.Context, t *testing.T, c *redis.Client) {
		s := listenTo(t, c, "top")
		for range 9 {
			if err := c.ZIncrBy(ctx, "scores", 1000, string(rune('a'+c.ZCard(ctx, "scores").Val()))).Err(); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range []struct {
			player string
			points float64
			want   string // the two last of the top; empty: nothing is published
		}{
			{"ada", 7.5, `["a",1000],["ada",7.5]]`},
			{"bob", 7, ""},
			{"bob", 1, `["a",1000],["bob",8]]`},
		} {
			if err := score(ctx, c, step.player, step.points); err != nil {
				t.Fatal(err)
			}
			if step.want == "" {
				continue
			}
			if got := receive(t, s).Payload; !strings.HasSuffix(got, step.want) || strings.Count(got, "[") != 11 {
				t.Errorf("%s: got %s, want ten that end with %s", step.player, got, step.want)
			}
		}
	})
}

// The page of the recipe is given to a browser as it stands.
func TestTheTopInABrowser(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/recipes/leaderboard.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```js\n")
	snippet, _, found := strings.Cut(after, "```")
	if !found || strings.Count(snippet, "localhost:8080") != 1 {
		t.Fatalf("the recipe has no JavaScript with one address:\n%s", snippet)
	}
	n := start(t)
	host := strings.Replace(n.HTTP, "127.0.0.1", "localhost", 1)
	b := browser(t).open(t, "top", "http://"+host+"/")
	b.do(chromedp.Evaluate[chromedp.Void](strings.Replace(snippet, "localhost:8080", host, 1)))
	c := dial(t, n.RESP, 3)
	eventually(t, "the page's subscription counts", func() bool { return publish(t, c, "top", `[["ada",120],["bob",95.5]]`) == 1 })
	b.await(`document.body.innerText == '1. ada 120\n2. bob 95.5'`)
}
