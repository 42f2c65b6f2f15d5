package broker

import (
	"cmp"
	"slices"
	"strings"

	"fanfare/topic"
)

const (
	// maxRecalled bounds the retained messages that a new pattern subscription gets.
	maxRecalled = 1000
	// maxReplayed bounds the replay of a subscription. Who has missed more is told
	// that not everything is there, and gets the newest of it.
	maxReplayed = 100_000
)

// Resume says what a new subscription is to get of what was before it.
type Resume struct {
	Since      *Position // everything behind it, of channels with a history
	Last       int       // the newest messages of the channel's history; Since wins
	NoRetained bool      // no retained messages
}

// Recall is what a new subscription gets before its first live message.
type Recall struct {
	// Keeps says that a channel with a history may match. Then Offset is the
	// position of the subscription: nothing up to there comes live, everything
	// behind it does.
	Keeps  bool
	Offset uint64
	// Recovered answers Since: nothing behind it is missing. Missed counts what is,
	// -1: it is not known how much.
	Recovered bool
	Missed    int
	More      bool // there are more retained messages than a pattern gets
	// Messages are the replay in the order of their offsets, then the retained
	// messages in the order of their channels. The payloads are shared and must
	// not be written to.
	Messages []Message
}

// MayResume says whether the session may have what r asks for of the channel or
// pattern: ErrDenied, as a NameError, if not.
func (s *Session) MayResume(k Kind, name string, r *Resume) error {
	if r.Since == nil && r.Last == 0 {
		return nil
	}
	a := ActionHistory
	if k == KindPattern {
		a = ActionHistoryPattern
	}
	if !s.b.allowed(s.Identity(), a, name) {
		return s.b.refuse(&NameError{name, ErrDenied})
	}
	return nil
}

// Recall returns what a subscription that became active at the barrier gets of
// earlier messages. The caller holds back what comes live until it has passed the
// recall on; together they have every message once. It is called for a new
// subscription, whose rights were asked for by Subscribe and MayResume.
func (s *Session) Recall(k Kind, name string, at Barrier, r Resume) Recall {
	if s.b.rules.Load() == nil || k == KindShard {
		return Recall{Missed: -1}
	}
	if k == KindPattern {
		return s.b.recallPattern(topic.Compile(name), at.position, &r)
	}
	return s.b.recallChannel(strings.Clone(name), at.position, &r)
}

func (b *Broker) recallChannel(channel string, at uint64, r *Resume) Recall {
	if b.ruleNamed(channel) == &none {
		return Recall{Missed: -1} // what most channels are spared
	}
	l := b.memory.lock(channel)
	defer l.unlock()
	rec, replayed := b.replay(l, channel, at, r)
	recovered := r.Since != nil && rec.Recovered
	if r.NoRetained || recovered {
		return rec
	}
	kept, sequence, ok := l.retained(channel)
	if ok && sequence <= at && !replayed(sequence) {
		rec.Messages = append(rec.Messages, kept.Message)
	}
	return rec
}

// replay returns what a channel's history has for a subscription, and says of a
// place in the order whether the message there is part of it.
func (b *Broker) replay(l locked, channel string, at uint64, r *Resume) (rec Recall, has func(uint64) bool) {
	has = func(sequence uint64) bool {
		return slices.ContainsFunc(rec.Messages, func(m Message) bool { return m.Offset == sequence })
	}
	rule := b.ruleNamed(channel)
	if rule.History.Size == 0 {
		rec.Missed = -1
		return rec, has
	}
	rec.Keeps, rec.Offset = true, at
	k := l.kept(channel)
	if k != nil {
		l.change(k.history.expire(now(), rule.History.TTL, rule.History.Size))
	}
	q := HistoryQuery{Before: at + 1, Count: r.Last}
	from := uint64(0)
	if r.Since != nil {
		rec.Recovered, rec.Missed = b.recovers(k, r.Since, at)
		if q.Count = 0; rec.Recovered {
			from = r.Since.Offset
		}
	} else if r.Last == 0 {
		return rec, has
	}
	if k == nil || at == 0 {
		return rec, has
	}
	if q.Count = min(q.Count, maxReplayed); q.Count == 0 {
		q.Count = maxReplayed
		if k.history.after(at)-k.history.after(from) > maxReplayed {
			rec.Recovered, rec.Missed = false, -1
		}
	}
	rec.Messages = k.history.page(channel, from, q)
	return rec, has
}

func (b *Broker) recallPattern(p *topic.Pattern, at uint64, r *Resume) Recall {
	rec := Recall{Recovered: true}
	if rec.Keeps = b.rules.Load().mayKeepHistory(p); rec.Keeps {
		rec.Offset = at
	}
	if r.Since != nil {
		b.replayPattern(&rec, p, at, r)
		if !rec.Keeps {
			rec.Recovered, rec.Missed = false, -1
		}
	}
	if !r.NoRetained {
		b.recallRetained(&rec, p, at, r)
	}
	return rec
}

// replayPattern merges the histories of all channels that match.
func (b *Broker) replayPattern(rec *Recall, p *topic.Pattern, at uint64, r *Resume) {
	all := Resume{Since: r.Since}
	b.memory.history.match(p, func(channel string) bool {
		l := b.memory.lock(channel)
		defer l.unlock()
		if l.kept(channel) == nil {
			return true // it went meanwhile, and raised the mark
		}
		one, _ := b.replay(l, channel, at, &all)
		if !one.Keeps {
			return true // no history any more
		}
		if rec.join(&one); len(rec.Messages) > 2*maxReplayed {
			rec.sort()
		}
		return true
	})
	if recovered, missed := b.recovers(nil, r.Since, at); !recovered {
		rec.join(&Recall{Missed: missed})
	}
	rec.sort()
}

// sort puts the replay into its order and leaves out what is too much.
func (r *Recall) sort() {
	slices.SortFunc(r.Messages, func(a, b Message) int { return cmp.Compare(a.Offset, b.Offset) })
	if n := len(r.Messages) - maxReplayed; n > 0 {
		r.Recovered, r.Missed = false, -1
		r.Messages = slices.Delete(r.Messages, 0, n)
	}
}

// join adds the recall of one more channel.
func (r *Recall) join(one *Recall) {
	r.Messages = append(r.Messages, one.Messages...)
	switch {
	case one.Recovered:
	case one.Missed < 0 || r.Missed < 0:
		r.Recovered, r.Missed = false, -1
	default:
		r.Recovered, r.Missed = false, r.Missed+one.Missed
	}
}

// recallRetained adds the retained messages of the channels that match: of all
// of them, or after a replay of those that have no history.
func (b *Broker) recallRetained(rec *Recall, p *topic.Pattern, at uint64, r *Resume) {
	n := 0
	b.memory.retained.match(p, func(channel string) bool {
		l := b.memory.lock(channel)
		defer l.unlock()
		if r.Since != nil && b.ruleNamed(channel).History.Size > 0 {
			return true
		}
		kept, sequence, ok := l.retained(channel)
		if !ok || sequence > at {
			return true
		}
		if n++; n > maxRecalled {
			rec.More = true
			return false
		}
		rec.Messages = append(rec.Messages, kept.Message)
		return true
	})
}
