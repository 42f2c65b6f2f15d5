package e2e

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/valkey-io/valkey-go"
)

// keeper is a client that keeps what it reads until it learns of a change; its options are the default ones.
type keeper interface {
	// read answers "" for a key that does not exist, and whether the value was one that the client had kept.
	read(ctx context.Context, key string) (text string, kept bool, err error)
	// readMany asks for the values in one go, which the clients do in transactions with CLIENT CACHING.
	readMany(ctx context.Context, keys []string) (map[string]string, error)
	do(ctx context.Context, words ...string) error
}

var keepers = []struct {
	name string
	dial func(t *testing.T, addr string) keeper
}{
	{"rueidis", func(t *testing.T, addr string) keeper {
		t.Helper()
		c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}})
		if err != nil {
			t.Fatalf("connect: %v", err)
		}
		t.Cleanup(c.Close)
		return rueidisKeeper{c}
	}},
	{"valkey-go", func(t *testing.T, addr string) keeper {
		t.Helper()
		c, err := valkey.NewClient(valkey.ClientOption{InitAddress: []string{addr}})
		if err != nil {
			t.Fatalf("connect: %v", err)
		}
		t.Cleanup(c.Close)
		return valkeyKeeper{c}
	}},
}

type rueidisKeeper struct{ c rueidis.Client }

func (r rueidisKeeper) read(ctx context.Context, key string) (text string, kept bool, err error) {
	reply := r.c.DoCache(ctx, r.c.B().Get().Key(key).Cache(), time.Hour)
	if text, err = reply.ToString(); rueidis.IsRedisNil(err) {
		err = nil
	}
	return text, reply.IsCacheHit(), err
}

func (r rueidisKeeper) readMany(ctx context.Context, keys []string) (map[string]string, error) {
	values, err := rueidis.MGetCache(r.c, ctx, time.Hour, keys)
	texts := make(map[string]string, len(values))
	for key, value := range values {
		texts[key], _ = value.ToString()
	}
	return texts, err
}

func (r rueidisKeeper) do(ctx context.Context, words ...string) error {
	return r.c.Do(ctx, r.c.B().Arbitrary(words...).Build()).Error()
}

type valkeyKeeper struct{ c valkey.Client }

func (v valkeyKeeper) read(ctx context.Context, key string) (text string, kept bool, err error) {
	reply := v.c.DoCache(ctx, v.c.B().Get().Key(key).Cache(), time.Hour)
	if text, err = reply.ToString(); valkey.IsValkeyNil(err) {
		err = nil
	}
	return text, reply.IsCacheHit(), err
}

func (v valkeyKeeper) readMany(ctx context.Context, keys []string) (map[string]string, error) {
	values, err := valkey.MGetCache(v.c, ctx, time.Hour, keys)
	texts := make(map[string]string, len(values))
	for key, value := range values {
		texts[key], _ = value.ToString()
	}
	return texts, err
}

func (v valkeyKeeper) do(ctx context.Context, words ...string) error {
	return v.c.Do(ctx, v.c.B().Arbitrary(words...).Build()).Error()
}

// A client that keeps what it reads learns of every change.
func TestClientsKeepValuesUntilTheyChange(t *testing.T) {
	t.Parallel()
	for _, k := range keepers {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			n := start(t)
			own, other, keys := k.dial(t, n.RESP), k.dial(t, n.RESP), dial(t, n.RESP, 2)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			read := func() (text string, kept bool) {
				t.Helper()
				text, kept, err := own.read(ctx, "k")
				if err != nil {
					t.Fatalf("GET k: %v", err)
				}
				return text, kept
			}
			for _, change := range []struct {
				rule    string
				by      keeper
				command string
				want    string
			}{
				{"a new value", other, "SET k one", "one"},
				{"another value", other, "SET k two", "two"},
				{"one's own value", own, "SET k three", "three"},
				{"a short life", other, "SET k four PX 30", ""},
				{"a name", other, "MSET old five", ""},
				{"a renamed key", other, "RENAME old k", "five"},
				{"a flush", other, "FLUSHALL", ""},
			} {
				read() // what comes now is a change of something that may be kept
				if err := change.by.do(ctx, strings.Fields(change.command)...); err != nil {
					t.Fatalf("%s: %v", change.rule, err)
				}
				for got, _ := read(); got != change.want; got, _ = read() {
					if ctx.Err() != nil {
						t.Fatalf("%s: the client keeps %q, want %q", change.rule, got, change.want)
					}
				}
				if change.rule == "a short life" { // which has ended for those who ask before the key is deleted
					eventually(t, "the key is deleted", func() bool { return keys.DBSize(ctx).Val() == 0 })
				}
				if err := own.do(ctx, "PING"); err != nil { // what it is told of the change precedes the answer
					t.Fatal(err)
				}
				read()
				if got, kept := read(); got != change.want || !kept {
					t.Errorf("%s: got %q, kept by the client: %v; want %q from there", change.rule, got, kept, change.want)
				}
			}
		})
	}
}

func TestClientsKeepManyValues(t *testing.T) {
	t.Parallel()
	for _, k := range keepers {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			n := start(t)
			own, other := k.dial(t, n.RESP), k.dial(t, n.RESP)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			keys := make([]string, 100)
			for i := range keys {
				keys[i] = fmt.Sprint("key:", i)
			}
			want := map[string]string{}
			for round := range 3 {
				for _, key := range keys {
					want[key] = fmt.Sprint(key, round)
					if err := other.do(ctx, "SET", key, want[key]); err != nil {
						t.Fatal(err)
					}
				}
				for fresh := false; !fresh; {
					got, err := own.readMany(ctx, keys)
					if err != nil {
						t.Fatalf("round %d: %v", round, err)
					}
					if ctx.Err() != nil {
						t.Fatalf("round %d: the client keeps %v", round, got)
					}
					fresh = maps.Equal(got, want)
				}
			}
		})
	}
}
