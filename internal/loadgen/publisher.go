//go:build linux

package main

import (
	"bytes"
	"fmt"
	"slices"
)

// publisher is one connection that publishes, holding at most a window of
// publishes without an answer.
type publisher struct {
	loop *loop
	peer *peer

	ring    []byte   // the commands, unit after unit; repeated
	unit    int      // bytes of one unit
	answers []string // what a unit may be answered with
	chatter string   // a line that answers nothing
	window  int      // units
	total   int      // units to send in all
	paced   bool     // somebody else decides when to send

	sent, answered int
	rest           []byte // of an incomplete answer
}

// start sends the first window.
func (p *publisher) start() error {
	return p.send(min(p.window, p.total-p.sent))
}

// send sends the next n units.
func (p *publisher) send(n int) error {
	for n > 0 {
		at := p.sent * p.unit % len(p.ring)
		k := min(n, (len(p.ring)-at)/p.unit)
		if err := p.loop.send(p.peer, p.ring[at:at+k*p.unit]); err != nil {
			return err
		}
		p.sent += k
		n -= k
	}
	return nil
}

// received checks answers and sends as many further units.
func (p *publisher) received(b []byte) error {
	if len(p.rest) > 0 {
		p.rest = append(p.rest, b...)
		b = p.rest
	}
	answers := 0
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			break
		}
		line := string(b[:end+1])
		b = b[end+1:]
		switch {
		case slices.Contains(p.answers, line):
			p.answered++
			answers++
		case line != p.chatter:
			return fmt.Errorf("VOID: answer %d to the publisher is %q, want %q", p.answered, line, p.answers)
		}
	}
	p.rest = append(p.rest[:0], b...)
	if p.paced {
		return nil
	}
	return p.send(min(answers, p.total-p.sent))
}

// extend adds units to what is to be published.
func (p *publisher) extend(units int) { p.total += units }

// done reports whether everything was published and answered.
func (p *publisher) done() bool { return p.answered == p.total }

// addPublisher connects a publisher of total messages, a window of them in
// flight, in the dialect of the server.
func (r *rig) addPublisher(d *dialect, commands [][]byte, receivers []int, total, window int) (*publisher, error) {
	w, err := dial(r.server.addr, dialOptions{})
	if err != nil {
		return nil, err
	}
	if err := r.greet(w); err != nil {
		w.close()
		return nil, err
	}
	n := d.unit(window)
	p := &publisher{loop: r.loop, window: max(1, window/n), total: total / n, chatter: d.chatter}
	for i, c := range commands {
		p.ring = append(p.ring, c...)
		if (i+1)%n == 0 {
			p.ring = append(p.ring, d.unitEnd...)
		}
	}
	p.unit = len(p.ring) / (len(commands) / n)
	for _, count := range receivers {
		p.answers = append(p.answers, d.answer(count))
	}
	if p.peer, err = r.loop.add(w, p.received); err != nil {
		w.close()
		return nil, err
	}
	return p, nil
}
