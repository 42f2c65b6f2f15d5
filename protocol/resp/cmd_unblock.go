package resp

// clientUnblock ends the wait of a connection: CLIENT UNBLOCK id [TIMEOUT | ERROR].
func clientUnblock(x *call) {
	state := timedOut
	switch {
	case len(x.args) > 4:
		x.wrongSubcommandArgs()
		return
	case len(x.args) == 3 || x.option(3, "TIMEOUT"):
	case x.option(3, "ERROR"):
		state = unblocked
	default:
		x.w.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
		return
	}
	id, ok := x.intArg(2)
	if !ok {
		return
	}
	c := x.conn.server.clients.find(id)
	if c == nil {
		x.bit(false)
		return
	}
	w := c.waiter.Load()
	done := w != nil && w.alive() && w.finish(state)
	if done {
		x.conn.server.blocked.leave(w)
		w.wake()
	}
	x.bit(done)
}
