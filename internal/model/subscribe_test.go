package model

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// subscribing is a request to subscribe.
type subscribing struct {
	pattern    bool
	names      []string
	resume     bool // by the cursor
	since      cursor
	epoch      string // another one than the node's; empty: the node's
	last       int
	noRetained bool
	who        bool
	id         string
}

func sortedKeys[V any](m map[subKey]V) []subKey {
	return slices.SortedFunc(maps.Keys(m), func(a, b subKey) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(strconv.FormatBool(a.pattern), strconv.FormatBool(b.pattern)))
	})
}

func (w *world) subscribeSome() bool {
	p := w.pick((*peer).ready)
	if p == nil {
		return false
	}
	r := subscribing{pattern: w.chance(35)}
	for range 1 + w.rnd.IntN(2) {
		if r.pattern {
			r.names = append(r.names, one(w, patterns))
		} else {
			r.names = append(r.names, one(w, listeners))
		}
	}
	if p.kind == websocket {
		w.someOptions(p, &r)
	}
	w.subscribe(p, r)
	return true
}

func (w *world) someOptions(p *peer, r *subscribing) {
	r.noRetained = w.chance(20)
	if !r.pattern {
		r.who = w.chance(20)
		if w.chance(25) {
			r.last = 1 + w.rnd.IntN(10)
		}
	}
	if key := (subKey{r.pattern, r.names[0]}); w.chance(30) && p.cursors[key].offset > 0 {
		r.resume, r.since = true, p.cursors[key]
		switch w.rnd.IntN(10) {
		case 0:
			r.epoch = "another"
		case 1:
			r.since = cursor{w.ref.now() + 1000, w.head + 1000}
		}
	}
	if w.chance(50) {
		r.id = p.nextID()
	}
}

// subscribe lets a peer subscribe.
func (w *world) subscribe(p *peer, r subscribing) {
	w.note("%v subscribes %+v", p, r)
	if p.kind == websocket {
		w.send(p, []string{r.line(w.ref.epoch)})
	} else {
		w.send(p, append([]string{r.command()}, r.names...))
	}
	p.cork()
	var occupied []string
	for _, name := range r.names {
		key := subKey{r.pattern, name}
		fresh := p.subs[key] == nil
		if fresh {
			if !r.pattern && w.ref.subscribers(name) == 0 {
				occupied = append(occupied, name)
			}
			p.subs[key] = &subscription{subKey: key}
		}
		if p.kind == websocket {
			w.acknowledge(p, &r, key, fresh)
		} else {
			w.acknowledgeRedis(p, key, fresh)
		}
	}
	group := w.ref.group()
	for _, name := range occupied {
		w.ref.occupied(name, "occupied", group)
	}
	p.uncork()
}

func (r *subscribing) command() string {
	if r.pattern {
		return "PSUBSCRIBE"
	}
	return "SUBSCRIBE"
}

func (r *subscribing) verb() string {
	if r.pattern {
		return "psub"
	}
	return "sub"
}

func (r *subscribing) line(epoch string) string {
	var b strings.Builder
	names := fmt.Sprintf("%q", r.names)
	names = strings.ReplaceAll(names, `" "`, `","`)
	if len(r.names) == 1 {
		names = strconv.Quote(r.names[0])
	}
	fmt.Fprintf(&b, `{%q:%s`, r.verb(), names)
	if r.resume {
		fmt.Fprintf(&b, `,"epoch":%q,"offset":%d`, cmp.Or(r.epoch, epoch), r.since.offset)
	}
	if r.last > 0 {
		fmt.Fprintf(&b, `,"last":%d`, r.last)
	}
	if r.noRetained {
		b.WriteString(`,"retained":false`)
	}
	if r.who {
		b.WriteString(`,"who":true`)
	}
	if r.id != "" {
		fmt.Fprintf(&b, `,"id":%s`, r.id)
	}
	return b.String() + "}"
}

// acknowledgeRedis queues the acknowledgement and the retained messages.
func (w *world) acknowledgeRedis(p *peer, key subKey, fresh bool) {
	word := map[bool]string{false: "subscribe", true: "psubscribe"}[key.pattern]
	p.reply(want{text: push(p.kind, word, key.name, ":"+strconv.Itoa(len(p.subs)))})
	if !fresh {
		return
	}
	for _, c := range w.ref.covered(key) {
		if c.retained != nil {
			p.reply(p.delivery(p.subs[key], c.retained, true))
		}
	}
}

// covered are the channels that a subscription may be about, by name.
func (r *reference) covered(key subKey) (list []*channel) {
	for _, name := range sortedNames(r.channels) {
		if key.pattern && matches(key.name, name) || !key.pattern && key.name == name {
			c := r.channels[name]
			r.expire(c)
			list = append(list, c)
		}
	}
	return list
}

// acknowledge queues subbed or psubbed, and once it is known whether the peer has
// recovered, what is replayed.
func (w *world) acknowledge(p *peer, r *subscribing, key subKey, fresh bool) {
	words := map[string]string{r.verb() + "bed": key.name}
	if r.id != "" {
		words["id"] = r.id
	}
	if r.who && w.ref.presence(key.name) {
		words["who"] = w.ref.channel(key.name).who()
	}
	if !fresh {
		p.reply(want{text: line(words)})
		return
	}
	a := ack{w: w, p: p, r: r, key: key, words: words, covered: w.ref.covered(key), place: w.ref.now()}
	a.valid = r.epoch == "" && r.since.place <= a.place
	for _, c := range a.covered {
		a.remembers = a.remembers || w.ref.historyOf(c.name).Size > 0
		a.history = append(a.history, c.history...)
	}
	slices.SortFunc(a.history, func(a, b *message) int { return cmp.Compare(a.place, b.place) })
	for _, c := range a.covered {
		if c.retained != nil {
			a.retained = append(a.retained, c.retained)
		}
	}
	a.verdicts = []verdict{{false, -1}}
	if a.remembers {
		a.verdicts = w.ref.recovers(a.covered, r.since, a.valid)
	} else if r.pattern && a.valid {
		a.verdicts = append(a.verdicts, verdict{true, 0}) // a channel that nobody knows may match
	}
	noHistory := make(map[string]bool)
	for _, c := range a.covered {
		noHistory[c.name] = w.ref.historyOf(c.name).Size == 0
	}
	a.noHistory = noHistory
	sub := p.subs[key]
	p.reply(want{text: line(words), check: a.check, then: func() []want { return a.replay(sub) }})
}

// ack is the acknowledgement of a new subscription as it was promised at its
// moment.
type ack struct {
	w         *world
	p         *peer
	r         *subscribing
	key       subKey
	words     map[string]string
	covered   []*channel
	noHistory map[string]bool
	place     int
	valid     bool // the cursor is one of this node
	remembers bool // some channel has a history
	history   []*message
	retained  []*message
	verdicts  []verdict
	recovered bool // as the broker said
}

func (v verdict) String() string {
	switch {
	case v.recovered && v.missed == 0:
		return "recovered"
	case v.missed > 0:
		return "missed some"
	}
	return "missed unknown"
}

func (a *ack) check(g *got) error {
	words := maps.Clone(a.words)
	if a.r.resume {
		v := verdict{recovered: plain(g.fields["recovered"]) == "true", missed: -2}
		if err := g.number("missed", &v.missed); err != nil {
			return err
		}
		if !slices.Contains(a.verdicts, v) {
			return fmt.Errorf("recovered and missed are %+v, want one of %+v", v, a.verdicts)
		}
		a.recovered = v.recovered
		a.w.seen[v.String()]++
		words["recovered"], words["missed"] = strconv.FormatBool(v.recovered), strconv.Itoa(v.missed)
	}
	if wanted := line(words); wanted != g.text {
		return fmt.Errorf("wanted  %s", wanted)
	}
	if g.offset == 0 {
		if a.remembers {
			return fmt.Errorf("no offset")
		}
		return nil
	}
	if !a.remembers && !a.key.pattern {
		return fmt.Errorf("an offset where there is no history")
	}
	if err := a.w.ref.between(a.place, g.offset); err != nil {
		return err
	}
	a.p.advance(a.key, cursor{a.place, g.offset})
	return nil
}

// replay is what follows the acknowledgement.
func (a *ack) replay(sub *subscription) (list []want) {
	var messages []*message
	switch {
	case a.r.resume && a.valid:
		messages = behind(a.history, a.r.since)
	case a.r.resume:
		messages = a.history
	case a.r.last > 0:
		messages = a.history[max(0, len(a.history)-a.r.last):]
	}
	a.w.seen["replayed"] += len(messages)
	for _, m := range messages {
		list = append(list, a.p.delivery(sub, m, false))
	}
	if a.r.noRetained || a.recovered && !a.key.pattern {
		return list
	}
	for _, m := range a.retained {
		switch {
		case slices.Contains(messages, m):
		case a.key.pattern && a.r.resume && !a.noHistory[m.channel]:
		default:
			a.w.seen["retained"]++
			list = append(list, a.p.delivery(sub, m, true))
		}
	}
	return list
}

func (w *world) unsubscribeSome() bool {
	p := w.pick((*peer).ready)
	if p == nil {
		return false
	}
	keys := slices.DeleteFunc(p.sorted(), func(k subKey) bool { return k.name == p.own() })
	if len(keys) == 0 {
		return false
	}
	key := one(w, keys)
	names := []string{key.name}
	if w.chance(20) {
		names = append(names, "nobody")
	}
	w.unsubscribe(p, key.pattern, names)
	return true
}

// unsubscribe ends subscriptions. What the end causes has no order with the
// acknowledgement.
func (w *world) unsubscribe(p *peer, pattern bool, names []string) {
	w.note("%v unsubscribes %v %v", p, pattern, names)
	verb := map[bool]string{false: "unsub", true: "punsub"}[pattern]
	word := map[bool]string{false: "unsubscribe", true: "punsubscribe"}[pattern]
	group := w.ref.group()
	if p.kind == websocket {
		quoted := strings.ReplaceAll(fmt.Sprintf("%q", names), `" "`, `","`)
		w.send(p, []string{fmt.Sprintf(`{%q:%s}`, verb, quoted)})
	} else {
		w.send(p, append([]string{strings.ToUpper(word)}, names...))
	}
	var vacated []string
	for _, name := range names {
		key := subKey{pattern, name}
		held := p.subs[key] != nil
		delete(p.subs, key)
		if held && !pattern && w.ref.subscribers(name) == 0 {
			vacated = append(vacated, name)
		}
		switch {
		case p.kind != websocket:
			p.reply(want{text: push(p.kind, word, name, ":"+strconv.Itoa(len(p.subs))), group: group})
		case held:
			p.reply(want{text: line(map[string]string{verb + "bed": name}), group: group})
		}
	}
	for _, name := range vacated {
		w.ref.occupied(name, "vacated", group)
	}
}
