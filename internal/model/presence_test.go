package model

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"fanfare/internal/conversation"
)

// join makes a browser a member, or a Redis client somebody, perhaps by a lease.
func (w *world) join() bool {
	p := w.asker()
	if p == w.control && w.chance(70) {
		return false
	}
	name := one(w, channels)
	w.joins++
	var data *string
	if w.chance(60) {
		text := fmt.Sprintf(`"d%d"`, w.joins)
		if w.chance(50) {
			text = fmt.Sprintf(`{"d":%d}`, w.joins)
		}
		if w.chance(20) {
			text = fmt.Sprintf(`"same for %v"`, p.kind) // text and JSON are different data
		}
		data = &text
	}
	allowed := w.ref.presence(name)
	p.cork()
	defer p.uncork()
	if p.kind == websocket {
		w.joinBrowser(p, name, data, allowed)
		return true
	}
	who := w.someMember(name)
	command := []string{"PRESENCE", "JOIN", name, who}
	if data != nil {
		command = append(command, "DATA", plain([]byte(*data)))
	}
	lease := time.Duration(0)
	if w.chance(50) || p == w.control {
		lease = time.Duration(1+w.rnd.IntN(15))*time.Second + fraction
		command = append(command, "PX", strconv.FormatInt(lease.Milliseconds(), 10))
	}
	w.note("%v asks %v", p, command)
	w.send(p, command)
	if !allowed {
		p.reply(want{text: failure("ERR presence is not enabled for this channel")})
		return true
	}
	joined := w.ref.join(p, name, who, data, lease)
	p.reply(want{text: map[bool]string{true: ":1", false: ":0"}[joined]})
	return true
}

func (w *world) joinBrowser(p *peer, name string, data *string, allowed bool) {
	id := p.nextID()
	text := ""
	if data != nil {
		text = `,"data":` + *data
	}
	w.note("%v joins %s %s", p, name, text)
	w.send(p, []string{fmt.Sprintf(`{"join":%q%s,"id":%s}`, name, text, id)})
	if !allowed {
		p.reply(p.refusal(404, "join", name, id))
		return
	}
	w.ref.join(p, name, p.session, data, 0)
	p.reply(want{text: line(map[string]string{"ok": id})})
}

// someMember is a name, sometimes that of a browser or of somebody who is there.
func (w *world) someMember(channel string) string {
	if there := sortedNames(w.ref.channel(channel).members); len(there) > 0 && w.chance(40) {
		return one(w, there)
	}
	if p := w.pick(func(p *peer) bool { return p.kind == websocket && p.session != "" }); p != nil && w.chance(30) {
		return p.session
	}
	return one(w, []string{"ann", "bob", "cleo"})
}

func (w *world) leave() bool {
	p := w.asker()
	name := one(w, channels)
	allowed := w.ref.presence(name)
	p.cork()
	defer p.uncork()
	if p.kind == websocket {
		id := p.nextID()
		w.note("%v leaves %s", p, name)
		w.send(p, []string{fmt.Sprintf(`{"leave":%q,"id":%s}`, name, id)})
		if !allowed {
			p.reply(p.refusal(404, "leave", name, id))
			return true
		}
		w.ref.leave(p, name, p.session)
		p.reply(want{text: line(map[string]string{"ok": id})})
		return true
	}
	who := w.someMember(name)
	members := w.ref.channel(name).members
	held := slices.DeleteFunc(sortedNames(members), func(who string) bool { return !members[who].sessions[p] })
	if len(held) > 0 && w.chance(70) {
		who = one(w, held)
	}
	w.note("%v lets %s leave %s", p, who, name)
	w.send(p, []string{"PRESENCE", "LEAVE", name, who})
	if !allowed {
		p.reply(want{text: failure("ERR presence is not enabled for this channel")})
		return true
	}
	left := w.ref.leave(p, name, who)
	p.reply(want{text: map[bool]string{true: ":1", false: ":0"}[left]})
	return true
}

// askMembers asks who is there.
func (w *world) askMembers() bool {
	p := w.asker()
	name := one(w, channels)
	c := w.ref.channel(name)
	w.note("%v asks who is in %s", p, name)
	if p.kind == websocket {
		id := p.nextID()
		w.send(p, []string{fmt.Sprintf(`{"who":%q,"id":%s}`, name, id)})
		if !w.ref.presence(name) {
			p.reply(p.refusal(404, "who", name, id))
			return true
		}
		p.reply(want{text: line(map[string]string{"ok": id, "who": c.who()})})
		return true
	}
	w.send(p, []string{"PRESENCE", "LIST", name}, []string{"PRESENCE", "COUNT", name})
	if !w.ref.presence(name) {
		p.reply(want{text: failure("ERR presence is not enabled for this channel")}, want{text: failure("ERR presence is not enabled for this channel")})
		return true
	}
	v := conversation.Value{Kind: '%'}
	if p.kind == resp2 {
		v.Kind = '*'
	}
	for _, who := range sortedNames(c.members) {
		data := conversation.Value{Kind: '_'}
		if d := c.members[who].data; d != nil {
			data = conversation.Value{Kind: '$', Text: plain([]byte(*d))}
		}
		v.Elems = append(v.Elems, conversation.Value{Kind: '$', Text: who}, data)
	}
	p.reply(want{text: v.String()}, want{text: ":" + strconv.Itoa(len(c.members))})
	return true
}
