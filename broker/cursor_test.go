package broker

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestACursorRecoversOrIsToldWhatIsMissing(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 3}}})
	p := connect(t, b)
	var at []uint64
	for i := range 9 { // 6, 7 and 8 are kept, 3, 4 and 5 known to be lost
		p.offset("other", "between")
		at = append(at, p.offset("a", fmt.Sprint(i)))
	}
	head := b.Now().Offset()
	for name, tt := range map[string]struct {
		cursor    Position
		recovered bool
		missed    int
	}{
		"at the head":               {Position{b.Epoch(), head}, true, 0},
		"at the last message":       {Position{b.Epoch(), at[8]}, true, 0},
		"at the oldest one kept":    {Position{b.Epoch(), at[6]}, true, 0},
		"right before it":           {Position{b.Epoch(), at[5]}, true, 0},
		"between":                   {Position{b.Epoch(), at[5] + 1}, true, 0},
		"one is lost":               {Position{b.Epoch(), at[4]}, false, 1},
		"one is lost, from between": {Position{b.Epoch(), at[5] - 1}, false, 1},
		"all that are known":        {Position{b.Epoch(), at[2]}, false, 3},
		"more than are known":       {Position{b.Epoch(), at[2] - 1}, false, -1},
		"from the beginning":        {Position{b.Epoch(), 0}, false, -1},
		"beyond the head":           {Position{b.Epoch(), head + 1}, false, -1},
		"of another epoch":          {Position{"other", at[8]}, false, -1},
		"of no epoch":               {Position{"", at[8]}, false, -1},
	} {
		page := p.page("a", HistoryQuery{Since: &tt.cursor})
		if page.Recovered != tt.recovered || page.Missed != tt.missed {
			t.Errorf("%s: history: got %v, missed %d; want %v, %d", name, page.Recovered, page.Missed, tt.recovered, tt.missed)
		}
		rec := p.recall(KindChannel, "a", Resume{Since: &tt.cursor})
		if rec.Recovered != tt.recovered || rec.Missed != tt.missed || rec.Offset != head {
			t.Errorf("%s: recall: got %v, missed %d at %d; want %v, %d", name, rec.Recovered, rec.Missed, rec.Offset, tt.recovered, tt.missed)
		}
		if !tt.recovered {
			wantTexts(t, rec.Messages, "6", "7", "8") // what is kept follows
		}
		p.leave(KindChannel, "a")
	}
}

// What is known of a channel may have to be forgotten. Then nobody with an older
// cursor may be told that nothing is missing.
func TestForgottenChannelsRaiseTheMark(t *testing.T) {
	rules := []Rule{{Match: "kept", History: History{Size: 3}}, {Match: "*", History: History{Size: 3, TTL: time.Second}}}
	bubble(t, rules, func(t *testing.T, b *Broker) {
		p := connect(t, b)
		first := p.offset("a", "1")
		mark := p.offset("b", "1")
		late := p.offset("kept", "1")
		pass(2 * sweepParts * sweepTurn)
		if got := b.Stats(); got.Remembered != 3 || got.HistoryBytes == 0 {
			t.Errorf("channels known while there are few: got %d, want 3", got.Remembered)
		}
		b.memory.count.Add(maxQuiet) // as if there were so many others
		pass(sweepParts * sweepTurn)
		b.memory.count.Add(-maxQuiet)
		if got := b.Stats().Remembered; got != 1 {
			t.Fatalf("channels known: got %d, want 1", got)
		}
		for name, tt := range map[string]struct {
			channel   string
			offset    uint64
			recovered bool
			missed    int
		}{
			"below the mark":                 {"a", first - 1, false, -1},
			"at its own last, below others'": {"a", first, false, -1}, // its own was lost with the rest
			"at the mark":                    {"b", mark, true, 0},
			"above the mark":                 {"b", late, true, 0},
		} {
			page := p.page(tt.channel, HistoryQuery{Since: since(b, tt.offset)})
			if page.Recovered != tt.recovered || page.Missed != tt.missed {
				t.Errorf("%s: got %v, missed %d; want %v, %d", name, page.Recovered, page.Missed, tt.recovered, tt.missed)
			}
		}
		p.offset("a", "new")
		if page := p.page("a", HistoryQuery{Since: since(b, first-1)}); page.Recovered || page.Missed != -1 {
			t.Errorf("the channel is known again, its past is not: got %+v", page)
		}
		if page := p.page("a", HistoryQuery{Since: since(b, mark)}); !page.Recovered {
			t.Errorf("a cursor at the mark: got %+v", page)
		}
		if rec := p.recall(KindPattern, "*", Resume{Since: since(b, first)}); rec.Recovered || rec.Missed != -1 {
			t.Errorf("a pattern from below the mark: got %+v", rec)
		}
	})
}

func TestTheHistoryOfTheQuietestChannelGoesFirst(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 1000}}}, func(c *Config) { c.MaxHistory = 110_000 })
	p := connect(t, b)
	text := strings.Repeat("x", 1000)
	for i := range 9 {
		for range 10 {
			p.offset(fmt.Sprint("c", i), text)
		}
	}
	oldest := p.page("c0", HistoryQuery{})
	touched := p.offset("c0", text) // now c1 has the oldest last message
	for range 10 {
		p.offset("more", text)
	}
	if got := b.Stats(); got.HistoryBytes > 110_000 || got.Evicted == 0 || got.Evicted > 2 {
		t.Errorf("bytes: got %d, evicted %d", got.HistoryBytes, got.Evicted)
	}
	page := p.page("c1", HistoryQuery{Since: since(b, oldest.Offset)})
	if len(page.Messages) != 0 || page.Recovered || page.Missed != -1 {
		t.Errorf("the quietest: got %d messages, %v, %d", len(page.Messages), page.Recovered, page.Missed)
	}
	if page := p.page("c1", HistoryQuery{Since: since(b, page.Offset)}); !page.Recovered || page.Offset == 0 {
		t.Errorf("a cursor at its last message: got %v at %d", page.Recovered, page.Offset)
	}
	page = p.page("c0", HistoryQuery{Since: since(b, touched-1)})
	if got := len(p.page("c0", HistoryQuery{}).Messages); got != 11 || !page.Recovered {
		t.Errorf("one that was published to: got %d messages, recovered %v", got, page.Recovered)
	}
	if got := p.offset("a", strings.Repeat("x", 200_000)); got == 0 {
		t.Error("a message that is larger than all may be is not published")
	}
	if got := b.Stats().HistoryBytes; got > 110_000 {
		t.Errorf("%d bytes are kept", got)
	}
}
