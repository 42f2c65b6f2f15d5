package broker

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
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
	keep    bool // retain ranges, as a queue that is not written does
	kept    []Range
	gate    chan struct{} // if not nil, Push waits for it to be closed
	dropped []*Subscription
	reason  Reason
}

func (r *recorder) Push(lead, rg Range, sub *Subscription) Verdict {
	if r.gate != nil {
		<-r.gate
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if sub.Ended() {
		return Pushed
	}
	r.data.Write(lead.Bytes())
	r.data.Write(rg.Bytes())
	if r.keep {
		rg.Retain()
		r.kept = append(r.kept, rg)
	}
	return r.verdict
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
	counts, err := p.Subscribe(k, names, nil)
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
	return batch.Commit(nil)[0]
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
