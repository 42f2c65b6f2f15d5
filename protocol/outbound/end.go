package outbound

import (
	"io"
	"net"
	"time"

	"fanfare/broker"
)

// lingerTime is how long the end of a connection may take: for the last bytes
// to be written, and for the peer to answer by closing its side.
const lingerTime = time.Second

// End seals the queue; see broker.Outlet. A plain connection that is killed or
// slow is closed at once: a reply may be half written. One that ends otherwise
// gets what is queued. A framed connection drops the frames not begun and gets
// its close frame. What is conflated is queued only if the node stops: then the
// peer is promised everything published. Close finishes the work.
func (q *Queue) End(r broker.Reason) {
	q.mu.Lock()
	if q.sealed {
		q.wakeReader()
		q.mu.Unlock()
		return
	}
	q.sealed, q.reason = true, r
	graceful := r == broker.ReasonQuit || r == broker.ReasonShutdown || r == broker.ReasonProtocol || r == broker.ReasonClosed
	q.discarding = !graceful
	q.dropAllHeld()
	if r == broker.ReasonShutdown {
		q.admitAll()
	}
	q.dropSlots()
	q.wakeReader()
	if !q.cfg.Framed && !graceful {
		q.dropFrom(q.inflight)
		if q.state == idle {
			q.shut()
		}
		q.mu.Unlock()
		q.closeSocket()
		return
	}
	if !graceful {
		// A flusher that waits for the peer must not keep the log's memory.
		q.dropFrom(max(q.inflight, q.begun()))
	}
	if graceful && r != broker.ReasonClosed { // nobody is there to read that one
		q.appendClose()
	}
	q.flushLocked()
}

// Finish gives the queue until the deadline to be written. It is called before
// the session ends with ReasonShutdown.
func (q *Queue) Finish(deadline time.Time) {
	q.mu.Lock()
	q.finishBy = deadline
	q.mu.Unlock()
}

// appendClose queues the close frame of a framed connection.
func (q *Queue) appendClose() {
	if q.cfg.CloseFrame == nil {
		return
	}
	if f := q.cfg.CloseFrame(q.reason); len(f) > 0 {
		q.enqueueFrame(f)
	}
}

// trim is the flusher's part of an End that discards: what was begun stays, the
// close frame follows.
func (q *Queue) trim() {
	q.discarding = false
	keep := q.begun()
	q.dropFrom(keep)
	if q.cfg.Framed {
		q.appendClose()
	}
}

// begun returns the number of entries that belong to a frame which the peer has
// seen the beginning of. Without frames nothing does: the connection is closed.
func (q *Queue) begun() int {
	if !q.cfg.Framed {
		return 0
	}
	if len(q.entries) > 0 && q.entries[0].isRaw() && q.entries[0].off > 0 {
		return 1
	}
	left, n := q.frame.left, 0
	if q.frame.active {
		left++ // the newline that the frame leaves out
	}
	for left > 0 && n < len(q.entries) {
		left -= q.entries[n].len()
		n++
	}
	return n
}

// dropFrom frees the entries from index n on.
func (q *Queue) dropFrom(n int) {
	for i := n; i < len(q.entries); i++ {
		e := &q.entries[i]
		if e.isPush() {
			q.pushBytes -= int64(e.len())
		} else {
			q.replyBytes -= int64(e.len())
		}
		e.free()
	}
	q.entries = q.entries[:min(n, len(q.entries))]
}

func (q *Queue) dropAllHeld() {
	for _, h := range q.held {
		q.pushBytes -= h.len()
		h.release()
	}
	q.dropHeld()
	q.pushBytes -= int64(len(q.fed))
	q.fed = nil
}

// shut marks that nothing will be written any more. The lock is held.
func (q *Queue) shut() {
	if q.state = closed; q.flushed != nil {
		close(q.flushed)
		q.flushed = nil
	}
	q.letReader()
}

// wakeReader makes the reader's pending and future reads fail.
func (q *Queue) wakeReader() {
	q.ended = true
	_ = q.cfg.Conn.SetReadDeadline(time.Unix(1, 0)) // a closed socket fails reads by itself
}

func (q *Queue) closeSocket() { _ = q.cfg.Conn.Close() } // nothing can be done about it

// SetReadDeadline sets the deadline of Read. After the end of the connection
// reads fail whatever it is.
func (q *Queue) SetReadDeadline(t time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended {
		return net.ErrClosed
	}
	return q.cfg.Conn.SetReadDeadline(t)
}

// Close is called once, by the connection's own goroutine, after its session
// was closed. It waits until what was queued is written, for a second or until
// the time that Finish named, and closes the socket.
//
// A socket that is closed while it has input that nobody read sends a reset,
// which can overtake the last bytes; so input is read for a moment.
func (q *Queue) Close() {
	q.mu.Lock()
	q.sealed, q.ended = true, true
	by := q.finishBy
	if by.IsZero() {
		by = time.Now().Add(lingerTime)
		q.finishBy = by
	}
	if q.state == closed || !q.writable() {
		q.mu.Unlock()
	} else {
		q.awaitFlushed(by)
	}
	if c, ok := q.cfg.Conn.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil &&
		q.cfg.Conn.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(q.cfg.Conn, lingerBytes))
	}
	q.closeSocket()
}

// lingerBytes bounds what is read after the end.
const lingerBytes = 1 << 20

// awaitFlushed waits for shut. It is called with mu held and returns without it.
func (q *Queue) awaitFlushed(by time.Time) {
	flushed := make(chan struct{})
	q.flushed = flushed
	q.flushLocked()
	timer := time.NewTimer(time.Until(by))
	defer timer.Stop()
	select {
	case <-flushed:
	case <-timer.C:
	}
}
