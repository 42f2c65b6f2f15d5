package ws

func init() {
	register(command{verb: "ping", run: ping})
	register(command{verb: "auth", run: auth})
}

// ping answers with the value it was sent.
func ping(c *conn, r *request) {
	if !isID(r.value) {
		c.refuse(r, faultPing, "", "")
		return
	}
	c.t.out = appendPong(c.t.out, r.value, r.id)
}

// auth takes any token: this broker asks for none, and a client that has one
// for another broker must be able to talk to this one.
func auth(c *conn, r *request) {
	c.ok(r)
}
