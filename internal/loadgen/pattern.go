//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
)

// shape is a family of patterns that differ in an id, and of channels that
// match the pattern with the right id: they share its literal parts with all
// other patterns and differ from them only late, in the id. The ids are padded so
// that all patterns have one length and all channels another: every delivery of
// a run then has the same size.
type shape struct {
	name    string
	pattern func(id int) string
	channel func(id, n int) string
}

// String shows a pattern of the shape.
func (s shape) String() string {
	if s.name == mixedName {
		return "those of the four other shapes"
	}
	return "`" + s.pattern(matchedID) + "`"
}

var shapes = []shape{
	{
		"user", // user:<id>:*
		func(id int) string { return fmt.Sprintf("user:%013d:*", id) },
		func(id, n int) string { return fmt.Sprintf("user:%013d:ev%05d", id, n) },
	},
	{
		"suffix", // *:<word><id>
		func(id int) string { return fmt.Sprintf("*:alert%013d", id) },
		func(id, n int) string { return fmt.Sprintf("ev%05d:alert%013d", n, id) },
	},
	{
		"typing", // chat.*.<id>.typing
		func(id int) string { return fmt.Sprintf("chat.*.%06d.typing", id) },
		func(id, n int) string { return fmt.Sprintf("chat.rm%05d.%06d.typing", n, id) },
	},
	{
		"infix", // *:id<id>:*
		func(id int) string { return fmt.Sprintf("*:id%014d:*", id) },
		func(id, n int) string { return fmt.Sprintf("r%05d:id%014d:ev", n, id) },
	},
}

const mixedName = "mixed"

// mixed takes the shapes in turn: a quarter of the patterns and of the channels each.
var mixed = shape{
	mixedName,
	func(id int) string { return shapes[id%len(shapes)].pattern(id / len(shapes)) },
	func(id, n int) string { return shapes[n%len(shapes)].channel(id/len(shapes), n) },
}

const (
	// matchedID is the id of the one pattern (mixed: the four) that matches.
	matchedID = 77_776
	// patternChannels is the number of channels that most runs take in turn.
	patternChannels = 64
	// patternHolders is the number of connections that hold the other patterns.
	// Redis 7.0 looks through all patterns of a connection at every PSUBSCRIBE:
	// with a few connections, subscribing would take longer than measuring.
	patternHolders = 40
)

// patterned is one publisher, one subscriber that receives every message
// through one pattern, and a number of patterns that match nothing.
type patterned struct {
	product    product
	shape      shape
	background int
	channels   int // that the publisher takes in turn, at most ringMessages
	warm       int // publishes before the clock starts
	messages   int
	window     int
}

func (p patterned) run(ctx context.Context, l *lab) (figures, error) {
	var out figures
	err := withRig(ctx, l, p.product, func(r *rig) error {
		d := dialectOf(p.product)
		memory, err := p.hold(r, d)
		if err != nil {
			return fmt.Errorf("hold patterns: %w", err)
		}
		commands, ring := p.script(d)
		request, answer := d.psubscribe(0, p.subscriptions(d)...)
		if err := r.subscribe(request, answer, &sequence{ring: ring, size: len(ring) / ringMessages}); err != nil {
			return err
		}
		pub, err := r.addPublisher(d, commands, []int{1}, p.warm, p.window)
		if err != nil {
			return err
		}
		if _, err := r.spend(ctx, []*publisher{pub}, each(p.warm), pub.start); err != nil {
			return fmt.Errorf("warm up: %w", err)
		}
		pub.extend(p.messages / d.unit(p.window))
		u, err := r.spend(ctx, []*publisher{pub}, each(p.warm+p.messages), pub.start)
		out = perDelivery(u, p.messages)
		if p.background > 0 {
			out["bytes"] = float64(memory) / float64(p.background)
		}
		return err
	})
	return out, err
}

// hold subscribes the background patterns from a few connections, which stay
// open and receive nothing. It returns by how much that made the server grow.
func (p patterned) hold(r *rig, d *dialect) (memory int64, err error) {
	before, err := residentBytes(r.server.pid)
	if err != nil {
		return 0, err
	}
	if err := p.holdAll(r, d); err != nil {
		return 0, err
	}
	after, err := residentBytes(r.server.pid)
	return after - before, err
}

func (p patterned) holdAll(r *rig, d *dialect) error {
	for holder := range patternHolders {
		var subs []subscription
		for id := holder; id < p.background; id += patternHolders {
			if !p.matches(id) {
				subs = append(subs, subscription{d.name(p.shape.pattern(id)), len(subs) + 1})
			}
		}
		if len(subs) == 0 {
			continue
		}
		if err := holdOn(r, d, subs); err != nil {
			return err
		}
	}
	return nil
}

// holdOn opens a connection with these patterns.
func holdOn(r *rig, d *dialect, subs []subscription) error {
	w, err := dial(r.server.addr, dialOptions{})
	if err != nil {
		return err
	}
	count := 0
	err = r.greet(w)
	for batch := range slices.Chunk(subs, 500) {
		if err == nil {
			err = w.ask(d.psubscribe(count, batch...))
		}
		count += len(batch)
	}
	if err == nil {
		_, err = r.loop.add(w, unexpected)
	}
	if err != nil {
		w.close()
	}
	return err
}

// unexpected is for connections that must receive nothing.
func unexpected(b []byte) error {
	if string(b) == natsPing {
		return nil
	}
	return fmt.Errorf("VOID: a pattern that matches nothing received %.80q", b)
}

// matches reports whether the pattern with this id matches the run's channels.
func (p patterned) matches(id int) bool {
	if p.shape.name == mixedName {
		return id/len(shapes) == matchedID/len(shapes)
	}
	return id == matchedID
}

// subscriptions are the one subscriber's: all patterns that match.
func (p patterned) subscriptions(d *dialect) []subscription {
	var subs []subscription
	for id := matchedID; p.matches(id); id++ {
		subs = append(subs, subscription{d.name(p.shape.pattern(id)), len(subs) + 1})
	}
	return subs
}

// script returns the publisher's commands and what the subscriber receives.
func (p patterned) script(d *dialect) (commands [][]byte, ring []byte) {
	subs := p.subscriptions(d)
	for n := range ringMessages {
		i := n % p.channels
		channel := d.name(p.shape.channel(matchedID, i))
		payload := appendPayload(nil, 0, n, payloadSize)
		commands = append(commands, d.publish(nil, channel, payload))
		ring = d.pdeliver(ring, subs[i%len(subs)], channel, payload)
	}
	return commands, ring
}
