package model

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// member is somebody who is in a channel.
type member struct {
	name     string
	data     *string // as JSON; nil: none
	sessions map[*peer]bool
	lease    time.Time
	grace    time.Time
}

// until is when a member leaves by itself; zero: not.
func (m *member) until() time.Time {
	if len(m.sessions) > 0 {
		return time.Time{}
	}
	if m.lease.After(m.grace) {
		return m.lease
	}
	return m.grace
}

// presence says whether the channel has members at all.
func (r *reference) presence(name string) bool {
	rule := r.rule(name)
	return rule != nil && rule.Presence
}

// join is what PRESENCE JOIN and "join" do, by a lease if there is one.
func (r *reference) join(p *peer, name, who string, data *string, lease time.Duration) (joined bool) {
	c := r.channel(name)
	m := c.members[who]
	if joined = m == nil; joined {
		m = &member{name: who, sessions: make(map[*peer]bool)}
		c.members[who] = m
	}
	if lease > 0 {
		m.lease = time.Now().Add(lease)
	} else if !m.sessions[p] {
		m.sessions[p] = true
		if !joined && m.grace.After(time.Now()) {
			r.seen["came back within the grace"]++
		}
		m.grace = time.Time{}
	}
	changed := data != nil && (m.data == nil || *m.data != *data)
	if changed {
		m.data = data
	}
	switch {
	case joined:
		r.tellMember(c, "joined", m, 0)
	case changed:
		r.tellMember(c, "updated", m, 0)
	}
	return joined
}

// leave ends a peer's own hold, else the lease.
func (r *reference) leave(p *peer, name, who string) (left bool) {
	c := r.channel(name)
	m := c.members[who]
	if m == nil {
		return false
	}
	if m.sessions[p] {
		delete(m.sessions, p)
	} else {
		m.lease = time.Time{}
	}
	return r.settle(c, m, 0)
}

// settle lets a member leave whom nothing keeps.
func (r *reference) settle(c *channel, m *member, group int) (left bool) {
	if len(m.sessions) > 0 || m.until().After(time.Now()) {
		return false
	}
	r.remove(c, m.name, group)
	return true
}

func (r *reference) remove(c *channel, name string, group int) {
	m := c.members[name]
	delete(c.members, name)
	r.tellMember(c, "left", m, group)
}

// tellMember tells the channel's browsers and the back ends.
func (r *reference) tellMember(c *channel, verb string, m *member, group int) {
	words := map[string]string{verb: c.name, "user": m.name}
	text := fmt.Sprintf(`{"%s":"%s","user":"%s"`, verb, c.name, m.name)
	if verb != "left" && m.data != nil {
		words["data"] = plain([]byte(*m.data))
		text += `,"data":` + *m.data
	}
	r.tell(c.name, words, false, group)
	r.own("__presence__:"+c.name, text+"}", group)
}

// who is the channel's members as JSON, and as a RESP map.
func (c *channel) who() string {
	var b strings.Builder
	for i, name := range sortedNames(c.members) {
		if i > 0 {
			b.WriteByte(',')
		}
		data := "null"
		if d := c.members[name].data; d != nil {
			data = *d
		}
		fmt.Fprintf(&b, `"%s":%s`, name, data)
	}
	return "{" + b.String() + "}"
}

// occupied reports that a channel got its first subscriber, or lost its last.
func (r *reference) occupied(name, verb string, group int) {
	if rule := r.rule(name); rule != nil && rule.Occupancy {
		r.seen["occupancy"]++
		r.own("__occupancy__:"+name, fmt.Sprintf(`{"%s":"%s"}`, verb, name), group)
	}
}

// subscribers counts those of the channel itself.
func (r *reference) subscribers(name string) (n int) {
	for _, p := range r.peers {
		if p.subs[subKey{false, name}] != nil {
			n++
		}
	}
	return n
}

// ended is the end of a peer's connection.
func (r *reference) ended(p *peer, clean bool) {
	r.peers = slices.DeleteFunc(r.peers, func(other *peer) bool { return other == p })
	group := r.group()
	for _, key := range p.sorted() {
		if !key.pattern && r.subscribers(key.name) == 0 {
			r.occupied(key.name, "vacated", group)
		}
	}
	group = r.group()
	for _, name := range sortedNames(r.channels) {
		c := r.channels[name]
		for _, who := range sortedNames(c.members) {
			m := c.members[who]
			if !m.sessions[p] {
				continue
			}
			delete(m.sessions, p)
			if !clean && p.protocol() == websocket {
				m.grace = time.Now().Add(grace)
			}
			r.settle(c, m, group)
		}
	}
}

// pass lets time go by, up to which members leave by themselves. It runs in a bubble, whose clock goes on when
// everybody waits: sleeping takes no time, and everything that was to happen by then has.
func (r *reference) pass(d time.Duration) {
	end := time.Now().Add(d)
	for {
		next := end
		for _, c := range r.channels {
			for _, m := range c.members {
				if u := m.until(); !u.IsZero() && u.Before(next) {
					next = u
				}
			}
		}
		time.Sleep(time.Until(next))
		if !next.Before(end) {
			return
		}
		group := r.group()
		for _, name := range sortedNames(r.channels) {
			c := r.channels[name]
			for _, who := range sortedNames(c.members) {
				if r.settle(c, c.members[who], group) {
					r.seen["left by grace or lease"]++
				}
			}
		}
	}
}
