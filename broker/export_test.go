package broker

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var exportRules = []Rule{
	{Match: "chat:*", History: History{Size: 5}, Presence: true},
	{Match: "room:*", Presence: true},
	{Match: "log:*", History: History{Size: 20, TTL: time.Hour}, Retain: RetainAll},
	{Match: "*"},
}

func exported(t testing.TB, b *Broker) [][]byte {
	t.Helper()
	var records [][]byte
	if _, err := b.Export(func(r []byte) error {
		records = append(records, bytes.Clone(r))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return records
}

// sameAs gives the records of an export an order of their own: channels and members
// come in any.
func sameAs(records [][]byte) string {
	var blocks []string
	var members []string
	for _, r := range records {
		text := strconv.Quote(string(r))
		switch {
		case r[0] == recordMember:
			members = append(members, text)
		case r[0] == recordEntry:
			blocks[len(blocks)-1] += "\n" + text
		default:
			blocks = append(blocks, text)
		}
	}
	blocks = append(blocks, members...)
	slices.Sort(blocks)
	return strings.Join(blocks, "\n")
}

// imported makes a broker of the records.
func imported(t testing.TB, records [][]byte, resume bool, rules []Rule, change ...func(*Config)) (*Broker, ImportStats) {
	t.Helper()
	b := newRemembering(t, rules, change...)
	im := b.Import(time.Minute)
	for _, r := range records {
		if err := im.Record(r); err != nil {
			t.Fatalf("%q: %v", r, err)
		}
	}
	return b, im.Done(resume)
}

// populate makes channels remember something of every kind.
func populate(t testing.TB, b *Broker, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	ann := connect(t, b, asUser("ann"))
	channels := []string{"chat:1", "chat:2", "chat:\x00\xff", "log:1", "log:2", "plain", ""}
	for i := range 400 {
		m := &Message{Channel: channels[r.IntN(len(channels))], Payload: fmt.Appendf(nil, "%d\x00\xff", i)}
		if r.IntN(3) == 0 {
			m.JSON, m.Payload, m.From = true, fmt.Appendf(nil, `{"n":%d}`, i), "ann"
		}
		switch r.IntN(8) {
		case 0:
			m.NoHistory = true
		case 1:
			m.Retain = true
		case 2:
			m.Retain, m.TTL = true, time.Duration(1+r.IntN(1000))*time.Hour
		case 3:
			if b.ruleNamed(m.Channel).History.Size > 0 {
				m.Key = fmt.Sprint("key", i)
			}
		}
		ann.publish(m)
	}
	for i := range 50 {
		ann.join(fmt.Sprint("room:", r.IntN(5)), fmt.Sprint("u", i), []string{"", "x", "\x00"}[r.IntN(3)], []time.Duration{time.Hour, 0}[r.IntN(2)])
		ann.join("chat:1", fmt.Sprint("v", i), "", time.Hour)
	}
	if _, err := ann.Forget("chat:1", []uint64{ann.page("chat:1", HistoryQuery{}).Messages[2].Offset}); err != nil {
		t.Fatal(err)
	}
}

func TestAnImportKnowsAllThatTheExportKnew(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	from := newRemembering(t, exportRules)
	populate(t, from, seed)
	records := exported(t, from)
	to, stat := imported(t, records, true, exportRules)
	if got, want := sameAs(exported(t, to)), sameAs(records); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if from.Epoch() != to.Epoch() || from.Now().Offset() != to.Now().Offset() {
		t.Errorf("got epoch %s at %v, want %s at %v", to.Epoch(), to.Now(), from.Epoch(), from.Now())
	}
	if a, b := from.Stats(), to.Stats(); a.HistoryBytes != b.HistoryBytes || stat.Histories == 0 || stat.Messages == 0 || stat.Retained == 0 || stat.Members < 50 {
		t.Errorf("got %d bytes of histories, want %d; %+v", b.HistoryBytes, a.HistoryBytes, stat)
	}
	was, is := connect(t, from), connect(t, to)
	for _, channel := range []string{"chat:1", "chat:2", "log:1"} {
		for _, q := range []HistoryQuery{{}, {Since: &Position{from.Epoch(), 300}}, {Since: &Position{from.Epoch(), 1}}} {
			if got, want := fmt.Sprintf("%+v", is.page(channel, q)), fmt.Sprintf("%+v", was.page(channel, q)); got != want {
				t.Errorf("%s, %+v: got %s, want %s", channel, q, got, want)
			}
		}
	}
	a, _, _ := was.Members("chat:1", 1<<20)
	b, _, _ := is.Members("chat:1", 1<<20)
	if fmt.Sprint(a) != fmt.Sprint(b) || len(b) != 50 {
		t.Errorf("members: got %v, want %v", b, a)
	}
	for _, p := range []*peer{was, is} {
		p.sub(KindPattern, "*")
	}
	if got, want := is.recall(KindPattern, "*", Resume{}), was.recall(KindPattern, "*", Resume{}); fmt.Sprintf("%+v", got.Messages) != fmt.Sprintf("%+v", want.Messages) {
		t.Errorf("retained: got %+v, want %+v", got, want)
	}
}

// Somebody who returns goes on where the node before this one has stopped, and the
// key of a message that came before is known.
func TestACursorOutlivesACleanRestart(t *testing.T) {
	t.Parallel()
	from := newRemembering(t, exportRules)
	p := connect(t, from)
	first := p.receipt(&Message{Channel: "chat:1", Payload: []byte("1"), Key: "k"})
	at := &Position{from.Epoch(), first.Offset}
	p.offset("chat:1", "2")
	to, _ := imported(t, exported(t, from), true, exportRules)
	p = connect(t, to)
	if again := p.receipt(&Message{Channel: "chat:1", Payload: []byte("1"), Key: "k"}); again.Offset != first.Offset {
		t.Errorf("a known key: got offset %d, want %d", again.Offset, first.Offset)
	}
	if next := p.offset("chat:1", "3"); next <= from.Now().Offset() {
		t.Errorf("offset %d is not behind %d", next, from.Now().Offset())
	}
	page := p.page("chat:1", HistoryQuery{Since: at})
	wantTexts(t, page.Messages, "2", "3")
	if !page.Recovered {
		t.Error("not recovered")
	}
}

func TestWithoutResumeTheEpochIsNewAndNothingIsRecovered(t *testing.T) {
	t.Parallel()
	from := newRemembering(t, exportRules)
	offset := connect(t, from).offset("chat:1", "1")
	to, _ := imported(t, exported(t, from), false, exportRules)
	if to.Epoch() == from.Epoch() {
		t.Error("the epoch goes on")
	}
	page := connect(t, to).page("chat:1", HistoryQuery{Since: &Position{from.Epoch(), offset}})
	wantTexts(t, page.Messages, "1")
	if page.Recovered {
		t.Error("recovered")
	}
}

// What an export shows may be beyond its sequence.
func TestTheOrderGoesOnBehindEverythingImported(t *testing.T) {
	t.Parallel()
	from := newRemembering(t, exportRules)
	p := connect(t, from)
	early := exported(t, from)[0]
	for range 10 {
		p.offset("chat:1", "1")
	}
	p.retain("plain", "1", 0)
	records := exported(t, from)
	for name, letters := range map[string]string{"a history": "h", "its entries": "he", "a retained message": "r"} {
		some := [][]byte{early}
		for _, r := range records {
			if strings.Contains(letters, string(r[:1])) {
				some = append(some, r)
			}
		}
		want := uint64(10)
		if letters == "r" {
			want = 11
		}
		to, _ := imported(t, some, false, exportRules)
		if next := connect(t, to).offset("chat:2", "next"); next <= want {
			t.Errorf("%s: the next offset is %d, and %d was the last", name, next, want)
		}
	}
}

func TestAnImportRefusesWhatContradictsItself(t *testing.T) {
	t.Parallel()
	entry := func(offset byte) string { return "e" + string(offset) + "\x01\x00\x00\x00x" }
	const history = "h\x06chat:1\x00\x00\x09"
	for name, records := range map[string][]string{
		"an empty one":                  {""},
		"an unknown letter":             {"x"},
		"half a number":                 {"n\x00\xff"},
		"a name longer than the record": {"h\x09chat:1"},
		"a name beyond every limit":     {"h\xff\x7f" + strings.Repeat("x", 1<<14)},
		"a channel twice":               {history, entry(1), history},
		"an order that is none":         {history, entry(2), entry(2)},
		"a key longer than the entry":   {history, "e\x01\x01\x00\x02\x00x"},
		"an offset beyond JavaScript's": {"h\x06chat:1\x00\x00\x80\x80\x80\x80\x80\x80\x80\x10"},
		"half a retained message":       {"r\x05plain\x00" + strings.Repeat("\x00", retainedHeader-1)},
		"a publisher beyond its record": {"r\x05plain\x00" + strings.Repeat("\x00", 17) + "\x01\x00\x00\x00"},
		"a member without a value":      {"m\x06room:1\x01u\x00\x01"},
		"a member of an unknown kind":   {"m\x06room:1\x01u\x00\x01\x07"},
	} {
		im := newRemembering(t, exportRules).Import(time.Minute)
		for i, r := range records {
			err := im.Record([]byte(r))
			if last := i == len(records)-1; last != errors.Is(err, ErrRecord) || !last && err != nil {
				t.Errorf("%s, record %d: got %v", name, i, err)
			}
		}
	}
}

func TestWhatIsTooOldOrNotAllowedAnyMoreIsLeftOut(t *testing.T) {
	bubble(t, exportRules, func(t *testing.T, from *Broker) {
		p := connect(t, from)
		p.retain("plain", "short", time.Minute)
		p.retain("kept", "long", time.Hour)
		p.join("room:1", "short", "", time.Minute)
		p.join("room:1", "long", "", 3*time.Hour)
		p.join("room:1", "held", "", 0)
		p.offset("log:1", "old")
		pass(50 * time.Minute)
		p.offset("log:1", "young")
		p.offset("chat:1", "1")
		p.offset("chat:1", "2")
		records := exported(t, from)
		pass(11 * time.Minute)

		to, stat := imported(t, records, true, exportRules)
		if want := (ImportStats{Histories: 2, Messages: 4, Retained: 1, Members: 2}); stat != want {
			t.Errorf("got %+v, want %+v", stat, want)
		}
		is := connect(t, to)
		wantTexts(t, is.page("log:1", HistoryQuery{}).Messages, "young")
		if _, ok, _ := is.Retained("plain"); ok {
			t.Error("a retained message whose time is over is there")
		}
		if n, _ := is.MemberCount("room:1"); n != 2 {
			t.Errorf("%d members, want the one with a long lease and the one that was connected", n)
		}
		pass(time.Minute + time.Second) // the grace
		if got, _, _ := is.Members("room:1", 1<<20); len(got) != 1 || got[0].Name != "long" {
			t.Errorf("after the grace: got %v, want the one with a lease", got)
		}

		to, stat = imported(t, records, true, []Rule{{Match: "chat:*", History: History{Size: 1}}, {Match: "kept", Retain: RetainNever}})
		is = connect(t, to)
		wantTexts(t, is.page("chat:1", HistoryQuery{}).Messages, "2")
		if page := is.page("chat:1", HistoryQuery{Since: &Position{to.Epoch(), 1}}); page.Recovered {
			t.Errorf("what was trimmed is not missed: %+v", page)
		}
		if stat.Members != 0 || stat.Retained != 0 || stat.Histories != 1 {
			t.Errorf("got %+v, want one history", stat)
		}
	})
}

func TestAnImportKeepsTheLimits(t *testing.T) {
	t.Parallel()
	from := newRemembering(t, exportRules)
	p := connect(t, from)
	for i := range 200 {
		p.offset(fmt.Sprint("chat:", i), strings.Repeat("x", 1000))
	}
	records := exported(t, from)
	to, _ := imported(t, records, true, exportRules, func(c *Config) { c.MaxHistory = 100_000 })
	if st := to.Stats(); st.HistoryBytes > 100_000 || st.Evicted == 0 {
		t.Errorf("%d bytes, %d evicted", st.HistoryBytes, st.Evicted)
	}
	page := connect(t, to).page("chat:0", HistoryQuery{Since: &Position{to.Epoch(), 0}})
	if page.Recovered || len(page.Messages) != 0 {
		t.Errorf("an evicted history: got %+v", page)
	}

	p.retain("plain", strings.Repeat("x", 100_000), 0)
	small := newRemembering(t, exportRules, func(c *Config) { c.MaxState = 50_000 })
	im, full := small.Import(0), error(nil)
	for _, r := range exported(t, from) {
		full = errors.Join(full, im.Record(r))
	}
	if !errors.Is(full, ErrStateFull) {
		t.Errorf("got %v, want %v", full, ErrStateFull)
	}
}

// Each channel is shown at one moment, whoever publishes meanwhile.
func TestAnExportUnderLoadIsExactPerChannel(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "chat:*", History: History{Size: 10}}})
	const channels = 20
	done := make(chan struct{})
	p := connect(t, b)
	go func() {
		defer close(done)
		for i := range 20_000 {
			p.publish(&Message{Channel: fmt.Sprint("chat:", i%channels), Payload: fmt.Append(nil, i/channels), Key: fmt.Sprint(i)})
		}
	}()
	for range 30 {
		to, _ := imported(t, exported(t, b), false, []Rule{{Match: "chat:*", History: History{Size: 10}}})
		is := connect(t, to)
		for i := range channels {
			messages := is.page(fmt.Sprint("chat:", i), HistoryQuery{}).Messages
			for j, m := range messages {
				first, _ := strconv.Atoi(string(messages[0].Payload))
				if got, want := string(m.Payload), strconv.Itoa(first+j); got != want || j > 0 && m.Offset <= messages[j-1].Offset {
					t.Fatalf("channel %d: message %d is %s, want %s", i, j, got, want)
				}
			}
		}
	}
	<-done
}

func TestChangesCountsWhatASnapshotWouldMiss(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, exportRules)
	p := connect(t, b)
	for name, change := range map[string]func(){
		"a message of a history": func() { p.offset("chat:1", "1") },
		"a retained message":     func() { p.retain("plain", "1", 0) },
		"a member":               func() { p.join("room:1", fmt.Sprint(b.Now().Offset()), "", time.Hour) },
		"a cleared channel":      func() { p.offset("chat:2", "1"); _, _ = p.Clear("chat:2") },
	} {
		before := b.Changes()
		change()
		if b.Changes() == before {
			t.Errorf("%s is no change", name)
		}
	}
	before := b.Changes()
	p.pub("nothing", "kept")
	if got := b.Changes(); got != before {
		t.Errorf("a message that nobody keeps: got %d changes", got-before)
	}
}

// Whatever the records are, an import neither panics nor goes beyond the limits, and
// what it has accepted can be exported and imported again.
func FuzzImport(f *testing.F) {
	from := newRemembering(f, exportRules)
	populate(f, from, 1)
	join := func(records [][]byte) (all []byte) {
		for _, r := range records {
			all = append(append(all, byte(min(len(r), 255))), r[:min(len(r), 255)]...)
		}
		return all
	}
	records := exported(f, from)
	f.Add(join(records[:min(len(records), 20)]))
	for _, r := range records {
		f.Add(join([][]byte{r}))
	}
	f.Add(join([][]byte{[]byte("h\x01a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00")}))
	limits := func(c *Config) { c.MaxHistory, c.MaxState = 64<<10, 64<<10 }
	f.Fuzz(func(t *testing.T, text []byte) {
		b := newRemembering(t, exportRules, limits)
		im := b.Import(time.Minute)
		for len(text) > 0 {
			n := min(int(text[0]), len(text)-1)
			if err := im.Record(text[1 : 1+n]); err != nil && !errors.Is(err, ErrRecord) && !errors.Is(err, ErrStateFull) {
				t.Errorf("%q: %v", text[1:1+n], err)
			}
			text = text[1+n:]
		}
		im.Done(true)
		if st := b.Stats(); st.StateBytes > 64<<10 || st.HistoryBytes > 64<<10 || st.HistoryBytes < 0 || st.Sequence > maxSequence {
			t.Errorf("beyond the limits: %+v", st)
		}
		imported(t, exported(t, b), true, exportRules, limits)
		p := connect(t, b)
		p.sub(KindPattern, "*")
		p.recall(KindPattern, "*", Resume{Last: 0})
		p.offset("chat:1", "it works")
	})
}
