package e2e

import (
	"context"

	"github.com/redis/rueidis"
)

func (r rueidisClient) hashSet(ctx context.Context, key string, fields map[string]string) (int64, error) {
	build := r.c.B().Hset().Key(key).FieldValue()
	for field, value := range fields {
		build = build.FieldValue(field, value)
	}
	return r.c.Do(ctx, build.Build()).AsInt64()
}

func (r rueidisClient) hashAll(ctx context.Context, key string) (map[string]string, error) {
	return r.c.Do(ctx, r.c.B().Hgetall().Key(key).Build()).AsStrMap()
}

func (r rueidisClient) hashSome(ctx context.Context, key string, fields []string) ([]*string, error) {
	values, err := r.c.Do(ctx, r.c.B().Hmget().Key(key).Field(fields...).Build()).ToArray()
	list := make([]*string, len(values))
	for i, value := range values {
		if value.IsNil() {
			continue
		}
		text, err := value.ToString()
		if err != nil {
			return nil, err
		}
		list[i] = &text
	}
	return list, err
}

func (r rueidisClient) hashScan(ctx context.Context, key, match string, count int64) (map[string]string, error) {
	words, err := r.pages(ctx, func(cursor uint64) rueidis.Completed {
		return r.c.B().Hscan().Key(key).Cursor(cursor).Match(match).Count(count).Build()
	})
	hash := map[string]string{}
	for i := 0; i+1 < len(words); i += 2 {
		hash[words[i]] = words[i+1]
	}
	return hash, err
}

// pages collects what an iteration brings.
func (r rueidisClient) pages(ctx context.Context, build func(cursor uint64) rueidis.Completed) (words []string, err error) {
	for cursor := uint64(0); ; {
		page, err := r.c.Do(ctx, build(cursor)).AsScanEntry()
		if err != nil {
			return words, err
		}
		words = append(words, page.Elements...)
		if cursor = page.Cursor; cursor == 0 {
			return words, nil
		}
	}
}

func (r rueidisClient) push(ctx context.Context, key string, values []string) (int64, error) {
	return r.c.Do(ctx, r.c.B().Rpush().Key(key).Element(values...).Build()).AsInt64()
}

func (r rueidisClient) listAll(ctx context.Context, key string) ([]string, error) {
	return r.c.Do(ctx, r.c.B().Lrange().Key(key).Start(0).Stop(-1).Build()).AsStrSlice()
}

func (r rueidisClient) move(ctx context.Context, from, to string) (*string, error) {
	return known(r.c.Do(ctx, r.c.B().Lmove().Source(from).Destination(to).Right().Left().Build()).ToString())
}

func (r rueidisClient) waitPop(ctx context.Context, keys []string) ([]string, error) {
	list, err := r.c.Do(ctx, r.c.B().Blpop().Key(keys...).Timeout(1).Build()).AsStrSlice()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	return list, err
}

func (r rueidisClient) waitMove(ctx context.Context, from, to string) (*string, error) {
	return known(r.c.Do(ctx, r.c.B().Blmove().Source(from).Destination(to).Right().Left().Timeout(1).Build()).ToString())
}

func (r rueidisClient) setAdd(ctx context.Context, key string, members []string) (int64, error) {
	return r.c.Do(ctx, r.c.B().Sadd().Key(key).Member(members...).Build()).AsInt64()
}

func (r rueidisClient) setAll(ctx context.Context, key string) ([]string, error) {
	return r.c.Do(ctx, r.c.B().Smembers().Key(key).Build()).AsStrSlice()
}

func (r rueidisClient) combine(ctx context.Context, how string, keys []string) ([]string, error) {
	command := map[string]func() rueidis.Completed{
		"inter": func() rueidis.Completed { return r.c.B().Sinter().Key(keys...).Build() },
		"union": func() rueidis.Completed { return r.c.B().Sunion().Key(keys...).Build() },
		"diff":  func() rueidis.Completed { return r.c.B().Sdiff().Key(keys...).Build() },
	}[how]
	return r.c.Do(ctx, command()).AsStrSlice()
}

func (r rueidisClient) setHas(ctx context.Context, key string, members []string) ([]bool, error) {
	return r.c.Do(ctx, r.c.B().Smismember().Key(key).Member(members...).Build()).AsBoolSlice()
}

func (r rueidisClient) setScan(ctx context.Context, key, match string, count int64) ([]string, error) {
	return r.pages(ctx, func(cursor uint64) rueidis.Completed {
		return r.c.B().Sscan().Key(key).Cursor(cursor).Match(match).Count(count).Build()
	})
}

func (r rueidisClient) scoreSet(ctx context.Context, key string, scores []scored) (int64, error) {
	build := r.c.B().Zadd().Key(key).ScoreMember()
	for _, s := range scores {
		build = build.ScoreMember(s.Score, s.Member)
	}
	return r.c.Do(ctx, build.Build()).AsInt64()
}

func (r rueidisClient) scoreAdd(ctx context.Context, key string, by float64, member string) (float64, error) {
	return r.c.Do(ctx, r.c.B().Zincrby().Key(key).Increment(by).Member(member).Build()).AsFloat64()
}

func (r rueidisClient) top(ctx context.Context, key string, n int64) ([]scored, error) {
	return ranked(r.c.Do(ctx, r.c.B().Zrevrange().Key(key).Start(0).Stop(n-1).Withscores().Build()).AsZScores())
}

func (r rueidisClient) place(ctx context.Context, key, member string) (float64, int64, bool, error) {
	score, err := r.c.Do(ctx, r.c.B().Zscore().Key(key).Member(member).Build()).AsFloat64()
	rank, err2 := r.c.Do(ctx, r.c.B().Zrevrank().Key(key).Member(member).Build()).AsInt64()
	switch {
	case rueidis.IsRedisNil(err) && rueidis.IsRedisNil(err2):
		return 0, 0, false, nil
	case err != nil:
		return 0, 0, false, err
	}
	return score, rank, true, err2
}

func (r rueidisClient) popLowest(ctx context.Context, key string) ([]scored, error) {
	return ranked(r.c.Do(ctx, r.c.B().Zpopmin().Key(key).Count(1).Build()).AsZScores())
}

func (r rueidisClient) waitLowest(ctx context.Context, keys []string) ([]scored, error) {
	reply, err := r.c.Do(ctx, r.c.B().Bzpopmin().Key(keys...).Timeout(1).Build()).ToArray()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	member, err := reply[1].ToString()
	if err != nil {
		return nil, err
	}
	score, err := reply[2].AsFloat64()
	return []scored{{member, score}}, err
}

func (r rueidisClient) scoreScan(ctx context.Context, key, match string, count int64) ([]scored, error) {
	words, err := r.pages(ctx, func(cursor uint64) rueidis.Completed {
		return r.c.B().Zscan().Key(key).Cursor(cursor).Match(match).Count(count).Build()
	})
	if err != nil {
		return nil, err
	}
	return paired(words)
}

func (r rueidisClient) together(ctx context.Context, hash, set, scores string) (h map[string]string, s []string, z []scored, err error) {
	err = r.c.Dedicated(func(c rueidis.DedicatedClient) error {
		b := c.B()
		replies := c.DoMulti(ctx, b.Multi().Build(), b.Hgetall().Key(hash).Build(), b.Smembers().Key(set).Build(),
			b.Zrevrange().Key(scores).Start(0).Stop(-1).Withscores().Build(), b.Exec().Build())
		results, err := replies[len(replies)-1].ToArray()
		if err != nil {
			return err
		}
		if h, err = results[0].AsStrMap(); err != nil {
			return err
		}
		if s, err = results[1].AsStrSlice(); err != nil {
			return err
		}
		z, err = ranked(results[2].AsZScores())
		return err
	})
	return h, s, z, err
}

func ranked(list []rueidis.ZScore, err error) (all []scored, _ error) {
	for _, z := range list {
		all = append(all, scored{z.Member, z.Score})
	}
	return all, err
}

// known makes of rueidis' error for what is not there a nil string.
func known(text string, err error) (*string, error) {
	switch {
	case rueidis.IsRedisNil(err):
		return nil, nil //nolint:nilnil // the interface says so
	case err != nil:
		return nil, err
	}
	return &text, nil
}
