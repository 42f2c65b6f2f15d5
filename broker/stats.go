package broker

import (
	"errors"
	"sync/atomic"
)

// counters are the broker's own, written while it works.
type counters struct {
	published   atomic.Int64
	deliveries  atomic.Int64
	stalls      atomic.Int64
	unspeakable atomic.Int64
	patterns    atomic.Int64
	revoked     atomic.Int64
	ended       [reasons]atomic.Int64
	refused     [len(refusals)]atomic.Int64
}

// refusals are the errors by which a peer's request is refused, as counted.
var refusals = [...]struct {
	name string
	err  error
}{
	{"too-many-sessions", ErrTooManySessions},
	{"denied", ErrDenied},
	{"name-too-long", ErrNameTooLong},
	{"message-too-large", ErrMessageTooLarge},
	{"too-many-subscriptions", ErrTooManySubscriptions},
	{"too-many-complex-patterns", ErrTooManyComplex},
	{"reserved", ErrReserved},
	{"state-full", ErrStateFull},
	{"too-many-joins", ErrTooManyJoins},
}

// refuse counts an error and returns it.
func (b *Broker) refuse(err error) error {
	for i := range refusals {
		if errors.Is(err, refusals[i].err) {
			b.stats.refused[i].Add(1)
		}
	}
	return err
}

// Snapshot is the broker's counters at one moment. Totals only rise.
type Snapshot struct {
	Sessions    int // live ones
	Channels    int // with subscribers
	Shards      int // shard channels with subscribers
	Patterns    int // distinct ones
	Sequence    uint64
	FanoutBytes int64 // of the log, still to be written by somebody
	Backlog     int64 // bytes not yet distributed by the worker that has most

	HistoryBytes int64 // of all histories
	StateBytes   int64 // of retained messages and members
	Remembered   int   // channels of which something is known: history, members, or offsets
	Evicted      int64 // channels that lost their history for the limit of all

	Published  int64 // messages
	Deliveries int64 // messages put into outlets
	Stalls     int64 // times that a publisher waited for room
	// Unspeakable counts deliveries that were left out because the format of
	// the subscriber cannot express the channel's name.
	Unspeakable int64
	// Revoked counts the subscriptions and members that ended because rights were
	// taken away.
	Revoked int64
	// Ended counts the sessions that ended, by Reason.
	Ended [reasons]int64
	// Refused counts refused requests by what they would have passed: a limit,
	// or the rights of the session.
	Refused map[string]int64
}

// Stats returns the counters.
func (b *Broker) Stats() Snapshot {
	s := Snapshot{
		Patterns:    int(b.stats.patterns.Load()),
		FanoutBytes: b.log.pool.live.Load(),
		Published:   b.stats.published.Load(),
		Deliveries:  b.stats.deliveries.Load(),
		Stalls:      b.stats.stalls.Load(),
		Unspeakable: b.stats.unspeakable.Load(),
		Revoked:     b.stats.revoked.Load(),
		Channels:    b.channels.active(),
		Shards:      b.shards.active(),

		HistoryBytes: b.memory.bytes.Load(),
		StateBytes:   b.memory.store.Bytes(),
		Remembered:   int(b.memory.count.Load()),
		Evicted:      b.memory.evicted.Load(),
	}
	s.Refused = make(map[string]int64, len(refusals))
	for i := range refusals {
		s.Refused[refusals[i].name] = b.stats.refused[i].Load()
	}
	for r := range s.Ended {
		s.Ended[r] = b.stats.ended[r].Load()
	}
	b.sessions.Lock()
	s.Sessions = len(b.sessions.live)
	b.sessions.Unlock()
	b.log.mu.Lock()
	defer b.log.mu.Unlock()
	s.Sequence = b.log.seq
	for _, w := range b.log.workers {
		s.Backlog = max(s.Backlog, w.bytes)
	}
	return s
}

// Strained says whether more than half of the backlog is waiting to be
// distributed. It is quick; work that can wait rests meanwhile.
func (b *Broker) Strained() bool {
	b.log.mu.Lock()
	defer b.log.mu.Unlock()
	for _, w := range b.log.workers {
		if w.bytes > b.cfg.Backlog/2 || w.deliveries > b.cfg.BacklogDeliveries/2 {
			return true
		}
	}
	return false
}

// EndedBy returns how many sessions ended for the reason.
func (s *Snapshot) EndedBy(r Reason) int64 { return s.Ended[r] }
