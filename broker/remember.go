package broker

import (
	"math"
	"time"
)

// intent is what is to be remembered of a message.
type intent struct {
	rule   *Rule
	retain bool
	record bool // in the history
	key    string
}

// intentOf says what is to be remembered of a message, or why it is refused.
func intentOf(rule *Rule, m *Message) (intent, error) {
	in := intent{
		rule:   rule,
		retain: m.Retain || rule.Retain == RetainAll,
		record: rule.History.Size > 0 && !m.NoHistory,
		key:    keyOf(m),
	}
	switch {
	case m.Retain && rule.Retain == RetainNever:
		return in, ErrNoRetained
	case in.key != "" && !in.record:
		return in, ErrNoHistory
	}
	return in, nil
}

// commitKept publishes the next message, of a channel that may remember it, and
// those behind it of which the same is remembered. It does so under the channel's
// stripe: what is remembered has the order of the log.
func (p *Batch) commitKept(receipts []Receipt) []Receipt {
	defer p.b.memory.evict() // after the stripe was given back
	end := p.next + p.alike()
	l := p.b.memory.lock(p.items[p.next].channel.name)
	defer l.unlock()
	for p.next < end {
		p.rules = p.b.rules.Load()
		receipts = p.commitLocked(l, receipts, end)
	}
	return receipts
}

// alike returns the number of the next messages that go to the same channel and
// ask for nothing of their own; 1 for a message that does.
func (p *Batch) alike() int {
	rest := p.items[p.next:]
	if rest[0].message.special() {
		return 1
	}
	n := 1
	for n < len(rest) && rest[n].channel == rest[0].channel && !rest[n].message.special() {
		n++
	}
	return n
}

// commitLocked publishes the items up to end by p.rules, or fewer if they change
// meanwhile. What one of them is refused for, or known already, is true of the
// next only.
func (p *Batch) commitLocked(l locked, receipts []Receipt, end int) []Receipt {
	it := &p.items[p.next]
	in, err := intentOf(p.b.ruleOf(it.channel), &it.message)
	if err != nil {
		return p.skip(receipts, Receipt{Err: p.b.refuse(err)})
	}
	var k *kept
	if in.record {
		k = l.keepHistory(it.channel.name)
		l.change(k.history.expire(it.message.Time, in.rule.History.TTL, in.rule.History.Size))
		if first, known := k.history.keys[in.key]; known {
			return p.skip(receipts, Receipt{Offset: first})
		}
	}
	for i := p.next; i < end; i++ {
		p.items[i].offset = in.record
	}
	if in.retain {
		return p.commitRetained(l, k, &in, receipts, end)
	}
	return p.commitRecorded(l, k, &in, receipts, end)
}

// skip leaves the next item out.
func (p *Batch) skip(receipts []Receipt, r Receipt) []Receipt {
	p.next++
	return append(receipts, r)
}

// commitRecorded appends items and puts those that have their place into the
// history.
func (p *Batch) commitRecorded(l locked, k *kept, in *intent, receipts []Receipt, end int) []Receipt {
	first, before := p.next, len(receipts)
	receipts = p.commitRun(receipts, end)
	if !in.record {
		return receipts
	}
	for i, r := range receipts[before:] {
		e := newEntry(&p.items[first+i].message, in.key)
		e.offset = r.Offset
		l.change(k.history.add(e, in.rule.History.Size))
	}
	l.m.changes.Add(uint64(p.next - first)) // #nosec G115 -- not negative
	return receipts
}

// commitRetained publishes messages of which the last becomes the retained one.
// The store is asked for the memory first: a message that it has no room for is
// refused and nobody sees it.
func (p *Batch) commitRetained(l locked, k *kept, in *intent, receipts []Receipt, end int) []Receipt {
	p.key = append(append(p.key[:0], retainedLetter), p.items[p.next].channel.name...)
	key := p.key
	tx := l.m.store.Begin(0, [][]byte{key})
	defer tx.End()
	staged, err := tx.Stage(0, key, p.largest(end))
	if err != nil {
		// One of them may be small enough.
		end = p.next + 1
		staged, err = tx.Stage(0, key, p.largest(end))
	}
	if err != nil {
		return p.skip(receipts, Receipt{Err: p.b.refuse(ErrStateFull)})
	}
	first := p.next
	receipts = p.commitRecorded(l, k, in, receipts, end)
	if p.next == first {
		return receipts
	}
	m := &p.items[p.next-1].message
	head := retainedHead(m, p.last, in.record)
	p.from = append(p.from[:0], m.From...)
	staged.Put(deadline(m.Time, m.TTL), head[:], p.from, m.Payload)
	if !staged.Existed {
		l.m.indexRetained(p.items[first].channel.name)
	}
	return receipts
}

// largest returns the size of the largest retained value of the items up to end.
func (p *Batch) largest(end int) (size int) {
	for i := p.next; i < end; i++ {
		size = max(size, retainedSize(&p.items[i].message))
	}
	return size
}

// deadline returns when something ends that begins now; 0: never.
func deadline(now int64, ttl time.Duration) int64 {
	if ttl <= 0 {
		return 0
	}
	ms := max(1, ttl.Milliseconds())
	if ms > math.MaxInt64-now {
		return math.MaxInt64
	}
	return now + ms
}

// keepHistory is keep for a channel that gets a history.
func (l locked) keepHistory(channel string) *kept {
	k := l.keep(channel)
	if !k.indexed {
		k.indexed = true
		l.m.history.add(k.name)
	}
	return k
}
