package broker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestPublishCountsTheChannelsSubscribersAndEachMatchingPattern(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b)
	p.sub(KindChannel, "chat:1")
	p.sub(KindPattern, "chat:*", "c*", "news:*")
	if got := p.pub("chat:1", "hi"); got != 3 {
		t.Errorf("receivers: got %d, want 3", got)
	}
	if got := p.pub("other", "hi"); got != 0 {
		t.Errorf("receivers of a channel nobody wants: got %d, want 0", got)
	}
	settle(t, b)
	got := p.lines()
	if len(got) != 3 || got[0] != "chat:1=hi" {
		t.Fatalf("got %q, want the channel's delivery first and two of patterns", got)
	}
	slices.Sort(got[1:])
	if want := []string{"c*>chat:1=hi", "chat:*>chat:1=hi"}; !slices.Equal(got[1:], want) {
		t.Errorf("got %q, want %q", got[1:], want)
	}
}

func TestShardChannelsAreANamespaceOfTheirOwn(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b)
	p.sub(KindShard, "a")
	p.sub(KindChannel, "a")
	p.sub(KindPattern, "*")
	if got := p.publish(&Message{Kind: KindShard, Channel: "a", Payload: []byte("s")}); got != 1 {
		t.Errorf("receivers of the shard channel: got %d, want 1", got)
	}
	if got := p.pub("a", "c"); got != 2 {
		t.Errorf("receivers of the channel: got %d, want 2", got)
	}
	settle(t, b)
	wantLines(t, p, "shard:a=s", "a=c", "*>a=c")
	if got := p.Count(KindShard); got != 1 {
		t.Errorf("shard channels: got %d, want 1", got)
	}
	if got := p.Count(KindPattern); got != 2 {
		t.Errorf("channels and patterns: got %d, want 2", got)
	}
}

func TestSubscribingTwiceIsOneSubscription(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b)
	if got, want := p.sub(KindChannel, "a", "b", "a"), []int{1, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("counts: got %v, want %v", got, want)
	}
	if got := p.pub("a", "x"); got != 1 {
		t.Errorf("receivers: got %d, want 1", got)
	}
	_, counts := p.Unsubscribe(KindChannel, []string{"a", "a", "never", "b"}, nil)
	if want := []int{1, 1, 1, 0}; !slices.Equal(counts, want) {
		t.Errorf("counts: got %v, want %v", counts, want)
	}
}

func TestPatternsThatComeAndGoChangeWhatIsDelivered(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b)
	for round := range 3 {
		if got := p.pub("chat:1", "x"); got != 0 {
			t.Fatalf("round %d: receivers without a pattern: got %d", round, got)
		}
		p.sub(KindPattern, "chat:*")
		if got := p.pub("chat:1", "x"); got != 1 {
			t.Fatalf("round %d: receivers with a pattern: got %d", round, got)
		}
		p.Unsubscribe(KindPattern, []string{"chat:*"}, nil)
	}
	if got := b.NumPat(); got != 0 {
		t.Errorf("patterns: got %d, want 0", got)
	}
}

func TestARefusedNameChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	long := strings.Repeat("x", 1025)
	complexPatterns := numbered("a*b*c*", 11)
	tests := map[string]struct {
		kind  Kind
		names []string
		want  error
	}{
		"a name that is too long":   {KindChannel, []string{"ok", long}, ErrNameTooLong},
		"one channel too many":      {KindChannel, numbered("c", 51), ErrTooManySubscriptions},
		"one complex one too many":  {KindPattern, complexPatterns, ErrTooManyComplex},
		"one shard channel of many": {KindShard, numbered("c", 51), ErrTooManySubscriptions},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := connect(t, b, func(c *SessionConfig) { c.MaxSubscriptions, c.MaxComplex = 50, 10 })
			_, _, err := p.Subscribe(tt.kind, tt.names, nil)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if n := len(p.Held(tt.kind)); n != 0 {
				t.Errorf("%d names are held after the error", n)
			}
		})
	}
	if b.NumPat() != 0 || len(b.Channels(KindChannel, nil)) != 0 {
		t.Error("something was subscribed to")
	}
	want := map[string]int64{
		"name-too-long": 1, "too-many-subscriptions": 2, "too-many-complex-patterns": 1,
		"denied": 0, "message-too-large": 0, "too-many-sessions": 0,
		"reserved": 0, "state-full": 0, "too-many-joins": 0,
	}
	if got := b.Stats().Refused; !maps.Equal(got, want) {
		t.Errorf("refused: got %v, want %v", got, want)
	}
}

func TestComplexPatternsAreLimitedForTheNodeToo(t *testing.T) {
	t.Parallel()
	b := newBroker(t, func(c *Config) { c.MaxComplexNode = 15 })
	first, second := connect(t, b), connect(t, b)
	first.sub(KindPattern, numbered("a*b*c*", 10)...)
	if _, _, err := second.Subscribe(KindPattern, numbered("x*y*z*", 6), nil); !errors.Is(err, ErrTooManyComplex) {
		t.Errorf("got %v, want %v", err, ErrTooManyComplex)
	}
	first.Close()
	second.sub(KindPattern, numbered("x*y*z*", 6)...)
}

func TestMessagesOverTheLimitAreRefused(t *testing.T) {
	t.Parallel()
	b := newBroker(t, func(c *Config) { c.MaxMessage = 10 })
	batch := connect(t, b).Batch()
	defer batch.Release()
	var tooLarge *TooLargeError
	err := batch.Add(&Message{Channel: "a", Payload: make([]byte, 11)})
	if !errors.As(err, &tooLarge) || tooLarge.Limit != 10 || !errors.Is(err, ErrMessageTooLarge) {
		t.Errorf("got %v", err)
	}
	if err := batch.Add(&Message{Channel: strings.Repeat("x", 1025)}); !errors.Is(err, ErrNameTooLong) {
		t.Errorf("got %v, want %v", err, ErrNameTooLong)
	}
	if got := batch.Commit(nil); len(got) != 0 {
		t.Errorf("something was published: %v", got)
	}
}

// A denying Access must be asked on every path by which a message can enter or
// leave: the test lists the paths.
func TestAccessIsAskedEverywhere(t *testing.T) {
	t.Parallel()
	var asked []string
	b := newBroker(t, func(c *Config) {
		c.Access = func(id Identity, a Action, channel string) bool {
			asked = append(asked, fmt.Sprint(id.User, " ", a, " ", channel))
			return false
		}
	})
	p := connect(t, b, func(c *SessionConfig) { c.Identity.User = "eve" })
	for _, k := range []Kind{KindChannel, KindPattern, KindShard} {
		if _, _, err := p.Subscribe(k, []string{"x"}, nil); !errors.Is(err, ErrDenied) {
			t.Errorf("subscribe, kind %d: got %v", k, err)
		}
	}
	batch := p.Batch()
	defer batch.Release()
	for _, k := range []Kind{KindChannel, KindShard} {
		if err := batch.Add(&Message{Kind: k, Channel: "x"}); !errors.Is(err, ErrDenied) {
			t.Errorf("publish, kind %d: got %v", k, err)
		}
	}
	want := []string{"eve subscribe x", "eve pattern x", "eve subscribe x", "eve publish x", "eve publish x"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	if got := b.PublishEvent("x", nil); got != 0 || len(asked) != len(want) {
		t.Error("the node needs no permission")
	}
}

func TestNoEchoLeavesOutThePublisherAndItsCount(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p, other := connect(t, b), connect(t, b)
	for _, s := range []*peer{p, other} {
		s.sub(KindChannel, "a")
		s.sub(KindPattern, "*")
	}
	if got := p.publish(&Message{Channel: "a", Payload: []byte("1"), NoEcho: true}); got != 2 {
		t.Errorf("receivers: got %d, want 2", got)
	}
	p.pub("a", "2")
	settle(t, b)
	wantLines(t, p, "a=2", "*>a=2")
	wantLines(t, other, "a=1", "*>a=1", "a=2", "*>a=2")
}

func TestANameThatAFormatCannotExpressIsNotDeliveredInIt(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := connect(t, b, func(c *SessionConfig) { c.Format = narrow })
	p.sub(KindChannel, "Loud", "quiet")
	p.sub(KindPattern, "*")
	if got := p.pub("Loud", "x"); got != 0 {
		t.Errorf("receivers: got %d, want 0", got)
	}
	if got := p.pub("quiet", "x"); got != 2 {
		t.Errorf("receivers: got %d, want 2", got)
	}
	settle(t, b)
	wantLines(t, p, "*quiet=x", "**>quiet=x")
	if got := b.Stats().Unspeakable; got != 2 {
		t.Errorf("counter: got %d, want 2", got)
	}
}

func TestKillRemovesTheSubscriptionsBeforeItReturns(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	victim, p := connect(t, b), connect(t, b)
	victim.sub(KindChannel, numbered("c", 2500)...)
	victim.Kill()
	if got := p.pub("c7", "x"); got != 0 {
		t.Errorf("receivers: got %d, want 0", got)
	}
	if victim.Reason() != ReasonKilled || victim.recorder.reason != ReasonKilled {
		t.Errorf("reason: got %v and %v", victim.Reason(), victim.recorder.reason)
	}
	if _, _, err := victim.Subscribe(KindChannel, []string{"c7"}, nil); !errors.Is(err, ErrEnded) {
		t.Errorf("subscribe after the end: got %v, want %v", err, ErrEnded)
	}
	victim.Close()
	if got := b.Stats(); got.Channels != 0 || got.Sessions != 1 || got.EndedBy(ReasonKilled) != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestTheFirstReasonOfAnEndCounts(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	var told []Reason
	p := connect(t, b, func(c *SessionConfig) { c.Ended = func(r Reason) { told = append(told, r) } })
	p.Session.End(ReasonSlow)
	p.Session.End(ReasonKilled)
	p.Close()
	if !slices.Equal(told, []Reason{ReasonSlow}) {
		t.Errorf("told %v, want slow, once", told)
	}
}

func TestConnectIsRefusedWhileStopping(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.Refuse()
	if _, err := b.Connect(SessionConfig{Outlet: &recorder{}}); !errors.Is(err, ErrShuttingDown) {
		t.Errorf("got %v, want %v", err, ErrShuttingDown)
	}
}

func TestSessionsOfAllTransportsAreLimitedTogether(t *testing.T) {
	t.Parallel()
	b := newBroker(t, func(c *Config) { c.MaxSessions = 2 })
	first := connect(t, b)
	connect(t, b)
	if _, err := b.Connect(SessionConfig{Outlet: &recorder{}}); !errors.Is(err, ErrTooManySessions) {
		t.Errorf("got %v, want %v", err, ErrTooManySessions)
	}
	first.Close()
	connect(t, b)
	if got := b.Stats().Refused["too-many-sessions"]; got != 1 {
		t.Errorf("refused: got %d, want 1", got)
	}
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Config){
		"codecs":         func(c *Config) { c.Codecs = nil },
		"workers":        func(c *Config) { c.Workers = 65 },
		"fanout-backlog": func(c *Config) { c.Backlog = -1 },
		"fanout-memory":  func(c *Config) { c.FanoutMemory = 1 },
		"max-message":    func(c *Config) { c.MaxMessage = -1 },
		"max-name":       func(c *Config) { c.MaxName = 5000 },
		"subscriptions":  func(c *Config) { c.MaxSubscriptions = -1 },
	} {
		cfg := Config{Codecs: testCodecs()}
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}
