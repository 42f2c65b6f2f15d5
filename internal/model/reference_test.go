package model

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"time"

	"fanfare/broker"
)

// reference is what a broker promises, as plain lists.
type reference struct {
	order
	epoch    string
	rules    []broker.Rule
	changed  int // place of the last change of rules
	channels map[string]*channel
	peers    []*peer
	groups   int
	seen     counts
}

// channel is what the reference knows of one.
type channel struct {
	name     string
	history  []*message
	lost     []*message // published and neither kept nor removed on purpose
	last     *message   // of the history, kept or not
	retained *message
	until    time.Time // of the retained message; zero: for ever
	members  map[string]*member
}

func (r *reference) channel(name string) *channel {
	c := r.channels[name]
	if c == nil {
		c = &channel{name: name, members: make(map[string]*member)}
		r.channels[name] = c
	}
	return c
}

// matches is the glob of rules and patterns; the names here have no slashes, so
// that path.Match reads them the same way.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// rule is the first that matches; nil if none does.
func (r *reference) rule(name string) *broker.Rule {
	if strings.HasPrefix(name, "__") {
		return nil
	}
	for i := range r.rules {
		if matches(r.rules[i].Match, name) {
			return &r.rules[i]
		}
	}
	return nil
}

func (r *reference) historyOf(name string) broker.History {
	if rule := r.rule(name); rule != nil {
		return rule.History
	}
	return broker.History{}
}

// group is a number for things that may come in any order.
func (r *reference) group() int {
	r.groups++
	return r.groups
}

// expire forgets what has become too old.
func (r *reference) expire(c *channel) {
	if h := r.historyOf(c.name); h.TTL > 0 {
		for len(c.history) > 0 && c.history[0].time+h.TTL.Milliseconds() <= now() {
			c.lose()
		}
	}
	if !c.until.IsZero() && !c.until.After(time.Now()) {
		c.retained, c.until = nil, time.Time{}
	}
}

func (c *channel) lose() {
	c.lost = append(c.lost, c.history[0])
	c.history = c.history[1:]
}

func now() int64 { return time.Now().UnixMilli() }

// publication is what a peer asks to be published.
type publication struct {
	channel   string
	text      string // of the payload
	object    bool   // JSON object, else a string
	retain    bool
	ttl       time.Duration
	noEcho    bool
	noHistory bool
	key       string
	id        string
}

// payloads are the publication's payload for a Redis client and, as JSON, for a
// browser.
func (p *publication) payloads() (bytes, json string) {
	if p.object {
		s := `{"n":"` + p.text + `"}`
		return s, s
	}
	return p.text, `"` + p.text + `"`
}

// outcome is what a publisher is told.
type outcome struct {
	code      int    // of the error for a browser; 0: none
	text      string // of the error for a Redis client
	message   *message
	repeat    bool
	receivers int
}

// publish publishes for a peer, nil: the node itself. The deliveries are queued
// behind everything that was queued for the peers before.
func (r *reference) publish(from *peer, p *publication) outcome {
	rule := r.rule(p.channel)
	c := r.channel(p.channel)
	r.expire(c)
	retain, records := false, false
	if rule != nil {
		retain = rule.Retain == broker.RetainAll || p.retain && rule.Retain == broker.RetainFlagged
		records = rule.History.Size > 0 && !p.noHistory
	}
	switch {
	case p.key != "" && p.noHistory:
		return outcome{code: 400}
	case p.retain && (rule == nil || rule.Retain == broker.RetainNever):
		return outcome{code: 404, text: "ERR retained messages are disabled for this channel"}
	case p.key != "" && !records:
		return outcome{code: 404}
	}
	for _, m := range c.history {
		if p.key != "" && m.key == p.key {
			r.seen["repeated key"]++
			return outcome{message: m, repeat: true}
		}
	}
	m := &message{channel: p.channel, time: now(), key: p.key, recorded: records}
	m.payload, m.json = p.payloads()
	m.conflate = rule != nil && rule.Slow == broker.SlowConflate
	r.next(m)
	switch {
	case records:
		c.history, c.last = append(c.history, m), m
		for len(c.history) > rule.History.Size {
			c.lose()
		}
	case !p.noHistory:
		c.lost = append(c.lost, m)
	}
	if retain {
		c.retained, c.until = m, time.Time{}
		if p.ttl > 0 {
			c.until = time.Now().Add(p.ttl)
		}
	}
	var except *peer
	if p.noEcho {
		except = from
	}
	return outcome{message: m, receivers: r.deliver(m, except)}
}

// own publishes an event as a message of the node.
func (r *reference) own(name, text string, group int) {
	m := &message{channel: name, payload: text, json: text, time: now()}
	r.next(m)
	r.deliverIn(m, nil, group)
}

func (r *reference) deliver(m *message, except *peer) int { return r.deliverIn(m, except, 0) }

// deliverIn queues the message for everybody who subscribes to it. Those of one
// peer may come in any order.
func (r *reference) deliverIn(m *message, except *peer, group int) (receivers int) {
	if group == 0 {
		group = r.group()
	}
	for _, p := range r.peers {
		if p == except {
			continue
		}
		for _, s := range p.matching(m.channel) {
			receivers++
			w := p.delivery(s, m, false)
			w.group, w.conflate = group, m.conflate
			w.live = !strings.HasPrefix(m.channel, "__") // several of those may have no order among them
			p.live(w)
		}
	}
	return receivers
}

// verdict is an answer that a cursor may get.
type verdict struct {
	recovered bool
	missed    int
}

// recovers returns the answers that are right for a cursor of these channels, of
// which some may have a history.
func (r *reference) recovers(channels []*channel, at cursor, valid bool) []verdict {
	gap := verdict{false, -1}
	if !valid {
		return []verdict{gap}
	}
	lost, exact := 0, at.place > r.changed
	for _, c := range channels {
		size := r.historyOf(c.name).Size
		if size == 0 {
			continue
		}
		r.expire(c)
		n := len(behind(c.lost, at))
		lost += n
		exact = exact && n <= size
	}
	answers := []verdict{{lost == 0, lost}}
	if !exact {
		answers = append(answers, gap)
	}
	return answers
}

// behind returns the messages later than the cursor.
func behind(list []*message, at cursor) []*message {
	var later []*message
	for _, m := range list {
		if m.place > at.place {
			later = append(later, m)
		}
	}
	return later
}

// setRules is a change of rules.
func (r *reference) setRules(rules []broker.Rule) {
	was := make(map[string]*broker.Rule)
	for name := range r.channels {
		r.expire(r.channels[name])
		was[name] = r.rule(name)
	}
	r.rules = rules
	r.changed = r.now()
	group := r.group()
	for _, name := range sortedNames(r.channels) {
		r.refit(r.channels[name], was[name], group)
	}
}

func (r *reference) refit(c *channel, was *broker.Rule, group int) {
	is := r.rule(c.name)
	if is == nil || was == nil || is.Match != was.Match {
		is = &broker.Rule{Retain: broker.RetainNever}
	}
	for len(c.history) > is.History.Size {
		c.lose()
	}
	if is.Retain == broker.RetainNever {
		c.retained, c.until = nil, time.Time{}
	}
	if !is.Presence {
		for _, name := range sortedNames(c.members) {
			r.seen["members dropped by rules"]++
			r.remove(c, name, group)
		}
	}
}

// clear removes everything that a channel keeps.
func (r *reference) clear(name string) (removed int) {
	c := r.channel(name)
	r.expire(c)
	removed = len(c.history)
	if c.retained != nil && !slices.Contains(c.history, c.retained) {
		removed++
	}
	c.history, c.retained, c.until = nil, nil, time.Time{}
	if removed > 0 {
		r.seen["cleared"]++
		r.tell(name, map[string]string{"cleared": name}, true, 0)
	}
	return removed
}

// forget removes messages by their offsets.
func (r *reference) forget(name string, offsets []uint64) (removed int) {
	c := r.channel(name)
	r.expire(c)
	var gone []uint64
	c.history = slices.DeleteFunc(slices.Clone(c.history), func(m *message) bool {
		found := m.offset != 0 && slices.Contains(offsets, m.offset)
		if found {
			gone = append(gone, m.offset)
		}
		return found
	})
	if m := c.retained; m != nil && m.offset != 0 && slices.Contains(offsets, m.offset) {
		c.retained, c.until = nil, time.Time{}
		if !slices.Contains(gone, m.offset) {
			gone = append(gone, m.offset)
		}
	}
	if len(gone) > 0 {
		r.seen["forgotten"]++
		r.tell(name, map[string]string{"forgotten": name, "offsets": joinNumbers(gone)}, true, 0)
	}
	return len(gone)
}

// tell is an event for the browsers that subscribe.
func (r *reference) tell(name string, words map[string]string, patterns bool, group int) {
	if group == 0 {
		group = r.group()
	}
	for _, p := range r.peers {
		if p.protocol() != websocket {
			continue
		}
		for _, s := range p.matching(name) {
			if s.pattern && !patterns {
				continue
			}
			p.live(want{text: s.line(words), sub: s, group: group, size: eventSize})
		}
	}
}

// elements are the elements of a JSON array.
func elements(raw json.RawMessage) []string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return []string{string(raw)}
	}
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = string(list[i])
	}
	return texts
}

// eventSize is less than what any event takes.
const eventSize = 20
