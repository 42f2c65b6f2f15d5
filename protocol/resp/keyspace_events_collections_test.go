package resp_test

import (
	"slices"
	"testing"

	"fanfare/internal/conversation"
)

// collectionForms are commands for hashes and sets that read or change something, mostly. Members that
// are chosen at random are all there are.
func collectionForms(g *generator, key func() string) [][]string {
	f := func() string { return g.one("f", "1") }
	return [][]string{
		{"DEL", key()},
		{"HSET", key(), f(), "1", f(), "2"}, {"HMSET", key(), f(), "1"}, {"HSETNX", key(), f(), "3"}, {"HDEL", key(), f(), f()},
		{"HINCRBY", key(), f(), "1"}, {"HINCRBYFLOAT", key(), f(), "0.5"}, {"HGET", key(), f()}, {"HMGET", key(), f()},
		{"HGETALL", key()}, {"HKEYS", key()}, {"HVALS", key()}, {"HLEN", key()}, {"HEXISTS", key(), f()}, {"HSTRLEN", key(), f()},
		{"HRANDFIELD", key()}, {"HRANDFIELD", key(), "5"}, {"HSCAN", key(), "0"}, {"HSCAN", key(), "0", "NOPE"},
		{"SADD", key(), f(), f()}, {"SADD", key(), "2"}, {"SREM", key(), f(), f()}, {"SPOP", key(), "5"}, {"SPOP", key(), "0"},
		{"SMOVE", key(), key(), f()}, {"SMOVE", key(), key(), f()}, {"SISMEMBER", key(), f()}, {"SMISMEMBER", key(), f(), f()},
		{"SCARD", key()}, {"SMEMBERS", key()}, {"SRANDMEMBER", key()}, {"SRANDMEMBER", key(), "-2"}, {"SSCAN", key(), "0"},
		{"SINTER", key(), key()}, {"SUNION", key(), key()}, {"SDIFF", key(), key()}, {"SINTERCARD", "2", key(), key()},
		{"SINTERSTORE", key(), key(), key()}, {"SUNIONSTORE", key(), key(), key()}, {"SDIFFSTORE", key(), key(), key()},
	}
}

func TestAMemberThatIsPoppedIsReportedAsRedisDoes(t *testing.T) {
	t.Parallel()
	redis, fanfare := listen(t, conversation.Redis(t)), listen(t, serveEvents(t, "KEAmn"))
	redis.commands.exchange(t, [][]string{{"CONFIG", "SET", "notify-keyspace-events", "KEAmn"}})
	for _, command := range [][]string{
		{"SPOP", "none"}, {"SADD", "s", "a", "b", "c"}, {"SPOP", "s"}, {"SPOP", "s", "1"}, {"SPOP", "s"}, {"SADD", "s", "a"}, {"SPOP", "s", "1"},
	} {
		want, got := redis.of(t, [][]string{command}), fanfare.of(t, [][]string{command})
		if !slices.Equal(got, want) {
			t.Errorf("%q:\n\tgot  %q\n\twant %q", command, got, want)
		}
	}
	if got, want := fanfare.reads(t), redis.reads(t); got != want {
		t.Errorf("reads: got %s, want %s", got, want)
	}
}
