package outbound

import (
	"bytes"

	"fanfare/broker"
)

// Cork holds pushes back from now on. A connection's reader corks its queue
// while it executes commands, so that nothing lands inside a reply and a message
// follows the acknowledgement of its subscription.
func (q *Queue) Cork() {
	q.mu.Lock()
	q.corked = true
	q.mu.Unlock()
}

// Uncork queues the replies, then what was held back, and writes as much as the
// socket takes. The replies are the caller's again when it returns.
func (q *Queue) Uncork(replies []byte) {
	large := cloneLarge(replies)
	q.mu.Lock()
	q.corked = false
	if len(replies) > 0 && !q.sealed {
		q.enqueueReply(replies, large)
	}
	for _, h := range q.held {
		if !q.sealed {
			q.enqueueRange(h.r)
		}
		h.r.Release()
	}
	q.dropHeld()
	if len(q.fed) > 0 && !q.sealed {
		q.enqueueFed(q.fed)
	}
	q.fed = nil
	q.flushLocked()
}

// UncorkFormat queues the replies, then what was held back for subscriptions in
// the format f, and holds on to the rest and to what follows.
func (q *Queue) UncorkFormat(replies []byte, f broker.Format) {
	large := cloneLarge(replies)
	q.mu.Lock()
	if len(replies) > 0 && !q.sealed {
		q.enqueueReply(replies, large)
	}
	kept := q.held[:0]
	for _, h := range q.held {
		if h.sub.Format() != f {
			kept = append(kept, h)
			continue
		}
		if !q.sealed {
			q.enqueueRange(h.r)
		}
		h.r.Release()
	}
	clear(q.held[len(kept):])
	q.held = kept
	q.flushLocked()
}

// dropHeld empties the list, and its memory unless it is small.
func (q *Queue) dropHeld() {
	clear(q.held)
	if q.held = q.held[:0]; cap(q.held) > smallQueue {
		q.held = nil
	}
}

// enqueueReply borrows the bytes if this goroutine is about to write them, and
// copies them if another one will.
func (q *Queue) enqueueReply(replies []byte, large *[]byte) {
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
	if last.own == nil || last.kind != pooled || len(*last.own) > replyEntry {
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
// is closed. The queue is not corked.
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
