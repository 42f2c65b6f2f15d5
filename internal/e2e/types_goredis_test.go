package e2e

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

func (g goRedis) hashSet(ctx context.Context, key string, fields map[string]string) (int64, error) {
	return g.c.HSet(ctx, key, fields).Result()
}

func (g goRedis) hashAll(ctx context.Context, key string) (map[string]string, error) {
	return g.c.HGetAll(ctx, key).Result()
}

func (g goRedis) hashSome(ctx context.Context, key string, fields []string) ([]*string, error) {
	values, err := g.c.HMGet(ctx, key, fields...).Result()
	list := make([]*string, len(values))
	for i, value := range values {
		if text, is := value.(string); is {
			list[i] = &text
		}
	}
	return list, err
}

func (g goRedis) hashScan(ctx context.Context, key, match string, count int64) (map[string]string, error) {
	words, err := walk(ctx, g.c.HScan(ctx, key, 0, match, count))
	hash := map[string]string{}
	for i := 0; i+1 < len(words); i += 2 {
		hash[words[i]] = words[i+1]
	}
	return hash, err
}

// walk collects what an iteration brings.
func walk(ctx context.Context, first *redis.ScanCmd) (words []string, err error) {
	pages := first.Iterator()
	for pages.Next(ctx) {
		words = append(words, pages.Val())
	}
	return words, pages.Err()
}

func (g goRedis) push(ctx context.Context, key string, values []string) (int64, error) {
	return g.c.RPush(ctx, key, anys(values)...).Result()
}

func (g goRedis) listAll(ctx context.Context, key string) ([]string, error) {
	return g.c.LRange(ctx, key, 0, -1).Result()
}

func (g goRedis) move(ctx context.Context, from, to string) (*string, error) {
	return optional(g.c.LMove(ctx, from, to, "RIGHT", "LEFT").Result())
}

func (g goRedis) waitPop(ctx context.Context, keys []string) ([]string, error) {
	return orNone(g.c.BLPop(ctx, time.Second, keys...).Result())
}

func (g goRedis) waitMove(ctx context.Context, from, to string) (*string, error) {
	return optional(g.c.BLMove(ctx, from, to, "RIGHT", "LEFT", time.Second).Result())
}

func (g goRedis) setAdd(ctx context.Context, key string, members []string) (int64, error) {
	return g.c.SAdd(ctx, key, anys(members)...).Result()
}

func (g goRedis) setAll(ctx context.Context, key string) ([]string, error) {
	return g.c.SMembers(ctx, key).Result()
}

func (g goRedis) combine(ctx context.Context, how string, keys []string) ([]string, error) {
	return map[string]func(context.Context, ...string) *redis.StringSliceCmd{
		"inter": g.c.SInter, "union": g.c.SUnion, "diff": g.c.SDiff,
	}[how](ctx, keys...).Result()
}

func (g goRedis) setHas(ctx context.Context, key string, members []string) ([]bool, error) {
	return g.c.SMIsMember(ctx, key, anys(members)...).Result()
}

func (g goRedis) setScan(ctx context.Context, key, match string, count int64) ([]string, error) {
	return walk(ctx, g.c.SScan(ctx, key, 0, match, count))
}

func (g goRedis) scoreSet(ctx context.Context, key string, scores []scored) (int64, error) {
	var list []redis.Z
	for _, s := range scores {
		list = append(list, redis.Z{Score: s.Score, Member: s.Member})
	}
	return g.c.ZAdd(ctx, key, list...).Result()
}

func (g goRedis) scoreAdd(ctx context.Context, key string, by float64, member string) (float64, error) {
	return g.c.ZIncrBy(ctx, key, by, member).Result()
}

func (g goRedis) top(ctx context.Context, key string, n int64) ([]scored, error) {
	list, err := g.c.ZRevRangeWithScores(ctx, key, 0, n-1).Result()
	return members(list), err
}

func (g goRedis) place(ctx context.Context, key, member string) (float64, int64, bool, error) {
	score, err := g.c.ZScore(ctx, key, member).Result()
	if errors.Is(err, redis.Nil) {
		rank, err := g.c.ZRevRank(ctx, key, member).Result()
		if errors.Is(err, redis.Nil) {
			return 0, 0, false, nil
		}
		return 0, rank, true, err
	}
	if err != nil {
		return 0, 0, false, err
	}
	rank, err := g.c.ZRevRank(ctx, key, member).Result()
	return score, rank, true, err
}

func (g goRedis) popLowest(ctx context.Context, key string) ([]scored, error) {
	list, err := g.c.ZPopMin(ctx, key).Result()
	return members(list), err
}

func (g goRedis) waitLowest(ctx context.Context, keys []string) ([]scored, error) {
	z, err := g.c.BZPopMin(ctx, time.Second, keys...).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return members([]redis.Z{z.Z}), nil
}

func (g goRedis) scoreScan(ctx context.Context, key, match string, count int64) ([]scored, error) {
	words, err := walk(ctx, g.c.ZScan(ctx, key, 0, match, count))
	if err != nil {
		return nil, err
	}
	return paired(words)
}

func (g goRedis) together(ctx context.Context, hash, set, scores string) (map[string]string, []string, []scored, error) {
	var h *redis.MapStringStringCmd
	var s *redis.StringSliceCmd
	var z *redis.ZSliceCmd
	_, err := g.c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		h, s, z = p.HGetAll(ctx, hash), p.SMembers(ctx, set), p.ZRevRangeWithScores(ctx, scores, 0, -1)
		return nil
	})
	return h.Val(), s.Val(), members(z.Val()), err
}

func members(list []redis.Z) (all []scored) {
	for _, z := range list {
		name, _ := z.Member.(string)
		all = append(all, scored{name, z.Score})
	}
	return all
}

func anys(list []string) []any {
	all := make([]any, len(list))
	for i, text := range list {
		all[i] = text
	}
	return all
}

// optional makes of go-redis' error for what is not there a nil string.
func optional(text string, err error) (*string, error) {
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil //nolint:nilnil // the interface says so
	case err != nil:
		return nil, err
	}
	return &text, nil
}

// orNone makes of go-redis' error for what is not there an empty answer.
func orNone(list []string, err error) ([]string, error) {
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return list, err
}
