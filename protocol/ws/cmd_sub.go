package ws

import "fanfare/broker"

func init() {
	register(command{verb: "sub", run: subscribeTo(broker.KindChannel, "subbed")})
	register(command{verb: "psub", run: subscribeTo(broker.KindPattern, "psubbed")})
	register(command{verb: "unsub", run: unsubscribeFrom(broker.KindChannel, "unsubbed")})
	register(command{verb: "punsub", run: unsubscribeFrom(broker.KindPattern, "punsubbed")})
}

// subscribeTo makes the command that subscribes to names of kind k. Each name
// is answered, with or without an id, by its acknowledgement or its error.
func subscribeTo(k broker.Kind, ack string) func(*conn, *request) {
	return func(c *conn, r *request) {
		names, ok := c.namesOf(r)
		if !ok {
			return
		}
		if c.speakable(names) {
			if _, err := c.session.Subscribe(k, names, c.t.counts[:0]); err == nil {
				for _, name := range names {
					c.t.out = appendNamed(c.t.out, ack, name, r.id)
				}
				return
			}
		}
		// Some name is refused, the others are not to suffer for it.
		for i, name := range names {
			f := c.checkName(name)
			if f == nil {
				f = c.subscribeOne(k, names[i:i+1])
			}
			if f != nil {
				c.refuse(r, f, r.cmd.verb, name)
			} else {
				c.t.out = appendNamed(c.t.out, ack, name, r.id)
			}
		}
	}
}

func (c *conn) subscribeOne(k broker.Kind, name []string) *fault {
	_, err := c.session.Subscribe(k, name, c.t.counts[:0])
	if err == nil {
		return nil
	}
	return c.faultOf(err)
}

// unsubscribeFrom makes the command that ends subscriptions of kind k. Each
// name that was held is acknowledged, after its last message; a request that
// held none of its names is answered only if it has an id.
func unsubscribeFrom(k broker.Kind, ack string) func(*conn, *request) {
	return func(c *conn, r *request) {
		names, ok := c.namesOf(r)
		if !ok {
			return
		}
		left := c.session.Count(k)
		barrier, counts := c.session.Unsubscribe(k, names, c.t.counts[:0])
		if len(counts) == 0 || counts[len(counts)-1] == left {
			c.answerUnheld(r, names)
			return
		}
		c.wait(c.t, func() { c.session.Await(barrier) })
		if c.ended() {
			return
		}
		for i, name := range names {
			if counts[i] < left {
				c.t.out = appendNamed(c.t.out, ack, name, r.id)
			}
			left = counts[i]
		}
	}
}

// answerUnheld answers an unsubscribe of names of which none was held. A name
// that nobody could hold is an error.
func (c *conn) answerUnheld(r *request, names []string) {
	refused := false
	for _, name := range names {
		if f := c.checkName(name); f != nil {
			c.refuse(r, f, r.cmd.verb, name)
			refused = true
		}
	}
	if r.id != nil && !refused {
		c.t.out = appendOK(c.t.out, r.id)
	}
}

// namesOf returns the request's names, or answers that it has none.
func (c *conn) namesOf(r *request) ([]string, bool) {
	names, ok := r.names(c.t.names[:0])
	c.t.names = names
	if !ok {
		c.fail(r, faultNames)
	}
	return names, ok
}

func (c *conn) speakable(names []string) bool {
	for _, name := range names {
		if c.checkName(name) != nil {
			return false
		}
	}
	return true
}

// checkName says what is wrong with the name of a channel or pattern.
func (c *conn) checkName(name string) *fault {
	switch {
	case name == "":
		return faultEmptyName
	case len(name) > c.s.cfg.MaxName:
		return faultNameLength
	case !accepts(name):
		return faultControl
	}
	return nil
}

// faultOf is the fault for an error of the broker, which the log gets to see
// where the peer must not.
func (c *conn) faultOf(err error) *fault {
	f := faultOf(err)
	if f == faultInternal {
		c.s.logFault(c, err)
	}
	return f
}
