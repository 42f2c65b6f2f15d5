package broker

import (
	"slices"
	"sync"
	"sync/atomic"
)

// log is the order of the node: one sequence under one lock. A record says
// which bytes go to which subscribers, and stands in the queue of each worker
// that has some of them.
//
// A record may stand for several consecutive messages of one channel whose
// bytes are adjacent; then the fan-out costs one step for all of them.
type log struct {
	full atomic.Bool // some worker's queue is over the backlog

	mu      sync.Mutex
	seq     uint64             // of the last message
	current [MaxFormats]*chunk // where the next message is written
	past    []pastChunk        // chunks that are full, oldest first
	workers []*worker
	room    chan struct{} // closed when full ends; nil while nobody waits
	cfg     logConfig
	pool    *chunkPool
}

type logConfig struct {
	bytes      int64 // undistributed bytes of one worker above which publishers wait
	deliveries int64 // the same, in deliveries
	maxRun     [MaxFormats]int
}

func newLog(cfg Config) *log {
	l := &log{pool: newChunkPool(cfg.FanoutMemory)}
	l.cfg.bytes, l.cfg.deliveries = cfg.Backlog, cfg.BacklogDeliveries
	for f, c := range cfg.Codecs {
		l.cfg.maxRun[f] = c.MaxRun
	}
	return l
}

type pastChunk struct {
	*chunk
	last uint64 // the last message that may be in it
}

// record is one step of the fan-out.
type record struct {
	Delivery
	first  uint64 // message
	set    *subscribers
	except *Session // not to this one
	format Format
	// later says that the message has another record in this format before this
	// one. A run must not begin with it: the run's sequence would be that of a
	// message which a session that gets both has not seen when it has seen this one.
	later bool
}

// extend joins next to the record if the result is still one step.
func (rec *record) extend(next *record, maxRun int) bool {
	if rec.set != next.set || rec.except != next.except || rec.Lead.n > 0 || next.Lead.n > 0 || rec.Conflate || next.Conflate || rec.later ||
		maxRun > 0 && int(rec.Range.messages) >= maxRun || !rec.Range.Join(next.Range) {
		return false
	}
	rec.Sequence = next.Sequence
	return true
}

func (rec *record) bytes() int64 { return int64(rec.Lead.n) + int64(rec.Range.n) }

// deliveries counts the messages that the record brings to sessions; at most,
// as it does not know which of them have ended.
func (rec *record) deliveries() int64 {
	return int64(rec.set.counts[rec.format]) * int64(rec.Range.messages)
}

// enqueue puts rec into the queue of each worker that has receivers. The caller
// holds mu and calls wake with the result after releasing it.
func (l *log) enqueue(rec *record) (asleep uint64) {
	mask := rec.set.masks[rec.format]
	n := rec.deliveries()
	for _, w := range l.workers {
		if mask&(1<<w.index) == 0 {
			continue
		}
		w.add(rec, n, l.cfg.maxRun[rec.format])
		if w.bytes > l.cfg.bytes || w.deliveries > l.cfg.deliveries {
			l.full.Store(true)
		}
		if w.asleep {
			w.asleep = false
			asleep |= 1 << w.index
		}
	}
	return asleep
}

// wake lets workers go on that enqueue found asleep. No lock is held.
func (l *log) wake(asleep uint64) {
	if asleep == 0 {
		return
	}
	for _, w := range l.workers {
		if asleep&(1<<w.index) != 0 {
			w.wake <- struct{}{}
		}
	}
}

// maxTail bounds what a codec's Tail appends.
const maxTail = 64

// reserve returns an empty slice with room for n bytes in the format's current
// chunk, beginning a new one where they do not fit; n is well below a chunk.
// The caller holds mu, appends, and hands the result to commit.
func (l *log) reserve(f Format, n int) []byte {
	c := l.current[f]
	if c == nil || len(c.buf)-c.used < n {
		c = l.rotate(f)
	}
	return c.buf[c.used:c.used]
}

// commit returns the range of a message that was appended to what reserve gave.
func (l *log) commit(f Format, out []byte) Range {
	c := l.current[f]
	r := Range{chunk: c, off: uint32(c.used), n: uint32(len(out)), messages: 1}
	c.used += len(out)
	return r
}

// rotate begins a new chunk for the format.
func (l *log) rotate(f Format) *chunk {
	if old := l.current[f]; old != nil {
		l.past = append(l.past, pastChunk{old, l.seq})
	}
	l.current[f] = l.pool.get()
	return l.current[f]
}

// adopt makes buf a range of its own. The caller holds mu.
func (l *log) adopt(buf []byte) Range {
	c := l.pool.adopt(buf)
	l.past = append(l.past, pastChunk{c, l.seq})
	return c.whole()
}

func (c *chunk) whole() Range {
	return Range{chunk: c, n: uint32(c.used), messages: 1}
}

// passed is called with mu held after a worker has got on: it lets go of chunks
// that all workers have passed, and of publishers that wait for room.
func (l *log) passed() {
	least, full := l.seq, false
	for _, w := range l.workers {
		if w.first != 0 {
			least = min(least, w.first-1)
		}
		full = full || w.bytes > l.cfg.bytes || w.deliveries > l.cfg.deliveries
	}
	n := 0
	for n < len(l.past) && l.past[n].last <= least {
		l.past[n].release()
		n++
	}
	if n > 0 {
		l.past = slices.Delete(l.past, 0, n) // clears what is behind the end
	}
	if !full && l.full.Load() {
		l.full.Store(false)
		if l.room != nil {
			close(l.room)
			l.room = nil
		}
	}
}

// awaitRoom returns when the backlog is below its limit or done is closed.
func (l *log) awaitRoom(done <-chan struct{}) {
	for {
		l.mu.Lock()
		if !l.full.Load() {
			l.mu.Unlock()
			return
		}
		if l.room == nil {
			l.room = make(chan struct{})
		}
		room := l.room
		l.mu.Unlock()
		select {
		case <-room:
		case <-done:
			return
		}
	}
}
