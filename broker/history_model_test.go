package broker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// naive is a history as DESIGN describes it, in the simplest way: everything that
// was ever published, with what became of it.
type naive struct {
	size int
	ttl  time.Duration
	all  []naiveMessage
}

type naiveMessage struct {
	offset uint64
	time   int64
	text   string
	key    string
	lost   bool // trimmed or expired
	erased bool // by CLEAR or FORGET
}

func (m *naiveMessage) kept() bool { return !m.lost && !m.erased }

// settle loses what is too old or too much.
func (n *naive) settle(now int64) {
	kept := 0
	for i := len(n.all) - 1; i >= 0; i-- {
		m := &n.all[i]
		if !m.kept() {
			continue
		}
		if kept++; kept > n.size || m.time+n.ttl.Milliseconds() <= now {
			m.lost = true
		}
	}
}

func (n *naive) keyed(key string) (uint64, bool) {
	for i := range n.all {
		if m := &n.all[i]; m.kept() && m.key == key {
			return m.offset, true
		}
	}
	return 0, false
}

// missed counts the lost messages behind the cursor, as far as they are asked for;
// it is not known if more are lost than a history has room for.
func (n *naive) missed(cursor, before uint64) (missed int) {
	if before > 0 && before <= cursor+1 {
		return 0
	}
	all := 0
	for i := range n.all {
		m := &n.all[i]
		if !m.lost || m.offset <= cursor {
			continue
		}
		if all++; before == 0 || m.offset < before {
			missed++
		}
	}
	if all > n.size {
		return -1
	}
	return missed
}

func (n *naive) texts(q *HistoryQuery, from uint64) []string {
	var list []string
	for i := range n.all {
		m := &n.all[i]
		if m.kept() && m.offset > from && (q.Before == 0 || m.offset < q.Before) {
			list = append(list, m.text)
		}
	}
	if q.Count == 0 || len(list) <= q.Count {
		return list
	}
	if q.Since != nil {
		return list[:q.Count]
	}
	return list[len(list)-q.Count:]
}

// walk is the state of the random test.
type walk struct {
	t      *testing.T
	b      *Broker
	p      *peer
	rnd    *rand.Rand
	models map[string]*naive
	head   uint64 // of the log
}

// TestHistoryDoesAsANaiveOne publishes, erases, waits and asks at random.
func TestHistoryDoesAsANaiveOne(t *testing.T) {
	const ttl = time.Minute
	rules := []Rule{
		{Match: "one", History: History{Size: 1, TTL: ttl}},
		{Match: "seven", History: History{Size: 7, TTL: ttl}},
		{Match: "forty", History: History{Size: 40, TTL: ttl}},
	}
	bubble(t, rules, func(t *testing.T, b *Broker) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		w := walk{t: t, b: b, p: connect(t, b), rnd: rand.New(rand.NewPCG(seed, 1)), models: map[string]*naive{}}
		for i := range rules {
			w.models[rules[i].Match] = &naive{size: rules[i].History.Size, ttl: ttl}
		}
		for i := range 3000 {
			w.step(i)
			if t.Failed() {
				t.Fatalf("at step %d", i)
			}
		}
	})
}

func (w *walk) step(i int) {
	channel := []string{"one", "seven", "forty"}[w.rnd.IntN(3)]
	n := w.models[channel]
	switch w.rnd.IntN(20) {
	case 0:
		pass(time.Duration(w.rnd.IntN(100)) * time.Second / 2)
	case 1, 2:
		w.erase(channel, n)
	case 3:
		w.p.pub("plain", "between")
		w.head++
	case 4, 5, 6, 7, 8, 9, 10, 11, 12:
		w.publish(channel, n, i)
	default:
		w.ask(channel, n)
	}
	for _, n := range w.models {
		n.settle(now())
	}
}

func (w *walk) publish(channel string, n *naive, i int) {
	n.settle(now())
	m := Message{Channel: channel, Payload: fmt.Append(nil, i), From: []string{"", "ann"}[w.rnd.IntN(2)]}
	if w.rnd.IntN(3) == 0 {
		m.Key = fmt.Sprint(w.rnd.IntN(20))
	}
	m.NoHistory = m.Key == "" && w.rnd.IntN(5) == 0
	key := ""
	if m.Key != "" {
		key = m.From + "/" + m.Key
		if first, known := n.keyed(key); known {
			if got := w.p.receipt(&m); got != (Receipt{Offset: first}) {
				w.t.Errorf("repeat in %s: got %+v, want offset %d", channel, got, first)
			}
			return
		}
	}
	w.head++
	want := w.head
	if m.NoHistory {
		want = 0
	} else {
		n.all = append(n.all, naiveMessage{offset: w.head, time: now(), text: fmt.Sprint(i), key: key})
	}
	if got := w.p.receipt(&m); got.Offset != want || got.Err != nil {
		w.t.Errorf("publish in %s: got %+v, want offset %d", channel, got, want)
	}
}

func (w *walk) erase(channel string, n *naive) {
	n.settle(now())
	var offsets []uint64
	want, all := 0, w.rnd.IntN(4) == 0
	for i := range n.all {
		m := &n.all[i]
		if !all && (len(n.all)-i > 60 || w.rnd.IntN(8) > 0) {
			continue
		}
		offsets = append(offsets, m.offset)
		if m.kept() {
			m.erased = true
			want++
		}
	}
	w.rnd.Shuffle(len(offsets), func(i, j int) { offsets[i], offsets[j] = offsets[j], offsets[i] })
	erase := func() (int, error) { return w.p.Forget(channel, offsets) }
	if all {
		erase = func() (int, error) { return w.p.Clear(channel) }
	}
	before := w.b.Now().Offset()
	if got, err := erase(); got != want || err != nil {
		w.t.Errorf("erase in %s: got %d, %v, want %d", channel, got, err, want)
	}
	w.head += w.b.Now().Offset() - before // an event has a place in the order too
}

func (w *walk) ask(channel string, n *naive) {
	n.settle(now())
	place := func() uint64 {
		back := uint64(w.rnd.IntN(120))
		return w.head + 2 - min(back, w.head+2)
	}
	var q HistoryQuery
	recovered, missed, from := true, 0, uint64(0)
	if w.rnd.IntN(4) == 0 {
		q.Before = place()
	}
	if w.rnd.IntN(3) > 0 {
		q.Since = since(w.b, place())
		switch missed = n.missed(q.Since.Offset, q.Before); {
		case q.Since.Offset > w.head:
			recovered, missed = false, -1
		case missed != 0:
			recovered = false
		default:
			from = q.Since.Offset
		}
	}
	if w.rnd.IntN(3) == 0 {
		q.Count = 1 + w.rnd.IntN(8)
	}
	page := w.p.page(channel, q)
	if page.Recovered != recovered || page.Missed != missed {
		w.t.Errorf("%s since %d: got %v, missed %d; want %v, %d", channel, q.Since.Offset, page.Recovered, page.Missed, recovered, missed)
	}
	if got, want := texts(page.Messages), n.texts(&q, from); !slices.Equal(got, want) {
		w.t.Errorf("%s, %+v:\ngot  %q\nwant %q", channel, q, got, want)
	}
	w.account()
}

// account checks the bytes that the node says it keeps.
func (w *walk) account() {
	want := int64(0)
	w.b.memory.each(func(_ locked, k *kept) {
		for i := range k.history.entries.n {
			want += k.history.entries.at(i).size()
		}
		keys := 0
		for i := range k.history.entries.n {
			if k.history.entries.at(i).key > 0 {
				keys++
			}
		}
		want += lostBytes * int64(k.history.lost.n)
		if k.history.entries.n > 0 {
			want += keptBytes + int64(len(k.name))
		}
		if len(k.history.keys) != keys {
			w.t.Errorf("%s: %d keys are known, %d are kept", k.name, len(k.history.keys), keys)
		}
	})
	if got := w.b.Stats().HistoryBytes; got != want {
		w.t.Errorf("bytes: got %d, want %d", got, want)
	}
}
