package broker

import (
	"slices"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// SetRules replaces the rules. With an error nothing was changed. Messages that
// take their place after the change are remembered by the new rules. What channels
// remember already is fitted to them: a shorter history is cut, and a channel to
// which another rule applies, or whose rule does not allow it any more, loses what
// it has. Its members leave. The log says what was lost.
func (b *Broker) SetRules(rules []Rule) error {
	next, err := newRuleset(rules)
	if err != nil {
		return err
	}
	b.reload.Lock()
	defer b.reload.Unlock()
	c := reload{b: b, old: b.rules.Load(), next: next}
	same := c.old.sameHistories(next)
	b.fitting.Store(!same)
	defer b.fitting.Store(false)
	b.log.mu.Lock()
	b.rules.Store(next)
	if c.position = b.log.seq; !same {
		// What was published to a channel that had no history is missing in it.
		raise(&b.memory.dropped, c.position)
	}
	b.log.mu.Unlock()
	b.memory.each(c.refit)
	b.memory.retained.match(everything, c.refitRetained)
	added, changed, removed := c.old.differences(next)
	b.cfg.Log.Info("channel rules were replaced", zap.Int("rules", len(rules)),
		zap.Strings("added", added), zap.Strings("changed", changed), zap.Strings("removed", removed),
		zap.Object("lost", &c.lost))
	return nil
}

// reload is a change of rules on its way through all that is kept.
type reload struct {
	b         *Broker
	old, next *ruleset
	position  uint64 // of the change: what is kept with a later place is by the new rules
	lost      losses
}

// list returns the rules; a nil ruleset has none.
func (s *ruleset) list() []Rule {
	if s == nil {
		return nil
	}
	return s.rules
}

// differences names the rules of next that s does not have, those that say
// something else or stand behind others than in s, and those of s that next does
// not have.
func (s *ruleset) differences(next *ruleset) (added, changed, removed []string) {
	before := make(map[string]int)
	for i, r := range s.list() {
		before[r.Match] = i
	}
	last := -1
	for _, r := range next.list() {
		i, known := before[r.Match]
		switch {
		case !known:
			added = append(added, r.Match)
		case s.rules[i] != r || i < last:
			changed = append(changed, r.Match)
		}
		if known {
			last = max(last, i)
			delete(before, r.Match)
		}
	}
	for _, r := range s.list() {
		if _, gone := before[r.Match]; gone {
			removed = append(removed, r.Match)
		}
	}
	return added, changed, removed
}

// sameHistories says whether two rulesets give every channel the same kind of
// history.
func (s *ruleset) sameHistories(t *ruleset) bool {
	return slices.Equal(s.histories(), t.histories())
}

// matchHistory is what a rule says of histories.
type matchHistory struct {
	match   string
	history bool
}

func (s *ruleset) histories() (list []matchHistory) {
	if s == nil {
		return nil
	}
	for i := range s.rules {
		list = append(list, matchHistory{s.rules[i].Match, s.rules[i].History.Size > 0})
	}
	return list
}

// losses counts what channels lose by a change of rules.
type losses struct {
	histories, trimmed, retained, members int
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (l *losses) MarshalLogObject(e zapcore.ObjectEncoder) error {
	e.AddInt("histories", l.histories)
	e.AddInt("trimmed_histories", l.trimmed)
	e.AddInt("retained", l.retained)
	e.AddInt("members", l.members)
	return nil
}

// orNone returns the rule that find has found, or that of a channel without.
func orNone(r *Rule) *Rule {
	if r == nil {
		return &none
	}
	return r
}

// rules returns the channel's old and new rule, and whether they are for other
// channels.
func (r *reload) rules(channel string) (was, is *Rule, other bool) {
	was, is = orNone(r.old.find(channel)), orNone(r.next.find(channel))
	return was, is, was.Match != is.Match
}

// refit lets a channel lose what the rules do not give it any more.
func (r *reload) refit(l locked, k *kept) {
	was, is, other := r.rules(k.name)
	if was.History.Size == 0 {
		k.history.begin(r.position)
	}
	// What was too old already does not come back with a longer life.
	l.change(k.history.expire(now(), was.History.TTL, was.History.Size))
	switch {
	case k.history.entries.n == 0:
	case other || is.History.Size == 0:
		r.lost.histories++
		l.change(k.history.drop(r.position))
	case k.history.entries.n > is.History.Size:
		r.lost.trimmed++
		l.change(k.history.trim(is.History.Size))
	}
	if len(k.members) > 0 && (other || !is.Presence) {
		r.lost.members += len(k.members)
		r.b.removeMembers(l, k)
	}
	l.releaseIdle(r.b, k)
}

// refitRetained is refit for the channel's retained message.
func (r *reload) refitRetained(channel string) bool {
	_, is, other := r.rules(channel)
	if !other && is.Retain != RetainNever {
		return true
	}
	l := r.b.memory.lock(channel)
	defer l.unlock()
	if _, sequence, ok := l.retained(channel); ok && sequence <= r.position {
		l.unretain(channel)
		r.lost.retained++
	}
	return true
}

// removeMembers lets all members of a channel leave.
func (b *Broker) removeMembers(l locked, k *kept) {
	names := make([]string, 0, len(k.members))
	for name := range k.members {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		key := memberKey(k.name, name)
		tx := l.m.store.Begin(0, [][]byte{key})
		tx.Delete(0, key)
		tx.End()
		l.deleteMember(k, name)
		b.tellMember(l, k, EventLeft, Member{Name: name})
	}
	k.members, k.term = nil, l.m.terms.Add(1)
}
