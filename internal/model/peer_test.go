package model

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"fanfare/internal/conversation"
)

// subKey names a subscription.
type subKey struct {
	pattern bool
	name    string
}

// subscription is one of a connected peer.
type subscription struct {
	subKey
	newest int // place of the latest live delivery
}

// peer is somebody who connects, is cut, and comes back.
type peer struct {
	number  int
	kind    protocol
	order   *order
	link    *link // nil: not connected
	session string
	silent  bool // does not read
	slow    bool // was ended as slow
	subs    map[subKey]*subscription
	cursors map[subKey]cursor
	asked   int // ids given
	// what the peer is to receive: replies and deliveries in order
	wants []want
	// while requests are executed deliveries wait for the replies
	corked  bool
	held    []want
	got     []got
	leftOut int // deliveries, by conflation
	newest  int // place of the latest conflated delivery of a channel's own subscription
	queued  int // bytes of wants since the peer fell silent, at least
	heavy   int // the same without what may be conflated
}

// want is one thing that a peer is to receive.
type want struct {
	text     string
	message  *message // whose offset is carried
	place    int      // of the message that is delivered
	sub      *subscription
	live     bool             // in the order of the subscription
	conflate bool             // may be left out for a later one of sub
	group    int              // may come in any order among those of the group
	check    func(*got) error // instead of text
	then     func() []want    // what follows, known once this has come
	size     int
}

func (p *peer) protocol() protocol { return p.kind }

func (p *peer) String() string { return fmt.Sprintf("%v#%d", p.kind, p.number) }

// own is a channel that only this peer subscribes to: whether it still does tells
// whether its session lives.
func (p *peer) own() string { return fmt.Sprintf("peer-%d", p.number) }

func (p *peer) sorted() []subKey {
	return slices.SortedFunc(maps.Keys(p.subs), func(a, b subKey) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(strconv.FormatBool(a.pattern), strconv.FormatBool(b.pattern)))
	})
}

// matching returns the peer's subscriptions that a channel's messages go to.
func (p *peer) matching(channel string) (list []*subscription) {
	for _, key := range p.sorted() {
		if key.pattern && matches(key.name, channel) || !key.pattern && key.name == channel {
			list = append(list, p.subs[key])
		}
	}
	return list
}

// reply queues a reply, live a delivery.
func (p *peer) reply(list ...want) { p.wants = append(p.wants, list...) }

func (p *peer) live(w want) {
	p.queued += w.size + overhead
	if !w.conflate {
		p.heavy += w.size
	}
	if p.corked {
		p.held = append(p.held, w)
		return
	}
	p.wants = append(p.wants, w)
}

// overhead is more than what a delivery takes besides its payload.
const overhead = 300

func (p *peer) cork() { p.corked = true }

func (p *peer) uncork() {
	p.wants = append(p.wants, p.held...)
	p.corked, p.held = false, nil
}

// line is an event as a subscription gets it.
func (s *subscription) line(words map[string]string) string {
	if s.pattern {
		words = maps.Clone(words)
		words["via"] = s.name
	}
	return line(words)
}

// delivery is a message as a subscription gets it.
func (p *peer) delivery(s *subscription, m *message, retained bool) want {
	w := want{sub: s, size: len(m.payload), place: m.place}
	if p.kind != websocket {
		if s.pattern {
			w.text = push(p.kind, "pmessage", s.name, m.channel, m.payload)
		} else {
			w.text = push(p.kind, "message", m.channel, m.payload)
		}
		return w
	}
	words := map[string]string{"msg": m.channel, "data": plain([]byte(m.json)), "time": strconv.FormatInt(m.time, 10)}
	if retained {
		words["retained"] = "true"
	}
	w.text = s.line(words)
	if m.recorded {
		w.message = m
	}
	return w
}

// push is a RESP push of words; numbers are written as ":1".
func push(p protocol, words ...string) string {
	if p == resp2 {
		return tree('*', words...)
	}
	return tree('>', words...)
}

// failure is an error reply.
func failure(text string) string { return conversation.Value{Kind: '-', Text: text}.String() }

func tree(kind byte, words ...string) string {
	v := conversation.Value{Kind: kind}
	for _, word := range words {
		e := conversation.Value{Kind: '$', Text: word}
		if number, ok := strings.CutPrefix(word, ":"); ok {
			e = conversation.Value{Kind: ':', Text: number}
		}
		v.Elems = append(v.Elems, e)
	}
	return v.String()
}

// match takes what has come for what was to come. All of it must have, unless
// the peer is silent or was ended as slow.
func (p *peer) match() error {
	for len(p.got) > 0 {
		g := &p.got[0]
		if g.end {
			return p.endedBy(g)
		}
		if err := p.consume(g); err != nil {
			return fmt.Errorf("%w\ngot     %s", err, describe(g))
		}
		p.got = p.got[1:]
	}
	if len(p.wants) > 0 && !p.silent {
		return fmt.Errorf("did not come: %s", shorten(p.wants[0].text))
	}
	return nil
}

// endedBy is match for the end of the connection.
func (p *peer) endedBy(g *got) error {
	if !p.slow {
		return fmt.Errorf("the connection has ended: %s", g.text)
	}
	if p.kind == websocket && g.code != 0 && g.code != 4507 {
		return fmt.Errorf("close code %d, want 4507", g.code)
	}
	p.got, p.wants = nil, nil
	return nil
}

func (p *peer) consume(g *got) error {
	if i := slices.IndexFunc(p.wants, func(w want) bool { return w.conflate && w.text == g.text }); i >= 0 {
		return p.consumeConflated(i, g)
	}
	i := slices.IndexFunc(p.wants, func(w want) bool { return !w.conflate })
	if i < 0 {
		return fmt.Errorf("nothing was to come")
	}
	first := p.wants[i]
	for ; i < len(p.wants) && p.wants[i].group == first.group; i++ {
		if w := &p.wants[i]; !w.conflate && w.check == nil && w.text == g.text {
			return p.arrived(i, g)
		}
		if first.group == 0 {
			break
		}
	}
	if first.check != nil {
		return p.arrived(slices.IndexFunc(p.wants, func(w want) bool { return !w.conflate }), g)
	}
	return fmt.Errorf("wanted  %s", shorten(first.text))
}

// consumeConflated is consume for a delivery that others may have given way to.
func (p *peer) consumeConflated(i int, g *got) error {
	w := p.wants[i]
	skipped := 0
	p.wants = slices.DeleteFunc(slices.Clone(p.wants), func(o want) bool {
		if o.conflate && o.sub == w.sub && o.place < w.place {
			skipped++
			return true
		}
		return false
	})
	if p.kind == websocket && skipped != g.skipped {
		return fmt.Errorf("%d were left out before it, and %d are said to be", skipped, g.skipped)
	}
	p.leftOut += skipped
	g.skipped = 0
	if !w.sub.pattern {
		if w.place < p.newest {
			return fmt.Errorf("a later conflated message came before it")
		}
		p.newest = w.place
	}
	return p.arrived(slices.IndexFunc(p.wants, func(o want) bool { return o.conflate && o.text == g.text && o.sub == w.sub }), g)
}

// arrived checks the rest of what has come, and takes note of it.
func (p *peer) arrived(i int, g *got) error {
	w := p.wants[i]
	p.wants = slices.Delete(slices.Clone(p.wants), i, i+1)
	if w.check != nil {
		if err := w.check(g); err != nil {
			return err
		}
	} else if err := p.checkOffset(&w, g); err != nil {
		return err
	}
	if w.live {
		if w.place < w.sub.newest {
			return fmt.Errorf("a later message of the subscription came before it")
		}
		w.sub.newest = w.place
	}
	if g.skipped != 0 {
		return fmt.Errorf("%d are said to be left out", g.skipped)
	}
	if w.then != nil {
		p.wants = append(w.then(), p.wants...)
	}
	return nil
}

func (p *peer) checkOffset(w *want, g *got) error {
	switch {
	case w.message == nil && g.offset != 0:
		return fmt.Errorf("offset %d of something that has none", g.offset)
	case w.message == nil || p.kind != websocket:
		return nil
	case g.offset == 0:
		return fmt.Errorf("no offset")
	}
	if err := p.order.saw(w.message, g.offset); err != nil {
		return err
	}
	if w.sub != nil {
		p.advance(w.sub.subKey, cursor{w.message.place, g.offset})
	}
	return nil
}

// advance moves the cursor of a subscription.
func (p *peer) advance(key subKey, c cursor) {
	if c.place > p.cursors[key].place {
		p.cursors[key] = c
	}
}

func describe(g *got) string {
	return shorten(fmt.Sprintf("%s offset=%d skipped=%d", g.text, g.offset, g.skipped))
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func joinNumbers(list []uint64) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.FormatUint(n, 10)
	}
	slices.Sort(words) // as texts, in no order that matters
	return strings.Join(words, ",")
}
