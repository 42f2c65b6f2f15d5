package broker

import (
	"slices"

	"fanfare/topic"
)

// everything matches every channel.
var everything = topic.Compile("*")

// ChannelInfo is what the node knows of a channel.
type ChannelInfo struct {
	Name        string
	Subscribers int
	Patterns    int // subscriptions to patterns that match
	Members     int
	Retained    bool
	History     int    // messages kept
	Offset      uint64 // of the last message that a history kept; 0: not known
	Rule        string // the rule's glob; empty: no rule
}

// ChannelInfo returns what the node knows of a channel.
func (s *Session) ChannelInfo(channel string) (ChannelInfo, error) {
	if err := s.permit(ActionSubscribe, channel); err != nil {
		return ChannelInfo{}, err
	}
	b := s.b
	c := b.channels.get(channel)
	info := ChannelInfo{Name: c.name, Subscribers: c.set.Load().size(), Rule: b.ruleOf(c).Match}
	for _, h := range b.matchOf(c).patterns {
		info.Patterns += h.set.Load().size()
	}
	l := b.memory.lock(channel)
	defer l.unlock()
	_, _, info.Retained = l.retained(channel)
	if k := l.kept(channel); k != nil {
		h := b.ruleOf(c).History
		l.change(k.history.expire(now(), h.TTL, h.Size))
		info.History, info.Offset, info.Members = k.history.entries.n, k.history.last, len(k.members)
	}
	return info, nil
}

// Clear removes the channel's history and its retained message, tells the
// subscribers, and returns the number of messages removed. They do not count as
// missed, and their offsets are not used again.
func (s *Session) Clear(channel string) (int, error) {
	return s.erase(channel, func(uint64) bool { return true }, &Event{Verb: EventCleared})
}

// Forget removes the messages with these offsets from the channel's history, and
// the retained message if it is one of them. The subscribers are told of those
// that were there. It returns their number.
func (s *Session) Forget(channel string, offsets []uint64) (int, error) {
	sorted := slices.Sorted(slices.Values(offsets))
	gone := func(offset uint64) bool {
		_, found := slices.BinarySearch(sorted, offset)
		return found
	}
	return s.erase(channel, gone, &Event{Verb: EventForgotten})
}

// erase removes the messages that gone names. A message that is part of the
// history and retained counts once.
func (s *Session) erase(channel string, gone func(uint64) bool, e *Event) (int, error) {
	if err := s.permit(ActionPublish, channel); err != nil {
		return 0, err
	}
	l := s.b.memory.lock(channel)
	defer l.unlock()
	seen := func(offset uint64) bool {
		if !gone(offset) {
			return false
		}
		e.Offsets = append(e.Offsets, offset)
		return true
	}
	removed := 0
	if k := l.kept(channel); k != nil && k.history.has(gone) {
		h := s.b.ruleNamed(channel).History
		l.change(k.history.expire(now(), h.TTL, h.Size)) // what is too old is lost, not erased
		var change int64
		removed, change = k.history.forget(seen)
		l.change(change)
	}
	if _, sequence, ok := l.retained(channel); ok && gone(sequence) {
		l.unretain(channel)
		if !slices.Contains(e.Offsets, sequence) {
			removed++
			e.Offsets = append(e.Offsets, sequence)
		}
	}
	if removed > 0 {
		l.m.changes.Add(1)
		e.Channel = channel
		s.b.announce(channel, e)
	}
	return removed, nil
}

// Changes counts the changes of what channels remember; it only rises.
func (b *Broker) Changes() uint64 {
	return b.memory.changes.Load() + b.memory.store.Stats().Changes
}

// StateKeys returns the number of retained messages and members, and how many of
// them end by themselves.
func (b *Broker) StateKeys() (keys, expires int) {
	st := b.memory.store.Stats().Databases[0]
	return st.Keys, st.Expires
}
