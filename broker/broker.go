package broker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nuid"
	"go.uber.org/zap"

	"fanfare/topic"
)

// Broker is one node. Its methods may be called from any goroutine.
type Broker struct {
	// set at construction
	cfg        Config
	codecs     []Codec
	node       string
	log        *log
	channels   *channelTable
	shards     *channelTable
	memory     *memory
	batches    sync.Pool
	stopped    chan struct{} // closed by Close
	slow       chan *Session // ended as slow, for the log; what it has no room for is only counted
	background sync.WaitGroup

	eventFormats formatSet // those that have events
	eventCodec   *Codec    // the first of them; nil if there is none

	epoch    atomic.Pointer[string]
	rules    atomic.Pointer[ruleset] // swapped under the log's lock
	reload   sync.Mutex              // one change of rules at a time
	fitting  atomic.Bool             // what is kept does not agree with the rules yet
	root     atomic.Pointer[root]    // swapped under the log's lock
	writer   writer
	sessions sessions
	rights   atomic.Uint64 // changes of what identities may do
	stats    counters
}

// root is a version of the pattern index. Its generation, not its address, says
// whether a cached match is still true: a cache must not keep old roots alive.
type root struct {
	generation uint64
	snapshot   *topic.Snapshot[*holder]
}

// writer is the subscription writer: what only one goroutine at a time changes.
type writer struct {
	sync.Mutex
	index      *topic.Index[*holder]
	patterns   map[string]*holder
	generation uint64
	complex    int // patterns with three or more stars that sessions hold
}

type sessions struct {
	sync.Mutex
	live   map[*Session]struct{}
	ids    *nuid.NUID
	last   int64
	closed bool
}

// New starts a broker. The caller stops it with Close.
func New(cfg Config) (*Broker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	b := &Broker{
		cfg:     cfg,
		codecs:  cfg.Codecs,
		node:    nuid.Next(),
		stopped: make(chan struct{}),
		slow:    make(chan *Session, 1),
	}
	rules, err := newRuleset(cfg.Rules)
	if err != nil {
		return nil, err
	}
	b.rules.Store(rules)
	epoch := nuid.Next()
	b.epoch.Store(&epoch)
	b.findEvents()
	b.batches.New = func() any { return new(Batch) }
	b.log = newLog(cfg)
	b.channels = newChannelTable(KindChannel, b.log, b.accepting)
	b.shards = newChannelTable(KindShard, b.log, b.accepting)
	b.memory = newMemory(cfg, b.expired, b.Strained)
	b.writer.index = topic.NewIndex[*holder]()
	b.writer.patterns = make(map[string]*holder)
	b.root.Store(&root{snapshot: b.writer.index.Commit()})
	b.sessions.ids = nuid.New()
	b.sessions.live = make(map[*Session]struct{})
	for i := range cfg.Workers {
		w := newWorker(b, i)
		b.log.workers = append(b.log.workers, w)
		go w.run()
	}
	b.background.Go(b.relieve)
	b.background.Go(b.reportSlow)
	b.background.Go(b.tend)
	return b, nil
}

// findEvents notes which formats have events.
func (b *Broker) findEvents() {
	for f := range b.codecs {
		if b.codecs[f].Event == nil {
			continue
		}
		b.eventFormats = b.eventFormats.with(Format(f))
		if b.eventCodec == nil {
			b.eventCodec = &b.codecs[f]
		}
	}
}

// accepting returns the formats that can express the channel's name.
func (b *Broker) accepting(channel string) formatSet {
	var set formatSet
	for f := range b.codecs {
		if accepts := b.codecs[f].Accepts; accepts == nil || accepts(channel) {
			set = set.with(Format(f))
		}
	}
	return set
}

func (b *Broker) table(k Kind) *channelTable {
	if k == KindShard {
		return b.shards
	}
	return b.channels
}

// Node returns the node's name, made at its start.
func (b *Broker) Node() string { return b.node }

// Epoch returns the name of this life of the node's memory: offsets of another
// epoch mean nothing here.
func (b *Broker) Epoch() string { return *b.epoch.Load() }

// Drain returns when everything published before the call is in the sessions'
// outlets, or ctx has ended.
func (b *Broker) Drain(ctx context.Context) error {
	b.log.mu.Lock()
	position := b.log.seq
	b.log.mu.Unlock()
	for _, w := range b.log.workers {
		w.await(position, ctx.Done())
	}
	return ctx.Err()
}

// Close refuses new sessions, ends the live ones with ReasonShutdown, and stops
// the workers when they have distributed everything.
func (b *Broker) Close() {
	for _, s := range b.lastSessions() {
		s.End(ReasonShutdown)
	}
	b.memory.store.Close()
	for _, w := range b.log.workers {
		w.stop()
	}
	close(b.stopped)
	b.background.Wait()
}

// Refuse lets Connect answer ErrShuttingDown from now on.
func (b *Broker) Refuse() { b.lastSessions() }

// lastSessions lets no further session in and returns those that live.
func (b *Broker) lastSessions() []*Session {
	b.sessions.Lock()
	defer b.sessions.Unlock()
	b.sessions.closed = true
	live := make([]*Session, 0, len(b.sessions.live))
	for s := range b.sessions.live {
		live = append(live, s)
	}
	return live
}

// reportSlow tells an operator of sessions that ended as slow, once a second at
// most: who ends them must not wait for a log.
func (b *Broker) reportSlow() {
	for {
		var s *Session
		select {
		case <-b.stopped:
			return
		case s = <-b.slow:
		}
		b.cfg.Log.Warn("a session was ended because it took its messages too slowly",
			zap.String("session", s.id), zap.Int64("so far", b.stats.ended[ReasonSlow].Load()))
		select {
		case <-b.stopped:
			return
		case <-time.After(time.Second):
		}
	}
}

// relieve ends sessions while the log's bytes that are still to be written are
// over the limit: those that hold the oldest of them.
func (b *Broker) relieve() {
	for {
		select {
		case <-b.stopped:
			return
		case <-b.log.pool.pressure:
		}
		for b.log.pool.live.Load() > b.cfg.FanoutMemory {
			victims := b.oldest()
			if len(victims) == 0 {
				break
			}
			for _, s := range victims {
				s.End(ReasonSlow)
			}
			b.cfg.Log.Warn("fan-out memory is over its limit: sessions that hold the oldest messages were ended",
				zap.Int("sessions", len(victims)), zap.Int64("limit", b.cfg.FanoutMemory))
		}
	}
}

// oldest returns the live sessions whose outlets hold the oldest chunk.
func (b *Broker) oldest() []*Session {
	b.sessions.Lock()
	defer b.sessions.Unlock()
	var victims []*Session
	least := ^uint64(0)
	for s := range b.sessions.live {
		birth, ok := s.outlet.Oldest()
		if !ok || birth > least || s.ended() {
			continue
		}
		if birth < least {
			least, victims = birth, victims[:0]
		}
		victims = append(victims, s)
	}
	return victims
}
