package broker

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestWhichMessagesAreRetained(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{
		{Match: "flagged:*"}, {Match: "all:*", Retain: RetainAll}, {Match: "never:*", Retain: RetainNever},
	})
	p := connect(t, b)
	for name, tt := range map[string]struct {
		channel string
		flag    bool
		want    bool
		err     error
	}{
		"flagged, as the rule asks for":     {"flagged:1", true, true, nil},
		"not flagged where it must be":      {"flagged:2", false, false, nil},
		"not flagged where all are":         {"all:1", false, true, nil},
		"flagged where all are":             {"all:2", true, true, nil},
		"not flagged where none is":         {"never:1", false, false, nil},
		"flagged where none is":             {"never:2", true, false, ErrNoRetained},
		"flagged in a channel without rule": {"plain", true, false, ErrNoRetained},
	} {
		listener := connect(t, b)
		listener.sub(KindChannel, tt.channel)
		receipt := p.receipt(&Message{Channel: tt.channel, Payload: []byte("x"), Retain: tt.flag})
		if !errors.Is(receipt.Err, tt.err) {
			t.Errorf("%s: got %v, want %v", name, receipt.Err, tt.err)
		}
		if _, got, err := p.Retained(tt.channel); got != tt.want || err != nil {
			t.Errorf("%s: retained: got %v, %v, want %v", name, got, err, tt.want)
		}
		settle(t, b)
		if published := len(listener.lines()) > 0; published != (tt.err == nil) || published != (receipt.Receivers == 1) {
			t.Errorf("%s: delivered: %v, receipt %+v", name, published, receipt)
		}
	}
}

func TestARetainedMessageKeepsAllOfTheMessage(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{
		{Match: "both:*", History: History{Size: 5}, Retain: RetainAll}, {Match: "*", Retain: RetainAll},
	})
	p := connect(t, b)
	for _, channel := range []string{"both:1", "only:1"} {
		payload := []byte(`{"a":1}`)
		before := now()
		receipt := p.receipt(&Message{Channel: channel, Payload: payload, JSON: true, From: "ann"})
		copy(payload, "garbage") // the publisher may use its buffer again
		got, ok, err := p.Retained(channel)
		if !ok || err != nil {
			t.Fatalf("%s: got %v, %v", channel, ok, err)
		}
		if string(got.Payload) != `{"a":1}` || !got.JSON || got.From != "ann" || got.Channel != channel || !got.Retained ||
			got.Time < before || got.Time > now() || got.TTL >= 0 || got.Offset != receipt.Offset {
			t.Errorf("%s: got %+v of %+v", channel, got, receipt)
		}
		if (channel == "both:1") != (got.Offset > 0) {
			t.Errorf("%s: offset %d; there is one where the channel has a history", channel, got.Offset)
		}
	}
	p.receipt(&Message{Channel: "both:1", Payload: []byte{0xff, 0}, NoHistory: true})
	if got, _, _ := p.Retained("both:1"); got.Offset != 0 || got.JSON || got.From != "" || !bytes.Equal(got.Payload, []byte{0xff, 0}) {
		t.Errorf("a message that the history leaves out: got %+v", got)
	}
}

func TestUnretainSaysWhetherThereWasSomething(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*"}})
	p := connect(t, b)
	p.retain("a", "x", 0)
	for _, want := range []bool{true, false} {
		if got, err := p.Unretain("a"); got != want || err != nil {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	if got := p.recall(KindPattern, "*", Resume{}); len(got.Messages) != 0 {
		t.Errorf("a pattern still gets %q", texts(got.Messages))
	}
	if keys, _ := b.StateKeys(); keys != 0 || len(b.retainedNames()) != 0 {
		t.Errorf("%d keys and the names %q are left", keys, b.retainedNames())
	}
}

// retainedNames are the names in the index.
func (b *Broker) retainedNames() (names []string) {
	b.memory.retained.match(everything, func(name string) bool {
		names = append(names, name)
		return true
	})
	return names
}

func TestARetainedMessageEndsByTheClockOfTheStore(t *testing.T) {
	bubble(t, []Rule{{Match: "*"}}, func(t *testing.T, b *Broker) {
		p := connect(t, b)
		p.retain("short", "x", 1500*time.Millisecond)
		p.retain("long", "y", time.Hour)
		p.retain("ever", "z", 0)
		p.retain("never ends", "w", math.MaxInt64)
		if keys, expires := b.StateKeys(); keys != 4 || expires != 3 {
			t.Errorf("keys: got %d and %d that expire, want 4 and 3", keys, expires)
		}
		pass(1499 * time.Millisecond)
		got, ok, _ := p.Retained("short")
		if !ok || got.TTL != time.Millisecond {
			t.Errorf("a moment before the end: got %v, %v left", ok, got.TTL)
		}
		pass(time.Millisecond)
		if _, ok, _ := p.Retained("short"); ok {
			t.Error("it is there after its end")
		}
		if got, want := b.retainedNames(), []string{"ever", "long", "never ends"}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("names: got %q, want %q", got, want)
		}
		wantTexts(t, p.recall(KindPattern, "*", Resume{}).Messages, "(z)", "(y)", "(w)")
		if got, _, _ := p.Retained("long"); got.TTL != time.Hour-1500*time.Millisecond {
			t.Errorf("time left: got %v", got.TTL)
		}
	})
}

// A new message takes the place of the old one with the old one's time to live.
func TestANewRetainedMessageHasItsOwnTimeToLive(t *testing.T) {
	bubble(t, []Rule{{Match: "*"}}, func(t *testing.T, b *Broker) {
		p := connect(t, b)
		p.retain("a", "1", time.Second)
		p.retain("a", "2", 0)
		p.retain("b", "1", 0)
		p.retain("b", "2", time.Second)
		pass(2 * time.Second)
		got, ok, _ := p.Retained("a")
		if !ok || string(got.Payload) != "2" || got.TTL >= 0 {
			t.Errorf("a: got %v %+v", ok, got)
		}
		if _, ok, _ := p.Retained("b"); ok {
			t.Error("b: it is there after its end")
		}
	})
}

// The store says what has expired after it gave its locks back. A message that
// was retained in between must stay in the index, or patterns do not get it.
func TestARenewedMessageStaysInTheIndex(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", Presence: true}})
	p := connect(t, b)
	p.retain("a", "new", 0)
	b.expired([]string{string(retainedKey("a")), string(retainedKey("gone"))})
	wantTexts(t, p.recall(KindPattern, "*", Resume{}).Messages, "(new)")
	if _, err := p.Unretain("a"); err != nil {
		t.Fatal(err)
	}
	b.memory.retained.add("a") // as if the store had deleted it itself
	b.expired([]string{string(retainedKey("a"))})
	if got := b.retainedNames(); len(got) != 0 {
		t.Errorf("names of what is gone: %q", got)
	}
}

// The same with the clock and the store's own goroutine.
func TestExpiryRacesWithRenewal(t *testing.T) {
	bubble(t, []Rule{{Match: "*"}}, func(t *testing.T, b *Broker) {
		p := connect(t, b)
		for round := range 300 {
			p.retain("a", fmt.Sprint(round), time.Millisecond)
			<-time.After(time.Millisecond) // now both are due: the end and the renewal
			p.retain("a", "again", time.Minute)
		}
		pass(time.Second)
		q := connect(t, b)
		wantTexts(t, q.recall(KindPattern, "*", Resume{}).Messages, "(again)")
	})
}

func TestAMessageThatCannotBeRetainedIsNotPublished(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 10}, Retain: RetainAll}},
		func(c *Config) { c.MaxState = 20_000 })
	p, listener := connect(t, b), connect(t, b)
	listener.sub(KindPattern, "*")
	p.offset("a", "small")
	before, sequence := b.Stats(), b.Now().Offset()
	large := strings.Repeat("x", 30_000)
	for _, channel := range []string{"a", "new"} {
		got := p.receipt(&Message{Channel: channel, Payload: []byte(large)})
		if !errors.Is(got.Err, ErrStateFull) || got.Receivers != 0 || got.Offset != 0 {
			t.Errorf("%s: got %+v, want %v", channel, got, ErrStateFull)
		}
	}
	settle(t, b)
	wantLines(t, listener, "*>a=small@1")
	after := b.Stats()
	if after.StateBytes != before.StateBytes || after.HistoryBytes != before.HistoryBytes || b.Now().Offset() != sequence {
		t.Errorf("something was changed: %+v, before %+v", after, before)
	}
	if after.Refused["state-full"] != 2 {
		t.Errorf("counter: got %d, want 2", after.Refused["state-full"])
	}
	got, ok, _ := p.Retained("a")
	if !ok || string(got.Payload) != "small" {
		t.Errorf("the message before: got %v, %q", ok, got.Payload)
	}
	if _, ok, _ := p.Retained("new"); ok {
		t.Error("the refused message is retained")
	}
	if got := p.recall(KindPattern, "*", Resume{}); len(got.Messages) != 1 {
		t.Errorf("a pattern gets %d messages, want 1", len(got.Messages))
	}
	wantTexts(t, p.page("a", HistoryQuery{}).Messages, "small")
	p.offset("a", "tiny") // takes no more than the one before
}

func TestARetainedMessageIsRecalledOncePerSubscription(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "hist:*", History: History{Size: 10}, Retain: RetainAll}, {Match: "*", Retain: RetainAll}})
	p, q := connect(t, b), connect(t, b)
	p.offset("hist:1", "one")
	second := p.offset("hist:1", "two")
	p.offset("only", "x")
	for name, tt := range map[string]struct {
		channel string
		resume  Resume
		want    []string
	}{
		"by itself":                        {"hist:1", Resume{}, []string{"(two)"}},
		"not if the client does not want":  {"hist:1", Resume{NoRetained: true}, nil},
		"not with a replay that has it":    {"hist:1", Resume{Last: 2}, []string{"one", "two"}},
		"not after a recovery":             {"hist:1", Resume{Since: since(b, second)}, nil},
		"not after an old cursor's replay": {"hist:1", Resume{Since: since(b, second-1)}, []string{"two"}},
		"of a channel without history":     {"only", Resume{Last: 5}, []string{"(x)"}},
		"where a cursor means nothing":     {"only", Resume{Since: since(b, second)}, []string{"(x)"}},
		"of another epoch, not repeated":   {"hist:1", Resume{Since: &Position{"other", 1}}, []string{"one", "two"}},
	} {
		t.Run(name, func(t *testing.T) {
			wantTexts(t, q.recall(KindChannel, tt.channel, tt.resume).Messages, tt.want...)
			q.leave(KindChannel, tt.channel)
		})
	}
	p.receipt(&Message{Channel: "hist:1", Payload: []byte("typing"), NoHistory: true})
	wantTexts(t, q.recall(KindChannel, "hist:1", Resume{Last: 1}).Messages, "two", "(typing)")
}

// What is retained behind the subscription's position comes live and must not be
// recalled too.
func TestWhatIsRetainedAfterTheSubscriptionComesLive(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", Retain: RetainAll}})
	p, q := connect(t, b), connect(t, b)
	p.offset("a", "old")
	p.offset("b", "old")
	one, _, err := q.Subscribe(KindChannel, []string{"a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	many, _, err := q.Subscribe(KindPattern, []string{"*"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.offset("a", "new")
	wantTexts(t, q.Recall(KindChannel, "a", one, Resume{}).Messages)
	wantTexts(t, q.Recall(KindPattern, "*", many, Resume{}).Messages, "(old)")
	settle(t, b)
	wantLines(t, q, "a=new", "*>a=new")
}

func TestAPatternGetsTheRetainedMessagesInNameOrderUpToAThousand(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", Retain: RetainAll}})
	p := connect(t, b)
	for _, i := range []int{3, 1, 2} {
		p.offset(fmt.Sprint("few:", i), fmt.Sprint(i))
	}
	for i := range maxRecalled {
		p.offset(fmt.Sprintf("many:%04d", i), fmt.Sprint(i))
	}
	got := p.recall(KindPattern, "few:*", Resume{})
	wantTexts(t, got.Messages, "(1)", "(2)", "(3)")
	got = p.recall(KindPattern, "many:*", Resume{})
	if len(got.Messages) != maxRecalled || got.More || string(got.Messages[maxRecalled-1].Payload) != "999" {
		t.Errorf("exactly a thousand: got %d, more: %v", len(got.Messages), got.More)
	}
	p.offset("many:0500+", "x")
	p.leave(KindPattern, "many:*")
	got = p.recall(KindPattern, "many:*", Resume{})
	if len(got.Messages) != maxRecalled || !got.More || string(got.Messages[501].Payload) != "x" {
		t.Errorf("one more: got %d, more: %v, %q", len(got.Messages), got.More, got.Messages[501].Payload)
	}
}
