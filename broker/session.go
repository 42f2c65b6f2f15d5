package broker

import (
	"sync"
	"sync/atomic"
	"time"
)

// Outlet is a session's way out. protocol/outbound has the real one, the tests
// of this package a recorder. Its methods never block, and may be called
// concurrently except where they say otherwise.
type Outlet interface {
	// Push queues a delivery for sub. It is called by the session's fan-out worker
	// only, in the order of the log, and retains the ranges if it keeps them. It
	// leaves out what is for a subscription that has Ended. d is valid during the
	// call.
	Push(d *Delivery, sub *Subscription) Verdict
	// Flush writes what can be written at once. Every Push that answered
	// PushedDirty is followed by one Flush.
	Flush()
	// Drop forgets what is held back for sub.
	Drop(sub *Subscription)
	// End seals the outlet: later pushes vanish. What is queued is discarded or
	// written out, as the reason asks for.
	End(r Reason)
	// Oldest returns the Birth of the oldest range queued, and false if there
	// is none.
	Oldest() (uint64, bool)
}

// Delivery is a message, or several consecutive ones, on the way to sessions.
type Delivery struct {
	// Lead and Range are the bytes, with nothing in between. Lead is mostly empty.
	Lead, Range Range
	// Sequence is the place of the last message in the order of the node.
	Sequence uint64
	// Conflate lets an outlet whose peer takes nothing keep only the newest
	// delivery of the subscription. Such a delivery is one message.
	Conflate bool
}

// Verdict is what became of a Push.
type Verdict uint8

// The verdicts.
const (
	Pushed      Verdict = iota // somebody will write it, or the session has ended
	PushedDirty                // Flush must be called
	PushedOver                 // the session's limit is passed; it is to be ended
)

// SessionConfig describes a connection to Broker.Connect.
type SessionConfig struct {
	Outlet   Outlet
	Format   Format
	Identity Identity
	// Limits of this session; 0 means the broker's own.
	MaxSubscriptions int // channels, patterns and shard channels together
	MaxComplex       int // patterns with three or more stars
	MaxName          int // bytes of a channel or pattern
	MaxMessage       int // bytes of a payload
	// Grace is how long the members that the session holds stay if it ends for
	// another reason than ReasonQuit.
	Grace time.Duration
	// EndRevoked ends the session, with ReasonDenied, where it would otherwise be
	// told that it is not subscribed any more because rights were taken away.
	EndRevoked bool
	// Ended is called once, by whoever ends the session, after the outlet was
	// sealed. It must not block.
	Ended func(Reason)
}

// Session is the broker's end of a connection. Its methods may be called from
// any goroutine; Subscribe and the forms of Unsubscribe, Await and AwaitRoom
// are meant for the connection's own.
type Session struct {
	// set at construction
	b      *Broker
	cfg    SessionConfig
	outlet Outlet
	id     string
	number int64
	worker *worker
	done   chan struct{}

	reason   atomic.Uint32
	format   atomic.Uint32 // written under the subscription writer
	identity atomic.Pointer[Identity]

	joined struct { // members
		sync.Mutex
		holds
	}

	// guarded by the subscription writer
	held    [kinds]subscriptions
	complex int // held patterns with three or more stars
}

// Connect makes a session, unless there are too many (ErrTooManySessions) or the
// node stops (ErrShuttingDown). The caller must call Close when its connection is
// over, whoever ended it.
func (b *Broker) Connect(c SessionConfig) (*Session, error) {
	c.MaxSubscriptions = orDefault(c.MaxSubscriptions, b.cfg.MaxSubscriptions)
	c.MaxComplex = orDefault(c.MaxComplex, b.cfg.MaxComplexPatterns)
	c.MaxName = orDefault(c.MaxName, b.cfg.MaxName)
	c.MaxMessage = orDefault(c.MaxMessage, b.cfg.MaxMessage)
	s := &Session{b: b, cfg: c, outlet: c.Outlet, done: make(chan struct{})}
	s.format.Store(uint32(c.Format))
	s.identity.Store(&c.Identity)

	b.sessions.Lock()
	defer b.sessions.Unlock()
	switch limit := b.cfg.MaxSessions; {
	case b.sessions.closed:
		return nil, ErrShuttingDown
	case limit > 0 && len(b.sessions.live) >= limit:
		return nil, b.refuse(ErrTooManySessions)
	}
	s.id = b.sessions.ids.Next()
	b.sessions.last++
	s.number = b.sessions.last
	s.worker = b.log.workers[int(s.number)%len(b.log.workers)]
	b.sessions.live[s] = struct{}{}
	return s, nil
}

// MaxSessions returns the limit of sessions of all transports together; 0: none.
func (b *Broker) MaxSessions() int { return b.cfg.MaxSessions }

func orDefault(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}

// ID returns the session's name, unique for the life of the node. It is no
// secret: two of them predict the next.
func (s *Session) ID() string { return s.id }

// Number returns the session's number: 1 for the first, and rising.
func (s *Session) Number() int64 { return s.number }

// Identity returns who the session acts as.
func (s *Session) Identity() Identity { return *s.identity.Load() }

// Format returns the wire format of the session's subscriptions.
func (s *Session) Format() Format { return Format(s.format.Load()) }

// Done returns a channel that is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Reason returns why the session ended; ReasonNone while it has not.
func (s *Session) Reason() Reason { return Reason(s.reason.Load()) }

// End ends the session: pushes vanish from now on, and the waits of its reader
// return. Only the first call counts. The session's subscriptions stay, and are
// counted by publishers, until its own goroutine calls Close.
func (s *Session) End(r Reason) {
	if !s.reason.CompareAndSwap(uint32(ReasonNone), uint32(r)) {
		return
	}
	close(s.done)
	s.b.stats.ended[r].Add(1)
	s.outlet.End(r)
	if r == ReasonSlow {
		select {
		case s.b.slow <- s:
		default:
		}
	}
	if s.cfg.Ended != nil {
		s.cfg.Ended(r)
	}
}

// Kill ends the session and removes its subscriptions before it returns, so
// that no later publish counts them.
func (s *Session) Kill() {
	s.End(ReasonKilled)
	s.removeAll()
}

// Close ends the session if nobody did, removes its subscriptions and forgets
// it. It is called once, by the connection's own goroutine.
func (s *Session) Close() {
	s.End(ReasonClosed)
	s.removeAll()
	s.LeaveAll()
	s.b.sessions.Lock()
	delete(s.b.sessions.live, s)
	s.b.sessions.Unlock()
}

func (s *Session) ended() bool { return s.reason.Load() != uint32(ReasonNone) }

// HasRoom says whether a publisher may go on without waiting. Where it answers
// false, AwaitRoom is called before the next message, with nothing held that
// the fan-out needs.
func (s *Session) HasRoom() bool { return !s.b.log.full.Load() }

// AwaitRoom waits until the node has distributed enough of what was published,
// or the session has ended.
func (s *Session) AwaitRoom() {
	s.b.stats.stalls.Add(1)
	s.b.log.awaitRoom(s.done)
}

// Barrier is a position in the order of messages, perhaps that of the end of
// subscriptions.
type Barrier struct {
	position uint64
	removed  []*Subscription
}

// Offset returns the barrier's position as the offset of the last message before
// it.
func (b Barrier) Offset() uint64 { return b.position }

// Now returns the end of the order: everything published before the call is in
// front of it.
func (b *Broker) Now() Barrier {
	b.log.mu.Lock()
	defer b.log.mu.Unlock()
	return Barrier{position: b.log.seq}
}

// Await returns when every message up to the barrier is in the session's
// outlet, or the session has ended. Of subscriptions that were removed at the
// barrier nothing enters the outlet's queue any more, also not what it conflates.
func (s *Session) Await(b Barrier) {
	s.worker.await(b.position, s.done)
	for _, sub := range b.removed {
		sub.ended.Store(true)
	}
}
