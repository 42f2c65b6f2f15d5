package broker

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func setRules(t testing.TB, b *Broker, rules ...Rule) {
	t.Helper()
	if err := b.SetRules(rules); err != nil {
		t.Fatal(err)
	}
}

func TestAReloadWithAnErrorChangesNothing(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 5}}})
	p := connect(t, b)
	p.offset("a", "1")
	err := b.SetRules([]Rule{{Match: "a", Retain: RetainNever}, {Match: "b", History: History{Size: -1}}})
	if err == nil || !strings.Contains(err.Error(), "channel rule 2: history.size") {
		t.Errorf("got %v", err)
	}
	p.offset("a", "2")
	wantTexts(t, p.page("a", HistoryQuery{}).Messages, "1", "2")
}

// The text of the log's line is what an operator sees after SIGHUP.
func TestWhatAReloadTakesAwayIsLogged(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.InfoLevel)
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 5}, Presence: true}}, func(c *Config) { c.Log = zap.New(core) })
	p := connect(t, b)
	for _, channel := range []string{"trim:1", "trim:2", "drop:1", "other:1", "keep:1"} {
		for i := range 4 {
			p.offset(channel, fmt.Sprint(i))
		}
		p.retain(channel, "r", 0)
		p.join(channel, "ann", "", 0)
		p.join(channel, "bob", "", 0)
	}
	setRules(t, b, Rule{Match: "drop:*"}, Rule{Match: "other:1", History: History{Size: 5}}, Rule{Match: "*", History: History{Size: 6}, Presence: true})
	setRules(t, b, Rule{Match: "*", History: History{Size: 2}, Retain: RetainNever, Presence: true})
	lines := logs.All()
	if len(lines) != 2 {
		t.Fatalf("got %d lines", len(lines))
	}
	for i, want := range []string{
		"channel rules were replaced map[added:[drop:* other:1] changed:[*] lost:map[histories:2 members:4 retained:2 trimmed_histories:0] removed:[] rules:3]",
		"channel rules were replaced map[added:[] changed:[*] lost:map[histories:0 members:0 retained:3 trimmed_histories:3] removed:[drop:* other:1] rules:1]",
	} {
		if got := fmt.Sprint(lines[i].Message, " ", lines[i].ContextMap()); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestAShorterHistoryIsCut(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 5}}})
	p := connect(t, b)
	var at []uint64
	for i := range 5 {
		at = append(at, p.offset("a", fmt.Sprint(i)))
	}
	setRules(t, b, Rule{Match: "*", History: History{Size: 2}})
	page := p.page("a", HistoryQuery{Since: since(b, at[1])})
	wantTexts(t, page.Messages, "3", "4")
	if page.Recovered || page.Missed != 1 {
		t.Errorf("one behind the cursor was cut: got %+v", page)
	}
	if page := p.page("a", HistoryQuery{Since: since(b, at[2])}); !page.Recovered {
		t.Errorf("everything behind the cursor is there: got %+v", page)
	}
	setRules(t, b, Rule{Match: "*", History: History{Size: 3}})
	p.offset("a", "5")
	wantTexts(t, p.page("a", HistoryQuery{}).Messages, "3", "4", "5")
}

func TestAnotherRuleDropsWhatIsKept(t *testing.T) {
	t.Parallel()
	with := Rule{Match: "*", History: History{Size: 5}, Presence: true}
	for name, tt := range map[string]struct {
		next              []Rule
		history, retained bool
		member            bool
	}{
		"the same":                 {[]Rule{with}, true, true, true},
		"at another place":         {[]Rule{{Match: "b"}, with}, true, true, true},
		"another one before it":    {[]Rule{{Match: "a", History: with.History, Presence: true}, with}, false, false, false},
		"without history":          {[]Rule{{Match: "*", Presence: true}}, false, true, true},
		"without retained ones":    {[]Rule{{Match: "*", History: with.History, Retain: RetainNever, Presence: true}}, true, false, true},
		"retaining all":            {[]Rule{{Match: "*", History: with.History, Retain: RetainAll, Presence: true}}, true, true, true},
		"without presence":         {[]Rule{{Match: "*", History: with.History}}, true, true, false},
		"none for the channel":     {[]Rule{{Match: "b*"}}, false, false, false},
		"none at all":              {nil, false, false, false},
		"with occupancy and so on": {[]Rule{{Match: "*", History: History{5, time.Hour}, Presence: true, Occupancy: true, Slow: SlowConflate}}, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newRemembering(t, []Rule{with})
			p, w := connect(t, b), connect(t, b, asTold)
			w.sub(KindChannel, "a")
			old := p.offset("a", "1")
			p.retain("a", "2", 0)
			p.join("a", "ann", "", 0)
			settle(t, b)
			w.take()
			setRules(t, b, tt.next...)
			info, err := p.ChannelInfo("a")
			if err != nil || (info.History == 2) != tt.history || info.Retained != tt.retained || (info.Members == 1) != tt.member {
				t.Errorf("got %+v, %v", info, err)
			}
			settle(t, b)
			if left := len(w.take()) == 1; left == tt.member {
				t.Errorf("told of a leave: %v", left)
			}
			setRules(t, b, with)
			page := p.page("a", HistoryQuery{Since: since(b, old)})
			if page.Recovered != tt.history || !tt.history && page.Missed != -1 {
				t.Errorf("a cursor of before: got %+v", page)
			}
			if !tt.history && b.Stats().HistoryBytes != 0 {
				t.Errorf("%d bytes are left", b.Stats().HistoryBytes)
			}
		})
	}
}

// What was published while a channel had no history is missing in it.
func TestAHistoryThatBeginsKnowsNothingOfBefore(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, nil)
	p, member := connect(t, b), connect(t, b)
	setRules(t, b, Rule{Match: "a", Presence: true})
	member.join("a", "ann", "", 0) // the channel is known for another reason
	cursor := b.Now().Offset()
	for _, channel := range []string{"a", "b"} {
		p.offset(channel, "lost")
	}
	setRules(t, b, Rule{Match: "a", Presence: true, History: History{Size: 5}}, Rule{Match: "*", History: History{Size: 5}})
	begin := b.Now().Offset()
	for range 2 {
		for _, channel := range []string{"a", "b", "c"} {
			page := p.page(channel, HistoryQuery{Since: since(b, cursor)})
			if page.Recovered || page.Missed != -1 {
				t.Errorf("%s: from before: got %+v", channel, page)
			}
			if page := p.page(channel, HistoryQuery{Since: since(b, begin)}); !page.Recovered {
				t.Errorf("%s: from its beginning: got %+v", channel, page)
			}
			if rec := p.recall(KindPattern, channel+"*", Resume{Since: since(b, cursor)}); rec.Recovered {
				t.Errorf("%s: a pattern from before: got %+v", channel, rec)
			}
			p.leave(KindPattern, channel+"*")
		}
		p.offset("a", "x")
		p.offset("b", "x")
	}
}

// hook lets a test change the rules between a message's look at them and its
// place in the order: its channel gets a subscriber in a format for which it is
// not encoded yet, and the codec calls back.
type hook struct {
	mu   sync.Mutex
	call func()
}

func (h *hook) take() func() {
	h.mu.Lock()
	defer h.mu.Unlock()
	call := h.call
	h.call = nil
	return call
}

func (h *hook) codecs() []Codec {
	codecs := rememberCodecs()
	body := codecs[told].Body
	codecs[told].Body = func(dst []byte, m *Message) []byte {
		if call := h.take(); call != nil {
			call()
		}
		return body(dst, m)
	}
	return codecs
}

// A message that takes its place after a change of rules is remembered by the new
// ones, also if it was looked at before: else a history has a gap that nobody is
// told of, or a channel that may not keeps something.
func TestAMessageInFlightIsRememberedByTheNewRules(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		old, next         Rule
		history, retained bool
	}{
		"a history begins":   {Rule{Match: "a", Retain: RetainAll}, Rule{Match: "a", Retain: RetainAll, History: History{Size: 5}}, true, true},
		"a history ends":     {Rule{Match: "a", History: History{Size: 5}}, Rule{Match: "a"}, false, false},
		"retaining begins":   {Rule{Match: "a", History: History{Size: 5}}, Rule{Match: "a", History: History{Size: 5}, Retain: RetainAll}, true, true},
		"retaining ends":     {Rule{Match: "a", Retain: RetainAll}, Rule{Match: "a", Retain: RetainNever}, false, false},
		"everything changes": {Rule{Match: "a", Retain: RetainAll, History: History{Size: 5}}, Rule{Match: "b"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var h hook
			b := newRemembering(t, []Rule{tt.old}, func(c *Config) { c.Codecs = h.codecs() })
			p, late := connect(t, b), connect(t, b, asTold)
			batch := p.Batch()
			defer batch.Release()
			if err := batch.Add(&Message{Channel: "a", Payload: []byte("in flight")}); err != nil {
				t.Fatal(err)
			}
			late.sub(KindChannel, "a") // now the batch must be prepared anew
			reloaded := make(chan error, 1)
			h.call = func() {
				old := b.rules.Load()
				go func() { reloaded <- b.SetRules([]Rule{tt.next}) }()
				for b.rules.Load() == old {
					<-time.After(time.Millisecond)
				}
			}
			receipt := batch.Commit(nil)[0]
			if err := <-reloaded; err != nil || receipt.Err != nil || receipt.Receivers != 1 {
				t.Fatalf("got %v, %+v", err, receipt)
			}
			info, err := p.ChannelInfo("a")
			if err != nil || (info.History == 1) != tt.history || info.Retained != tt.retained || (receipt.Offset > 0) != tt.history {
				t.Errorf("got %+v, %v, offset %d", info, err, receipt.Offset)
			}
			settle(t, b)
			if tt.history {
				wantLines(t, late, "a=in flight@1")
				return
			}
			wantLines(t, late, "a=in flight")
			if got := b.Stats().HistoryBytes; got != 0 {
				t.Errorf("%d bytes are left", got)
			}
		})
	}
}

// Rules change while publishers are running and somebody resumes: whoever is told
// that nothing is missing has everything. In this test every place in the order is
// a message of the channel.
func TestARecoveredCursorHasEverythingWhateverTheRulesDo(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, nil)
	with := []Rule{{Match: "*", History: History{Size: 100_000}, Presence: true}}
	setRules(t, b, Rule{Match: "*", Presence: true})
	p, q := connect(t, b), connect(t, b)
	p.join("c", "ann", "", 0) // so that the channel is known without a history too
	for i := range 1000 {
		p.join(fmt.Sprint("other", i), "ann", "", 0) // for a reload that takes its time
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	until := func(f func(i int)) func() {
		return func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					f(i)
				}
			}
		}
	}
	wg.Go(until(func(i int) {
		p.pub("c", fmt.Sprint(i))
		if !p.HasRoom() {
			p.AwaitRoom()
		}
	}))
	turn := make(chan struct{}, 1)
	wg.Go(until(func(i int) {
		select {
		case <-turn:
		case <-stop:
		}
		setRules(t, b, [][]Rule{with, {{Match: "*", Retain: RetainNever, Presence: true}}}[i%2]...)
	}))
	recovered := 0
	for i := range 500 {
		cursor := b.Now().Offset()
		for range i % 16 {
			runtime.Gosched()
		}
		rec := q.recall(KindChannel, "c", Resume{Since: since(b, cursor), NoRetained: true})
		if rec.Recovered {
			recovered++
			if got := uint64(len(rec.Messages)); got != rec.Offset-cursor {
				t.Errorf("round %d: from %d to %d: got %d messages", i, cursor, rec.Offset, got)
			}
		}
		q.leave(KindChannel, "c")
		if i%8 == 0 {
			select {
			case turn <- struct{}{}:
			default:
			}
		}
	}
	close(stop)
	wg.Wait()
	if recovered < 30 {
		t.Errorf("only %d of 500 rounds have recovered", recovered)
	}
}
