package model

import (
	"slices"
	"strconv"
	"time"

	"fanfare/broker"
)

// Episodes are several steps in a row that single ones would rarely make.

// channelOf returns a channel that the peer hears of, preferably one that has a
// history.
func (w *world) channelOf(p *peer) string {
	var list []string
	for _, name := range channels {
		if len(p.matching(name)) > 0 {
			list = append(list, name)
			if w.ref.historyOf(name).Size > 0 {
				list = append(list, name, name, name)
			}
		}
	}
	if len(list) == 0 {
		return one(w, channels)
	}
	return one(w, list)
}

// cutAndReturn cuts a peer and brings it back after it has missed something.
func (w *world) cutAndReturn() bool {
	p := w.pick(func(p *peer) bool { return p.ready() && p.kind != resp2 && len(p.subs) > 1 })
	if p == nil || w.someoneSilent() {
		return false
	}
	var names []string
	for range 3 {
		names = append(names, w.channelOf(p))
	}
	w.leaveBy(p, "is cut")
	w.settle()
	for range w.rnd.IntN(8) {
		other := w.asker()
		w.publish(other, single, w.somePublication(other, one(w, names)))
		w.settle()
	}
	switch w.rnd.IntN(6) {
	case 0:
		w.letTimePass()
	case 1:
		w.erase()
	}
	w.settle()
	w.enter(p)
	return true
}

// pauseHistory lets a peer miss what was published while its channel kept nothing,
// and had members who outlast the pause.
func (w *world) pauseHistory() bool {
	p := w.pick(func(p *peer) bool { return p.ready() && p.kind != resp2 && len(p.subs) > 1 })
	if p == nil || w.someoneSilent() {
		return false
	}
	name := w.channelOf(p)
	i := slices.IndexFunc(w.ref.rules, func(r broker.Rule) bool { return matches(r.Match, name) })
	if i < len(stormRules) || w.ref.rules[i].History.Size == 0 {
		return false
	}
	w.leaveBy(p, "is cut")
	w.settle()
	before := w.ref.rules
	pause := slices.Clone(before)
	pause[i].History = broker.History{}
	w.setRules(pause)
	w.settle()
	if w.chance(70) {
		w.publish(w.control, single, w.somePublication(w.control, name))
		w.settle()
	}
	w.setRules(before)
	w.settle()
	w.enter(p)
	return true
}

// stall lets a peer take nothing while much is published.
func (w *world) stall() bool {
	p := w.pick(func(p *peer) bool { return p.ready() && len(p.subs) > 1 })
	if p == nil || w.someoneSilent() {
		return false
	}
	w.silence(p)
	for range 2 + w.rnd.IntN(20) {
		other := w.pick(func(other *peer) bool { return other.asks() })
		if other == nil || w.chance(50) {
			other = w.control
		}
		w.publish(other, single, w.somePublication(other, w.channelOf(p)))
		w.settle()
	}
	if w.chance(30) {
		w.letTimePass()
		w.settle()
	}
	if p.link != nil && w.chance(70) {
		w.resumeReading()
	}
	return true
}

// reload cuts a member, who is back before anybody has seen it.
func (w *world) reload() bool {
	p := w.pick(func(p *peer) bool { return p.ready() && p.kind == websocket })
	back := w.pick(func(p *peer) bool { return p.ready() && p.kind == resp3 })
	name := one(w, channels)
	if p == nil || back == nil || !w.ref.presence(name) || w.someoneSilent() {
		return false
	}
	p.cork()
	w.joinBrowser(p, name, nil, true)
	p.uncork()
	w.settle()
	member := p.session
	w.leaveBy(p, "is cut")
	w.settle()
	w.ref.pass(time.Duration(w.rnd.IntN(12)) * time.Second)
	w.settle()
	w.note("%v joins %s as %s", back, name, member)
	w.send(back, []string{"PRESENCE", "JOIN", name, member})
	back.cork()
	joined := w.ref.join(back, name, member, nil, 0)
	back.reply(want{text: map[bool]string{true: ":1", false: ":0"}[joined]})
	back.uncork()
	w.settle()
	if w.chance(50) {
		w.ref.pass(time.Duration(w.rnd.IntN(12)) * time.Second)
		w.settle()
	}
	if w.chance(50) {
		w.note("%v leaves %s as %s", back, name, member)
		w.send(back, []string{"PRESENCE", "LEAVE", name, member})
		back.cork()
		left := w.ref.leave(back, name, member)
		back.reply(want{text: map[bool]string{true: ":1", false: ":0"}[left]})
		back.uncork()
	}
	return true
}

// repeat publishes twice by the same key.
func (w *world) repeat() bool {
	p := w.pick(func(p *peer) bool { return p.ready() && p.kind == websocket })
	if p == nil || w.someoneSilent() {
		return false
	}
	key := "twice" + strconv.Itoa(w.payloads)
	pub := w.somePublication(p, w.channelOf(p))
	pub.key, pub.noHistory, pub.id = key, false, p.nextID()
	for range 2 {
		w.publish(p, single, pub)
		w.settle()
		for range w.rnd.IntN(3) {
			w.publish(w.control, single, w.somePublication(w.control, pub.channel))
			w.settle()
		}
		other := w.pick(func(p *peer) bool { return p.ready() && p.kind == websocket })
		p, pub.id = other, other.nextID()
	}
	return true
}
