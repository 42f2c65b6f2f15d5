package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// client is what the rules below ask of a real Redis client. Each implements it with its ordinary API; what
// they send besides (HELLO, CLIENT SETINFO, pools, retries) is part of the test.
type client interface {
	// subscribe answers once the broker has acknowledged all names. It keeps the subscription across
	// reconnects, as the client does it, until the test ends.
	subscribe(t *testing.T, kind kind, names ...string) <-chan delivery
	publish(ctx context.Context, channel, text string) (int64, error)
	shardPublish(ctx context.Context, channel, text string) (int64, error)
	// pipeline sends all publishes without waiting for replies in between.
	pipeline(ctx context.Context, channel string, texts []string) ([]int64, error)
	// transaction runs SET key value, GET key and PUBLISH channel value in one MULTI/EXEC.
	transaction(ctx context.Context, key, value, channel string) (got string, receivers int64, err error)
	// watched sets key in MULTI/EXEC under WATCH after running between; false: EXEC answered nil.
	watched(ctx context.Context, key string, between func()) (bool, error)
	// scan walks through the keys of one type that match, some count at a time.
	scan(ctx context.Context, match, kind string, count int64) ([]string, error)
	lastError(ctx context.Context) error // the reply of a command that does not exist
}

// clientName is what the clients call themselves when they connect (HELLO … SETNAME, CLIENT SETNAME).
const clientName = "e2e-client"

type kind int

const (
	channels kind = iota
	patterns
	shards
)

// delivery is a message as a client hands it to its user.
type delivery struct{ Pattern, Channel, Text string }

// next returns the next delivery.
func next(t *testing.T, from <-chan delivery) delivery {
	t.Helper()
	select {
	case d := <-from:
		return d
	case <-time.After(patience):
		t.Fatal("no message arrived")
		return delivery{}
	}
}

// dialer makes a new client for each rule.
type dialer func(t *testing.T) client

// clientKinds are the clients; open prepares one for a test that dials often.
var clientKinds = []struct {
	name   string
	shares bool // in RESP3 subscriptions and commands share a connection
	open   func(t *testing.T, addr string, protocol int) dialer
}{
	{"go-redis", false, func(_ *testing.T, addr string, protocol int) dialer {
		return func(t *testing.T) client { return dialGoRedis(t, addr, protocol) }
	}},
	{"rueidis", false, func(_ *testing.T, addr string, protocol int) dialer {
		return func(t *testing.T) client { return dialRueidis(t, addr, protocol == 2) }
	}},
	{"ioredis", true, func(t *testing.T, addr string, protocol int) dialer {
		return runProgram(t, addr, protocol, nodeJS(t), "js/ioredis.mjs").dial
	}},
	{"node-redis", true, func(t *testing.T, addr string, protocol int) dialer {
		return runProgram(t, addr, protocol, nodeJS(t), "js/noderedis.mjs").dial
	}},
	{"redis-py", false, func(t *testing.T, addr string, protocol int) dialer {
		return runProgram(t, addr, protocol, python(t), "py/redispy.py").dial
	}},
}

// servers are what the rules are checked with: they are Redis' own rules, so Redis has to keep them too.
var servers = []struct {
	name  string
	start func(t *testing.T) (addr string)
}{
	{"fanfare", func(t *testing.T) string { return startRaced(t).RESP }},
	{"redis-server", startRedis},
}

// inside is a rule that Redis 7.0 breaks for a client with one connection for everything in RESP3: its own
// message lands inside the reply of EXEC, where no client expects it.
const inside = "MULTI and EXEC run together and count receivers"

// Every rule with every client in both protocols, against a server of its own.
func TestRealClients(t *testing.T) {
	for _, server := range servers {
		for _, kind := range clientKinds {
			for _, protocol := range []int{2, 3} {
				t.Run(fmt.Sprintf("%s/%s/RESP%d", server.name, kind.name, protocol), func(t *testing.T) {
					t.Parallel()
					addr := server.start(t)
					dialClient := kind.open(t, addr, protocol)
					for _, rule := range clientRules {
						t.Run(rule.name, func(t *testing.T) {
							if rule.name == inside && server.name != "fanfare" && protocol == 3 && kind.shares {
								t.Skip("Redis 7.0 writes the message into the reply of EXEC")
							}
							ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
							defer cancel()
							rule.check(ctx, t, dialClient(t), dial(t, addr, 2))
						})
					}
				})
			}
		}
	}
}

var clientRules = []struct {
	name  string
	check func(ctx context.Context, t *testing.T, c client, other *redis.Client)
}{
	{"a channel's subscriber gets what is published", subscribeAndPublish},
	{"a pattern's subscriber gets the pattern and the channel", patternSubscribe},
	{"a shard channel is a name of its own", shardSubscribe},
	{"ten thousand pipelined publishes keep their order", pipelined},
	{inside, transactions},
	{"a changed key makes EXEC answer nil", watching},
	{"a scan finds every key that matches and no other", scanning},
	{"a killed subscriber comes back and resubscribes", resubscribe},
	{"a name given at connect is known", named},
	{"an unknown command is an error and the client goes on", unknownCommand},
}

func subscribeAndPublish(ctx context.Context, t *testing.T, c client, _ *redis.Client) {
	from := c.subscribe(t, channels, "news", "weather")
	for _, text := range []string{"one", "", "tvö", "\x00\r\n\xff"} {
		if got, err := c.publish(ctx, "weather", text); got != 1 || err != nil {
			t.Fatalf("got %d receivers, %v, want 1", got, err)
		}
		if got, want := next(t, from), (delivery{Channel: "weather", Text: text}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got, err := c.publish(ctx, "sport", "nobody listens"); got != 0 || err != nil {
		t.Errorf("got %d receivers, %v, want 0", got, err)
	}
}

func patternSubscribe(ctx context.Context, t *testing.T, c client, _ *redis.Client) {
	from := c.subscribe(t, patterns, "user:[0-9]*", "user:?:*")
	if got, err := c.publish(ctx, "user:7:mail", "ding"); got != 2 || err != nil {
		t.Fatalf("got %d receivers, %v, want one for each matching pattern", got, err)
	}
	got := []delivery{next(t, from), next(t, from)}
	for _, pattern := range []string{"user:[0-9]*", "user:?:*"} {
		if want := (delivery{pattern, "user:7:mail", "ding"}); !slices.Contains(got, want) {
			t.Errorf("got %q, want %q among them", got, want)
		}
	}
}

func shardSubscribe(ctx context.Context, t *testing.T, c client, _ *redis.Client) {
	from := c.subscribe(t, shards, "orders")
	if got, err := c.publish(ctx, "orders", "not for shards"); got != 0 || err != nil {
		t.Errorf("PUBLISH: got %d receivers, %v, want 0", got, err)
	}
	if got, err := c.shardPublish(ctx, "orders", "for shards"); got != 1 || err != nil {
		t.Errorf("SPUBLISH: got %d receivers, %v, want 1", got, err)
	}
	if got, want := next(t, from), (delivery{Channel: "orders", Text: "for shards"}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func pipelined(ctx context.Context, t *testing.T, c client, _ *redis.Client) {
	from := c.subscribe(t, channels, "stream")
	texts := make([]string, 10_000)
	for i := range texts {
		texts[i] = fmt.Sprint(i)
	}
	counts, err := c.pipeline(ctx, "stream", texts)
	if err != nil || len(counts) != len(texts) {
		t.Fatalf("got %d replies, %v, want %d", len(counts), err, len(texts))
	}
	if at := slices.IndexFunc(counts, func(n int64) bool { return n != 1 }); at >= 0 {
		t.Errorf("got %d receivers of message %d, want 1", counts[at], at)
	}
	for _, text := range texts {
		if got := next(t, from); got.Text != text {
			t.Fatalf("got %q, want %q", got.Text, text)
		}
	}
}

func transactions(ctx context.Context, t *testing.T, c client, _ *redis.Client) {
	from := c.subscribe(t, channels, "changes")
	got, receivers, err := c.transaction(ctx, "k", "v1", "changes")
	if got != "v1" || receivers != 1 || err != nil {
		t.Errorf("got %q, %d receivers, %v, want v1 and 1", got, receivers, err)
	}
	if got := next(t, from); got.Text != "v1" {
		t.Errorf("got %q, want v1", got.Text)
	}
}

func watching(ctx context.Context, t *testing.T, c client, _ *redis.Client) {
	if done, err := c.watched(ctx, "w", func() {}); !done || err != nil {
		t.Errorf("untouched: got %v, %v, want EXEC to run", done, err)
	}
	touch := func() {
		if _, _, err := c.transaction(ctx, "w", "somebody else", "changes"); err != nil {
			t.Error(err)
		}
	}
	if done, err := c.watched(ctx, "w", touch); done || err != nil {
		t.Errorf("touched: got %v, %v, want EXEC to answer nil", done, err)
	}
}

func scanning(ctx context.Context, t *testing.T, c client, other *redis.Client) {
	pairs, want := []string{"scan", "not matched", "other:1", "not matched"}, []string{}
	for i := range 1000 {
		key := fmt.Sprintf("scan:[%d]", i)
		pairs, want = append(pairs, key, "v"), append(want, key)
	}
	if err := other.MSet(ctx, pairs).Err(); err != nil {
		t.Fatal(err)
	}
	got, err := c.scan(ctx, `scan:\[*`, "string", 50)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) { // a key may come twice
		t.Errorf("got %d keys, want %d", len(got), len(want))
	}
}

func resubscribe(ctx context.Context, t *testing.T, c client, other *redis.Client) {
	from := c.subscribe(t, patterns, "kill:*")
	// By another client: in RESP3 subscriptions may share the connection of a client's commands. And both of
	// its connections in RESP2: rueidis makes a new one for subscriptions only after that for commands broke.
	for _, of := range []string{"pubsub", "normal"} {
		got, err := other.ClientKillByFilter(ctx, "TYPE", of).Result()
		if err != nil || (of == "pubsub" && got < 1) {
			t.Fatalf("got %d %s connections killed, %v, want at least 1", got, of, err)
		}
	}
	eventually(t, "the subscription is back", func() bool {
		got, err := c.publish(ctx, "kill:1", "still there?")
		return err == nil && got == 1 // rueidis gives its user the killed connection's error
	})
	if got, want := next(t, from), (delivery{"kill:*", "kill:1", "still there?"}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func unknownCommand(ctx context.Context, t *testing.T, c client, _ *redis.Client) {
	err := c.lastError(ctx)
	const want = "unknown command 'NOSUCHTHING', with args beginning with: 'a' 'b' "
	if err == nil || strings.TrimPrefix(err.Error(), "ERR ") != want { // rueidis takes the word away
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := c.publish(ctx, "c", "x"); err != nil {
		t.Errorf("after the error: %v", err)
	}
}

func named(ctx context.Context, t *testing.T, c client, other *redis.Client) {
	if _, err := c.publish(ctx, "c", "now connected"); err != nil {
		t.Fatal(err)
	}
	if got, err := other.ClientList(ctx).Result(); err != nil || !strings.Contains(got, " name="+clientName+" ") {
		t.Errorf("got %q, %v, want the name in it", got, err)
	}
}
