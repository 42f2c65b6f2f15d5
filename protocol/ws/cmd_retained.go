package ws

func init() {
	register(command{verb: "unretain", run: unretain})
}

// unretain removes the channel's retained message. That there was none is no
// error: what was asked for holds.
func unretain(c *conn, r *request) {
	name, f := c.channelOf(r)
	if f != nil {
		c.fail(r, f)
		return
	}
	if _, err := c.session.Unretain(name); err != nil {
		c.fail(r, c.faultOf(err))
		return
	}
	c.ok(r)
}
