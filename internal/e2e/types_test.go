package e2e

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// typed is what the rules about hashes, lists, sets and sorted sets ask of a real Redis client. Each implements
// it with its ordinary API, which decodes replies that differ between the versions of the protocol. A nil string
// is what the server does not have.
type typed interface {
	hashSet(ctx context.Context, key string, fields map[string]string) (int64, error)
	hashAll(ctx context.Context, key string) (map[string]string, error)
	hashSome(ctx context.Context, key string, fields []string) ([]*string, error)
	hashScan(ctx context.Context, key, match string, count int64) (map[string]string, error)

	push(ctx context.Context, key string, values []string) (int64, error) // RPUSH
	listAll(ctx context.Context, key string) ([]string, error)
	move(ctx context.Context, from, to string) (*string, error) // LMOVE RIGHT LEFT
	// waitPop is BLPOP for a second at most, and answers the key and the element.
	waitPop(ctx context.Context, keys []string) ([]string, error)
	waitMove(ctx context.Context, from, to string) (*string, error) // BLMOVE RIGHT LEFT, a second at most

	setAdd(ctx context.Context, key string, members []string) (int64, error)
	setAll(ctx context.Context, key string) ([]string, error)
	// combine is SINTER, SUNION or SDIFF.
	combine(ctx context.Context, how string, keys []string) ([]string, error)
	setHas(ctx context.Context, key string, members []string) ([]bool, error) // SMISMEMBER
	setScan(ctx context.Context, key, match string, count int64) ([]string, error)

	scoreSet(ctx context.Context, key string, scores []scored) (int64, error)
	scoreAdd(ctx context.Context, key string, by float64, member string) (float64, error)
	top(ctx context.Context, key string, n int64) ([]scored, error) // ZREVRANGE WITHSCORES
	// place is ZSCORE and ZREVRANK; false: there is no such member.
	place(ctx context.Context, key, member string) (score float64, rank int64, found bool, err error)
	popLowest(ctx context.Context, key string) ([]scored, error)     // ZPOPMIN
	waitLowest(ctx context.Context, keys []string) ([]scored, error) // BZPOPMIN for a second at most
	scoreScan(ctx context.Context, key, match string, count int64) ([]scored, error)

	// together asks in one MULTI/EXEC for HGETALL, SMEMBERS and ZREVRANGE 0 -1 WITHSCORES.
	together(ctx context.Context, hash, set, scores string) (map[string]string, []string, []scored, error)
}

// scored is a member of a sorted set.
type scored struct {
	Member string
	Score  float64
}

// typedKinds are the clients; open prepares one for a test that dials often.
var typedKinds = []struct {
	name string
	open func(t *testing.T, addr string, protocol int) func(t *testing.T) typed
}{
	{"go-redis", func(_ *testing.T, addr string, protocol int) func(*testing.T) typed {
		return func(t *testing.T) typed { return dialGoRedis(t, addr, protocol) }
	}},
	{"rueidis", func(_ *testing.T, addr string, protocol int) func(*testing.T) typed {
		return func(t *testing.T) typed { return dialRueidis(t, addr, protocol == 2) }
	}},
	{"ioredis", func(t *testing.T, addr string, protocol int) func(*testing.T) typed {
		return runProgram(t, addr, protocol, nodeJS(t), "js/ioredis_types.mjs").dialTyped
	}},
	{"node-redis", func(t *testing.T, addr string, protocol int) func(*testing.T) typed {
		return runProgram(t, addr, protocol, nodeJS(t), "js/noderedis_types.mjs").dialTyped
	}},
	{"redis-py", func(t *testing.T, addr string, protocol int) func(*testing.T) typed {
		return runProgram(t, addr, protocol, python(t), "py/redispy_types.py").dialTyped
	}},
}

// Every rule with every client in both protocols, against a server of its own.
func TestRealClientsWithTypes(t *testing.T) {
	for _, server := range servers {
		for _, kind := range typedKinds {
			for _, protocol := range []int{2, 3} {
				t.Run(fmt.Sprintf("%s/%s/RESP%d", server.name, kind.name, protocol), func(t *testing.T) {
					t.Parallel()
					addr := server.start(t)
					dialClient := kind.open(t, addr, protocol)
					for _, rule := range typedRules {
						t.Run(rule.name, func(t *testing.T) {
							ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
							defer cancel()
							other := dial(t, addr, 2)
							if err := other.FlushAll(ctx).Err(); err != nil {
								t.Fatal(err)
							}
							rule.check(ctx, t, dialClient(t), other)
						})
					}
				})
			}
		}
	}
}

var typedRules = []struct {
	name  string
	check func(ctx context.Context, t *testing.T, c typed, other *redis.Client)
}{
	{"a hash is a map", hashes},
	{"a list keeps its order and its element moves", lists},
	{"sets are combined", sets},
	{"a sorted set knows scores and ranks", sortedSets},
	{"who waits gets what is pushed, or nothing", waiting},
	{"all types in one transaction", allTogether},
	{"scans find everything that matches", typedScans},
	{"another type is refused", otherType},
}

func hashes(ctx context.Context, t *testing.T, c typed, _ *redis.Client) {
	want := map[string]string{"name": "Ada", "größe": "1,70 m", "empty": ""}
	got, err := c.hashSet(ctx, "h", want)
	check(t, "fields that are new", got, 3, err)
	got, err = c.hashSet(ctx, "h", map[string]string{"name": "Ada"})
	check(t, "fields that are new", got, 0, err)
	all, err := c.hashAll(ctx, "h")
	check(t, "the hash", fmt.Sprint(all), fmt.Sprint(want), err)
	some, err := c.hashSome(ctx, "h", []string{"none", "name", "empty"})
	check(t, "some fields", texts(some), `[nil "Ada" ""]`, err)
	all, err = c.hashAll(ctx, "none")
	check(t, "fields of no hash", len(all), 0, err)
}

func lists(ctx context.Context, t *testing.T, c typed, _ *redis.Client) {
	got, err := c.push(ctx, "l", []string{"one", "", "drei €"})
	check(t, "the length", got, 3, err)
	moved, err := c.move(ctx, "l", "m")
	check(t, "what moved", texts([]*string{moved}), `["drei €"]`, err)
	all, err := c.listAll(ctx, "l")
	check(t, "the list", fmt.Sprintf("%q", all), `["one" ""]`, err)
	moved, err = c.move(ctx, "none", "m")
	check(t, "what moved from no list", texts([]*string{moved}), "[nil]", err)
	all, err = c.listAll(ctx, "none")
	check(t, "elements of no list", len(all), 0, err)
}

func sets(ctx context.Context, t *testing.T, c typed, _ *redis.Client) {
	for key, members := range map[string][]string{"a": {"x", "y", "z"}, "b": {"y", "z", "ü"}} {
		got, err := c.setAdd(ctx, key, members)
		check(t, "members that are new", got, 3, err)
	}
	got, err := c.setAdd(ctx, "a", []string{"x", "x"})
	check(t, "members that are new", got, 0, err)
	for how, want := range map[string]string{"inter": "[y z]", "union": "[x y z ü]", "diff": "[x]"} {
		members, err := c.combine(ctx, how, []string{"a", "b"})
		slices.Sort(members)
		check(t, how, fmt.Sprint(members), want, err)
	}
	members, err := c.setAll(ctx, "none")
	check(t, "members of no set", len(members), 0, err)
	has, err := c.setHas(ctx, "b", []string{"x", "ü"})
	check(t, "who is a member", fmt.Sprint(has), "[false true]", err)
}

func sortedSets(ctx context.Context, t *testing.T, c typed, _ *redis.Client) {
	got, err := c.scoreSet(ctx, "z", []scored{{"ada", 120}, {"bob", -0.5}, {"eve", math.Inf(1)}, {"tim", 1e21}})
	check(t, "members that are new", got, 4, err)
	sum, err := c.scoreAdd(ctx, "z", 0.1, "ada")
	check(t, "the sum", sum, 120.1, err)
	best, err := c.top(ctx, "z", 3)
	check(t, "the best", fmt.Sprint(best), "[{eve +Inf} {tim 1e+21} {ada 120.1}]", err)
	score, rank, found, err := c.place(ctx, "z", "bob")
	check(t, "a place", fmt.Sprint(score, rank, found), "-0.5 3 true", err)
	_, _, found, err = c.place(ctx, "z", "nobody")
	check(t, "a place of nobody", found, false, err)
	lowest, err := c.popLowest(ctx, "z")
	check(t, "the lowest", fmt.Sprint(lowest), "[{bob -0.5}]", err)
	lowest, err = c.popLowest(ctx, "none")
	check(t, "the lowest of nothing", len(lowest), 0, err)
}

// blocked returns once a client waits for an element; no other may.
func blocked(ctx context.Context, t *testing.T, other *redis.Client) {
	t.Helper()
	eventually(t, "somebody waits", func() bool {
		info, err := other.Info(ctx, "clients").Result()
		return err == nil && strings.Contains(info, "\r\nblocked_clients:1\r\n")
	})
}

func waiting(ctx context.Context, t *testing.T, c typed, other *redis.Client) {
	for _, tt := range []struct {
		command, want, nothing string
		wait                   func() (string, error)
		push                   func() error
	}{
		{"blpop", `["l2" "x"]`, "[]",
			func() (string, error) {
				got, err := c.waitPop(ctx, []string{"l1", "l2"})
				return fmt.Sprintf("%q", got), err
			},
			func() error { return other.RPush(ctx, "l2", "x").Err() }},
		{"blmove", `["y"]`, "[nil]",
			func() (string, error) { got, err := c.waitMove(ctx, "l3", "l4"); return texts([]*string{got}), err },
			func() error { return other.RPush(ctx, "l3", "y").Err() }},
		{"bzpopmin", "[{ada 1.5}]", "[]",
			func() (string, error) {
				got, err := c.waitLowest(ctx, []string{"z1", "z2"})
				return fmt.Sprint(got), err
			},
			func() error { return other.ZAdd(ctx, "z2", redis.Z{Score: 1.5, Member: "ada"}).Err() }},
	} {
		got, err := tt.wait()
		check(t, tt.command+" of nothing", got, tt.nothing, err)
		type result struct {
			text string
			err  error
		}
		done := make(chan result, 1)
		go func() {
			// The time may be over before the push; whoever waits for work asks again.
			for {
				if text, err := tt.wait(); text != tt.nothing || err != nil {
					done <- result{text, err}
					return
				}
			}
		}()
		blocked(ctx, t, other)
		if err := tt.push(); err != nil {
			t.Fatal(err)
		}
		r := <-done
		check(t, tt.command, r.text, tt.want, r.err)
	}
	if got := other.Exists(ctx, "l2", "l3", "z2").Val(); got != 0 {
		t.Errorf("got %d keys that hold nothing, want 0", got)
	}
}

func allTogether(ctx context.Context, t *testing.T, c typed, other *redis.Client) {
	if err := cmp.Or(
		other.HSet(ctx, "h", "a", "1", "b", "2").Err(),
		other.SAdd(ctx, "s", "x", "y").Err(),
		other.ZAdd(ctx, "z", redis.Z{Score: 2.5, Member: "m"}, redis.Z{Score: 1, Member: "n"}).Err(),
	); err != nil {
		t.Fatal(err)
	}
	hash, set, scores, err := c.together(ctx, "h", "s", "z")
	slices.Sort(set)
	check(t, "the replies of EXEC", fmt.Sprint(hash, set, scores), "map[a:1 b:2] [x y] [{m 2.5} {n 1}]", err)
	hash, set, scores, err = c.together(ctx, "none", "none", "none")
	check(t, "the replies about nothing", len(hash)+len(set)+len(scores), 0, err)
}

func typedScans(ctx context.Context, t *testing.T, c typed, other *redis.Client) {
	wantHash, wantNames := map[string]string{}, []string{}
	p := other.Pipeline()
	for i := range 1000 {
		name := fmt.Sprintf("name:%d", i)
		p.HSet(ctx, "h", name, i, "other:"+name, i)
		p.SAdd(ctx, "s", name, "other:"+name)
		p.ZAdd(ctx, "z", redis.Z{Score: float64(i), Member: name}, redis.Z{Score: 1, Member: "other:" + name})
		wantHash[name], wantNames = fmt.Sprint(i), append(wantNames, name)
	}
	if _, err := p.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	hash, err := c.hashScan(ctx, "h", "name:*", 100)
	check(t, "all fields and values", maps.Equal(hash, wantHash), true, err)
	slices.Sort(wantNames)
	names, err := c.setScan(ctx, "s", "name:*", 100)
	slices.Sort(names) // a member may come twice
	check(t, "all members", slices.Equal(slices.Compact(names), wantNames), true, err)
	scores, err := c.scoreScan(ctx, "z", "name:*", 100)
	found := map[string]string{}
	for _, s := range scores {
		found[s.Member] = fmt.Sprint(s.Score)
	}
	check(t, "all members and scores", maps.Equal(found, wantHash), true, err)
}

func otherType(ctx context.Context, t *testing.T, c typed, other *redis.Client) {
	if err := other.Set(ctx, "text", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	const want = "WRONGTYPE Operation against a key holding the wrong kind of value"
	for name, ask := range map[string]func() error{
		"hash":       func() error { _, err := c.hashAll(ctx, "text"); return err },
		"list":       func() error { _, err := c.push(ctx, "text", []string{"x"}); return err },
		"set":        func() error { _, err := c.setAdd(ctx, "text", []string{"x"}); return err },
		"sorted set": func() error { _, err := c.scoreAdd(ctx, "text", 1, "x"); return err },
		"waiting":    func() error { _, err := c.waitPop(ctx, []string{"text"}); return err },
	} {
		// redis-py takes the word away, for which it has a class of errors in newer versions.
		if err := ask(); err == nil || !strings.HasSuffix(err.Error(), strings.TrimPrefix(want, "WRONGTYPE ")) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

// check compares a reply; what names it.
func check[T comparable](t *testing.T, what string, got, want T, err error) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("%s: got %v, %v, want %v", what, got, err, want)
	}
}

// texts writes strings that may be missing.
func texts(list []*string) string {
	words := make([]string, len(list))
	for i, text := range list {
		if words[i] = "nil"; text != nil {
			words[i] = fmt.Sprintf("%q", *text)
		}
	}
	return fmt.Sprint(words)
}
