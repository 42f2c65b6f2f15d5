package broker

import (
	"fmt"
	"testing"
	"time"
)

// What was lost stays known, or known to be unknown, when the rest is dropped.
func TestDroppingAHistoryHidesNoLosses(t *testing.T) {
	t.Parallel()
	var h history
	for i := range 5 {
		h.add(entry{offset: uint64(10 + i), time: 1, bytes: []byte("x")}, 10)
	}
	h.expire(now(), time.Second, 10)
	if got := h.missed(11, 14); got != 3 {
		t.Errorf("missed before: got %d, want 3", got)
	}
	h.drop(14) // as when a sweep came before the eviction
	if got := h.missed(11, 14); got != -1 {
		t.Errorf("missed afterwards: got %d, want -1", got)
	}
}

// What was published while the rules gave the channel no history is missing in the
// count of losses, also when older losses are forgotten later.
func TestLossesAreNotCountedAcrossATimeWithoutHistory(t *testing.T) {
	t.Parallel()
	var h history
	const size = 3
	lose := func(offset uint64) {
		h.add(entry{offset: offset, time: 1, bytes: []byte("x")}, size)
		h.expire(now(), time.Second, size)
	}
	for offset := range uint64(size) {
		lose(10 + offset)
	}
	h.begin(20)
	lose(21)
	if got := h.missed(11, 30); got != -1 {
		t.Errorf("missed from before: got %d, want -1", got)
	}
	if got := h.missed(20, 30); got != 1 {
		t.Errorf("missed since: got %d, want 1", got)
	}
}

// A message behind the position of a subscription comes live, also if the history
// has lost it by the time of the replay.
func TestWhatComesLiveIsNotMissed(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 1}}})
	p, s := connect(t, b), connect(t, b)
	seen := p.offset("a", "1")
	at, _, _ := s.Subscribe(KindChannel, []string{"a"}, nil)
	for range 4 {
		p.offset("a", "live")
	}
	got := s.Recall(KindChannel, "a", at, Resume{Since: since(b, seen)})
	if !got.Recovered || got.Missed != 0 || len(got.Messages) != 0 {
		t.Errorf("got recovered %v, missed %d, %d messages; all come live", got.Recovered, got.Missed, len(got.Messages))
	}
}

// A run of messages does not begin with one that has an earlier record in the
// format: who has seen the first record would take the run for later.
func TestARunDoesNotHideAnEarlierMessage(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "h", History: History{Size: 10}}}, func(c *Config) { c.Workers = 1 })
	s, p := connect(t, b), connect(t, b)
	s.recorder.gate = make(chan struct{})
	s.sub(KindChannel, "h1")
	s.sub(KindPattern, "h*")
	p.pub("h1", "0") // keeps the worker busy
	p.batch(Message{Channel: "h1", Payload: []byte("1")}, Message{Channel: "h2", Payload: []byte("2")},
		Message{Channel: "h2", Payload: []byte("3")})
	close(s.recorder.gate)
	settle(t, b)
	for _, d := range s.pushes {
		if d.messages > 1 && d.sequence-uint64(d.messages)+1 <= 2 {
			t.Errorf("a run of %d up to %d covers message 2, of which there was a record before", d.messages, d.sequence)
		}
	}
	wantLines(t, s, "h1=0", "h*>h1=0", "h1=1", "h*>h1=1", "h*>h2=2", "h*>h2=3")
}

// Whoever invents channels finds the limit too: a channel counts with what it
// takes itself.
func TestChannelsCountAgainstTheLimitOfHistories(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 10}}}, func(c *Config) { c.MaxHistory = 1 << 20 })
	p := connect(t, b)
	for i := range 3000 {
		p.offset(fmt.Sprintf("%01000d", i), "1")
	}
	if got := b.Stats(); got.HistoryBytes > 1<<20 {
		t.Errorf("%d bytes are kept", got.HistoryBytes)
	}
	var h history
	h.fixed = 1512
	if got := h.add(entry{offset: 1, bytes: []byte("1")}, 10); got < 1512 {
		t.Errorf("a channel's first message counts %d bytes", got)
	}
}

// A replay has a limit, and says so.
func TestAReplayThatIsTooLongIsNotComplete(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 200_000}}})
	p, s := connect(t, b), connect(t, b)
	first := p.offset("a", "first")
	const n = maxReplayed + 10
	messages := make([]Message, 1000)
	for i := 0; i < n; i += len(messages) {
		for j := range messages {
			messages[j] = Message{Channel: "a", Payload: []byte("x")}
		}
		p.batch(messages...)
	}
	for _, k := range []Kind{KindChannel, KindPattern} {
		at, _, _ := s.Subscribe(k, []string{"a"}, nil)
		got := s.Recall(k, "a", at, Resume{Since: since(b, first)})
		if got.Recovered || got.Missed != -1 || len(got.Messages) != maxReplayed || got.Messages[maxReplayed-1].Offset != b.Now().Offset() {
			t.Errorf("%v: got recovered %v, missed %d, %d messages", k, got.Recovered, got.Missed, len(got.Messages))
		}
	}
}
