package outbound

import (
	"errors"
	"os"
	"sync"
	"time"

	"fanfare/broker"
)

const (
	// maxRounds is how often a flusher comes back for more before it leaves the
	// socket to a goroutine: a reader that is as quick as its publishers must not
	// keep a fan-out worker.
	maxRounds = 4
	// copyOut is the number of queued bytes up to which a connection that blocks
	// copies them, rather than pin the log's chunks.
	copyOut = 16 << 10
	// smallQueue is the capacity of entries that an idle connection keeps.
	smallQueue = 4
	// longQueue is the number of entries above which the rest stays in its place.
	longQueue = 1024
)

// errAgain says that the socket takes no more now.
var errAgain = errors.New("the socket takes no more now")

// sink is what a flusher writes to.
type sink interface {
	// write writes what it can of the batch's pieces and returns the number of
	// bytes. With wait it blocks until the socket took some; without, it answers
	// errAgain instead.
	write(b *batch, wait bool) (int, error)
	// pending says whether bytes that write has taken still wait for the socket.
	pending() bool
}

// batch is what one write takes, and the scratch memory for it.
type batch struct {
	pieces [maxPieces][]byte
	n      int // pieces
	bytes  int
	frames framePlan
	joined []byte // small pieces are written as one
	system systemBatch
}

const maxPieces = 64

var batches = sync.Pool{New: func() any { return newBatch() }}

func (b *batch) add(p []byte) {
	b.pieces[b.n] = p
	b.n++
	b.bytes += len(p)
}

func (b *batch) reset() {
	clear(b.pieces[:b.n])
	b.n, b.bytes = 0, 0
	b.frames.reset()
}

// joinBelow is the average size of pieces below which one copy and a plain
// write cost less than a vector of them.
const joinBelow = 2048

// small says whether the pieces are to be joined.
func (b *batch) small() bool { return b.n > 1 && b.bytes <= bufferSize && b.bytes/b.n < joinBelow }

func (b *batch) join() []byte {
	if b.joined == nil {
		b.joined = make([]byte, 0, bufferSize)
	}
	b.joined = b.joined[:0]
	for _, p := range b.pieces[:b.n] {
		b.joined = append(b.joined, p...)
	}
	return b.joined
}

// Flush writes what the socket takes; see broker.Outlet.
func (q *Queue) Flush() {
	q.mu.Lock()
	q.dirty = false
	q.flushLocked()
}

// flushLocked is called with mu held and returns without it.
func (q *Queue) flushLocked() {
	if q.state != idle || !q.writable() || !q.hasOutput() && !q.sealed {
		q.mu.Unlock()
		return
	}
	q.state = flushing
	b := batches.Get().(*batch)
	defer batches.Put(b)
	for range maxRounds {
		if !q.gather(b) {
			q.rest()
			return
		}
		q.mu.Unlock()
		n, err := q.out.write(b, false)
		q.mu.Lock()
		q.consume(b, n)
		if errors.Is(err, errAgain) {
			q.stuck = true
			break
		}
		if err != nil {
			q.fail(err)
			return
		}
	}
	q.block()
}

// writable says whether the queue is the one that writes. During a handshake a
// write through TLS would wait for its end.
func (q *Queue) writable() bool {
	return !q.direct.Load() && (q.secure == nil || q.secure.below.owned.Load())
}

// rest ends a flush that has written everything.
func (q *Queue) rest() {
	if !q.sealed {
		q.state = idle
		q.mu.Unlock()
		return
	}
	if q.secure != nil {
		q.state = flushing
		q.mu.Unlock()
		said := q.secure.goodbye()
		q.mu.Lock()
		if said {
			q.state = idle
			q.flushLocked()
			return
		}
	}
	q.shut()
	q.mu.Unlock()
}

// block leaves the socket to a goroutine.
func (q *Queue) block() {
	q.state = blocked
	total := q.pushBytes + q.replyBytes
	for i := range q.entries {
		if e := &q.entries[i]; e.base() == borrowed && e.own != nil || total <= copyOut && e.own == nil {
			e.detach()
		}
	}
	q.mu.Unlock()
	go q.drain()
}

// drain writes, waiting for the socket, until the queue is empty. It does not
// wait before the socket has refused to take more.
func (q *Queue) drain() {
	b := batches.Get().(*batch)
	defer batches.Put(b)
	q.mu.Lock()
	for q.gather(b) {
		deadline, wait := q.writeBy(), q.stuck
		q.mu.Unlock()
		n, err := 0, q.cfg.Conn.SetWriteDeadline(deadline)
		if err == nil {
			n, err = q.out.write(b, wait)
		}
		q.mu.Lock()
		q.consume(b, n)
		if errors.Is(err, errAgain) {
			q.stuck = true
		} else if err != nil {
			q.fail(err)
			return
		}
	}
	q.mu.Unlock()
	err := q.cfg.Conn.SetWriteDeadline(time.Time{})
	q.mu.Lock()
	if err != nil {
		q.fail(err)
		return
	}
	// What was queued while the lock was free is written by another flush.
	q.state, q.stuck = idle, false
	q.flushLocked()
}

// writeBy returns until when the peer must have taken a byte.
func (q *Queue) writeBy() time.Time {
	if !q.finishBy.IsZero() {
		return q.finishBy
	}
	if t := q.cfg.Limits.WriteTimeout; t > 0 {
		return time.Now().Add(t)
	}
	return time.Time{}
}

// gather collects what the next write takes; it answers false if there is
// nothing to write. The lock is held.
func (q *Queue) gather(b *batch) bool {
	b.reset()
	q.inflight = 0
	if q.discarding {
		q.trim()
	}
	if len(q.entries) == 0 && q.slots != nil && !q.out.pending() {
		q.admit(admitted)
	}
	if q.cfg.Framed {
		q.gatherFrames(b)
	} else {
		for i := range q.entries {
			if b.n == maxPieces {
				break
			}
			b.add(q.entries[i].bytes())
			q.inflight++
		}
	}
	return b.n > 0 || q.out.pending()
}

func (q *Queue) hasOutput() bool { return len(q.entries) > 0 || q.slots != nil || q.out.pending() }

// consume takes n bytes that were written off the queue. The lock is held.
func (q *Queue) consume(b *batch, n int) {
	if q.cfg.Framed {
		q.consumeFrames(b, n)
	} else {
		q.advance(n)
	}
	q.inflight = 0
	if q.cfg.Limits.PushSoft > 0 && q.pushBytes <= q.cfg.Limits.PushSoft {
		q.softSince = time.Time{}
	}
	q.letReader()
}

// advance takes n bytes off the front of the entries.
func (q *Queue) advance(n int) {
	done := 0
	for n > 0 || done < len(q.entries) && q.entries[done].len() == 0 {
		e := &q.entries[done]
		k := min(n, e.len())
		if e.isPush() {
			q.pushBytes -= int64(k)
		} else {
			q.replyBytes -= int64(k)
		}
		n -= k
		q.written += int64(k)
		if e.off += k; e.len() > 0 {
			break
		}
		e.free()
		done++
	}
	if done == 0 {
		return
	}
	if len(q.entries)-done > longQueue { // moving it down for every write would take the square of its length
		clear(q.entries[:done])
		q.entries = q.entries[done:]
		return
	}
	rest := copy(q.entries, q.entries[done:])
	clear(q.entries[rest:])
	if q.entries = q.entries[:rest]; rest == 0 && cap(q.entries) > smallQueue {
		q.entries = nil
	}
}

// fail ends the connection after an error of the socket. It is called with mu
// held and returns without it.
func (q *Queue) fail(err error) {
	q.sealed, q.inflight = true, 0
	q.frame = frame{}
	q.dropAllHeld()
	q.dropSlots()
	q.dropFrom(0)
	q.shut()
	q.mu.Unlock()
	reason := broker.ReasonClosed
	if errors.Is(err, os.ErrDeadlineExceeded) {
		reason = broker.ReasonSlow
	}
	if q.session != nil {
		q.session.End(reason)
	}
	q.closeSocket()
}
