package model

import (
	"fmt"
	"slices"
	"strconv"

	"time"

	"fanfare/internal/conversation"
)

func (w *world) askHistory() bool {
	p := w.asker()
	name := one(w, channels)
	if p.kind == websocket {
		w.page(p, name)
		return true
	}
	key := subKey{false, name}
	w.history(p, name, p.cursors[key], w.chance(50) && p.cursors[key].offset > 0, w.rnd.IntN(5), w.chance(30))
	return true
}

// page asks as a browser does.
func (w *world) page(p *peer, name string) {
	id := p.nextID()
	c := w.ref.channel(name)
	w.ref.expire(c)
	if w.ref.historyOf(name).Size == 0 {
		p.reply(p.refusal(404, "history", name, id))
		w.send(p, []string{fmt.Sprintf(`{"history":%q,"id":%s}`, name, id)})
		return
	}
	list, limit, before := slices.Clone(c.history), "", ""
	if m := c.last; m != nil && m.offset != 0 && w.chance(30) {
		before = fmt.Sprintf(`,"before":%d`, m.offset)
		list = slices.DeleteFunc(list, func(o *message) bool { return o.place >= m.place })
	}
	if w.chance(50) {
		n := 1 + w.rnd.IntN(5)
		limit = fmt.Sprintf(`,"limit":%d`, n)
		list = list[max(0, len(list)-n):]
	}
	w.note("%v asks for the history of %s%s%s", p, name, limit, before)
	p.reply(want{text: "history", check: func(g *got) error {
		if plain(g.fields["ok"]) != id || plain(g.fields["epoch"]) != w.ref.epoch {
			return fmt.Errorf("wanted a history with the id %s and the epoch", id)
		}
		lines, err := parseEach(elements(g.fields["history"]))
		if err != nil || len(lines) != len(list) {
			return fmt.Errorf("%d messages, want %d", len(lines), len(list))
		}
		for i, m := range list {
			if text := line(map[string]string{"data": plain([]byte(m.json)), "time": strconv.FormatInt(m.time, 10)}); text != lines[i].text {
				return fmt.Errorf("message %d is %s, want %s", i, shorten(lines[i].text), shorten(text))
			}
			if err := w.ref.saw(m, lines[i].offset); err != nil {
				return err
			}
		}
		return nil
	}})
	w.send(p, []string{fmt.Sprintf(`{"history":%q,"id":%s%s%s}`, name, id, limit, before)})
}

// history asks as a back end does. With the reply everything up to now is known.
func (w *world) history(p *peer, name string, since cursor, resume bool, count int, reverse bool) {
	command := []string{"HISTORY", name}
	if resume {
		command = append(command, "SINCE", w.ref.epoch, strconv.FormatUint(since.offset, 10))
	}
	if count > 0 {
		command = append(command, "COUNT", strconv.Itoa(count))
	}
	if reverse {
		command = append(command, "REV")
	}
	w.note("%v asks %v", p, command)
	w.send(p, command)
	size := w.ref.historyOf(name).Size
	if size == 0 {
		p.reply(want{text: failure("ERR history is not enabled for this channel")})
		return
	}
	c := w.ref.channel(name)
	w.ref.expire(c)
	list, verdicts := c.history, []verdict{{false, 0}}
	if resume {
		list = behind(c.history, since)
		verdicts = w.ref.recovers([]*channel{c}, since, true)
	}
	if count > 0 && len(list) > count {
		if resume {
			list = list[:count]
		} else {
			list = list[len(list)-count:]
		}
	}
	list = slices.Clone(list)
	if reverse {
		slices.Reverse(list)
	}
	last, known := c.last, c.last != nil && c.last.place > w.ref.changed
	partial := count > 0 || reverse
	p.reply(want{text: "history", check: func(g *got) error {
		if err := w.checkHistory(g.value, list, verdicts); err != nil {
			return err
		}
		offset := number(field(g.value, "offset"))
		switch {
		case offset == 0 && known, offset != 0 && last == nil:
			return fmt.Errorf("the offset is %d", offset)
		case offset == 0:
			return nil
		}
		if err := w.ref.saw(last, offset); err != nil {
			return err
		}
		if !partial {
			p.advance(subKey{false, name}, cursor{last.place, offset})
		}
		return nil
	}})
}

func (w *world) checkHistory(v conversation.Value, list []*message, verdicts []verdict) error {
	if epoch := field(v, "epoch").Text; epoch != w.ref.epoch {
		return fmt.Errorf("epoch %q, want %q", epoch, w.ref.epoch)
	}
	recovered := field(v, "recovered").Text == "1"
	if !slices.ContainsFunc(verdicts, func(v verdict) bool { return v.recovered == recovered }) {
		return fmt.Errorf("recovered is %v, want one of %v", recovered, verdicts)
	}
	entries := field(v, "messages").Elems
	if len(entries) != len(list) {
		return fmt.Errorf("%d messages, want %d", len(entries), len(list))
	}
	for i, m := range list {
		e := entries[i].Elems
		wanted := fmt.Sprint(m.time, "nil", m.payload)
		if len(e) != 4 || fmt.Sprint(number(e[1]), e[2].String(), e[3].Text) != wanted {
			return fmt.Errorf("message %d is %s, want %s", i, shorten(entries[i].String()), shorten(wanted))
		}
		if err := w.ref.saw(m, number(e[0])); err != nil {
			return err
		}
	}
	return nil
}

func number(v conversation.Value) uint64 {
	n, err := strconv.ParseUint(v.Text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (w *world) unretain() bool {
	p := w.asker()
	name := one(w, channels)
	c := w.ref.channel(name)
	w.ref.expire(c)
	n := 0
	if c.retained != nil {
		n = 1
	}
	c.retained, c.until = nil, time.Time{}
	w.note("%v unretains %s: %d", p, name, n)
	if p.kind != websocket {
		p.reply(want{text: ":" + strconv.Itoa(n)})
		w.send(p, []string{"UNRETAIN", name})
		return true
	}
	id := p.nextID()
	p.reply(want{text: line(map[string]string{"ok": id})})
	w.send(p, []string{fmt.Sprintf(`{"unretain":%q,"id":%s}`, name, id)})
	return true
}

// erase clears a channel, or forgets some of its messages.
func (w *world) erase() bool {
	p := w.asker()
	if p.kind == websocket {
		p = w.control
	}
	name := one(w, channels)
	p.cork()
	defer p.uncork()
	if w.chance(30) {
		n := w.ref.clear(name)
		w.note("%v clears %s: %d", p, name, n)
		p.reply(want{text: ":" + strconv.Itoa(n)})
		w.send(p, []string{"CHANNEL", "CLEAR", name})
		return true
	}
	command := []string{"CHANNEL", "FORGET", name}
	var offsets []uint64
	for _, m := range w.ref.known {
		if m.channel == name && w.chance(10) && len(offsets) < 5 || m.channel == name && m.place > w.ref.last-20 && w.chance(30) {
			offsets = append(offsets, m.offset)
			command = append(command, strconv.FormatUint(m.offset, 10))
		}
	}
	if len(offsets) == 0 {
		offsets, command = append(offsets, w.head+7), append(command, strconv.FormatUint(w.head+7, 10))
	}
	n := w.ref.forget(name, offsets)
	w.note("%v forgets %v of %s: %d", p, offsets, name, n)
	p.reply(want{text: ":" + strconv.Itoa(n)})
	w.send(p, command)
	return true
}

// inspect asks for what is retained, and for all that is known of a channel.
func (w *world) inspect() bool {
	name := one(w, channels)
	c := w.ref.channel(name)
	w.ref.expire(c)
	w.note("inspect %s", name)
	p := w.control
	p.reply(want{text: "retained", check: w.retained(c)})
	w.send(p, []string{"RETAINED", name})
	info := map[string]string{
		"name": name, "subscribers": strconv.Itoa(w.ref.subscribers(name)), "members": strconv.Itoa(len(c.members)),
		"history": strconv.Itoa(len(c.history)), "retained": "0", "epoch": w.ref.epoch, "rule": "",
	}
	if c.retained != nil {
		info["retained"] = "1"
	}
	if rule := w.ref.rule(name); rule != nil {
		info["rule"] = rule.Match
	}
	n := 0
	for _, p := range w.ref.peers {
		n += len(p.matching(name))
	}
	info["patterns"] = strconv.Itoa(n - w.ref.subscribers(name))
	p.reply(want{text: "info", check: func(g *got) error {
		for _, key := range sortedNames(info) {
			if text := field(g.value, key).Text; text != info[key] {
				return fmt.Errorf("%s is %q, want %q", key, text, info[key])
			}
		}
		return nil
	}})
	w.send(p, []string{"CHANNEL", "INFO", name})
	return true
}

// retained checks the reply to RETAINED.
func (w *world) retained(c *channel) func(*got) error {
	m, ttl := c.retained, "-1"
	if m != nil && !c.until.IsZero() {
		ttl = strconv.FormatInt(time.Until(c.until).Milliseconds(), 10)
	}
	return func(g *got) error {
		e := g.value.Elems[0]
		switch {
		case m == nil && e.String() == "nil":
			return nil
		case m == nil || len(e.Elems) != 4:
			return fmt.Errorf("wanted  %v", m)
		case e.Elems[0].Text != m.payload || number(e.Elems[1]) != uint64(m.time) || e.Elems[2].Text != ttl:
			return fmt.Errorf("wanted  %s %d %s", shorten(m.payload), m.time, ttl)
		case m.recorded:
			return w.ref.saw(m, number(e.Elems[3]))
		case e.Elems[3].String() != "nil":
			return fmt.Errorf("an offset of a message that is not kept")
		}
		return nil
	}
}
