package broker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The names are part of the protocols' documents.
func TestEventsHaveTheirNames(t *testing.T) {
	t.Parallel()
	for verb, want := range []string{"joined", "updated", "left", "members", "cleared", "forgotten", "occupied", "vacated", "withdrawn"} {
		if got := EventVerb(verb).String(); got != want {
			t.Errorf("verb %d: got %q, want %q", verb, got, want)
		}
	}
}

// Presence reports are messages of the node, for every format; the text is that of
// the event.
func TestBackEndsAreToldOfMembers(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, presenceRules)
	p, exact, pattern := connect(t, b), connect(t, b), connect(t, b, asTold)
	exact.sub(KindChannel, "__presence__:room:1")
	pattern.sub(KindPattern, "__presence__:*")
	p.join("room:1", "ann", "x", 0)
	p.join("room:1", "ann", "y", 0)
	p.join("room:2", "bob", "", 0)
	p.part("room:1", "ann")
	settle(t, b)
	wantLines(t, exact, "__presence__:room:1={joined room:1 ann x}", "__presence__:room:1={updated room:1 ann y}",
		"__presence__:room:1={left room:1 ann}")
	wantLines(t, pattern, "__presence__:*>__presence__:room:1={joined room:1 ann x}",
		"__presence__:*>__presence__:room:1={updated room:1 ann y}", "__presence__:*>__presence__:room:2={joined room:2 bob }",
		"__presence__:*>__presence__:room:1={left room:1 ann}")
}

func TestReportsAreJSON(t *testing.T) {
	t.Parallel()
	codecs := rememberCodecs()
	codecs[plain].Body = func(dst []byte, m *Message) []byte { return fmt.Appendf(dst, "%v %s", m.JSON, m.Payload) }
	b := newRemembering(t, presenceRules, func(c *Config) { c.Codecs = codecs })
	w := connect(t, b)
	w.sub(KindPattern, "__*")
	connect(t, b).join("room:1", "ann", "", 0)
	settle(t, b)
	wantLines(t, w, "__*>true {joined room:1 ann }")
}

// A node none of whose formats has events remembers all the same.
func TestANodeWithoutEvents(t *testing.T) {
	t.Parallel()
	rules := []Rule{{Match: "*", History: History{Size: 5}, Presence: true, Occupancy: true}}
	b := newBroker(t, func(c *Config) { c.Rules = rules })
	p, w := connect(t, b), connect(t, b)
	w.sub(KindPattern, "*")
	p.sub(KindChannel, "a")
	p.join("a", "ann", "", 0)
	p.offset("a", "x")
	if n, err := p.Clear("a"); n != 1 || err != nil {
		t.Errorf("clear: got %d, %v", n, err)
	}
	settle(t, b)
	wantLines(t, w, "*>a=x")
}

var occupancyRules = []Rule{{Match: "plain:*"}, {Match: "*", Occupancy: true}}

func TestOccupancyTellsOfTheFirstAndTheLastSubscriber(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, occupancyRules)
	w, one, two := connect(t, b), connect(t, b), connect(t, b, asTold)
	w.sub(KindPattern, "__occupancy__:*")
	for step, tt := range []struct {
		call func()
		want []string
	}{
		{func() { one.sub(KindChannel, "a") }, []string{"occupied a"}},
		{func() { one.sub(KindChannel, "a") }, nil},
		{func() { two.sub(KindChannel, "a") }, nil},
		{func() { one.leave(KindChannel, "a") }, nil},
		{func() { two.Await(two.SetFormat(plain)) }, nil}, // all its subscriptions are entered anew
		{func() { two.leave(KindChannel, "a") }, []string{"vacated a"}},
		{func() { two.leave(KindChannel, "a") }, nil},
		{func() { one.sub(KindPattern, "*", "a") }, nil}, // patterns do not count
		{func() { one.leave(KindPattern, "*") }, nil},
		{func() { one.sub(KindShard, "a") }, nil},
		{func() { one.sub(KindChannel, "plain:1", "__own") }, nil}, // without such a rule
		{func() { one.sub(KindChannel, "x", "y", "x") }, []string{"occupied x", "occupied y"}},
		{func() { two.sub(KindChannel, "y") }, nil},
		{func() { one.Kill() }, []string{"vacated x"}},
		{func() { two.Close() }, []string{"vacated y"}},
	} {
		tt.call()
		settle(t, b)
		var got []string
		for _, line := range w.take() {
			_, report, _ := strings.Cut(line, "={")
			got = append(got, strings.TrimSuffix(report, "}"))
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("step %d: got %q, want %q", step, got, tt.want)
		}
	}
}

// Who sees the messages and the occupancy sees them in one order: what the first
// subscriber of a channel is sent stands behind its `occupied` unless it was
// published at the same moment, and everything before `vacated`.
func TestOccupancyIsPartOfTheOrder(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, occupancyRules)
	w, p := connect(t, b), connect(t, b)
	w.sub(KindPattern, "*")
	var want []string
	for i := range 100 {
		p.sub(KindChannel, "a")
		p.pub("a", fmt.Sprint(i))
		p.leave(KindChannel, "a")
		want = append(want, "*>__occupancy__:a={occupied a}", fmt.Sprint("*>a=", i), "*>__occupancy__:a={vacated a}")
	}
	settle(t, b)
	wantLines(t, w, want...)
}

// However many come and go at once, `occupied` and `vacated` take turns.
func TestOccupancyTakesTurns(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, occupancyRules)
	w := connect(t, b)
	w.sub(KindChannel, "__occupancy__:a")
	done := make(chan struct{})
	for range 4 {
		p := connect(t, b)
		go func() {
			for range 200 {
				p.sub(KindChannel, "a")
				p.leave(KindChannel, "a")
			}
			done <- struct{}{}
		}()
	}
	for range 4 {
		<-done
	}
	settle(t, b)
	lines := w.lines()
	for i, line := range lines {
		if want := []string{"__occupancy__:a={occupied a}", "__occupancy__:a={vacated a}"}[i%2]; line != want {
			t.Fatalf("event %d: got %q, want %q", i, line, want)
		}
	}
	if n := len(lines); n == 0 || n%2 != 0 {
		t.Errorf("%d events, want pairs", n)
	}
}
