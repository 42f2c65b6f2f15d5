package ws

import (
	"fanfare/broker"
	"fanfare/protocol/payload"
)

func init() {
	register(command{verb: "join", run: join})
	register(command{verb: "leave", run: leave})
	register(command{verb: "who", run: who})
}

// join makes the connection's user, or the session itself if it has none, a
// member of the channel. Joining again changes the member's data.
func join(c *conn, r *request) {
	name, f := c.channelOf(r)
	if f == nil && len(r.data) > c.s.cfg.MaxMemberData {
		f = faultMember
	}
	if f != nil {
		c.fail(r, f)
		return
	}
	m := broker.Member{Name: c.session.Member()}
	if r.data != nil {
		// A copy: the member outlives the frame.
		m.Data, m.JSON = payload.AppendCompact(make([]byte, 0, len(r.data)), r.data), true
	}
	if _, err := c.session.Join(name, m, 0); err != nil {
		c.fail(r, c.faultOf(err))
		return
	}
	c.ok(r)
}

// leave ends the membership at once. That there was none is no error.
func leave(c *conn, r *request) {
	name, f := c.channelOf(r)
	if f != nil {
		c.fail(r, f)
		return
	}
	if _, err := c.session.Leave(name, c.session.Member()); err != nil {
		c.fail(r, c.faultOf(err))
		return
	}
	c.ok(r)
}

// who answers with the members of the channel and their data.
func who(c *conn, r *request) {
	name, f := c.question(r)
	if f != nil {
		c.fail(r, f)
		return
	}
	members, more, err := c.session.Members(name, maxPage)
	if err != nil {
		c.fail(r, c.faultOf(err))
		return
	}
	c.t.out = appendWho(c.t.out, r.id, members, more)
}
