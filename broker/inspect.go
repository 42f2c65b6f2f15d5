package broker

import "fanfare/topic"

// Channels returns the channels (KindChannel) or shard channels (KindShard)
// that have subscribers and match p, in no order. A nil p matches all.
func (b *Broker) Channels(k Kind, p *topic.Pattern) []string {
	var names []string
	b.table(k).each(func(c *channel) {
		if c.set.Load() != nil && (p == nil || p.MatchString(c.name)) {
			names = append(names, c.name)
		}
	})
	return names
}

// NumSub returns the number of subscribers of a channel or shard channel;
// patterns do not count.
func (b *Broker) NumSub(k Kind, name string) int {
	c := b.table(k).find(name)
	if c == nil {
		return 0
	}
	return c.set.Load().size()
}

// NumPat returns the number of distinct patterns that are subscribed to.
func (b *Broker) NumPat() int { return int(b.stats.patterns.Load()) }

// active returns the number of channels with subscribers.
func (t *channelTable) active() int {
	n := 0
	for i := range t.stripes {
		s := &t.stripes[i]
		s.mu.RLock()
		n += len(s.byID) - s.idle
		s.mu.RUnlock()
	}
	return n
}
