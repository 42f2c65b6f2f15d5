package outbound

import (
	"container/list"
	"fmt"
	"math"

	"fanfare/broker"
)

// Conflation: while a blocked queue waits for its peer, each subscription keeps
// one slot for what is pushed to it as conflatable: its newest delivery. Once
// everything else is written, the slots enter the queue, some at a time, the
// oldest delivery first. So a slow peer sees the latest state late, and not every
// state later and later.
//
// Invariant: while there are slots, whatever may be conflated goes into them, and
// somebody is flushing; and a slot enters the queue before a delivery to its
// subscription that may not be conflated. Else a delivery could overtake an older
// one of its own subscription. Between a slot and what other subscriptions have in
// the queue there is no order.
//
// A slot counts as queued. It holds a copy of a small delivery: a range of a few
// bytes would pin a chunk of 64 KiB for as long as the peer takes nothing.

// slots are what is kept for conflated subscriptions.
type slots struct {
	of    map[*broker.Subscription]*list.Element
	order list.List // of *slot, in the order of their deliveries
}

type slot struct {
	sub     *broker.Subscription
	own     []byte       // the delivery's bytes, or, if they are many:
	lead, r broker.Range // the delivery; with own, r only says what it holds
	skipped int          // deliveries lost to the slot
}

func (s *slot) len() int64 {
	if s.own != nil {
		return int64(len(s.own))
	}
	return int64(s.lead.Len() + s.r.Len())
}

// set gives the slot its first delivery, or the next one.
func (s *slot) set(d *broker.Delivery) {
	n := d.Lead.Len() + d.Range.Len()
	if n > copyOut {
		d.Lead.Retain()
		d.Range.Retain()
		s.own, s.lead, s.r = nil, d.Lead, d.Range
		return
	}
	if cap(s.own) > 4*n { // what is counted is the length
		s.own = nil
	}
	s.own = append(append(s.own[:0], d.Lead.Bytes()...), d.Range.Bytes()...)
	s.r = d.Range.Detached()
}

// release lets go of the log's memory.
func (s *slot) release() {
	s.lead.Release()
	s.r.Release()
	s.lead, s.r = broker.Range{}, broker.Range{}
}

// conflating says whether a delivery that may be conflated is kept in a slot.
func (q *Queue) conflating() bool { return q.stuck || q.slots != nil }

// slot returns the subscription's slot, nil if there is none.
func (q *Queue) slot(sub *broker.Subscription) *list.Element {
	if q.slots == nil {
		return nil
	}
	return q.slots.of[sub]
}

// slotBytes returns what a delivery kept for sub would replace.
func (q *Queue) slotBytes(sub *broker.Subscription) int64 {
	if e := q.slot(sub); e != nil {
		return e.Value.(*slot).len()
	}
	return 0
}

// keep puts a delivery, which is counted, into the slot of its subscription.
func (q *Queue) keep(d *broker.Delivery, sub *broker.Subscription) {
	if e := q.slot(sub); e != nil {
		s := e.Value.(*slot)
		q.pushBytes -= s.len()
		s.release()
		s.set(d)
		s.skipped++
		q.slots.order.MoveToBack(e)
		if n := q.cfg.Skipped; n != nil {
			n.Add(1)
		}
		return
	}
	if q.slots == nil {
		q.slots = &slots{of: make(map[*broker.Subscription]*list.Element)}
	}
	s := &slot{sub: sub}
	s.set(d)
	q.slots.of[sub] = q.slots.order.PushBack(s)
}

// take removes a slot, and from the count what is in it.
func (q *Queue) take(e *list.Element) *slot {
	s := q.slots.order.Remove(e).(*slot)
	delete(q.slots.of, s.sub)
	if len(q.slots.of) == 0 {
		q.slots = nil
	}
	q.pushBytes -= s.len()
	return s
}

// admitted is how many slots enter the queue at a time: the others go on being
// conflated.
const admitted = maxPieces

// admit lets up to n slots enter the queue, the oldest delivery first. Those of
// subscriptions that have ended vanish.
func (q *Queue) admit(n int) {
	for n > 0 && q.slots != nil {
		s := q.take(q.slots.order.Front())
		if s.sub.Ended() {
			s.release()
			continue
		}
		q.enqueueSlot(s)
		n--
	}
}

func (q *Queue) admitAll() { q.admit(math.MaxInt) }

// enqueueSlot queues the delivery in a slot. In JSON the number of those lost
// becomes its first member: the mark is in place of the delivery's own brace.
func (q *Queue) enqueueSlot(s *slot) {
	brace := 0
	if q.cfg.Framed && s.skipped > 0 {
		mark := fmt.Appendf(nil, `{"skipped":%d,`, s.skipped)
		q.enqueuePush(entry{own: &mark, kind: copied | part})
		brace = 1
	}
	switch {
	case s.own != nil:
		own := s.own
		q.enqueuePush(entry{r: s.r, own: &own, off: brace, kind: copied})
	case s.lead.Len() > 0:
		q.enqueuePush(entry{r: s.lead.From(brace)})
		q.enqueuePush(entry{r: s.r})
	default:
		q.enqueuePush(entry{r: s.r.From(brace)})
	}
}

// enqueuePush queues an entry that is not counted yet.
func (q *Queue) enqueuePush(e entry) {
	n := int64(e.len())
	q.enqueued += n
	q.pushBytes += n
	q.entries = append(q.entries, e)
}

// dropSlot forgets what is kept for sub.
func (q *Queue) dropSlot(sub *broker.Subscription) {
	if e := q.slot(sub); e != nil {
		q.take(e).release()
	}
}

func (q *Queue) dropSlots() {
	for q.slots != nil {
		q.take(q.slots.order.Front()).release()
	}
}

// oldestSlot returns the birth of the oldest range in the slots; that of the
// empty range, which is younger than any, if there is none.
func (q *Queue) oldestSlot() uint64 {
	if q.slots != nil {
		for e := q.slots.order.Front(); e != nil; e = e.Next() {
			if s := e.Value.(*slot); s.own == nil {
				return min(s.lead.Birth(), s.r.Birth())
			}
		}
	}
	return broker.Range{}.Birth()
}
