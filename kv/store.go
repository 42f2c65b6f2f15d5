package kv

import (
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
)

// shardBits is the number of hash bits that choose the shard; shardCount is the
// number of bits of a lock set.
const (
	shardBits  = 6
	shardCount = 1 << shardBits
)

// Store is a set of databases of keys. All methods are safe for concurrent use.
type Store struct {
	cfg  Config // set at construction
	seed maphash.Seed

	compact  atomic.Pointer[Compact]
	eviction atomic.Pointer[Eviction]
	counts   atomic.Bool   // eviction's policy counts uses
	evicts   atomic.Bool   // it is not noeviction
	followed atomic.Bool   // Config.Touched is told
	seconds  atomic.Uint32 // the clock that entries are stamped with

	mask  atomic.Uint32 // EventClass; 0 when nobody is told
	limit atomic.Int64  // of bytes; 0: none
	bytes atomic.Int64  // sum of settled over all spaces

	// The expiry goroutine's (expirer.go).
	wake    atomic.Int64  // it sleeps until then; a command that sets an earlier deadline kicks it
	kick    chan struct{} // one slot
	stop    chan struct{} // closed by Close
	stopped chan struct{} // closed by the goroutine
	closing sync.Once

	evictor evictor

	txs    sync.Pool // *Tx that have ended
	shards [shardCount]shard
}

// shard is the part of every database whose keys hash to it. Everything but
// next is guarded by mu.
type shard struct {
	mu     sync.Mutex
	s      *Store
	next   atomic.Int64 // no key's deadline is earlier; written with mu held
	spaces []*space     // by database; nil until the first key
	watch  map[watchedKey][]*watch

	hits, misses, expired, evicted, changes uint64

	_ [24]byte // two shards never share a cache line pair
}

// space is the keys of one shard in one database.
type space struct {
	keys      table
	deadlines deadlines
	entries   int64 // bytes of entries and their blocks
	settled   int64 // bytes of this space that Store.bytes contains
}

// New makes an empty store and starts its expiry goroutine; Close stops it.
// Values that cfg.Validate refuses are taken as their defaults.
func New(cfg Config) *Store {
	s := newStore(cfg)
	go s.expireLoop()
	return s
}

// newStore is New without the goroutine.
func newStore(cfg Config) *Store {
	s := &Store{
		cfg:     cfg.withDefaults(),
		seed:    maphash.MakeSeed(),
		kick:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	s.limit.Store(s.cfg.MaxMemory)
	s.compact.Store(&s.cfg.Compact)
	s.useEviction(s.cfg.Eviction)
	s.tick()
	s.wake.Store(math.MaxInt64)
	for i := range s.shards {
		s.shards[i].s = s
		s.shards[i].next.Store(math.MaxInt64)
		s.shards[i].spaces = make([]*space, s.cfg.Databases)
	}
	return s
}

// Close ends the expiry goroutine and returns when it has ended. Commands go on
// working, expired keys stay absent, but nothing is deleted by itself any more.
// It must not be called from a callback of Config.
func (s *Store) Close() {
	s.closing.Do(func() { close(s.stop) })
	<-s.stopped
}

// Databases returns the number of databases.
func (s *Store) Databases() int { return s.cfg.Databases }

// SetEventMask chooses the classes of events that Config.Event is told. Without
// EventKeyspace or EventKeyevent nothing is reported, as in Redis.
func (s *Store) SetEventMask(c EventClass) {
	if s.cfg.Event == nil || c&(EventKeyspace|EventKeyevent) == 0 {
		c = 0
	}
	s.mask.Store(uint32(c))
}

// hash returns the hash of a key and the shard it chooses. The upper bits
// choose the shard, the lower ones the bucket, so they are independent.
func (s *Store) hash(key []byte) (shard int, low uint32) {
	h := maphash.Bytes(s.seed, key)
	return int(h >> (64 - shardBits)), uint32(h) //nolint:gosec // the cut is wanted
}

// event reports an event if its class is asked for. The key's shard is locked.
func (s *Store) event(db int, class EventClass, event string, key []byte) {
	if mask := EventClass(s.mask.Load()); mask&class != 0 {
		s.cfg.Event(db, class|mask&(EventKeyspace|EventKeyevent), event, string(key))
	}
}

// space returns the shard's part of a database, making it if need be.
func (sh *shard) space(db int) *space {
	sp := sh.spaces[db]
	if sp == nil {
		sp = new(space)
		sh.spaces[db] = sp
	}
	return sp
}

// bytes is what the space takes now.
func (sp *space) bytes() int64 {
	return spaceBytes + sp.entries + sp.keys.bytes + sp.deadlines.bytes
}

// settle brings the store's sum up to date after a change of the space.
func (s *Store) settle(sp *space) {
	if d := sp.bytes() - sp.settled; d != 0 {
		sp.settled += d
		s.bytes.Add(d)
	}
}
