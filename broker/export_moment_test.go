package broker

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// exportedWhile exports b and does something once, when the first record is there.
func exportedWhile(t *testing.T, b *Broker, do func()) (records [][]byte) {
	t.Helper()
	if _, err := b.Export(func(r []byte) error {
		records = append(records, bytes.Clone(r))
		if len(records) == 1 {
			do()
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return records
}

// A channel that is forgotten while others are exported is not among the records;
// whoever returns to it must not be told that nothing is missing.
func TestAChannelDroppedDuringAnExportIsNotRecovered(t *testing.T) {
	t.Parallel()
	const channels = 50
	from := newRemembering(t, exportRules)
	p := connect(t, from)
	offsets := make(map[string]uint64)
	for i := range channels {
		name := fmt.Sprint("chat:", i)
		offsets[name] = p.offset(name, "1")
	}
	records := exportedWhile(t, from, func() {
		from.memory.each(func(l locked, k *kept) {
			l.change(k.history.drop(k.history.last))
			l.release(k)
		})
	})
	to, stat := imported(t, records, true, exportRules)
	if stat.Histories >= channels/2 {
		t.Fatalf("%d of %d channels were shown before they were dropped", stat.Histories, channels)
	}
	is := connect(t, to)
	for name, offset := range offsets {
		page := is.page(name, HistoryQuery{Since: &Position{to.Epoch(), offset - 1}})
		if page.Recovered && len(page.Messages) == 0 {
			t.Errorf("%s: recovered without its message", name)
		}
	}
}

// The retained message of a channel is of the moment that its history is of,
// whatever is published meanwhile.
func TestAnExportShowsAChannelWithItsRetainedMessage(t *testing.T) {
	t.Parallel()
	rules := []Rule{{Match: "*", History: History{Size: 10}, Retain: RetainAll}}
	from := newRemembering(t, rules)
	p := connect(t, from)
	const channels = 50
	publish := func(from, to int, text string) {
		for i := from; i < to; i++ {
			p.offset(fmt.Sprint("chat:", i), text)
		}
	}
	publish(0, channels, "old")
	records := exportedWhile(t, from, func() { publish(0, 2*channels, "new") })
	to, stat := imported(t, records, true, rules)
	is, old := connect(t, to), 0
	for i := range 2 * channels {
		name := fmt.Sprint("chat:", i)
		retained, ok, _ := is.Retained(name)
		messages := is.page(name, HistoryQuery{}).Messages
		if n := len(messages); ok != (n > 0) || ok && string(retained.Payload) != string(messages[n-1].Payload) {
			t.Errorf("%s: %q is retained, and the history is %v", name, retained.Payload, texts(messages))
		}
		if string(retained.Payload) == "old" {
			old++
		}
	}
	if old == 0 || stat.Retained < channels {
		t.Errorf("%d channels were shown before the change; imported: %+v", old, stat)
	}
}

// However long the import takes, nobody seems to leave who could not return yet.
func TestTheGraceBeginsWhenTheImportIsDone(t *testing.T) {
	bubble(t, exportRules, func(t *testing.T, from *Broker) {
		p := connect(t, from)
		p.join("room:1", "held", "", 0)
		p.join("room:1", "leased", "", time.Minute)
		records := exported(t, from)
		to := newRemembering(t, exportRules)
		im := to.Import(10 * time.Second)
		for _, r := range records {
			if err := im.Record(r); err != nil {
				t.Fatal(err)
			}
		}
		pass(30 * time.Second)
		im.Done(true)
		is := connect(t, to)
		for _, step := range []struct {
			pass time.Duration
			want string
		}{{0, "held leased"}, {9 * time.Second, "held leased"}, {2 * time.Second, "leased"}, {30 * time.Second, ""}} {
			pass(step.pass)
			members, _, _ := is.Members("room:1", 1<<20)
			var names []string
			for _, m := range members {
				names = append(names, m.Name)
			}
			if got := strings.Join(names, " "); got != step.want {
				t.Errorf("after another %s: got %q, want %q", step.pass, got, step.want)
			}
		}
	})
}
