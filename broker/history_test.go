package broker

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAHistoryKeepsTheNewestWithTheOffsetsOfTheLiveOnes(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "chat:*", History: History{Size: 3}}})
	p, listener := connect(t, b), connect(t, b)
	listener.sub(KindPattern, "*")
	var want []string
	last := uint64(0)
	for i := range 5 {
		p.offset("plain", "between")
		offset := p.offset("chat:1", fmt.Sprint(i))
		if offset <= last {
			t.Errorf("offset %d follows %d", offset, last)
		}
		last = offset
		want = append(want, "*>plain=between", fmt.Sprintf("*>chat:1=%d@%d", i, offset))
	}
	settle(t, b)
	wantLines(t, listener, want...)
	page := p.page("chat:1", HistoryQuery{})
	wantTexts(t, page.Messages, "2", "3", "4")
	for i, m := range page.Messages {
		if live := fmt.Sprintf("*>%s=%s@%d", m.Channel, m.Payload, m.Offset); live != want[2*(i+2)+1] {
			t.Errorf("message %d: got %q, live it was %q", i, live, want[2*(i+2)+1])
		}
	}
	if page.Offset != last || page.Epoch != b.Epoch() || !page.Recovered || page.Missed != 0 {
		t.Errorf("got %+v", page)
	}
}

func TestAHistoryKeepsAllOfAMessage(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 3}}})
	p := connect(t, b)
	payload, before := []byte(`"x"`), now()
	receipt := p.receipt(&Message{Channel: "a", Payload: payload, JSON: true, From: "ann", Key: "k"})
	copy(payload, "???") // the publisher may use its buffer again
	plainOne := []byte{0xff}
	p.receipt(&Message{Channel: "a", Payload: plainOne})
	plainOne[0] = '?'
	got := p.page("a", HistoryQuery{}).Messages
	if len(got) != 2 {
		t.Fatalf("got %d messages", len(got))
	}
	first := got[0]
	if string(first.Payload) != `"x"` || !first.JSON || first.From != "ann" || first.Channel != "a" || first.Retained ||
		first.Offset != receipt.Offset || first.Time < before || first.Time > now() {
		t.Errorf("got %+v", first)
	}
	if string(got[1].Payload) != "\xff" || got[1].JSON || got[1].From != "" {
		t.Errorf("bytes of nobody: got %+v", got[1])
	}
}

func TestAMessageMayStayOutOfTheHistory(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 3}}})
	p, listener := connect(t, b), connect(t, b)
	listener.sub(KindChannel, "a")
	p.offset("a", "1")
	if got := p.receipt(&Message{Channel: "a", Payload: []byte("typing"), NoHistory: true}); got != (Receipt{Receivers: 1}) {
		t.Errorf("receipt: got %+v, want a receiver and no offset", got)
	}
	last := p.offset("a", "2")
	settle(t, b)
	wantLines(t, listener, "a=1@1", "a=typing", fmt.Sprintf("a=2@%d", last))
	page := p.page("a", HistoryQuery{Since: since(b, 1)})
	wantTexts(t, page.Messages, "2")
	if !page.Recovered || page.Missed != 0 {
		t.Errorf("it counts as lost: %+v", page)
	}
}

func TestOldMessagesLeaveTheHistory(t *testing.T) {
	bubble(t, []Rule{{Match: "*", History: History{Size: 10, TTL: time.Minute}}}, func(t *testing.T, b *Broker) {
		p := connect(t, b)
		first := p.offset("a", "1")
		pass(30 * time.Second)
		last := p.offset("a", "2")
		pass(30*time.Second - time.Millisecond)
		wantTexts(t, p.page("a", HistoryQuery{}).Messages, "1", "2")
		pass(time.Millisecond)
		wantTexts(t, p.page("a", HistoryQuery{}).Messages, "2")
		pass(time.Minute)
		page := p.page("a", HistoryQuery{Since: since(b, last)})
		if len(page.Messages) != 0 || page.Offset != last || !page.Recovered || page.Missed != 0 {
			t.Errorf("everything has expired, the cursor is at the head: got %+v", page)
		}
		page = p.page("a", HistoryQuery{Since: since(b, first)})
		if page.Recovered || page.Missed != 1 {
			t.Errorf("everything has expired, the cursor is one behind: got %+v", page)
		}
		if next := p.offset("a", "3"); next <= last {
			t.Errorf("offset %d follows %d", next, last)
		}
	})
}

// Nobody has to ask for a history that has expired to free its memory.
func TestHistoriesExpireWhenNobodyLooks(t *testing.T) {
	bubble(t, []Rule{{Match: "*", History: History{Size: 10, TTL: time.Second}}}, func(t *testing.T, b *Broker) {
		p := connect(t, b)
		for i := range 100 {
			p.offset(fmt.Sprint("c", i), "x")
		}
		if b.Stats().HistoryBytes < 100 {
			t.Errorf("bytes: got %d", b.Stats().HistoryBytes)
		}
		pass(30 * time.Second)
		// What is left is which messages were lost.
		if got := b.Stats(); got.HistoryBytes != 100*lostBytes || got.Remembered != 100 {
			t.Errorf("bytes: got %d, want %d; channels known: got %d, want 100", got.HistoryBytes, 100*lostBytes, got.Remembered)
		}
	})
}

func TestARepeatedKeyPublishesNothing(t *testing.T) {
	bubble(t, []Rule{{Match: "*", History: History{Size: 2, TTL: time.Minute}, Retain: RetainAll}}, func(t *testing.T, b *Broker) {
		p, listener := connect(t, b), connect(t, b)
		listener.sub(KindPattern, "*")
		keyed := func(channel, from, key, text string) Receipt {
			return p.receipt(&Message{Channel: channel, From: from, Key: key, Payload: []byte(text)})
		}
		first := keyed("a", "ann", "k", "1")
		if first.Offset == 0 || first.Receivers != 1 || first.Err != nil {
			t.Fatalf("the first: got %+v", first)
		}
		if got := keyed("a", "ann", "k", "repeat"); got != (Receipt{Offset: first.Offset}) {
			t.Errorf("the repeat: got %+v, want only the offset of the first", got)
		}
		if got, _, _ := p.Retained("a"); string(got.Payload) != "1" {
			t.Errorf("the repeat is retained: %q", got.Payload)
		}
		for name, got := range map[string]Receipt{
			"another user": keyed("a", "bob", "k", "2"), "another channel": keyed("b", "ann", "k", "3"),
		} {
			if got.Receivers != 1 || got.Offset <= first.Offset {
				t.Errorf("the same key of %s: got %+v", name, got)
			}
		}
		for name, forget := range map[string]func(){
			"is trimmed":   func() { p.offset("a", "4"); p.offset("a", "5") },
			"has expired":  func() { pass(time.Minute) },
			"is forgotten": func() { forgetAll(p, "a") },
			"is cleared": func() {
				if _, err := p.Clear("a"); err != nil {
					t.Error(err)
				}
			},
		} {
			forget()
			again := keyed("a", "ann", "k", "again")
			if again.Receivers != 1 || again.Offset <= first.Offset {
				t.Errorf("when the first %s the key is new: got %+v", name, again)
			}
			first = again
		}
		settle(t, b)
		if lines := strings.Join(listener.lines(), " "); strings.Contains(lines, "repeat") {
			t.Errorf("the repeat was delivered: %s", lines)
		}
	})
}

func forgetAll(p *peer, channel string) {
	for _, m := range p.page(channel, HistoryQuery{}).Messages {
		if n, err := p.Forget(channel, []uint64{m.Offset}); n != 1 || err != nil {
			p.t.Errorf("forget %d: got %d, %v", m.Offset, n, err)
		}
	}
}

func TestAKeyNeedsAHistory(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "hist", History: History{Size: 2}}, {Match: "ruled"}})
	p := connect(t, b)
	p.sub(KindPattern, "*")
	for name, m := range map[string]Message{
		"no rule":                {Channel: "plain", Key: "k"},
		"a rule without history": {Channel: "ruled", Key: "k"},
		"left out of it":         {Channel: "hist", Key: "k", NoHistory: true},
		"a shard channel":        {Kind: KindShard, Channel: "hist", Key: "k"},
	} {
		if got := p.receipt(&m); !errors.Is(got.Err, ErrNoHistory) || got.Receivers != 0 {
			t.Errorf("%s: got %+v, want %v", name, got, ErrNoHistory)
		}
	}
	settle(t, b)
	wantLines(t, p)
}

func TestAHistoryAnswersWithWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 5}}})
	p := connect(t, b)
	var at []uint64
	for i := range 7 {
		at = append(at, p.offset("a", fmt.Sprint(i)))
		p.offset("b", "between")
	}
	if _, err := p.Forget("a", at[4:5]); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		q    HistoryQuery
		want string
	}{
		"all":                          {HistoryQuery{}, "2356"},
		"the newest two":               {HistoryQuery{Count: 2}, "56"},
		"more than there are":          {HistoryQuery{Count: 100}, "2356"},
		"behind one":                   {HistoryQuery{Since: since(b, at[3])}, "56"},
		"behind a place between":       {HistoryQuery{Since: since(b, at[3]+1)}, "56"},
		"the oldest one behind one":    {HistoryQuery{Since: since(b, at[2]), Count: 1}, "3"},
		"behind the last":              {HistoryQuery{Since: since(b, at[6])}, ""},
		"before one":                   {HistoryQuery{Before: at[5]}, "23"},
		"the newest before one":        {HistoryQuery{Before: at[5], Count: 1}, "3"},
		"before the oldest":            {HistoryQuery{Before: at[2]}, ""},
		"up to one":                    {HistoryQuery{Before: at[5] + 1}, "235"},
		"the newest up to one":         {HistoryQuery{Before: at[5] + 1, Count: 2}, "35"},
		"between":                      {HistoryQuery{Since: since(b, at[2]), Before: at[6]}, "35"},
		"between with the last":        {HistoryQuery{Since: since(b, at[2]), Before: at[6] + 1}, "356"},
		"behind itself and before it":  {HistoryQuery{Since: since(b, at[5]), Before: at[3]}, ""},
		"of another epoch":             {HistoryQuery{Since: &Position{"other", at[5]}}, "2356"},
		"of another epoch, the oldest": {HistoryQuery{Since: &Position{"other", at[5]}, Count: 2}, "23"},
		"beyond the head":              {HistoryQuery{Since: since(b, at[6]+100)}, "2356"},
	} {
		if got := strings.Join(texts(p.page("a", tt.q).Messages), ""); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	if got := p.page("a", HistoryQuery{Before: at[5] + 1}).Offset; got < at[5] || got >= at[6] {
		t.Errorf("offset of what was asked for up to %d: got %d", at[5], got)
	}
	if page := p.page("never used", HistoryQuery{}); len(page.Messages) != 0 || page.Offset != 0 || !page.Recovered {
		t.Errorf("a channel that nobody used: got %+v", page)
	}
}

func TestWhatWasErasedDoesNotCountAsLost(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 3}}})
	p := connect(t, b)
	at := make([]uint64, 4)
	for i := range at { // 0 is lost
		at[i] = p.offset("a", fmt.Sprint(i))
	}
	check := func(name string, offset uint64, recovered bool, missed int, want ...string) {
		t.Helper()
		page := p.page("a", HistoryQuery{Since: since(b, offset)})
		if page.Recovered != recovered || page.Missed != missed {
			t.Errorf("%s: got %v, missed %d; want %v, %d", name, page.Recovered, page.Missed, recovered, missed)
		}
		wantTexts(t, page.Messages, want...)
	}
	if n, err := p.Forget("a", []uint64{at[2], at[0], at[2], 12345}); n != 1 || err != nil {
		t.Errorf("forget: got %d, %v, want 1: the others are not there", n, err)
	}
	check("one forgotten", at[1], true, 0, "3")
	p.offset("a", "4")
	check("there is room for another", at[0], true, 0, "1", "3", "4")
	if n, err := p.Clear("a"); n != 3 || err != nil {
		t.Errorf("clear: got %d, %v, want 3", n, err)
	}
	check("all cleared", at[0], true, 0)
	check("what was lost before stays lost", 0, false, 1)
	if next := p.offset("a", "5"); next <= at[3]+1 {
		t.Errorf("an offset is used again: %d", next)
	}
	check("after the next message", at[0], true, 0, "5")
}

// A message that is too old is gone, whether somebody has looked since or not.
func TestWhatHasExpiredIsLostAndCannotBeErased(t *testing.T) {
	bubble(t, []Rule{{Match: "*", History: History{Size: 3, TTL: time.Second}}}, func(t *testing.T, b *Broker) {
		p, listener := connect(t, b), connect(t, b, asTold)
		for channel, erase := range map[string]func(offset uint64) (int, error){
			"cleared":   func(uint64) (int, error) { return p.Clear("cleared") },
			"forgotten": func(offset uint64) (int, error) { return p.Forget("forgotten", []uint64{offset}) },
		} {
			listener.sub(KindChannel, channel)
			offset := p.offset(channel, "old")
			settle(t, b)
			listener.take()
			<-time.After(time.Second)
			if n, err := erase(offset); n != 0 || err != nil {
				t.Errorf("%s: got %d, %v, want 0", channel, n, err)
			}
			if page := p.page(channel, HistoryQuery{Since: since(b, offset-1)}); page.Recovered || page.Missed != 1 {
				t.Errorf("%s: got %+v, want one that is lost", channel, page)
			}
			settle(t, b)
			if got := listener.take(); len(got) != 0 {
				t.Errorf("%s: told %q", channel, got)
			}
		}
	})
}

func TestEraseTakesTheRetainedMessageAndTellsTheSubscribers(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 10}}})
	p, listener, other := connect(t, b, asTold), connect(t, b, asTold), connect(t, b)
	p.offset("a", "1")
	p.retain("a", "2", 0)
	third := p.offset("a", "3")
	listener.sub(KindChannel, "a")
	listener.sub(KindPattern, "*")
	other.sub(KindPattern, "*")
	if n, err := p.Forget("a", []uint64{third}); n != 1 || err != nil {
		t.Errorf("forget: got %d, %v", n, err)
	}
	if _, ok, _ := p.Retained("a"); !ok {
		t.Error("the retained message went with another one")
	}
	if n, err := p.Forget("a", []uint64{third - 1}); n != 1 || err != nil {
		t.Errorf("forget what is retained too: got %d, %v, want 1", n, err)
	}
	if _, ok, _ := p.Retained("a"); ok {
		t.Error("a forgotten message is retained")
	}
	p.receipt(&Message{Channel: "a", Payload: []byte("4"), Retain: true, NoHistory: true})
	if n, err := p.Clear("a"); n != 2 || err != nil {
		t.Errorf("clear: got %d, %v, want 2", n, err)
	}
	for _, erase := range []func() (int, error){
		func() (int, error) { return p.Clear("a") },
		func() (int, error) { return p.Clear("never used") },
		func() (int, error) { return p.Forget("a", []uint64{third}) },
		func() (int, error) { return p.Forget("a", nil) },
	} {
		if n, err := erase(); n != 0 || err != nil {
			t.Errorf("nothing is there: got %d, %v", n, err)
		}
	}
	settle(t, b)
	events := []string{fmt.Sprintf("forgotten a [%d]", third), fmt.Sprintf("forgotten a [%d]", third-1), "a=4", "cleared a"}
	var want []string
	for _, e := range events {
		want = append(want, e, "*>"+e)
	}
	wantLines(t, listener, want...)
	wantLines(t, other, "*>a=4") // its format has no events
	if got := b.Stats().HistoryBytes; got != 0 {
		t.Errorf("%d bytes are left", got)
	}
}

func TestChannelInfo(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "chat:*", History: History{Size: 2}, Presence: true}})
	p := connect(t, b)
	p.sub(KindChannel, "chat:1", "plain")
	p.sub(KindPattern, "chat:*", "*", "news:*")
	p.offset("chat:1", "1")
	p.offset("chat:1", "2")
	p.retain("chat:1", "3", 0)
	for _, name := range []string{"ann", "bob"} {
		if _, err := p.Join("chat:1", Member{Name: name}, 0); err != nil {
			t.Fatal(err)
		}
	}
	got, err := p.ChannelInfo("chat:1")
	want := ChannelInfo{Name: "chat:1", Subscribers: 1, Patterns: 2, Members: 2, Retained: true, History: 2, Offset: 3, Rule: "chat:*"}
	if err != nil || got != want {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	got, err = p.ChannelInfo("plain")
	if want := (ChannelInfo{Name: "plain", Subscribers: 1, Patterns: 1}); err != nil || got != want {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}
