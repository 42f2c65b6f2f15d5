package broker

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTheFirstRuleThatMatchesHolds(t *testing.T) {
	t.Parallel()
	set, err := newRuleset([]Rule{
		{Match: "chat:vip:*", History: History{Size: 2}},
		{Match: "chat:*", History: History{Size: 1}},
		{Match: "chat:vip:1", History: History{Size: 3}},
		{Match: "[ab]?"},
		{Match: "_*"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for channel, want := range map[string]string{
		"chat:vip:1":         "chat:vip:*", // a more exact rule behind it does not count
		"chat:1":             "chat:*",
		"a1":                 "[ab]?",
		"c1":                 "",
		"":                   "",
		"_own":               "_*",
		"__presence__:chat:": "", // the node's own
		"__":                 "",
	} {
		got := ""
		if rule := set.find(channel); rule != nil {
			got = rule.Match
		}
		if got != want {
			t.Errorf("rule of %q: got %q, want %q", channel, got, want)
		}
	}
}

func TestChannelsThatBeginWithTwoUnderscoresRememberNothing(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 10}, Retain: RetainAll, Presence: true, Occupancy: true}})
	p, watcher := connect(t, b), connect(t, b)
	watcher.sub(KindPattern, "__occupancy__:*")
	p.sub(KindChannel, "__own", "own")
	if got := p.offset("__own", "x"); got != 0 {
		t.Errorf("offset: got %d, want none", got)
	}
	if _, ok, err := p.Retained("__own"); ok || err != nil {
		t.Errorf("retained: got %v, %v, want none", ok, err)
	}
	if got := p.receipt(&Message{Channel: "__own", Retain: true}).Err; !errors.Is(got, ErrNoRetained) {
		t.Errorf("retain: got %v, want %v", got, ErrNoRetained)
	}
	if _, err := p.History("__own", HistoryQuery{}); !errors.Is(err, ErrNoHistory) {
		t.Errorf("history: got %v, want %v", err, ErrNoHistory)
	}
	if _, err := p.Join("__own", Member{Name: "u"}, 0); !errors.Is(err, ErrNoPresence) {
		t.Errorf("join: got %v, want %v", err, ErrNoPresence)
	}
	settle(t, b)
	wantLines(t, watcher, "__occupancy__:*>__occupancy__:own={occupied own}")
}

// The texts name the keys of the configuration file.
func TestValidateNamesTheKey(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rule Rule
		want string
	}{
		"no match":               {Rule{}, "match is missing"},
		"a match too long":       {Rule{Match: strings.Repeat("x", maxNameLimit+1)}, "match has 4097 bytes"},
		"a match of nothing":     {Rule{Match: "a[]"}, "cannot match any channel"},
		"a negative history":     {Rule{Match: "a", History: History{Size: -1}}, "history.size must be"},
		"too long a history":     {Rule{Match: "a", History: History{Size: maxHistory + 1}}, "history.size must be"},
		"a negative age":         {Rule{Match: "a", History: History{Size: 1, TTL: -1}}, "history.ttl must be"},
		"an age without history": {Rule{Match: "a", History: History{TTL: time.Second}}, "history.ttl without history.size"},
		"an unknown retain":      {Rule{Match: "a", Retain: 3}, "retain 3"},
		"an unknown slow":        {Rule{Match: "a", Slow: 2}, "slow 2"},
	} {
		err := tt.rule.Validate()
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, tt.want)
		}
		_, err = New(Config{Codecs: testCodecs(), Rules: []Rule{{Match: "ok"}, tt.rule}})
		if err == nil || !strings.Contains(err.Error(), "channel rule 2: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: a broker with such a second rule: got %v", name, err)
		}
	}
	good := Rule{Match: "chat:*", History: History{Size: maxHistory, TTL: time.Hour}, Retain: RetainNever, Slow: SlowConflate}
	if err := good.Validate(); err != nil {
		t.Errorf("a rule that says everything: got %v", err)
	}
}

func TestRetainAndSlowAreWrittenAsInTheFile(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"flagged": Retain(0).String(), "all": RetainAll.String(), "never": RetainNever.String(),
		"disconnect": Slow(0).String(), "conflate": SlowConflate.String(),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A channel's rule is looked up once; new rules must be seen all the same, by
// channels with subscribers and by ones that were only published to.
func TestTheRuleOfAKnownChannelFollowsTheRules(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, nil)
	p := connect(t, b)
	p.sub(KindChannel, "held")
	one := []Rule{{Match: "*", History: History{Size: 1}}}
	for round, rules := range [][]Rule{nil, one, nil, one, {{Match: "other"}}} {
		if err := b.SetRules(rules); err != nil {
			t.Fatal(err)
		}
		wants := round%2 == 1
		for _, channel := range []string{"held", "idle"} {
			if got := p.offset(channel, "x"); (got > 0) != wants {
				t.Errorf("round %d: %s: offset %d", round, channel, got)
			}
			if _, err := p.History(channel, HistoryQuery{}); (err == nil) != wants {
				t.Errorf("round %d: %s: history: %v", round, channel, err)
			}
		}
	}
}

func TestShardChannelsHaveNoRules(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 10}, Retain: RetainAll, Occupancy: true}})
	p, watcher := connect(t, b), connect(t, b)
	watcher.sub(KindPattern, "__*")
	if got := p.recall(KindShard, "s", Resume{Last: 10}); len(got.Messages) != 0 {
		t.Errorf("recall: got %+v", got)
	}
	if got := p.receipt(&Message{Kind: KindShard, Channel: "s", Payload: []byte("x")}); got.Offset != 0 || got.Receivers != 1 {
		t.Errorf("receipt: got %+v", got)
	}
	settle(t, b)
	wantLines(t, p, "shard:s=x")
	wantLines(t, watcher)
	if page := p.page("s", HistoryQuery{}); len(page.Messages) != 0 {
		t.Errorf("the channel of that name has the shard channel's messages: %q", texts(page.Messages))
	}
	if _, ok, _ := p.Retained("s"); ok {
		t.Error("a shard channel's message is retained")
	}
}
