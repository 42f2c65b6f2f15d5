package outbound

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/broker"
)

// Limits bound what a connection can have queued. A zero field means no limit.
type Limits struct {
	PushHard     int64         // bytes of pushes at which the session ends as slow
	PushSoft     int64         // bytes of pushes that may be exceeded for PushSoftFor
	PushSoftFor  time.Duration //
	ReplyPause   int64         // bytes of replies above which the reader pauses
	WriteTimeout time.Duration // for the peer to take a byte while something is queued
}

// Config describes a connection to New.
type Config struct {
	// Conn is the socket. One without a descriptor, such as a pipe in memory, is
	// written by a goroutine whenever something is queued.
	Conn net.Conn
	// TLS, if not nil, makes the queue the server's end of a TLS connection; the
	// reader calls Handshake first.
	TLS *tls.Config
	// Direct lets Conn().Write write straight to the socket, as net/http expects
	// of a connection, until Own is called.
	Direct bool
	// Framed makes the queue put newline-ended messages into WebSocket frames.
	Framed bool
	// CloseFrame returns the close frame that a Framed connection ends with; nil
	// means none.
	CloseFrame func(broker.Reason) []byte
	Limits     Limits
	// Skipped, if not nil, counts the messages that conflation left out.
	Skipped *atomic.Int64
}

type state uint8

const (
	idle     state = iota
	flushing       // somebody writes without blocking
	blocked        // a goroutine owns the socket and waits for it
	closed         // sealed and empty, or failed: nothing will be written any more
)

// Queue is the way out of one connection. It implements broker.Outlet. Cork,
// Settle, Reply, Uncork, UncorkFormat, AwaitReplies, Handshake, Read, ReadPooled
// and Close are for the connection's own goroutine, the other methods for any.
type Queue struct {
	// set at construction
	cfg    Config
	socket sink // writes to the socket: plain bytes, or ciphertext
	out    sink // what the flusher writes to: socket, or TLS in front of it
	plain  net.Conn
	secure *tlsSink // nil without TLS
	read   reader

	session *broker.Session // set by Bind, before the first Push
	direct  atomic.Bool

	mu         sync.Mutex
	state      state
	stuck      bool // blocked, and the peer was seen to take nothing
	corked     bool
	dirty      bool // a fan-out worker will call Flush
	sealed     bool // what comes now vanishes
	discarding bool // the flusher is to drop what it has not begun
	ended      bool // reads fail from now on
	reason     broker.Reason
	entries    []entry
	held       []heldEntry // pushes that wait for Uncork
	slots      *slots      // pushes that newer ones may replace; nil if there are none
	fed        []byte      // lines that wait for Uncork
	borrowed   []byte      // the replies of an Uncork that is under way
	inflight   int         // entries that the flusher is writing
	frame      frame       // the frame that was begun
	pushed     uint64      // sequence of the last delivery pushed
	settled    uint64      // up to which deliveries are not held, though the queue is corked
	pushBytes  int64       // queued, held and in slots
	replyBytes int64       // queued
	enqueued   int64       // bytes that ever entered the queue
	written    int64       // bytes that were ever taken off it by writing
	softSince  time.Time   // since when pushBytes is above PushSoft
	room       chan struct{}
	flushed    chan struct{} // closed with the state closed; nil until somebody waits
	finishBy   time.Time     // until when Close may wait; zero: lingerTime from then on
}

// heldEntry is a push that arrived while the queue was corked.
type heldEntry struct {
	broker.Delivery
	sub *broker.Subscription
}

func (h *heldEntry) len() int64 { return size(&h.Delivery) }

func (h *heldEntry) release() {
	h.Lead.Release()
	h.Range.Release()
}

func size(d *broker.Delivery) int64 { return int64(d.Lead.Len() + d.Range.Len()) }

// New makes the queue of a connection.
func New(c Config) *Queue {
	q := &Queue{cfg: c, plain: c.Conn}
	q.socket = newSink(c.Conn)
	q.out = q.socket
	q.read = newReader(c.Conn)
	q.direct.Store(c.Direct)
	if c.TLS != nil {
		q.secure = newTLSSink(q, c.TLS)
		q.out, q.plain = q.secure, q.secure.conn
		q.read = connReader{q.plain}
	}
	return q
}

// Bind names the session that ends when the connection cannot be written to. It
// is called once, before anything is queued.
func (q *Queue) Bind(s *broker.Session) { q.session = s }

// Push queues a delivery for sub; see broker.Outlet.
func (q *Queue) Push(d *broker.Delivery, sub *broker.Subscription) broker.Verdict {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pushed = max(q.pushed, d.Sequence)
	// Whether the subscription has ended is looked at under the lock that Drop
	// takes: what comes after Drop must not be held.
	if q.sealed || sub.Ended() {
		return broker.Pushed
	}
	if !q.admits(d, sub) {
		return broker.PushedOver
	}
	q.pushBytes += size(d)
	switch {
	case q.corked && d.Sequence > q.settled:
		q.hold(d, sub)
		return broker.Pushed
	case q.corked: // a slot would be written behind the reply
		q.enqueueRange(d.Lead)
		q.enqueueRange(d.Range)
	default:
		q.deliver(d, sub)
	}
	if q.state != idle || q.dirty {
		return broker.Pushed
	}
	q.dirty = true
	return broker.PushedDirty
}

// admits says whether the limits allow the delivery. What it replaces does not
// count.
func (q *Queue) admits(d *broker.Delivery, sub *broker.Subscription) bool {
	if !d.Conflate || q.corked || !q.conflating() {
		return !q.overLimit(size(d))
	}
	replaced := q.slotBytes(sub)
	q.pushBytes -= replaced
	over := q.overLimit(size(d))
	q.pushBytes += replaced
	return !over
}

// deliver queues a delivery that is counted, or keeps it for later.
func (q *Queue) deliver(d *broker.Delivery, sub *broker.Subscription) {
	if d.Conflate && q.conflating() {
		q.keep(d, sub)
		return
	}
	for q.slot(sub) != nil {
		// A pattern that matches channels of both kinds has one order for all, and so
		// have the slots.
		q.admit(1)
	}
	q.enqueueRange(d.Lead)
	q.enqueueRange(d.Range)
}

// overLimit says whether n more bytes of pushes end the session.
func (q *Queue) overLimit(n int64) bool {
	l, total := &q.cfg.Limits, q.pushBytes+n
	// One message is taken into an empty queue whatever its size: who keeps up
	// is not slow.
	if l.PushHard > 0 && total >= l.PushHard && q.pushBytes > 0 {
		return true
	}
	if l.PushSoft == 0 || total <= l.PushSoft {
		q.softSince = time.Time{}
		return false
	}
	now := time.Now()
	if q.softSince.IsZero() {
		q.softSince = now
	}
	return now.Sub(q.softSince) > l.PushSoftFor
}

func (q *Queue) hold(d *broker.Delivery, sub *broker.Subscription) {
	if n := len(q.held); n > 0 && d.Lead.Len() == 0 && !d.Conflate {
		last := &q.held[n-1]
		if last.sub == sub && !last.Conflate && q.fits(last.Range, d.Range) && last.Range.Join(d.Range) {
			return
		}
	}
	d.Lead.Retain()
	d.Range.Retain()
	q.held = append(q.held, heldEntry{*d, sub})
}

// enqueueRange joins the range to the last entry, or makes it one of its own.
// An entry that is being written may grow: what is written is taken off by the
// number of bytes.
func (q *Queue) enqueueRange(r broker.Range) {
	if r.Len() == 0 {
		return
	}
	q.enqueued += int64(r.Len())
	if n := len(q.entries); n > 0 {
		if last := &q.entries[n-1]; last.own == nil && q.fits(last.r, r) && last.r.Join(r) {
			return
		}
	}
	r.Retain()
	q.entries = append(q.entries, entry{r: r})
}

// fits says whether two ranges may become one: a range is never divided between
// frames, so it must not become larger than one.
func (q *Queue) fits(a, b broker.Range) bool {
	return !q.cfg.Framed || a.Messages()+b.Messages() <= frameMessages && a.Len()+b.Len() <= frameBytes
}

// Drop forgets what is held back or conflated for sub; see broker.Outlet.
func (q *Queue) Drop(sub *broker.Subscription) {
	q.mu.Lock()
	defer q.mu.Unlock()
	kept := q.held[:0]
	for _, h := range q.held {
		if h.sub != sub {
			kept = append(kept, h)
			continue
		}
		q.pushBytes -= h.len()
		h.release()
	}
	clear(q.held[len(kept):])
	q.held = kept
	q.dropSlot(sub)
}

// Oldest returns the age of the oldest range that is queued; see broker.Outlet.
func (q *Queue) Oldest() (uint64, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	birth := q.oldestSlot()
	for i := range q.entries {
		if e := &q.entries[i]; e.own == nil {
			birth = min(birth, e.r.Birth())
			break
		}
	}
	if len(q.held) > 0 {
		birth = min(birth, q.held[0].Lead.Birth(), q.held[0].Range.Birth())
	}
	return birth, birth != broker.Range{}.Birth()
}

// Written returns how many bytes of what was queued were ever written.
func (q *Queue) Written() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.written
}

// Queued returns the bytes of pushes and of replies that wait to be written.
func (q *Queue) Queued() (pushes, replies int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pushBytes, q.replyBytes
}
