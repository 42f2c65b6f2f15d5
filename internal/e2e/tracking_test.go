package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// rueidis with its default options keeps what DoCache reads, and learns of every
// change.
func TestRueidisKeepsValuesUntilTheyChange(t *testing.T) {
	t.Parallel()
	n := start(t)
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{n.RESP}})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	other := dialRueidis(t, n.RESP, true).c
	read := func(key string) (text string, hit bool) {
		t.Helper()
		reply := c.DoCache(ctx, c.B().Get().Key(key).Cache(), time.Hour)
		text, err := reply.ToString()
		if err != nil && !rueidis.IsRedisNil(err) {
			t.Fatalf("GET %s: %v", key, err)
		}
		return text, reply.IsCacheHit()
	}
	for _, change := range []struct {
		rule    string
		command rueidis.Completed
		want    string
	}{
		{"a new value", other.B().Set().Key("k").Value("one").Build(), "one"},
		{"another value", other.B().Set().Key("k").Value("two").Build(), "two"},
		{"one's own value", c.B().Set().Key("k").Value("three").Build(), "three"},
		{"a short life", other.B().Set().Key("k").Value("four").PxMilliseconds(30).Build(), ""},
		{"a name", other.B().Mset().KeyValue().KeyValue("old", "five").Build(), ""},
		{"a renamed key", other.B().Rename().Key("old").Newkey("k").Build(), "five"},
		{"a flush", other.B().Flushall().Build(), ""},
	} {
		if _, hit := read("k"); hit {
			read("k") // kept from the last change
		}
		if err := other.Do(ctx, change.command).Error(); err != nil {
			t.Fatalf("%s: %v", change.rule, err)
		}
		for got, _ := read("k"); got != change.want; got, _ = read("k") {
			if ctx.Err() != nil {
				t.Fatalf("%s: the client keeps %q, want %q", change.rule, got, change.want)
			}
		}
		read("k")
		if got, hit := read("k"); got != change.want || !hit && change.rule != "a short life" {
			t.Errorf("%s: got %q, from the cache: %v; want %q from there", change.rule, got, hit, change.want)
		}
	}
}

// Many values at a time: rueidis asks for them in transactions with CLIENT CACHING.
func TestRueidisKeepsManyValues(t *testing.T) {
	t.Parallel()
	n := start(t)
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{n.RESP}})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	other := dialRueidis(t, n.RESP, true).c
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = fmt.Sprint("key:", i)
	}
	for round := range 3 {
		for _, key := range keys {
			if err := other.Do(ctx, other.B().Set().Key(key).Value(fmt.Sprint(key, round)).Build()).Error(); err != nil {
				t.Fatal(err)
			}
		}
		for fresh := false; !fresh; {
			values, err := rueidis.MGetCache(c, ctx, time.Hour, keys)
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			fresh = true
			for _, key := range keys {
				v := values[key]
				text, _ := v.ToString()
				fresh = fresh && text == fmt.Sprint(key, round)
			}
		}
	}
}
