package e2e

import (
	"context"
	"strconv"
	"testing"
)

// dialTyped makes the process start over with a new client.
func (p *program) dialTyped(t *testing.T) typed {
	t.Helper()
	p.must(t, "dial")
	return p
}

func (p *program) hashSet(ctx context.Context, key string, fields map[string]string) (count int64, err error) {
	err = p.call(ctx, &count, "hashSet", key, fields)
	return count, err
}

func (p *program) hashAll(ctx context.Context, key string) (hash map[string]string, err error) {
	err = p.call(ctx, &hash, "hashAll", key)
	return hash, err
}

func (p *program) hashSome(ctx context.Context, key string, fields []string) (values []*string, err error) {
	err = p.call(ctx, &values, "hashSome", key, fields)
	return values, err
}

func (p *program) hashScan(ctx context.Context, key, match string, count int64) (hash map[string]string, err error) {
	err = p.call(ctx, &hash, "hashScan", key, match, count)
	return hash, err
}

func (p *program) push(ctx context.Context, key string, values []string) (length int64, err error) {
	err = p.call(ctx, &length, "push", key, values)
	return length, err
}

func (p *program) listAll(ctx context.Context, key string) (list []string, err error) {
	err = p.call(ctx, &list, "listAll", key)
	return list, err
}

func (p *program) move(ctx context.Context, from, to string) (value *string, err error) {
	err = p.call(ctx, &value, "move", from, to)
	return value, err
}

func (p *program) waitPop(ctx context.Context, keys []string) (pair []string, err error) {
	err = p.call(ctx, &pair, "waitPop", keys)
	return pair, err
}

func (p *program) waitMove(ctx context.Context, from, to string) (value *string, err error) {
	err = p.call(ctx, &value, "waitMove", from, to)
	return value, err
}

func (p *program) setAdd(ctx context.Context, key string, members []string) (count int64, err error) {
	err = p.call(ctx, &count, "setAdd", key, members)
	return count, err
}

func (p *program) setAll(ctx context.Context, key string) (members []string, err error) {
	err = p.call(ctx, &members, "setAll", key)
	return members, err
}

func (p *program) combine(ctx context.Context, how string, keys []string) (members []string, err error) {
	err = p.call(ctx, &members, "combine", how, keys)
	return members, err
}

func (p *program) setHas(ctx context.Context, key string, members []string) (has []bool, err error) {
	err = p.call(ctx, &has, "setHas", key, members)
	return has, err
}

func (p *program) setScan(ctx context.Context, key, match string, count int64) (members []string, err error) {
	err = p.call(ctx, &members, "setScan", key, match, count)
	return members, err
}

// Scores cross JSON as text, which has no infinity, in a flat list of members and scores.

func (p *program) scoreSet(ctx context.Context, key string, scores []scored) (count int64, err error) {
	var flat []string
	for _, s := range scores {
		flat = append(flat, s.Member, strconv.FormatFloat(s.Score, 'g', -1, 64))
	}
	err = p.call(ctx, &count, "scoreSet", key, flat)
	return count, err
}

func (p *program) scoreAdd(ctx context.Context, key string, by float64, member string) (float64, error) {
	var text string
	if err := p.call(ctx, &text, "scoreAdd", key, by, member); err != nil {
		return 0, err
	}
	return strconv.ParseFloat(text, 64)
}

func (p *program) top(ctx context.Context, key string, n int64) ([]scored, error) {
	return p.callScored(ctx, "top", key, n)
}

func (p *program) place(ctx context.Context, key, member string) (score float64, rank int64, found bool, err error) {
	var text *string
	var place *int64
	if err := p.call(ctx, &[]any{&text, &place}, "place", key, member); err != nil || text == nil && place == nil {
		return 0, 0, false, err
	}
	if text == nil || place == nil {
		return 0, 0, true, nil // one without the other: the rule sees the zeros
	}
	score, err = strconv.ParseFloat(*text, 64)
	return score, *place, true, err
}

func (p *program) popLowest(ctx context.Context, key string) ([]scored, error) {
	return p.callScored(ctx, "popLowest", key)
}

func (p *program) waitLowest(ctx context.Context, keys []string) ([]scored, error) {
	return p.callScored(ctx, "waitLowest", keys)
}

func (p *program) scoreScan(ctx context.Context, key, match string, count int64) ([]scored, error) {
	return p.callScored(ctx, "scoreScan", key, match, count)
}

func (p *program) together(ctx context.Context, hash, set, scores string) (h map[string]string, s []string, z []scored, err error) {
	var flat []string
	if err := p.call(ctx, &[]any{&h, &s, &flat}, "together", hash, set, scores); err != nil {
		return nil, nil, nil, err
	}
	z, err = paired(flat)
	return h, s, z, err
}

func (p *program) callScored(ctx context.Context, name string, args ...any) ([]scored, error) {
	var flat []string
	if err := p.call(ctx, &flat, name, args...); err != nil {
		return nil, err
	}
	return paired(flat)
}

// paired reads members and their scores, in turn.
func paired(flat []string) (list []scored, err error) {
	for i := 0; i+1 < len(flat); i += 2 {
		score, err := strconv.ParseFloat(flat[i+1], 64)
		if err != nil {
			return nil, err
		}
		list = append(list, scored{flat[i], score})
	}
	return list, nil
}
