package broker

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// returning is somebody who unsubscribes and resumes by cursor all the time. What
// it has seen are lines as they come live.
type returning struct {
	p      *peer
	kind   Kind
	name   string
	cursor uint64
	seen   []string
}

// visit subscribes, takes what was missed and what comes live, and leaves.
func (r *returning) visit(t *testing.T, rnd *rand.Rand) {
	r.p.take()
	at, _, err := r.p.Subscribe(r.kind, []string{r.name}, nil)
	if err != nil {
		t.Error(err)
		return
	}
	for range rnd.IntN(50) {
		runtime.Gosched() // live messages come before the recall was taken
	}
	rec := r.p.Recall(r.kind, r.name, at, Resume{Since: since(r.p.b, r.cursor), NoRetained: true})
	if !rec.Recovered || rec.Missed != 0 {
		t.Errorf("from %d: recovered %v, missed %d", r.cursor, rec.Recovered, rec.Missed)
	}
	prefix := ""
	if r.kind == KindPattern {
		prefix = r.name + ">"
	}
	for i := range rec.Messages {
		m := &rec.Messages[i]
		r.seen = append(r.seen, fmt.Sprintf("%s%s=%s@%d", prefix, m.Channel, m.Payload, m.Offset))
	}
	r.cursor = max(r.cursor, rec.Offset)
	for range rnd.IntN(200) {
		runtime.Gosched()
	}
	r.p.leave(r.kind, r.name)
	live := r.p.take()
	r.seen = append(r.seen, live...)
	if len(live) > 0 {
		r.cursor = max(r.cursor, offsetOf(live[len(live)-1]))
	}
}

func offsetOf(line string) (offset uint64) {
	_, number, _ := strings.Cut(line, "@")
	_, _ = fmt.Sscan(number, &offset)
	return offset
}

// Whoever comes back with a cursor gets every message once and in order, while
// publishers are running: of a channel, and of all that a pattern matches.
func TestResumingLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 2, 4} {
		t.Run(fmt.Sprint("workers=", workers), func(t *testing.T) {
			t.Parallel()
			b := newRemembering(t, []Rule{{Match: "c:*", History: History{Size: 10_000}, Retain: RetainAll}},
				func(c *Config) { c.Workers = workers })
			visitors := []*returning{
				{kind: KindChannel, name: "c:0"}, {kind: KindChannel, name: "c:7"},
				{kind: KindPattern, name: "c:*"}, {kind: KindPattern, name: "c:[0-3]"},
			}
			var publishers, all sync.WaitGroup
			var done atomic.Bool
			published := make([][]string, 3)
			for i := range published {
				p := connect(t, b)
				publishers.Go(func() { published[i] = publishAtRandom(t, p, rand.New(rand.NewPCG(uint64(i), rand.Uint64()))) })
			}
			for i, r := range visitors {
				r.p = connect(t, b)
				all.Go(func() {
					rnd := rand.New(rand.NewPCG(uint64(i), rand.Uint64()))
					for last := false; !last; {
						last = done.Load()
						r.visit(t, rnd)
					}
				})
			}
			publishers.Wait()
			done.Store(true)
			all.Wait()
			lines := slices.Concat(published...)
			slices.SortFunc(lines, func(a, b string) int { return int(offsetOf(a)) - int(offsetOf(b)) })
			for _, r := range visitors {
				r.check(t, lines)
			}
		})
	}
}

// publishAtRandom publishes runs of messages and returns them as lines.
func publishAtRandom(t *testing.T, p *peer, rnd *rand.Rand) (lines []string) {
	batch := p.Batch()
	defer batch.Release()
	for i := range 400 {
		var added []string
		for j := range 1 + rnd.IntN(5) {
			m := Message{Channel: fmt.Sprint("c:", rnd.IntN(8)), Payload: fmt.Append(nil, p.Number(), "-", i, "-", j)}
			if rnd.IntN(4) == 0 {
				m.Channel = "plain" // somewhere between the others
			}
			if err := batch.Add(&m); err != nil {
				t.Error(err)
				return nil
			}
			added = append(added, fmt.Sprintf("%s=%s", m.Channel, m.Payload))
		}
		for j, receipt := range batch.Commit(nil) {
			if receipt.Err != nil {
				t.Error(receipt.Err)
			}
			if receipt.Offset > 0 {
				lines = append(lines, fmt.Sprintf("%s@%d", added[j], receipt.Offset))
			}
		}
		if !p.HasRoom() {
			p.AwaitRoom()
		}
	}
	return lines
}

func (r *returning) check(t *testing.T, published []string) {
	t.Helper()
	var want []string
	for _, line := range published {
		switch channel, _, _ := strings.Cut(line, "="); {
		case r.kind == KindChannel && channel == r.name:
			want = append(want, line)
		case r.kind == KindPattern && (r.name == "c:*" || channel <= "c:3"):
			want = append(want, r.name+">"+line)
		}
	}
	for i := range min(len(want), len(r.seen)) {
		if r.seen[i] != want[i] {
			t.Errorf("%s: message %d: got %s, want %s", r.name, i, r.seen[i], want[i])
			return
		}
	}
	if len(r.seen) != len(want) {
		t.Errorf("%s: got %d messages, want %d", r.name, len(r.seen), len(want))
	}
}

// What comes live is not part of the recall, however late that is taken.
func TestARecallEndsAtThePositionOfTheSubscription(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 10}}})
	p, q := connect(t, b), connect(t, b)
	p.offset("a", "1")
	second := p.offset("b", "2")
	for name, tt := range map[string]struct {
		kind   Kind
		resume Resume
		want   []string
	}{
		"a":  {KindChannel, Resume{Last: 5}, []string{"1"}},
		"*":  {KindPattern, Resume{Since: since(b, 0)}, []string{"1", "2"}},
		"?":  {KindPattern, Resume{Since: since(b, 1)}, []string{"2"}},
		"b":  {KindChannel, Resume{}, nil},
		"b*": {KindPattern, Resume{Last: 5}, nil}, // the newest messages are for channels only
	} {
		at, _, err := q.Subscribe(tt.kind, []string{name}, nil)
		if err != nil || at.Offset() < second {
			t.Fatal(at, err)
		}
		live := p.offset("a", "live")
		rec := q.Recall(tt.kind, name, at, tt.resume)
		wantTexts(t, rec.Messages, tt.want...)
		if rec.Offset != at.Offset() {
			t.Errorf("%s: offset %d, want %d", name, rec.Offset, at.Offset())
		}
		if n, err := p.Forget("a", []uint64{live}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		q.leave(tt.kind, name)
	}
}

func TestAnOffsetComesOnlyWhereAHistoryMayMatch(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "chat:*:log", History: History{Size: 10}}, {Match: "plain:*"}})
	p := connect(t, b)
	p.offset("x", "x")
	for _, tt := range []struct {
		kind Kind
		name string
		want bool
	}{
		{KindChannel, "chat:1:log", true},
		{KindChannel, "chat:1", false},
		{KindChannel, "plain:1", false},
		{KindChannel, "other", false},
		{KindPattern, "chat:1*", true},
		{KindPattern, "c*", true},
		{KindPattern, "*", true},
		{KindPattern, "[cd]hat:*", true},
		{KindPattern, "plain:*", false},
		{KindPattern, "d*", false},
	} {
		rec := p.recall(tt.kind, tt.name, Resume{Since: since(b, 1)})
		if (rec.Offset > 0) != tt.want || rec.Keeps != tt.want {
			t.Errorf("%s: offset %d, keeps: %v", tt.name, rec.Offset, rec.Keeps)
		}
		if rec.Recovered != tt.want || !tt.want && rec.Missed != -1 {
			t.Errorf("%s: recovered %v, missed %d", tt.name, rec.Recovered, rec.Missed)
		}
	}
}

// At the beginning of a node's life the position is 0, which is one like others.
func TestTheFirstMessageOfANodeComesLive(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 10}, Retain: RetainAll}})
	p, q := connect(t, b), connect(t, b)
	for name, k := range map[string]Kind{"a": KindChannel, "*": KindPattern} {
		at, _, err := q.Subscribe(k, []string{name}, nil)
		if err != nil || at.Offset() != 0 {
			t.Fatal(at, err)
		}
		defer func() {
			rec := q.Recall(k, name, at, Resume{Since: since(b, 0)})
			if len(rec.Messages) != 0 || !rec.Recovered || !rec.Keeps {
				t.Errorf("%s: got %+v", name, rec)
			}
		}()
	}
	p.offset("a", "1")
	settle(t, b)
	wantLines(t, q, "a=1@1", "*>a=1@1")
}

func TestAPatternIsToldTheSumOfWhatIsMissing(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "big:*", History: History{Size: 100}, Retain: RetainAll},
		{Match: "small:*", History: History{Size: 2}, Retain: RetainAll}, {Match: "none", Retain: RetainAll}})
	p := connect(t, b)
	p.offset("none", "x")
	for i := range 4 {
		for _, channel := range []string{"small:1", "big:1", "small:2"} {
			p.offset(channel, channel[:1]+channel[len(channel)-1:]+fmt.Sprint(i))
		}
	}
	head := b.Now().Offset() // 13: small:1 has 2, 5, 8, 11, small:2 has 4, 7, 10, 13
	for name, tt := range map[string]struct {
		pattern   string
		offset    uint64
		recovered bool
		missed    int
		want      string
	}{
		"nothing is missing":     {"*", 7, true, 0, "s12 b12 s22 s13 b13 s23 (x)"},
		"at the head":            {"*", head, true, 0, "(x)"},
		"one of one channel":     {"*", 6, false, 1, "s12 b12 s22 s13 b13 s23 (x)"},
		"some of two":            {"*", 3, false, 3, "b11 s12 b12 s22 s13 b13 s23 (x)"},
		"of channels that match": {"b*", 3, true, 0, "b11 b12 b13"},
		"unknown of one":         {"*", 1, false, 4, "b10 b11 s12 b12 s22 s13 b13 s23 (x)"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := p.recall(KindPattern, tt.pattern, Resume{Since: since(b, tt.offset)})
			if rec.Recovered != tt.recovered || rec.Missed != tt.missed {
				t.Errorf("got %v, missed %d; want %v, %d", rec.Recovered, rec.Missed, tt.recovered, tt.missed)
			}
			if got := strings.Join(texts(rec.Messages), " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var last uint64
			for _, m := range rec.Messages {
				if !m.Retained && m.Offset <= last {
					t.Errorf("offset %d follows %d", m.Offset, last)
				}
				last = m.Offset
			}
			p.leave(KindPattern, tt.pattern)
		})
	}
}

// The replay's payloads are shared with the history: they must stay as they are
// when the history loses them.
func TestAReplayOutlivesTheHistory(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 2}, Retain: RetainAll}})
	p := connect(t, b)
	p.offset("a", "first")
	rec := p.recall(KindChannel, "a", Resume{Last: 1})
	kept, _, _ := p.Retained("a")
	for range 10 {
		p.offset("a", "other")
	}
	if _, err := p.Clear("a"); err != nil {
		t.Fatal(err)
	}
	wantTexts(t, rec.Messages, "first")
	if string(kept.Payload) != "first" {
		t.Errorf("the retained message: got %q", kept.Payload)
	}
}
