package broker

import (
	"sync/atomic"

	"fanfare/topic"
)

// Subscription is a session's interest in one channel or pattern, in the format
// it had when it subscribed.
type Subscription struct {
	// set at construction
	session *Session
	holder  *holder
	format  Format
	complex bool

	// ended drops what was published before an unsubscribe inside EXEC, where
	// nobody can wait for the barrier.
	ended atomic.Bool

	// place in the holder's set; guarded by the subscription writer
	block, slot int32
}

// Format returns the wire format of the subscription's deliveries.
func (s *Subscription) Format() Format { return s.format }

// Ended says that nothing of the subscription may be queued any more, also not
// what its worker is about to push.
func (s *Subscription) Ended() bool { return s.ended.Load() }

// change is a holder's next set, prepared under the subscription writer and
// swapped in under the log's lock.
type change struct {
	holder *holder
	set    *subscribers
}

// writerBatch is one transaction of the subscription writer.
type writerBatch struct {
	b       *Broker
	changes []change
	pending map[*holder]int // index in changes; only made for more than a few
	vacated []*channel      // channels that lost their last subscription
	root    bool            // the pattern index changed
}

// Subscribe adds all names, or none if it returns an error; repeats are no
// error and change nothing. It appends to counts, for each name, the number of
// subscriptions that the session then has: channels and patterns together, or
// shard channels. The barrier is the position of the new subscriptions in the
// order of messages: what is behind it is delivered, what is before it is not.
func (s *Session) Subscribe(k Kind, names []string, counts []int) (Barrier, []int, error) {
	if err := s.lockPermitted(k, names); err != nil {
		return Barrier{}, counts, err
	}
	defer s.b.writer.Unlock()
	if s.ended() {
		return Barrier{}, counts, ErrEnded
	}
	patterns, err := s.admit(k, names)
	if err != nil {
		return Barrier{}, counts, s.b.refuse(err)
	}
	tx := writerBatch{b: s.b}
	for i, name := range names {
		if s.held[k].get(name) == nil {
			tx.add(s, k, name, patterns, i)
		}
		counts = append(counts, s.count(k))
	}
	return tx.commit(), counts, nil
}

// lockPermitted locks the subscription writer if the session may subscribe to all
// names, by the rights that hold while it is locked.
func (s *Session) lockPermitted(k Kind, names []string) error {
	for {
		rights := s.b.rights.Load()
		for _, name := range names {
			if err := s.permit(k.action(), name); err != nil {
				return &NameError{name, err}
			}
		}
		s.b.writer.Lock()
		if s.b.rights.Load() == rights {
			return nil
		}
		s.b.writer.Unlock()
	}
}

// admit checks the limits on names that the session does not hold yet, and
// compiles them if they are patterns.
func (s *Session) admit(k Kind, names []string) ([]*topic.Pattern, error) {
	var patterns []*topic.Pattern
	if k == KindPattern {
		patterns = make([]*topic.Pattern, len(names))
	}
	total := s.held[KindChannel].len() + s.held[KindPattern].len() + s.held[KindShard].len()
	complexOwn, complexNode := s.complex, s.b.writer.complex
	for i, name := range names {
		if s.held[k].get(name) != nil {
			continue
		}
		if total++; total > s.cfg.MaxSubscriptions {
			return nil, &NameError{name, ErrTooManySubscriptions}
		}
		if k != KindPattern {
			continue
		}
		patterns[i] = topic.Compile(name)
		if !patterns[i].Complex() {
			continue
		}
		complexOwn++
		complexNode++
		if complexOwn > s.cfg.MaxComplex || complexNode > s.b.cfg.MaxComplexNode {
			return nil, &NameError{name, ErrTooManyComplex}
		}
	}
	return patterns, nil
}

// add prepares one new subscription. The name may be a view of a read buffer.
func (tx *writerBatch) add(s *Session, k Kind, name string, patterns []*topic.Pattern, i int) {
	sub := &Subscription{session: s, format: s.Format()}
	switch k {
	case KindPattern:
		sub.complex = patterns[i].Complex()
		sub.holder = tx.patternHolder(patterns[i])
		if sub.complex {
			s.complex++
			tx.b.writer.complex++
		}
	default:
		sub.holder = tx.channelHolder(k, name)
	}
	tx.set(sub.holder, tx.next(sub.holder).with(sub, len(tx.b.log.workers)))
	s.held[k].put(sub)
}

func (tx *writerBatch) patternHolder(p *topic.Pattern) *holder {
	w := &tx.b.writer
	if h := w.patterns[p.String()]; h != nil {
		return h
	}
	h := &holder{name: p.String(), kind: KindPattern}
	w.patterns[h.name] = h
	w.index.Add(p, h)
	tx.root = true
	return h
}

// channelHolder pins the channel if this is its first subscription.
func (tx *writerBatch) channelHolder(k Kind, name string) *holder {
	t := tx.b.table(k)
	if c := t.find(name); c != nil && tx.next(&c.holder) != nil {
		return &c.holder
	}
	return &t.pin(name).holder
}

// next returns the holder's newest set, committed or not.
func (tx *writerBatch) next(h *holder) *subscribers {
	if i, ok := tx.find(h); ok {
		return tx.changes[i].set
	}
	return h.set.Load()
}

func (tx *writerBatch) set(h *holder, set *subscribers) {
	if i, ok := tx.find(h); ok {
		tx.changes[i].set = set
		return
	}
	tx.changes = append(tx.changes, change{h, set})
	if tx.pending != nil {
		tx.pending[h] = len(tx.changes) - 1
	}
}

// find looks for h among the changes: a short list as it is, a long one by map.
func (tx *writerBatch) find(h *holder) (int, bool) {
	if tx.pending == nil && len(tx.changes) > 8 {
		tx.pending = make(map[*holder]int, 2*len(tx.changes))
		for i := range tx.changes {
			tx.pending[tx.changes[i].holder] = i
		}
	}
	if tx.pending != nil {
		i, ok := tx.pending[h]
		return i, ok
	}
	for i := range tx.changes {
		if tx.changes[i].holder == h {
			return i, true
		}
	}
	return 0, false
}

// remove prepares the end of a subscription.
func (tx *writerBatch) remove(s *Session, k Kind, sub *Subscription) {
	h := sub.holder
	s.held[k].remove(h.name)
	set := tx.next(h).without(sub)
	tx.set(h, set)
	w := &tx.b.writer
	if sub.complex {
		s.complex--
		w.complex--
	}
	if set != nil {
		return
	}
	if k == KindPattern {
		delete(w.patterns, h.name)
		w.index.Remove(topic.Compile(h.name), h)
		tx.root = true
		return
	}
	tx.vacated = append(tx.vacated, tx.b.table(k).find(h.name))
}

// commit makes the transaction visible to publishers at one position, which it
// returns.
func (tx *writerBatch) commit() Barrier {
	w := &tx.b.writer
	told := tx.occupancy()
	if tx.root {
		w.generation++
		r := &root{generation: w.generation, snapshot: w.index.Commit()}
		defer func() { tx.b.stats.patterns.Store(int64(len(w.patterns))) }()
		tx.b.log.mu.Lock()
		tx.b.root.Store(r)
	} else {
		tx.b.log.mu.Lock()
	}
	for _, c := range tx.changes {
		if c.holder.set.Store(c.set); c.set == nil && c.holder.kind == KindPattern {
			c.holder.name = "" // cached matches keep the holder, and need not keep the name
		}
	}
	position := tx.b.log.seq
	tx.b.log.mu.Unlock()
	for i := range told {
		tx.b.report(occupancyPrefix, told[i].Channel, &told[i])
	}
	for _, c := range tx.vacated {
		tx.b.table(c.kind).unpin(c)
	}
	return Barrier{position: position}
}

// occupancy returns the events of channels that get their first subscriber or
// lose their last one, where a rule asks for them.
func (tx *writerBatch) occupancy() (events []Event) {
	rules := tx.b.rules.Load()
	if rules == nil || !rules.occupancy {
		return nil
	}
	for _, c := range tx.changes {
		before := c.holder.set.Load() != nil
		if c.holder.kind != KindChannel || before == (c.set != nil) {
			continue
		}
		if rule := rules.find(c.holder.name); rule == nil || !rule.Occupancy {
			continue
		}
		verb := EventOccupied
		if before {
			verb = EventVacated
		}
		events = append(events, Event{Verb: verb, Channel: c.holder.name})
	}
	return events
}
