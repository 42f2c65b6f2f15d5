package model

import (
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"fanfare/broker"
	"fanfare/internal/conversation"
)

// channels are those that peers publish to. The rules never match d.
var channels = []string{"a:1", "a:2", "b:1", "b:2", "c:1", "d"}

var (
	patterns  = []string{"*", "a:*", "*:1", "b:?", "[ab]:2", "c:*", "__presence__:*", "__occupancy__:*"}
	listeners = append([]string{"__presence__:a:1", "__occupancy__:b:1", "s:1", "s:2"}, channels...)
	globs     = []string{"a:*", "b:*", "*:1", "c:*", "a:1", "*:2"}
)

// steps are what a world may do next; what happens often is there often. Each says
// whether there was something for it to do.
var steps = weighted(map[int][]func(*world) bool{
	24: {(*world).publishOne},
	6:  {(*world).publishSome, (*world).reconnect, (*world).subscribeSome},
	5:  {(*world).join, (*world).unsubscribeSome},
	4:  {(*world).letTimePass, (*world).leave, (*world).askHistory, (*world).cutAndReturn},
	3:  {(*world).disconnect, (*world).erase, (*world).resumeReading, (*world).unretain, (*world).inspect, (*world).askMembers},
	1:  {(*world).storm, (*world).changeRules, (*world).pauseHistory},
	2:  {(*world).stopReading, (*world).stall, (*world).reload, (*world).repeat},
})

func weighted(m map[int][]func(*world) bool) (list []func(*world) bool) {
	for _, n := range []int{24, 6, 5, 4, 3, 2, 1} {
		for _, f := range m[n] {
			for range n {
				list = append(list, f)
			}
		}
	}
	return list
}

func one[T any](w *world, list []T) T { return list[w.rnd.IntN(len(list))] }

func (w *world) chance(percent int) bool { return w.rnd.IntN(100) < percent }

// pick returns a peer that suits, nil if there is none.
func (w *world) pick(suits func(*peer) bool) *peer {
	var list []*peer
	for _, p := range w.peers {
		if suits(p) {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return one(w, list)
}

func (p *peer) ready() bool { return p.link != nil && !p.silent }

// asks says whether the peer may send any command: one that speaks RESP2 and is
// subscribed may not.
func (p *peer) asks() bool { return p.ready() && p.kind != resp2 }

// asker returns a peer that can send commands.
func (w *world) asker() *peer {
	if p := w.pick((*peer).asks); p != nil && w.chance(70) {
		return p
	}
	return w.control
}

func (w *world) someoneSilent() bool {
	return slices.ContainsFunc(w.peers, func(p *peer) bool { return p.silent })
}

// Rules.

func (w *world) someRules() []broker.Rule {
	rules := slices.Clone(stormRules)
	for _, i := range w.rnd.Perm(len(globs))[:1+w.rnd.IntN(4)] {
		rules = append(rules, w.someRule(globs[i]))
	}
	return rules
}

func (w *world) someRule(match string) broker.Rule {
	rule := broker.Rule{
		Match:     match,
		Retain:    one(w, []broker.Retain{broker.RetainFlagged, broker.RetainFlagged, broker.RetainAll, broker.RetainNever}),
		Presence:  w.chance(70),
		Occupancy: w.chance(30),
	}
	if w.chance(75) {
		rule.History = broker.History{Size: one(w, []int{1, 3, 8, 30}), TTL: one(w, []time.Duration{0, 0, 5*time.Second + fraction, 20*time.Second + fraction})}
	}
	if w.chance(25) {
		rule.Slow = broker.SlowConflate
	}
	return rule
}

func (w *world) changeRules() bool {
	rules := w.someRules()
	if w.chance(70) {
		rules = slices.Clone(w.ref.rules)
		i := len(stormRules) + w.rnd.IntN(len(rules)-len(stormRules))
		rules[i] = w.someRule(rules[i].Match)
	}
	w.setRules(rules)
	return true
}

func (w *world) setRules(rules []broker.Rule) {
	w.note("rules %s", describeRules(rules[len(stormRules):]))
	if err := w.node.broker.SetRules(rules); err != nil {
		w.fatalf("rules: %v", err)
	}
	w.ref.setRules(rules)
}

func describeRules(rules []broker.Rule) string {
	var b strings.Builder
	for _, r := range rules {
		fmt.Fprintf(&b, "[%s history %d %v retain %v presence %v occupancy %v %v]", r.Match, r.History.Size, r.History.TTL, r.Retain, r.Presence, r.Occupancy, r.Slow)
	}
	return b.String()
}

// Connections.

func (w *world) connect(p *peer) {
	l, err := w.node.dial(p.kind)
	if err != nil {
		w.fatalf("dial: %v", err)
	}
	p.link, p.subs = l, make(map[subKey]*subscription)
	w.ref.peers = append(w.ref.peers, p)
	switch p.kind {
	case websocket:
		p.reply(want{text: "welcome", check: func(g *got) error {
			if epoch := plain(g.fields["epoch"]); epoch != w.ref.epoch {
				return fmt.Errorf("epoch %q, want %q", epoch, w.ref.epoch)
			}
			p.session = plain(g.fields["welcome"])
			return nil
		}})
	case resp3:
		w.send(p, []string{"HELLO", "3"})
		p.reply(want{text: "hello", check: func(g *got) error {
			if g.value.Kind != '%' {
				return fmt.Errorf("the answer to HELLO is no map")
			}
			return nil
		}})
	case resp2:
	}
	w.settle()
}

// reconnect brings a peer back, which resumes what it was subscribed to.
func (w *world) reconnect() bool {
	p := w.pick(func(p *peer) bool { return p.link == nil })
	if p == nil {
		return false
	}
	w.enter(p)
	return true
}

func (w *world) enter(p *peer) {
	w.note("%v connects", p)
	w.connect(p)
	w.subscribe(p, subscribing{names: []string{p.own()}})
	w.settle()
	if w.chance(20) {
		p.cursors = make(map[subKey]cursor) // somebody new
		return
	}
	for _, key := range sortedKeys(p.cursors) {
		if key.name == p.own() || w.chance(20) || p.subs[key] != nil {
			continue
		}
		r := subscribing{pattern: key.pattern, names: []string{key.name}, since: p.cursors[key], resume: w.chance(90)}
		w.subscribe(p, r)
		if p.kind == resp3 && !key.pattern {
			w.history(p, key.name, r.since, true, 0, false)
		}
		w.settle()
	}
}

func (w *world) disconnect() bool {
	p := w.pick(func(p *peer) bool { return p.link != nil && !p.slow })
	if p == nil {
		return false
	}
	how := "is cut"
	switch {
	case p.silent || w.chance(40):
	case p.kind == websocket:
		how = one(w, []string{"closes", "closes", "goes away"})
	case p.kind == resp3:
		how = "quits"
	}
	w.leaveBy(p, how)
	return true
}

// leaveBy ends a peer's connection.
func (w *world) leaveBy(p *peer, how string) {
	w.note("%v %s", p, how)
	var err error
	switch how {
	case "closes":
		err = p.link.close(1000)
	case "goes away":
		err = p.link.close(1001)
	case "quits":
		err = p.link.send([]string{"QUIT"})
	default:
		err = p.link.conn.Close()
	}
	if err != nil {
		w.fatalf("%v %s: %v", p, how, err)
	}
	synctest.Wait()
	// What came until then was to come.
	p.silent = true
	p.got = append(p.got, p.link.take()...)
	if i := slices.IndexFunc(p.got, func(g got) bool { return g.end || g.text == "+OK" }); i >= 0 {
		p.got = p.got[:i] // behind the reply to QUIT may come what its own end causes
	}
	if err := p.match(); err != nil {
		w.fatalf("%v before its end: %v", p, err)
	}
	w.ref.ended(p, how == "closes" || how == "quits")
	w.hangUp(p)
}

func (w *world) stopReading() bool {
	if w.someoneSilent() {
		return false
	}
	p := w.pick((*peer).ready)
	if p == nil {
		return false
	}
	w.silence(p)
	return true
}

func (w *world) silence(p *peer) {
	w.note("%v stops reading", p)
	p.link.gate(true)
	p.silent, p.queued, p.heavy = true, 0, 0
}

func (w *world) resumeReading() bool {
	p := w.pick(func(p *peer) bool { return p.silent })
	if p == nil {
		return false
	}
	w.note("%v reads again, ended %v", p, p.slow)
	if !p.slow && p.queued > 0 {
		w.seen["silent and lived"]++
	}
	p.link.gate(false)
	p.silent = false
	return true
}

// letTimePass does not when a silent peer is so full that what happens meanwhile
// could end it: the moment would not be known.
func (w *world) letTimePass() bool {
	if w.pick(func(p *peer) bool { return p.silent && p.queued > pushLimit*3/4 }) != nil {
		return false
	}
	d := time.Duration(1+w.rnd.IntN(12)) * time.Second
	w.note("%v pass", d)
	w.ref.pass(d)
	return true
}

// value of a RESP map.
func field(v conversation.Value, name string) conversation.Value {
	for i := 0; i+1 < len(v.Elems); i += 2 {
		if v.Elems[i].Text == name {
			return v.Elems[i+1]
		}
	}
	return conversation.Value{}
}
