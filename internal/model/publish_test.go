package model

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// mode is how several commands are sent.
type mode uint8

const (
	single   mode = iota
	pipeline      // in one write, or one frame
	exec          // between MULTI and EXEC
)

func (w *world) publishOne() bool {
	p := w.asker()
	w.publish(p, single, w.somePublication(p, one(w, channels)))
	return true
}

// publishSome sends several at once. A silent peer could end between two of them.
func (w *world) publishSome() bool {
	if w.someoneSilent() {
		return false
	}
	p := w.asker()
	m := pipeline
	if p.kind != websocket && w.chance(40) {
		m = exec
	}
	var list []publication
	for range 2 + w.rnd.IntN(6) {
		pub := w.somePublication(p, one(w, channels))
		pub.text = pub.text[:min(len(pub.text), 300)] // the broker reads all of it at once
		list = append(list, pub)
	}
	w.publish(p, m, list...)
	return true
}

func (w *world) somePublication(p *peer, channel string) publication {
	w.payloads++
	size := one(w, []int{0, 0, 0, 300, 3000})
	if w.someoneSilent() {
		size = one(w, []int{0, 300, 3000, 7000, 7000}) // four deliveries of one are within pushLimit
	}
	pub := publication{
		channel: channel, object: w.chance(30), retain: w.chance(15),
		text: "m" + strconv.Itoa(w.payloads) + strings.Repeat("x", size),
	}
	if pub.retain && w.chance(50) {
		pub.ttl = time.Duration(1+w.rnd.IntN(20))*time.Second + fraction
	}
	if p.kind != websocket {
		return pub
	}
	pub.noEcho, pub.noHistory = w.chance(15), w.chance(15)
	if w.chance(30) {
		pub.key = fmt.Sprintf("k%d", w.rnd.IntN(4))
	}
	if w.chance(70) {
		pub.id = p.nextID()
	}
	return pub
}

func (p *peer) nextID() string {
	p.asked++
	return strconv.Itoa(p.asked)
}

// publish publishes through a peer. The replies precede its own deliveries.
func (w *world) publish(p *peer, m mode, list ...publication) {
	var requests [][]string
	var replies []want
	p.cork()
	for i := range list {
		pub := &list[i]
		out := w.ref.publish(p, pub)
		w.note("%v publishes %+v: %d receivers, place %d", p, shortened(*pub), out.receivers, out.place())
		if p.kind == websocket {
			requests = append(requests, []string{pub.line()})
		} else {
			requests = append(requests, pub.command())
		}
		if reply, answered := p.receipt(pub, &out); answered {
			replies = append(replies, reply)
		}
	}
	if m == exec {
		requests, replies = transaction(requests, replies)
	}
	p.reply(replies...)
	p.uncork()
	w.send(p, requests...)
}

func shortened(p publication) publication {
	p.text = shorten(p.text[:min(len(p.text), 12)])
	return p
}

func (o *outcome) place() int {
	if o.message == nil {
		return 0
	}
	return o.message.place
}

func transaction(requests [][]string, replies []want) ([][]string, []want) {
	all := []want{{text: "+OK"}}
	texts := make([]string, len(replies))
	for i := range replies {
		all = append(all, want{text: "+QUEUED"})
		texts[i] = replies[i].text
	}
	all = append(all, want{text: "[" + strings.Join(texts, " ") + "]"})
	return append(append([][]string{{"MULTI"}}, requests...), []string{"EXEC"}), all
}

// line is the publication as a request.
func (p *publication) line() string {
	_, data := p.payloads()
	var b strings.Builder
	fmt.Fprintf(&b, `{"pub":%q,"data":%s`, p.channel, data)
	if p.retain {
		b.WriteString(`,"retain":true`)
	}
	if p.ttl > 0 {
		fmt.Fprintf(&b, `,"ttl":%v`, p.ttl.Seconds())
	}
	if p.noEcho {
		b.WriteString(`,"echo":false`)
	}
	if p.noHistory {
		b.WriteString(`,"history":false`)
	}
	if p.key != "" {
		fmt.Fprintf(&b, `,"key":%q`, p.key)
	}
	if p.id != "" {
		fmt.Fprintf(&b, `,"id":%s`, p.id)
	}
	return b.String() + "}"
}

func (p *publication) command() []string {
	bytes, _ := p.payloads()
	switch {
	case !p.retain:
		return []string{"PUBLISH", p.channel, bytes}
	case p.ttl > 0:
		return []string{"RETAIN", p.channel, bytes, "PX", strconv.FormatInt(p.ttl.Milliseconds(), 10)}
	}
	return []string{"RETAIN", p.channel, bytes}
}

// receipt is what the publisher is told.
func (p *peer) receipt(pub *publication, out *outcome) (w want, answered bool) {
	if p.kind != websocket {
		if out.code != 0 {
			return want{text: failure(out.text)}, true
		}
		return want{text: ":" + strconv.Itoa(out.receivers)}, true
	}
	if out.code != 0 {
		return p.refusal(out.code, "pub", pub.channel, pub.id), true
	}
	w = want{text: line(map[string]string{"ok": pub.id, "receivers": strconv.Itoa(out.receivers)})}
	if out.message.recorded {
		w.message = out.message
	}
	return w, pub.id != ""
}

// refusal is an error; its text is for people.
func (p *peer) refusal(code int, verb, channel, id string) want {
	return want{text: "err", check: func(g *got) error {
		got := []string{plain(g.fields["err"]), plain(g.fields[verb]), plain(g.fields["id"])}
		if wanted := []string{strconv.Itoa(code), channel, id}; fmt.Sprint(got) != fmt.Sprint(wanted) {
			return fmt.Errorf("wanted error, %s, id %v", verb, wanted)
		}
		return nil
	}}
}
