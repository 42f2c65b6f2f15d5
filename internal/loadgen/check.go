//go:build linux

package main

import (
	"bytes"
	"fmt"
)

// checker compares what one subscriber receives with what it must receive.
type checker interface {
	count() int // whole deliveries so far
}

// sequence checks a stream that is known in full: the deliveries of one
// publisher in order, repeating ring. All deliveries have the same size.
type sequence struct {
	ring []byte // shared by all subscribers; read only
	size int    // of one delivery
	pos  int    // in ring
	done int    // whole rounds of ring
	skip bool   // inside a line of the server's own (dialect.chatter)
}

func (s *sequence) take(b []byte) error {
	for len(b) > 0 {
		if s.skip {
			b, s.skip = skipLine(b)
			continue
		}
		n := min(len(b), len(s.ring)-s.pos)
		if !bytes.Equal(b[:n], s.ring[s.pos:s.pos+n]) {
			if n = s.common(b[:n]); (s.pos+n)%s.size != 0 || b[n] != 'P' {
				s.pos += n
				return s.wrong(b[n:])
			}
			s.skip = true
		}
		b = b[n:]
		if s.pos += n; s.pos == len(s.ring) {
			s.pos = 0
			s.done++
		}
	}
	return nil
}

// skipLine passes over the rest of a line between two deliveries; inside: it
// has not ended yet.
func skipLine(b []byte) (rest []byte, inside bool) {
	_, rest, ended := bytes.Cut(b, []byte{'\n'})
	return rest, !ended
}

// common returns how many bytes of b are as expected.
func (s *sequence) common(b []byte) int {
	for i, c := range b {
		if c != s.ring[s.pos+i] {
			return i
		}
	}
	return len(b)
}

// wrong describes the first difference, which is at b[0] and pos.
func (s *sequence) wrong(b []byte) error {
	return fmt.Errorf("VOID: delivery %d is missing, altered or out of place: from its byte %d on got %.60q…, want %.60q…", s.count(), s.pos%s.size, b, s.ring[s.pos:])
}

func (s *sequence) count() int {
	return s.done*(len(s.ring)/s.size) + s.pos/s.size
}

// mixture checks the deliveries of several publishers on one connection: each
// publisher's messages in order, those of different publishers in any. All
// deliveries have the same size and end with the payload and a line end.
type mixture struct {
	size    int       // of one delivery
	payload int       // bytes of one payload
	rings   [][]byte  // by publisher: deliveries, one after the other; shared, read only
	orders  [][]int32 // by publisher: which of them this subscriber gets; nil: all
	next    []int     // by publisher: how many have arrived
	rest    []byte    // of an incomplete delivery
	skip    bool      // inside a line of the server's own (dialect.chatter)
	total   int
}

func (m *mixture) take(b []byte) error {
	for len(b) > 0 {
		switch {
		case m.skip:
			b, m.skip = skipLine(b)
		case len(m.rest) == 0 && b[0] == 'P':
			m.skip = true
		case len(m.rest) == 0 && len(b) >= m.size:
			if err := m.one(b[:m.size]); err != nil {
				return err
			}
			b = b[m.size:]
		default:
			n := min(len(b), m.size-len(m.rest))
			m.rest = append(m.rest, b[:n]...)
			b = b[n:]
			if err := m.joined(); err != nil {
				return err
			}
		}
	}
	return nil
}

// joined checks what was collected from several pieces, if it is complete.
func (m *mixture) joined() error {
	if len(m.rest) < m.size {
		return nil
	}
	err := m.one(m.rest)
	m.rest = m.rest[:0]
	return err
}

func (m *mixture) one(delivery []byte) error {
	p := payloadPublisher(delivery[m.size-len("\r\n")-m.payload:])
	if p < 0 || p >= len(m.rings) {
		return fmt.Errorf("VOID: delivery %d is from nobody: %.80q", m.total, delivery)
	}
	if want := m.expected(p); !bytes.Equal(delivery, want) {
		return fmt.Errorf("VOID: delivery %d of publisher %d is missing, altered or out of place: got %.80q, want %.80q", m.next[p], p, delivery, want)
	}
	m.next[p]++
	m.total++
	return nil
}

// expected returns the delivery that must be publisher p's next.
func (m *mixture) expected(p int) []byte {
	n := m.next[p] % (len(m.rings[p]) / m.size)
	if m.orders != nil {
		if len(m.orders[p]) == 0 {
			return nil
		}
		n = int(m.orders[p][m.next[p]%len(m.orders[p])])
	}
	return m.rings[p][n*m.size : (n+1)*m.size]
}

func (m *mixture) count() int { return m.total }

// objects checks the JSON lines of a WebSocket subscriber: one publisher, in
// order. The line's time is the server's and is not compared.
type objects struct {
	head    []byte // {"msg":"<channel>","data":"
	ring    []byte // payloads, one after the other; shared
	payload int
	total   int
}

func (o *objects) line(b []byte) error {
	if bytes.HasPrefix(b, []byte(`{"ping":`)) {
		return nil
	}
	at := o.total * o.payload % len(o.ring)
	want := o.ring[at : at+o.payload]
	rest, ok := bytes.CutPrefix(b, o.head)
	if !ok || !bytes.HasPrefix(rest, want) || !bytes.HasPrefix(rest[len(want):], []byte(`"`)) || b[len(b)-1] != '}' {
		return fmt.Errorf("VOID: delivery %d is missing, altered or out of place: got %.120q, want data %.60q", o.total, b, want)
	}
	o.total++
	return nil
}

func (o *objects) count() int { return o.total }
