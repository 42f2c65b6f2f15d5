package broker

// append gives the item its place in the log: a record for each format and each
// holder with receivers. The log's lock is held, the item is fresh.
func (p *Batch) append(it *item) (receivers int, asleep uint64) {
	p.b.log.seq++
	p.last = p.b.log.seq
	a := appender{p: p, it: it, first: p.last}
	if it.event == nil {
		p.b.stats.published.Add(1)
	}
	if it.message.NoEcho {
		a.except = p.s
	}
	a.deliver(&it.channel.holder)
	if it.match != nil {
		for _, h := range it.match.patterns {
			a.deliver(h)
		}
	}
	return a.receivers, a.asleep
}

// appender is the work on one message.
type appender struct {
	p         *Batch
	it        *item
	first     uint64
	except    *Session
	receivers int
	asleep    uint64
	body      [MaxFormats]Range // where the body stands in the log, once it does
	written   int               // bytes copied for this message
	enqueued  formatSet         // that have a record of it
}

func (a *appender) deliver(h *holder) {
	set := h.set.Load()
	if set == nil {
		return
	}
	for f := range a.p.b.codecs {
		n := int(set.counts[f])
		if n == 0 {
			continue
		}
		f := Format(f)
		if !a.it.formats.has(f) {
			if a.it.event == nil {
				a.p.b.stats.unspeakable.Add(int64(n))
			}
			continue
		}
		a.receivers += n
		a.write(h, set, f)
	}
	if a.except != nil && a.except.holds(h) && a.it.formats.has(a.except.Format()) {
		a.receivers--
	}
}

// holds says whether the session subscribes to the holder's name. The
// subscription writer is locked.
func (s *Session) holds(h *holder) bool { return s.held[h.kind].get(h.name) != nil }

// write puts the delivery's bytes into the log: whole while a message copies
// little, so that consecutive ones are adjacent; else as a prefix of its own
// before the body that all deliveries share. One message of 1 MB that matches
// 10,000 patterns must not write 10 GB.
func (a *appender) write(h *holder, set *subscribers, f Format) {
	e := &a.it.encoding[f]
	switch {
	case h.kind != KindPattern && e.own == nil:
		a.enqueue(set, f, Range{}, a.whole(f, a.p.scratch[e.start:e.body], a.p.scratch[e.body:e.end]))
	case e.own == nil && (a.body[f].n == 0 || a.written+(e.end-e.body) <= maxCopied):
		a.enqueue(set, f, Range{}, a.whole(f, a.prefix(h, f), a.p.scratch[e.body:e.end]))
	default:
		a.writeShared(h, set, f)
	}
}

// whole writes prefix, body and tail and returns their range.
func (a *appender) whole(f Format, prefix, body []byte) Range {
	l := a.p.b.log
	dst := l.reserve(f, len(prefix)+len(body)+maxTail)
	r := l.commit(f, a.tail(f, append(append(dst, prefix...), body...)))
	a.written += r.Len()
	if a.body[f].n == 0 {
		a.body[f] = r.From(len(prefix))
	}
	return r
}

func (a *appender) tail(f Format, dst []byte) []byte {
	t := a.p.b.codecs[f].Tail
	switch {
	case t == nil:
		return dst
	case a.it.offset:
		return t(dst, a.first)
	}
	return t(dst, 0)
}

// writeShared enqueues a prefix of the delivery's own before the body with its
// tail, which is written by the first delivery that needs it.
func (a *appender) writeShared(h *holder, set *subscribers, f Format) {
	l, prefix := a.p.b.log, a.prefix(h, f)
	lead := l.commit(f, append(l.reserve(f, len(prefix)), prefix...))
	lead.messages, lead.split = 0, true
	if a.body[f].n == 0 {
		a.body[f] = l.adopt(a.tail(f, a.it.encoding[f].own))
	}
	a.enqueue(set, f, lead, a.body[f])
}

// prefix is valid until the next call.
func (a *appender) prefix(h *holder, f Format) []byte {
	pattern := ""
	if h.kind == KindPattern {
		pattern = h.name
	}
	a.p.prefix = a.p.b.codecs[f].Prefix(a.p.prefix[:0], h.kind, pattern)
	return a.p.prefix
}

func (a *appender) enqueue(set *subscribers, f Format, lead, r Range) {
	rec := record{
		Delivery: Delivery{Lead: lead, Range: r, Sequence: a.first, Conflate: a.it.conflate},
		first:    a.first, set: set, except: a.except, format: f, later: a.enqueued.has(f),
	}
	a.enqueued = a.enqueued.with(f)
	a.asleep |= a.p.b.log.enqueue(&rec)
}
