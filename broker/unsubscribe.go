package broker

import "slices"

// removeSlice is how many subscriptions one transaction removes at most, so
// that a client that leaves with 100,000 of them does not stop the others.
const removeSlice = 1000

// Unsubscribe removes those of the names that the session holds. It appends to
// counts, for each name, the number of subscriptions that are left (see
// Subscribe). Messages up to the barrier may still arrive: the caller awaits it
// before it acknowledges.
func (s *Session) Unsubscribe(k Kind, names []string, counts []int) (Barrier, []int) {
	return s.remove(k, names, counts, nil)
}

// UnsubscribeInExec is Unsubscribe for a caller that cannot wait: no message of
// the names arrives from now on, also none that was published before.
func (s *Session) UnsubscribeInExec(k Kind, names []string, counts []int) []int {
	_, counts = s.remove(k, names, counts, func(sub *Subscription) {
		sub.ended.Store(true)
		s.outlet.Drop(sub)
	})
	return counts
}

func (s *Session) remove(k Kind, names []string, counts []int, ended func(*Subscription)) (Barrier, []int) {
	var all Barrier
	for len(names) > 0 {
		n := min(len(names), removeSlice)
		var b Barrier
		b, counts = s.removeSome(k, names[:n], counts, ended)
		all.join(b)
		names = names[n:]
	}
	return all, counts
}

// join makes b the later one of two barriers of a session's removals.
func (b *Barrier) join(later Barrier) {
	b.position = later.position
	b.removed = append(b.removed, later.removed...)
}

func (s *Session) removeSome(k Kind, names []string, counts []int, ended func(*Subscription)) (Barrier, []int) {
	w := &s.b.writer
	w.Lock()
	defer w.Unlock()
	tx := writerBatch{b: s.b}
	var removed []*Subscription
	for _, name := range names {
		if sub := s.held[k].get(name); sub != nil {
			tx.remove(s, k, sub)
			removed = append(removed, sub)
			if ended != nil {
				ended(sub)
			}
		}
		counts = append(counts, s.count(k))
	}
	b := tx.commit()
	b.removed = removed
	return b, counts
}

// UnsubscribeAll removes every subscription of the session, of all kinds.
func (s *Session) UnsubscribeAll() Barrier { return s.removeAll() }

func (s *Session) removeAll() Barrier {
	var all Barrier
	for k := range kinds {
		for {
			names := s.some(k, removeSlice)
			if len(names) == 0 {
				break
			}
			b, _ := s.removeSome(k, names, nil, nil)
			all.join(b)
		}
	}
	return all
}

// some returns up to n of the names held.
func (s *Session) some(k Kind, n int) []string {
	s.b.writer.Lock()
	defer s.b.writer.Unlock()
	return s.held[k].names(n)
}

// Held returns the names that the session is subscribed to, sorted.
func (s *Session) Held(k Kind) []string {
	s.b.writer.Lock()
	defer s.b.writer.Unlock()
	names := s.held[k].names(s.held[k].len())
	slices.Sort(names)
	return names
}

// Count returns the number of subscriptions as Subscribe counts them.
func (s *Session) Count(k Kind) int {
	s.b.writer.Lock()
	defer s.b.writer.Unlock()
	return s.count(k)
}

func (s *Session) count(k Kind) int {
	if k == KindShard {
		return s.held[KindShard].len()
	}
	return s.held[KindChannel].len() + s.held[KindPattern].len()
}

// SetFormat changes the wire format: every subscription is entered anew in one
// transaction. Messages up to the barrier arrive in the old format, later ones
// in the new one; the caller awaits it before it answers.
func (s *Session) SetFormat(f Format) Barrier {
	w := &s.b.writer
	w.Lock()
	defer w.Unlock()
	tx := writerBatch{b: s.b}
	if Format(s.format.Swap(uint32(f))) == f {
		return tx.commit()
	}
	for k := range kinds {
		for _, old := range s.held[k].all() {
			sub := &Subscription{session: s, holder: old.holder, format: f, complex: old.complex}
			with := tx.next(old.holder).with(sub, len(s.b.log.workers))
			tx.set(old.holder, with.without(old))
			s.held[k].put(sub)
		}
	}
	return tx.commit()
}
