package broker

import (
	"fmt"
	"testing"
)

// counter is an Outlet that costs nothing: the benchmarks measure the broker.
type counter struct{ bytes int }

func (c *counter) Push(d *Delivery, _ *Subscription) Verdict {
	c.bytes += d.Lead.Len() + d.Range.Len()
	return Pushed
}
func (*counter) Flush()                 {}
func (*counter) Drop(*Subscription)     {}
func (*counter) End(Reason)             {}
func (*counter) Oldest() (uint64, bool) { return 0, false }

func respCodec() Codec {
	return Codec{
		Name: "resp",
		Prefix: func(dst []byte, _ Kind, pattern string) []byte {
			return append(append(dst, "*3\r\n$7\r\nmessage\r\n"...), pattern...)
		},
		Body: func(dst []byte, m *Message) []byte {
			return append(append(append(dst, m.Channel...), m.Payload...), "\r\n"...)
		},
	}
}

func benchBroker(b *testing.B, subscribers, patterns int) (*Broker, *Session) {
	br, err := New(Config{Codecs: []Codec{respCodec()}, Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(br.Close)
	s, err := br.Connect(SessionConfig{Outlet: &counter{}})
	if err != nil {
		b.Fatal(err)
	}
	for range subscribers {
		s, err := br.Connect(SessionConfig{Outlet: &counter{}})
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := s.Subscribe(KindChannel, []string{"chat:lobby"}, nil); err != nil {
			b.Fatal(err)
		}
	}
	names := numbered("user:", patterns)
	for i := range names {
		names[i] += ":*"
	}
	if _, _, err := s.Subscribe(KindPattern, names, nil); err != nil {
		b.Fatal(err)
	}
	return br, s
}

func BenchmarkPublish(b *testing.B) {
	for _, subscribers := range []int{0, 1, 100, 1000} {
		for _, patterns := range []int{0, 100_000} {
			b.Run(fmt.Sprintf("subscribers=%d/patterns=%d", subscribers, patterns), func(b *testing.B) {
				_, s := benchBroker(b, subscribers, patterns)
				payload := make([]byte, 128)
				batch := s.Batch()
				defer batch.Release()
				var receipts []Receipt
				b.ReportAllocs()
				for b.Loop() {
					for range 16 {
						if err := batch.Add(&Message{Channel: "chat:lobby", Payload: payload}); err != nil {
							b.Fatal(err)
						}
					}
					if receipts = batch.Commit(receipts[:0]); !s.HasRoom() {
						s.AwaitRoom()
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/16, "ns/message")
			})
		}
	}
}

func BenchmarkSubscribe(b *testing.B) {
	for _, others := range []int{0, 1000, 100_000} {
		b.Run(fmt.Sprintf("others=%d", others), func(b *testing.B) {
			_, s := benchBroker(b, others, 0)
			names := []string{"chat:lobby"}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := s.Subscribe(KindChannel, names, nil); err != nil {
					b.Fatal(err)
				}
				s.Unsubscribe(KindChannel, names, nil)
			}
		})
	}
}

// The steady state of publishing takes no memory of its own: what a message
// costs does not depend on the garbage collector.
func TestPublishAllocatesNothing(t *testing.T) {
	b := newBroker(t, func(c *Config) { c.Codecs, c.Workers = []Codec{respCodec()}, 1 })
	p := connect(t, b)
	s, err := b.Connect(SessionConfig{Outlet: &counter{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Subscribe(KindPattern, []string{"chat:*"}, nil); err != nil {
		t.Fatal(err)
	}
	batch := p.Batch()
	defer batch.Release()
	m := Message{Channel: "chat:lobby", Payload: make([]byte, 128)}
	receipts := make([]Receipt, 0, 1)
	got := testing.AllocsPerRun(2000, func() {
		if batch.Add(&m) != nil || batch.Commit(receipts)[0].Receivers != 1 {
			t.Fatal("not delivered")
		}
	})
	if got > 0.1 { // chunks and queues that grow are not per message
		t.Errorf("%.2f allocations per message, want none", got)
	}
}

// What remembering costs a publisher: goal ≤ 1.5 times the CPU of a channel that
// remembers nothing.
func BenchmarkPublishRemembered(b *testing.B) {
	rules := map[string][]Rule{
		"nothing":  nil,
		"plain":    {{Match: "other:*", History: History{Size: 100}}},
		"history":  {{Match: "chat:*", History: History{Size: 100}, Retain: RetainNever}},
		"retained": {{Match: "chat:*", Retain: RetainAll}},
		"both":     {{Match: "chat:*", History: History{Size: 100}, Retain: RetainAll}},
	}
	for _, name := range []string{"nothing", "plain", "history", "retained", "both"} {
		b.Run(name, func(b *testing.B) {
			br, s := benchBroker(b, 1, 0)
			if err := br.SetRules(rules[name]); err != nil {
				b.Fatal(err)
			}
			batch := s.Batch()
			defer batch.Release()
			m := Message{Channel: "chat:lobby", Payload: make([]byte, 128)}
			var receipts []Receipt
			b.ReportAllocs()
			for b.Loop() {
				for range 16 {
					if err := batch.Add(&m); err != nil {
						b.Fatal(err)
					}
				}
				if receipts = batch.Commit(receipts[:0]); !s.HasRoom() {
					s.AwaitRoom()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/16, "ns/message")
		})
	}
}
