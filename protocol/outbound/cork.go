package outbound

import (
	"bytes"

	"fanfare/broker"
)

// Cork holds pushes back from now on. A connection's reader corks its queue
// while it executes commands, so that nothing lands inside a reply and a message
// follows the acknowledgement of its subscription.
//
// It returns the sequence of the last delivery pushed before; later ones are
// held. A message that several subscriptions of the session match is a delivery
// of each, and the cork may come between two of them; after Settle it does not.
func (q *Queue) Cork() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.corked, q.settled = true, 0
	return q.pushed
}

// Settle is Cork for a reply that has a place in the order of messages: every
// delivery up to the sequence it returns precedes the reply. What is conflated
// enters the queue first. And of a message that several of the session's
// subscriptions match, the later deliveries follow the first one, not the reply.
func (q *Queue) Settle() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.corked, q.settled = true, q.pushed
	q.admitAll() // there is a flusher where there are slots
	return q.pushed
}

// Uncork queues the replies, then what was held back, and writes as much as the
// socket takes. The replies are the caller's again when it returns.
func (q *Queue) Uncork(replies []byte) {
	large := cloneLarge(replies)
	q.mu.Lock()
	q.corked = false
	q.enqueueReplies(replies, large)
	for i := range q.held {
		q.letOut(&q.held[i])
	}
	q.dropHeld()
	q.letOutFed()
	q.flushLocked()
}

// Reply queues replies and writes what the socket takes, but holds on to what is
// held back. It is for replies that are too large to be collected first: the
// caller goes on with AwaitReplies, and with Uncork after the last of them. The
// replies are the caller's again when it returns.
func (q *Queue) Reply(replies []byte) {
	large := cloneLarge(replies)
	q.mu.Lock()
	q.enqueueReplies(replies, large)
	q.flushLocked()
}

// UncorkFormat queues the replies, then what was held back or conflated for
// subscriptions in the format f, and the lines that were, and holds on to the rest
// and to what follows. Before it the session's subscriptions were all in that format.
func (q *Queue) UncorkFormat(replies []byte, f broker.Format) {
	large := cloneLarge(replies)
	q.mu.Lock()
	q.enqueueReplies(replies, large)
	kept := q.held[:0]
	for i := range q.held {
		if h := &q.held[i]; h.sub.Format() != f {
			kept = append(kept, *h)
		} else {
			q.letOut(h)
		}
	}
	clear(q.held[len(kept):])
	q.held = kept
	q.admitAll()
	q.letOutFed()
	q.flushLocked()
}

// letOutFed queues the lines that were held back.
func (q *Queue) letOutFed() {
	if len(q.fed) > 0 && !q.sealed {
		q.enqueueFed(q.fed)
	}
	q.fed = nil
}

// letOut queues what was held back.
func (q *Queue) letOut(h *heldEntry) {
	if !q.sealed {
		q.deliver(&h.Delivery, h.sub)
	}
	h.release()
}

// dropHeld empties the list, and its memory unless it is small.
func (q *Queue) dropHeld() {
	clear(q.held)
	if q.held = q.held[:0]; cap(q.held) > smallQueue {
		q.held = nil
	}
}

// enqueueReplies queues replies, or the copy of them if they are large; a Framed
// connection gets them in pieces that fit into frames.
func (q *Queue) enqueueReplies(replies []byte, large *[]byte) {
	if large != nil {
		replies = *large
	}
	for q.cfg.Framed && !q.sealed {
		n := framePiece(replies)
		if n == len(replies) {
			break
		}
		piece := replies[:n:n] // what is appended to it must not get into the next one
		if replies = replies[n:]; large == nil {
			piece = bytes.Clone(piece)
		}
		q.enqueueReply(piece, &piece)
	}
	if large != nil {
		large = &replies
	}
	q.enqueueReply(replies, large)
}

// framePiece returns the length of the lines at the beginning of b that fit into a
// frame: of one at least, whatever its size.
func framePiece(b []byte) (n int) {
	for messages := 0; messages < frameMessages && n < len(b); messages++ {
		end := bytes.IndexByte(b[n:], '\n') + 1
		if end == 0 || n > 0 && n+end > frameBytes {
			break
		}
		n += end
	}
	if n == 0 {
		return len(b)
	}
	return n
}

// enqueueReply borrows the bytes if this goroutine is about to write them, and
// copies them if another one will.
func (q *Queue) enqueueReply(replies []byte, large *[]byte) {
	if len(replies) == 0 || q.sealed {
		return
	}
	q.enqueued += int64(len(replies))
	q.replyBytes += int64(len(replies))
	e := entry{own: large, kind: pooled}
	switch {
	case large != nil:
	case q.state == idle:
		q.borrowed = replies
		e = entry{own: &q.borrowed, kind: borrowed}
	case q.appendReply(replies):
		return
	default:
		own := bytes.Clone(replies)
		e.own = &own
	}
	q.entries = append(q.entries, e)
}

// appendReply adds the bytes to the last entry if that is a reply of moderate
// size: a peer that reads nothing can have as many small ones as it likes.
func (q *Queue) appendReply(replies []byte) bool {
	n := len(q.entries)
	if n == 0 || len(replies) > replyEntry {
		return false
	}
	last := &q.entries[n-1]
	if last.own == nil || last.kind != pooled || len(*last.own) > replyEntry ||
		q.cfg.Framed && lines(*last.own)+lines(replies) > frameMessages {
		return false
	}
	grown := append(*last.own, replies...)
	last.own = &grown
	return true
}

// replyEntry is up to where replies are put behind each other.
const replyEntry = 16 << 10

// cloneLarge copies replies that would take long to copy under the lock, which
// a fan-out worker may wait for.
func cloneLarge(replies []byte) *[]byte {
	if len(replies) < 1<<20 {
		return nil
	}
	own := bytes.Clone(replies)
	return &own
}

// Frame queues a whole control frame, which must not change any more. It is not
// counted against a limit: a peer that does not read is found by its pushes, by
// the write timeout or by the liveness check that sent the frame. Frame returns
// what Written answers once the frame has left.
func (q *Queue) Frame(frame []byte) int64 {
	q.mu.Lock()
	end := q.enqueued + int64(len(frame))
	if q.sealed {
		q.mu.Unlock()
		return end
	}
	q.enqueueFrame(frame)
	q.flushLocked()
	return end
}

func (q *Queue) enqueueFrame(frame []byte) {
	q.enqueued += int64(len(frame))
	q.replyBytes += int64(len(frame))
	q.entries = append(q.entries, entry{own: &frame, kind: static | raw})
}

// AwaitReplies waits while more replies are queued than ReplyPause, or until done
// is closed. While the queue is corked, what is held back goes on counting: a peer
// that does not take its replies is ended for its pushes.
func (q *Queue) AwaitReplies(done <-chan struct{}) {
	limit := q.cfg.Limits.ReplyPause
	for limit > 0 {
		q.mu.Lock()
		if q.replyBytes <= limit || q.state == closed {
			q.mu.Unlock()
			return
		}
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-done:
			return
		}
	}
}

// letReader wakes AwaitReplies once half of the limit is free, or none is needed.
func (q *Queue) letReader() {
	if q.room != nil && (q.replyBytes <= q.cfg.Limits.ReplyPause/2 || q.state == closed) {
		close(q.room)
		q.room = nil
	}
}
