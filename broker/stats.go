package broker

import "sync/atomic"

// counters are the broker's own, written while it works.
type counters struct {
	published   atomic.Int64
	deliveries  atomic.Int64
	stalls      atomic.Int64
	unspeakable atomic.Int64
	patterns    atomic.Int64
	ended       [reasons]atomic.Int64
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

	Published  int64 // messages
	Deliveries int64 // messages put into outlets
	Stalls     int64 // times that a publisher waited for room
	// Unspeakable counts deliveries that were left out because the format of
	// the subscriber cannot express the channel's name.
	Unspeakable int64
	// Ended counts the sessions that ended, by Reason.
	Ended [reasons]int64
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
		Channels:    b.channels.active(),
		Shards:      b.shards.active(),
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
