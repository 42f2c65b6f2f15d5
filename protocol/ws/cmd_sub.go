package ws

import (
	"errors"

	"fanfare/broker"
)

func init() {
	register(command{verb: "sub", run: subscribeTo(broker.KindChannel, "subbed")})
	register(command{verb: "psub", run: subscribeTo(broker.KindPattern, "psubbed")})
	register(command{verb: "unsub", run: unsubscribeFrom(broker.KindChannel, "unsubbed")})
	register(command{verb: "punsub", run: unsubscribeFrom(broker.KindPattern, "punsubbed")})
}

// subscribing is a request to subscribe while it is executed.
type subscribing struct {
	c      *conn
	r      *request
	kind   broker.Kind
	ack    string
	resume broker.Resume
}

// subscribeTo makes the command that subscribes to names of kind k. Each name
// is answered, with or without an id, by its acknowledgement or its error. The
// acknowledgement of a new subscription is followed by its replay.
func subscribeTo(k broker.Kind, ack string) func(*conn, *request) {
	return func(c *conn, r *request) {
		names, ok := c.namesOf(r)
		if !ok {
			return
		}
		resume, f := r.resume(k)
		if f != nil {
			c.fail(r, f)
			return
		}
		s := subscribing{c, r, k, ack, resume}
		if s.allowsAll(names) && s.subscribe(names) == nil {
			return
		}
		// Some name is refused, the others are not to suffer for it.
		for i, name := range names {
			f := s.check(name)
			if f == nil {
				f = s.subscribe(names[i : i+1])
			}
			if c.ended() {
				return
			}
			if f != nil {
				c.refuse(r, f, r.cmd.verb, name)
			}
		}
	}
}

func (s *subscribing) allowsAll(names []string) bool {
	for _, name := range names {
		if s.check(name) != nil {
			return false
		}
	}
	return true
}

// check says what is wrong with subscribing to the name, as far as that can be
// said without doing it.
func (s *subscribing) check(name string) *fault {
	if f := s.c.checkName(name); f != nil {
		return f
	}
	if err := s.c.session.MayResume(s.kind, name, &s.resume); err != nil {
		return s.c.faultOf(err)
	}
	if s.r.who {
		if _, err := s.c.session.MemberCount(name); errors.Is(err, broker.ErrDenied) {
			return s.c.faultOf(err)
		}
	}
	return nil
}

// subscribe subscribes to all names, and answers for them, or to none.
func (s *subscribing) subscribe(names []string) *fault {
	c, t := s.c, s.c.t
	held := c.session.Count(s.kind)
	at, counts, err := c.session.Subscribe(s.kind, names, t.counts[:0])
	t.counts = counts
	if err != nil {
		return c.faultOf(err)
	}
	for i, name := range names {
		var recall broker.Recall
		fresh := counts[i] > held
		if fresh {
			recall = c.session.Recall(s.kind, name, at, s.resume)
		}
		s.acknowledge(name, &recall, fresh)
		if held = counts[i]; !c.replay(s.kind, name, recall.Messages) {
			return nil
		}
		if len(t.out) > maxPiece { // one name may be asked for any number of times
			if c.pass(t); c.ended() {
				return nil
			}
		}
	}
	return nil
}

// acknowledge answers for one name. What was replayed before is not told again
// where the subscription is not fresh; who is there is.
func (s *subscribing) acknowledge(name string, recall *broker.Recall, fresh bool) {
	out := appendNamedOpen(s.c.t.out, s.ack, name)
	if fresh {
		out = appendRecall(out, recall, s.resume.Since != nil)
	}
	if s.r.who {
		// Without presence there is nobody to name, and the subscription is as good.
		if members, more, err := s.c.session.Members(name, maxPage); err == nil {
			out = appendMembers(append(out, `,"who":`...), members, more)
		}
	}
	s.c.t.out = appendID(out, s.r.id)
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
	if !refused {
		c.ok(r)
	}
}

// maxNames is how many names a request may have: the same one counts as often
// as it is there, because it is answered as often.
const maxNames = 1000

// namesOf returns the request's names, or answers what is wrong with them.
func (c *conn) namesOf(r *request) ([]string, bool) {
	names, ok := r.names(c.t.names[:0])
	c.t.names = names
	switch {
	case !ok:
		c.fail(r, faultNames)
	case len(names) > maxNames:
		c.fail(r, faultManyNames)
		ok = false
	}
	return names, ok
}
