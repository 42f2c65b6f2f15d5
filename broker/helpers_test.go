package broker

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The tests speak two formats: "plain" can express every channel, "narrow" none
// with a capital letter, and marks its deliveries with an asterisk.
const (
	plain Format = iota
	narrow
)

func testCodecs() []Codec {
	codec := func(name, mark string) Codec {
		return Codec{
			Name: name,
			Prefix: func(dst []byte, k Kind, pattern string) []byte {
				return fmt.Appendf(dst, "%s%s", mark, []string{"", pattern + ">", "shard:"}[k])
			},
			Body: func(dst []byte, m *Message) []byte {
				return fmt.Appendf(dst, "%s=%s", m.Channel, m.Payload)
			},
			Tail: func(dst []byte, _ uint64) []byte { return append(dst, '\n') },
		}
	}
	codecs := []Codec{codec("plain", ""), codec("narrow", "*")}
	codecs[narrow].Accepts = func(channel string) bool { return strings.ToLower(channel) == channel }
	return codecs
}

func newBroker(t testing.TB, change ...func(*Config)) *Broker {
	t.Helper()
	cfg := Config{Codecs: testCodecs(), Workers: 2}
	for _, f := range change {
		f(&cfg)
	}
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// recorder is an Outlet that keeps what is pushed to it, as bytes.
type recorder struct {
	mu      sync.Mutex
	data    bytes.Buffer
	verdict Verdict
	pushes  []push
	keep    bool // retain ranges, as a queue that is not written does
	kept    []Range
	gate    chan struct{} // if not nil, Push waits for it to be closed
	dropped []*Subscription
	reason  Reason
}

func (r *recorder) Push(d *Delivery, sub *Subscription) Verdict {
	if r.gate != nil {
		<-r.gate
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if sub.Ended() {
		return Pushed
	}
	r.data.Write(d.Lead.Bytes())
	r.data.Write(d.Range.Bytes())
	r.pushes = append(r.pushes, push{d.Conflate, d.Range.Messages(), d.Sequence})
	if r.keep {
		d.Range.Retain()
		r.kept = append(r.kept, d.Range)
	}
	return r.verdict
}

// push is what the outlet was told of one delivery.
type push struct {
	conflate bool
	messages int
	sequence uint64
}

func (r *recorder) Flush() {}

func (r *recorder) Drop(s *Subscription) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped = append(r.dropped, s)
}

func (r *recorder) End(reason Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reason = reason
	for _, rg := range r.kept {
		rg.Release()
	}
	r.kept = nil
}

func (r *recorder) Oldest() (uint64, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.kept) == 0 {
		return 0, false
	}
	return r.kept[0].Birth(), true
}

func (r *recorder) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.data.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(r.data.String(), "\n"), "\n")
}

// take returns the lines that came since the last call.
func (r *recorder) take() []string {
	lines := r.lines()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.data.Reset()
	return lines
}

// peer is a session with its recorder.
type peer struct {
	*Session
	*recorder
	t testing.TB
}

func connect(t testing.TB, b *Broker, change ...func(*SessionConfig)) *peer {
	t.Helper()
	r := &recorder{}
	cfg := SessionConfig{Outlet: r}
	for _, f := range change {
		f(&cfg)
	}
	s, err := b.Connect(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &peer{s, r, t}
}

func (p *peer) sub(k Kind, names ...string) []int {
	p.t.Helper()
	_, counts, err := p.Subscribe(k, names, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return counts
}

// pub publishes text and returns the number of deliveries.
func (p *peer) pub(channel, text string) int {
	p.t.Helper()
	return p.publish(&Message{Channel: channel, Payload: []byte(text)})
}

func (p *peer) publish(m *Message) int {
	p.t.Helper()
	batch := p.Batch()
	defer batch.Release()
	if err := batch.Add(m); err != nil {
		p.t.Fatal(err)
	}
	return batch.Commit(nil)[0].Receivers
}

// settle waits until everything published is with the recorders.
func settle(t testing.TB, b *Broker) {
	t.Helper()
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func wantLines(t testing.TB, p *peer, want ...string) {
	t.Helper()
	if got := p.lines(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(prefix, i)
	}
	return names
}

// receivers returns the numbers of receivers of the receipts.
func receivers(receipts []Receipt) []int {
	counts := make([]int, len(receipts))
	for i, r := range receipts {
		counts[i] = r.Receivers
	}
	return counts
}

// told is the format of rememberCodecs that has events, as text.
const told Format = 1

// rememberCodecs are two formats that both show a message's offset.
func rememberCodecs() []Codec {
	codecs := []Codec{testCodecs()[plain], testCodecs()[plain]}
	for f := range codecs {
		codecs[f].Tail = func(dst []byte, offset uint64) []byte {
			if offset > 0 {
				dst = fmt.Appendf(dst, "@%d", offset)
			}
			return append(dst, '\n')
		}
	}
	codecs[told].Event = func(dst []byte, e *Event) []byte {
		dst = fmt.Appendf(dst, "%v %s", e.Verb, e.Channel)
		switch e.Verb {
		case EventJoined, EventUpdated:
			return fmt.Appendf(dst, " %s %s", e.Member.Name, e.Member.Data)
		case EventLeft:
			return fmt.Appendf(dst, " %s", e.Member.Name)
		case EventMembers:
			return fmt.Appendf(dst, " %d", e.Count)
		case EventForgotten:
			return fmt.Appendf(dst, " %d", e.Offsets)
		case EventWithdrawn:
			if e.Denied {
				return append(dst, " denied"...)
			}
		case EventCleared, EventOccupied, EventVacated:
		}
		return dst
	}
	return codecs
}

// newRemembering is newBroker with rules, and with the formats of rememberCodecs.
func newRemembering(t testing.TB, rules []Rule, change ...func(*Config)) *Broker {
	t.Helper()
	return newBroker(t, append([]func(*Config){func(c *Config) {
		c.Codecs, c.Rules = rememberCodecs(), rules
	}}, change...)...)
}

func asTold(c *SessionConfig) { c.Format = told }

func asUser(name string) func(*SessionConfig) {
	return func(c *SessionConfig) { c.Identity.User = name }
}

// receipt publishes one message.
func (p *peer) receipt(m *Message) Receipt {
	p.t.Helper()
	batch := p.Batch()
	defer batch.Release()
	if err := batch.Add(m); err != nil {
		p.t.Fatal(err)
	}
	return batch.Commit(nil)[0]
}

// offset publishes text and returns its offset.
func (p *peer) offset(channel, text string) uint64 {
	p.t.Helper()
	got := p.receipt(&Message{Channel: channel, Payload: []byte(text)})
	if got.Err != nil {
		p.t.Fatal(got.Err)
	}
	return got.Offset
}

// retain publishes a retained text.
func (p *peer) retain(channel, text string, ttl time.Duration) {
	p.t.Helper()
	if got := p.receipt(&Message{Channel: channel, Payload: []byte(text), Retain: true, TTL: ttl}); got.Err != nil {
		p.t.Fatal(got.Err)
	}
}

// recall subscribes to a name and returns what it gets of earlier messages.
func (p *peer) recall(k Kind, name string, r Resume) Recall {
	p.t.Helper()
	at, _, err := p.Subscribe(k, []string{name}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.Recall(k, name, at, r)
}

// leave unsubscribes and waits for the last message.
func (p *peer) leave(k Kind, name string) {
	barrier, _ := p.Unsubscribe(k, []string{name}, nil)
	p.Await(barrier)
}

func (p *peer) page(channel string, q HistoryQuery) HistoryPage {
	p.t.Helper()
	page, err := p.History(channel, q)
	if err != nil {
		p.t.Fatal(err)
	}
	return page
}

// texts are the payloads of messages; retained ones in parentheses.
func texts(messages []Message) []string {
	var list []string
	for i := range messages {
		text := string(messages[i].Payload)
		if messages[i].Retained {
			text = "(" + text + ")"
		}
		list = append(list, text)
	}
	return list
}

func wantTexts(t testing.TB, messages []Message, want ...string) {
	t.Helper()
	if got := texts(messages); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// since is the query of somebody who has seen everything up to the offset.
func since(b *Broker, offset uint64) *Position { return &Position{b.Epoch(), offset} }

// bubble runs f in a synctest bubble with a broker that has rules.
func bubble(t *testing.T, rules []Rule, f func(t *testing.T, b *Broker), change ...func(*Config)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { f(t, newRemembering(t, rules, change...)) })
}

// pass lets the bubble's clock go on by d and everybody settle.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
