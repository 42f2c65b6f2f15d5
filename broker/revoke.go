package broker

import "slices"

// Rights may be taken away from who depends on them. What a session holds was
// allowed when it came about; whoever changes rights lets it be asked for again.
//
// Invariant: nothing that became active under older rights stays. Subscribe asks, takes
// the subscription writer and asks anew if rights were changed meanwhile; a change
// counts first and looks at what sessions hold, under the same lock, then.

// Identify makes the session act as id from now on. What it holds and id may not
// have ends, as with Recheck.
func (s *Session) Identify(id Identity) {
	s.identity.Store(&id)
	s.b.rights.Add(1)
	s.recheck()
}

// Recheck asks Config.Access again for all that the sessions hold whose identity is
// one of who. It is called after rights were changed. What they do not cover any more
// ends: members leave, subscriptions are removed before it returns, and
// the session is told of each, behind everything that was published before.
// A session with EndRevoked ends instead.
func (b *Broker) Recheck(who func(Identity) bool) {
	b.rights.Add(1)
	for _, s := range b.sessionsOf(who) {
		s.recheck()
	}
}

// EndUser ends the sessions of a user, and removes their subscriptions before it
// returns, as Kill does. It returns how many there were. A session that connects at
// the same time may be missed: who keeps a user out looks again behind Connect.
func (b *Broker) EndUser(user string, r Reason) int {
	list := b.sessionsOf(func(id Identity) bool { return id.User == user })
	for _, s := range list {
		s.End(r)
		s.removeAll()
	}
	return len(list)
}

// Session returns the live session with the id; nil: there is none.
func (b *Broker) Session(id string) *Session {
	b.sessions.Lock()
	defer b.sessions.Unlock()
	for s := range b.sessions.live {
		if s.id == id {
			return s
		}
	}
	return nil
}

// sessionsOf returns the live sessions of identities that who selects.
func (b *Broker) sessionsOf(who func(Identity) bool) []*Session {
	b.sessions.Lock()
	defer b.sessions.Unlock()
	var list []*Session
	for s := range b.sessions.live {
		if who(s.Identity()) {
			list = append(list, s)
		}
	}
	return list
}

// recheck ends what the session holds and may not have.
func (s *Session) recheck() {
	var lost [kinds][]string
	n := 0
	for k := range kinds {
		lost[k] = slices.DeleteFunc(s.some(k, s.cfg.MaxSubscriptions), func(name string) bool {
			return s.b.allowed(s.Identity(), k.action(), name)
		})
		n += len(lost[k])
	}
	members := slices.DeleteFunc(s.members(), func(h hold) bool {
		return s.b.allowed(s.Identity(), ActionPresence, h.channel)
	})
	if n += len(members); n == 0 {
		return
	}
	s.b.stats.revoked.Add(int64(n))
	if s.cfg.EndRevoked {
		s.End(ReasonDenied)
		s.removeAll()
		return
	}
	for _, h := range members {
		s.leave(h)
	}
	for k := range kinds {
		s.withdraw(k, lost[k], true)
	}
}

// Withdraw ends those of the subscriptions that the session holds, as an operator
// asks for, and returns how many. The session is told, behind everything that was published
// before; one with EndRevoked ends.
func (s *Session) Withdraw(k Kind, names ...string) int {
	if !s.cfg.EndRevoked {
		return s.withdraw(k, names, false)
	}
	held := 0
	for _, name := range names {
		if s.Holds(k, name) {
			held++
		}
	}
	if held > 0 {
		s.Kill()
	}
	return held
}

// Holds says whether the session is subscribed to the name.
func (s *Session) Holds(k Kind, name string) bool {
	s.b.writer.Lock()
	defer s.b.writer.Unlock()
	return s.held[k].get(name) != nil
}

// withdraw removes subscriptions in slices and tells the session of each.
func (s *Session) withdraw(k Kind, names []string, denied bool) (ended int) {
	for len(names) > 0 {
		n := min(len(names), removeSlice)
		ended += s.withdrawSome(k, names[:n], denied)
		names = names[n:]
	}
	return ended
}

// withdrawSome keeps the subscription writer until the session was told: else it could
// subscribe anew first, and take the news to be about that.
func (s *Session) withdrawSome(k Kind, names []string, denied bool) (ended int) {
	w := &s.b.writer
	w.Lock()
	defer w.Unlock()
	tx := writerBatch{b: s.b}
	var removed []*Subscription
	var events []Event
	for _, name := range names {
		if sub := s.held[k].get(name); sub != nil {
			tx.remove(s, k, sub)
			removed = append(removed, sub)
			events = append(events, Event{Verb: EventWithdrawn, Channel: name, Pattern: k == KindPattern, Denied: denied})
		}
	}
	tx.commit()
	for i, sub := range removed {
		s.b.tell(sub, &events[i])
	}
	return len(removed)
}

// tell appends an event for the session of one subscription alone, if its format
// has events. The subscription writer is locked.
func (b *Broker) tell(sub *Subscription, e *Event) {
	f := sub.format
	if !b.eventFormats.has(f) {
		return
	}
	c, l := &b.codecs[f], b.log
	text := c.Event(c.Prefix(nil, KindChannel, ""), e)
	if c.Tail != nil {
		text = c.Tail(text, 0)
	}
	set := (*subscribers)(nil).with(sub, len(l.workers))
	l.mu.Lock()
	l.seq++
	r := l.commit(f, append(l.reserve(f, len(text)), text...))
	asleep := l.enqueue(&record{Delivery: Delivery{Range: r, Sequence: l.seq}, first: l.seq, set: set, format: f})
	l.mu.Unlock()
	l.wake(asleep)
}
