//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// messages returns n deliveries to one channel, each with its payload.
func messages(n int) [][]byte {
	var out [][]byte
	for i := range n {
		out = append(out, respDialect.deliver(nil, loadSubscription, appendPayload(nil, 0, i, payloadSize)))
	}
	return out
}

func newSequence(n int) *sequence {
	ring := bytes.Join(messages(n), nil)
	return &sequence{ring: ring, size: len(ring) / n}
}

func TestSequenceVoidsARunWithAnyWrongDelivery(t *testing.T) {
	t.Parallel()
	m := messages(4)
	altered := bytes.Clone(m[1])
	altered[len(altered)-5] ^= 1
	for _, c := range []struct {
		name  string
		given [][]byte
	}{
		{"missing", [][]byte{m[0], m[2]}},
		{"twice", [][]byte{m[0], m[0]}},
		{"swapped", [][]byte{m[1], m[0]}},
		{"altered in its last bytes", [][]byte{m[0], altered}},
		{"another channel's", [][]byte{m[0], bytes.Replace(m[1], []byte("load"), []byte("loaf"), 1)}},
		{"missing at the end of the ring", [][]byte{m[0], m[1], m[2], m[0]}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := newSequence(4).take(bytes.Join(c.given, nil))
			if err == nil || !strings.Contains(err.Error(), "VOID") {
				t.Errorf("got %v, want the run to be void", err)
			}
		})
	}
}

func TestSequenceCountsWholeDeliveriesHoweverTheyAreCut(t *testing.T) {
	t.Parallel()
	stream := bytes.Repeat(bytes.Join(messages(3), nil), 2)
	for size := 1; size < 400; size += 7 {
		s := newSequence(3)
		taken := 0
		for b := stream; len(b) > 0; {
			n := min(size, len(b))
			if err := s.take(b[:n]); err != nil {
				t.Fatalf("pieces of %d bytes: %v", size, err)
			}
			b, taken = b[n:], taken+n
			if got, want := s.count(), taken/s.size; got != want {
				t.Fatalf("pieces of %d bytes, after %d: got %d deliveries, want %d", size, taken, got, want)
			}
		}
	}
}

func TestSequencePassesOverTheServersOwnLinesBetweenDeliveries(t *testing.T) {
	t.Parallel()
	m := messages(2)
	s := newSequence(2)
	for _, piece := range []string{string(m[0]) + "PI", "NG\r", "\n" + string(m[1])} {
		if err := s.take([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if s.count() != 2 {
		t.Errorf("got %d deliveries, want 2", s.count())
	}
	if err := newSequence(2).take([]byte(string(m[0][:20]) + "PING\r\n")); err == nil {
		t.Error("a line inside a delivery was accepted")
	}
}

// mix returns a mixture of two publishers with three messages each, and the
// deliveries "p.n" of order as bytes.
func mix(order string) (*mixture, []byte) {
	rings := make([][]byte, 2)
	for p := range rings {
		for n := range 3 {
			rings[p] = respDialect.deliver(rings[p], loadSubscription, appendPayload(nil, p, n, payloadSize))
		}
	}
	m := &mixture{size: len(rings[0]) / 3, rings: rings, payload: payloadSize, next: make([]int, 2)}
	var stream []byte
	for word := range strings.FieldsSeq(order) {
		var p, n int
		_, _ = fmt.Sscanf(word, "%d.%d", &p, &n) // a literal of this file
		stream = respDialect.deliver(stream, loadSubscription, appendPayload(nil, p, n, payloadSize))
	}
	return m, stream
}

func TestMixtureKeepsEachPublishersOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, order string
		ok          bool
	}{
		{"one after the other", "0.0 0.1 0.2 1.0 1.1 1.2", true},
		{"interleaved, and round again", "1.0 0.0 1.1 1.2 0.1 1.0 0.2", true},
		{"one missing", "0.0 1.0 0.2", false},
		{"one twice", "0.0 1.0 1.0", false},
		{"swapped", "0.1 0.0", false},
		{"from nobody", "0.0 5.0", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for size := 1; size < 300; size += 13 {
				m, stream := mix(c.order)
				var err error
				for b := stream; len(b) > 0 && err == nil; b = b[min(size, len(b)):] {
					err = m.take(b[:min(size, len(b))])
				}
				if (err == nil) != c.ok {
					t.Fatalf("pieces of %d bytes: got %v, want accepted: %v", size, err, c.ok)
				}
				if want := len(strings.Fields(c.order)); c.ok && m.count() != want {
					t.Fatalf("pieces of %d bytes: got %d deliveries, want %d", size, m.count(), want)
				}
			}
		})
	}
}

func TestObjectsCompareChannelAndPayload(t *testing.T) {
	t.Parallel()
	line := func(channel string, n int) string {
		return fmt.Sprintf(`{"msg":%q,"data":%q,"time":1700000000123}`, channel, appendPayload(nil, 0, n, payloadSize))
	}
	for _, c := range []struct {
		name  string
		lines []string
		ok    bool
	}{
		{"in order, with a ping", []string{line(loadChannel, 0), `{"ping":1700000000}`, line(loadChannel, 1)}, true},
		{"one missing", []string{line(loadChannel, 1)}, false},
		{"another channel", []string{line("other", 0)}, false},
		{"cut off", []string{line(loadChannel, 0)[:150]}, false},
		{"an error", []string{`{"err":429}`}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ring := appendPayload(appendPayload(nil, 0, 0, payloadSize), 0, 1, payloadSize)
			o := &objects{head: fmt.Appendf(nil, `{"msg":%q,"data":"`, loadChannel), ring: ring, payload: payloadSize}
			var err error
			for _, l := range c.lines {
				if err = o.line([]byte(l)); err != nil {
					break
				}
			}
			if (err == nil) != c.ok {
				t.Errorf("got %v, want accepted: %v", err, c.ok)
			}
		})
	}
}

func TestFramesSplitLinesHoweverTheBytesAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 70_000)
	stream := []byte("\x81\x03a\nb\x89\x02hi\x81\x7e\x00\xc8" + strings.Repeat("y", 200))
	stream = append(stream, "\x81\x7f\x00\x00\x00\x00\x00\x01\x11\x70"+long...)
	want := []string{"a", "b", "pong \x8a\x82\x00\x00\x00\x00hi", strings.Repeat("y", 200), long}
	for _, size := range []int{1, 2, 3, 5, 1000, len(stream)} {
		var got []string
		f := &frames{
			line: func(b []byte) error { got = append(got, string(b)); return nil },
			pong: func(b []byte) error { got = append(got, "pong "+string(b)); return nil },
		}
		for b := stream; len(b) > 0; b = b[min(size, len(b)):] {
			if err := f.take(b[:min(size, len(b))]); err != nil {
				t.Fatal(err)
			}
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("pieces of %d bytes: got %d parts, want %d", size, len(got), len(want))
		}
	}
}
