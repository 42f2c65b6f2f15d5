package broker

import (
	"strings"
	"time"
	"unsafe"
)

// Batch collects messages of one publisher that take their places in the order
// together: the log is locked once for a run of messages to channels that
// remember nothing. A Batch is used by one goroutine at a time.
type Batch struct {
	b       *Broker
	s       *Session // nil: the node itself
	items   []item
	next    int    // first item that is not appended
	last    uint64 // place of the last item that is
	scratch []byte // encoded messages, one behind the other
	prefix  []byte // of the delivery that is being appended
	key     []byte // of the retained message that is being stored
	from    []byte // its publisher
	now     int64
	noEcho  bool     // some item has NoEcho
	rules   *ruleset // by which it is decided what channels remember
}

// item is a message, or an event, with all that can be prepared without the
// log's lock.
type item struct {
	message  Message
	event    *Event // instead of a message
	channel  *channel
	match    *match    // nil where patterns do not count
	formats  formatSet // that can express it
	encoded  formatSet
	encoding [MaxFormats]encoding
	offset   bool // deliveries carry the offset
	conflate bool
}

// Receipt is what became of a published message.
type Receipt struct {
	// Receivers is the number of deliveries: one for every subscriber of the
	// channel and for every subscription to a pattern that matches.
	Receivers int
	// Offset is the message's place in the order of the node; 0 where the channel
	// keeps no history, or not this message. Of a message whose Key is known
	// already it is that of the first one, and there are no Receivers.
	Offset uint64
	// Err is ErrNoRetained, ErrNoHistory or ErrStateFull for a message that was
	// refused, of which nothing is kept and nobody was told.
	Err error
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
	if reserved(m) {
		return ErrReserved
	}
	if !p.b.allowed(p.s.Identity(), ActionPublish, m.Channel) {
		return ErrDenied
	}
	return nil
}

// reserved says whether only the node publishes to the message's channel.
func reserved(m *Message) bool {
	return m.Kind == KindChannel && strings.HasPrefix(m.Channel, ownPrefix) &&
		(strings.HasPrefix(m.Channel, presencePrefix) || strings.HasPrefix(m.Channel, occupancyPrefix))
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
	it.formats = c.formats
	it.conflate = p.b.ruleOf(c).Slow == SlowConflate
	if it.event != nil {
		it.formats, it.conflate = it.formats.and(p.b.eventFormats), false
	}
	receivers := c.set.Load().formats()
	if c.kind != KindShard && (it.event == nil || it.event.Verb.toPatterns()) {
		it.match = p.b.matchOf(c)
		for _, h := range it.match.patterns {
			receivers |= h.set.Load().formats()
		}
	}
	p.encode(it, receivers.and(it.formats))
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
	if it.event != nil {
		p.scratch = c.Event(p.scratch, it.event)
	} else {
		p.scratch = c.Body(p.scratch, &it.message)
	}
	if e.end = len(p.scratch); e.end-e.body > maxCopied { // escaped JSON can be six times as long
		e.own = append(make([]byte, 0, e.end-e.body+maxTail), p.scratch[e.body:]...)
		p.scratch = p.scratch[:e.start]
	}
	return e
}

// Commit appends the messages to the log, in the order in which they were added,
// and a receipt for each to receipts. The batch is empty afterwards.
func (p *Batch) Commit(receipts []Receipt) []Receipt {
	for p.next < len(p.items) {
		p.rules = p.b.rules.Load()
		if n := p.plain(); n > 0 {
			receipts = p.commitRun(receipts, p.next+n)
		} else {
			receipts = p.commitKept(receipts)
		}
	}
	p.reset()
	return receipts
}

// plain returns the number of the next items of which nothing is remembered.
func (p *Batch) plain() int {
	rest := p.items[p.next:]
	if p.rules == nil {
		for n := range rest {
			if rest[n].message.flagged() {
				return n
			}
		}
		return len(rest)
	}
	for n := range rest {
		m := &rest[n].message
		if rule := p.b.ruleOf(rest[n].channel); rule.History.Size > 0 || rule.Retain == RetainAll || m.flagged() {
			return n
		}
	}
	return len(rest)
}

// commitRun appends the items up to end, or fewer if the rules change: what is
// remembered of a message must be decided by the rules of its place.
func (p *Batch) commitRun(receipts []Receipt, end int) []Receipt {
	if p.noEcho {
		// What the publisher itself holds is looked up under the writer's lock.
		p.b.writer.Lock()
		defer p.b.writer.Unlock()
	}
	l := p.b.log
	for try := 0; p.next < end; try++ {
		var asleep uint64
		l.mu.Lock()
		if p.rules != p.b.rules.Load() {
			l.mu.Unlock()
			return receipts
		}
		receipts, asleep = p.appendFresh(receipts, end, try >= maxTries)
		l.mu.Unlock()
		l.wake(asleep)
		p.renew(end)
	}
	return receipts
}

// renew prepares the items up to end that are not appended anew.
func (p *Batch) renew(end int) {
	for i := p.next; i < end; i++ {
		it := &p.items[i]
		it.channel = p.b.table(it.message.Kind).get(it.message.Channel)
		p.prepare(it)
	}
}

// appendFresh appends items until it meets one whose preparation is out of
// date. With insist it prepares that again under the lock.
func (p *Batch) appendFresh(receipts []Receipt, end int, insist bool) (_ []Receipt, asleep uint64) {
	for ; p.next < end; p.next++ {
		it := &p.items[p.next]
		if it.channel.dead {
			return receipts, asleep
		}
		if !p.fresh(it) {
			if !insist {
				return receipts, asleep
			}
			p.prepare(it)
		}
		n, woken := p.append(it)
		r := Receipt{Receivers: n}
		if it.offset {
			r.Offset = p.last
		}
		receipts = append(receipts, r)
		asleep |= woken
	}
	return receipts, asleep
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
	return it.encoded.covers(needed.and(it.formats))
}

// maxScratch is what a batch keeps for its next use.
const maxScratch = 256 << 10

func (p *Batch) reset() {
	clear(p.items)
	p.items, p.next, p.now, p.noEcho, p.rules = p.items[:0], 0, 0, false, nil
	if p.scratch = p.scratch[:0]; cap(p.scratch) > maxScratch {
		p.scratch = nil
	}
}

// PublishEvent publishes a message of the node itself. It never waits for room
// and asks nobody for permission. It returns the number of deliveries.
func (b *Broker) PublishEvent(channel string, payload []byte) int {
	return b.publishOwn(&Message{Channel: channel, Payload: payload})
}

func (b *Broker) publishOwn(m *Message) int {
	p := b.batches.Get().(*Batch)
	p.b = b
	defer p.Release()
	if p.Add(m) != nil {
		return 0
	}
	var receipts [1]Receipt
	return p.Commit(receipts[:0])[0].Receivers
}
