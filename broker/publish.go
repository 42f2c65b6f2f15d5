package broker

import (
	"time"
	"unsafe"
)

// Batch collects messages of one publisher that take their places in the order
// together: the log is locked once for all of them. A Batch is used by one
// goroutine at a time.
type Batch struct {
	b       *Broker
	s       *Session // nil: the node itself
	items   []item
	next    int    // first item that is not appended
	scratch []byte // encoded messages, one behind the other
	prefix  []byte // of the delivery that is being appended
	now     int64
	noEcho  bool // some item has NoEcho
}

// item is a message with all that can be prepared without the log's lock.
type item struct {
	message  Message
	channel  *channel
	match    *match // nil for shard channels
	encoded  formatSet
	encoding [MaxFormats]encoding
}

// encoding is prefix and body of a channel delivery, in the batch's scratch
// buffer or, if the body is large, in memory of its own.
type encoding struct {
	start, body, end int
	own              []byte
}

// maxTries is how often a batch is prepared anew without the log's lock because
// somebody subscribed meanwhile. Then it is done under the lock, once.
const maxTries = 3

// Batch returns an empty batch of the session.
func (s *Session) Batch() *Batch {
	p := s.b.batches.Get().(*Batch)
	p.b, p.s = s.b, s
	return p
}

// Release gives the batch back. What was not committed is forgotten.
func (p *Batch) Release() {
	p.reset()
	p.s = nil
	p.b.batches.Put(p)
}

// Len returns the number of messages added since the last Commit.
func (p *Batch) Len() int { return len(p.items) }

// Add adds a message. It copies m, but the payload must stay unchanged until
// Commit. On error nothing was added.
func (p *Batch) Add(m *Message) error {
	if p.s != nil {
		if err := p.check(m); err != nil {
			return p.b.refuse(err)
		}
	}
	if p.now == 0 {
		p.now = time.Now().UnixMilli()
	}
	p.items = append(p.items, item{message: *m})
	it := &p.items[len(p.items)-1]
	it.message.Time = p.now
	p.noEcho = p.noEcho || m.NoEcho
	p.find(it)
	p.prepare(it)
	return nil
}

func (p *Batch) check(m *Message) error {
	if len(m.Channel) > p.s.cfg.MaxName {
		return ErrNameTooLong
	}
	if len(m.Payload) > p.s.cfg.MaxMessage {
		return &TooLargeError{p.s.cfg.MaxMessage}
	}
	if !p.b.allowed(p.s.cfg.Identity, ActionPublish, m.Channel) {
		return ErrDenied
	}
	return nil
}

// find looks up the message's channel; consecutive messages mostly share it.
func (p *Batch) find(it *item) {
	if n := len(p.items); n > 1 {
		if prev := &p.items[n-2]; prev.channel.kind == it.message.Kind && prev.channel.name == it.message.Channel {
			it.channel = prev.channel
			it.message.Channel = it.channel.name
			return
		}
	}
	it.channel = p.b.table(it.message.Kind).get(it.message.Channel)
	it.message.Channel = it.channel.name
}

// prepare finds the patterns that match and encodes the message for all formats
// that have receivers now.
func (p *Batch) prepare(it *item) {
	c := it.channel
	receivers := c.set.Load().formats()
	if c.kind != KindShard {
		it.match = p.b.matchOf(c)
		for _, h := range it.match.patterns {
			receivers |= h.set.Load().formats()
		}
	}
	p.encode(it, receivers.and(c.formats))
}

// matchOf returns the patterns that match the channel, from its cache while the
// pattern index is the same.
func (b *Broker) matchOf(c *channel) *match {
	r := b.root.Load()
	m := c.match.Load()
	if m != nil && m.generation == r.generation {
		return m
	}
	// The bytes are only read: a copy per publish would cost more than the match.
	name := unsafe.Slice(unsafe.StringData(c.name), len(c.name)) // #nosec G103
	m = &match{generation: r.generation, patterns: r.snapshot.Match(nil, name)}
	if len(m.patterns) <= maxCachedPatterns {
		c.match.Store(m)
	}
	return m
}

// encode writes the message for the formats that it is not encoded for yet.
func (p *Batch) encode(it *item, formats formatSet) {
	for i := range p.b.codecs {
		f := Format(i)
		if formats.has(f) && !it.encoded.has(f) {
			it.encoding[f] = p.encoding(it, &p.b.codecs[f])
			it.encoded = it.encoded.with(f)
		}
	}
}

func (p *Batch) encoding(it *item, c *Codec) encoding {
	if n := len(it.message.Payload); n > maxCopied {
		return encoding{own: c.Body(make([]byte, 0, n+len(it.message.Channel)+maxTail), &it.message)}
	}
	e := encoding{start: len(p.scratch)}
	p.scratch = c.Prefix(p.scratch, it.channel.kind, "")
	e.body = len(p.scratch)
	p.scratch = c.Body(p.scratch, &it.message)
	if e.end = len(p.scratch); e.end-e.body > maxCopied { // escaped JSON can be six times as long
		e.own = append(make([]byte, 0, e.end-e.body+maxTail), p.scratch[e.body:]...)
		p.scratch = p.scratch[:e.start]
	}
	return e
}

// Commit appends the messages to the log and, to counts, the number of
// deliveries of each: one for every subscriber of its channel and for every
// subscription to a pattern that matches. The batch is empty afterwards.
func (p *Batch) Commit(counts []int) []int {
	if len(p.items) == 0 {
		return counts
	}
	if p.noEcho {
		// What the publisher itself holds is looked up under the writer's lock.
		p.b.writer.Lock()
		defer p.b.writer.Unlock()
	}
	l := p.b.log
	for try := 0; ; try++ {
		var asleep uint64
		l.mu.Lock()
		counts, asleep = p.appendFresh(counts, try >= maxTries)
		l.mu.Unlock()
		l.wake(asleep)
		if p.next == len(p.items) {
			break
		}
		for i := p.next; i < len(p.items); i++ {
			it := &p.items[i]
			it.channel = p.b.table(it.message.Kind).get(it.message.Channel)
			p.prepare(it)
		}
	}
	p.b.stats.published.Add(int64(len(p.items)))
	p.reset()
	return counts
}

// appendFresh appends items until it meets one whose preparation is out of
// date. With insist it prepares that again under the lock.
func (p *Batch) appendFresh(counts []int, insist bool) (_ []int, asleep uint64) {
	for ; p.next < len(p.items); p.next++ {
		it := &p.items[p.next]
		if it.channel.dead {
			return counts, asleep
		}
		if !p.fresh(it) {
			if !insist {
				return counts, asleep
			}
			p.prepare(it)
		}
		n, woken := p.append(it)
		counts = append(counts, n)
		asleep |= woken
	}
	return counts, asleep
}

// fresh says whether the item is what prepare would make of it now.
func (p *Batch) fresh(it *item) bool {
	needed := it.channel.set.Load().formats()
	if it.match != nil {
		if it.match.generation != p.b.root.Load().generation {
			return false
		}
		for _, h := range it.match.patterns {
			needed |= h.set.Load().formats()
		}
	}
	return it.encoded.covers(needed.and(it.channel.formats))
}

// maxScratch is what a batch keeps for its next use.
const maxScratch = 256 << 10

func (p *Batch) reset() {
	clear(p.items)
	p.items, p.next, p.now, p.noEcho = p.items[:0], 0, 0, false
	if p.scratch = p.scratch[:0]; cap(p.scratch) > maxScratch {
		p.scratch = nil
	}
}

// PublishEvent publishes a message of the node itself. It never waits for room
// and asks nobody for permission. It returns the number of deliveries.
func (b *Broker) PublishEvent(channel string, payload []byte) int {
	p := b.batches.Get().(*Batch)
	p.b = b
	defer p.Release()
	if p.Add(&Message{Channel: channel, Payload: payload}) != nil {
		return 0
	}
	var counts [1]int
	return p.Commit(counts[:0])[0]
}
