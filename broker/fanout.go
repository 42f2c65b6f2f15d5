package broker

import (
	"runtime"
	"slices"
)

const (
	// flushRun is how many sessions are flushed before the log is looked at
	// again, so that one huge fan-out does not delay the messages after it.
	flushRun = 256
	// roundBytes is what may be distributed before every session that got some
	// of it was flushed: what a session that keeps up has queued stays far below
	// its limit, however fast publishers are.
	roundBytes = 256 << 10
	// smallSet is the number of receivers up to which a record's sessions are
	// flushed before those of larger ones.
	smallSet = 64
)

// worker distributes the records of the log to its own sessions. Every session
// belongs to one worker, so it sees the log's order with any number of them.
// A worker never waits for anything but the log.
type worker struct {
	b     *Broker
	index int
	wake  chan struct{} // one signal is kept: asleep is true at most once per signal
	done  chan struct{} // closed when the worker has stopped

	// guarded by log.mu
	queue      []record
	lastOf     [MaxFormats]int // index in queue of the format's last record, -1: none
	first      uint64          // first message not yet distributed; 0: none
	bytes      int64           // undistributed
	deliveries int64           // undistributed
	asleep     bool
	stopping   bool
	waiters    []waiter

	// owned by the worker
	batch        []record
	batchBytes   int64
	batchCount   int64
	round        int64 // bytes distributed since nothing was dirty
	small, large dirtyList
}

// waiter is somebody waiting for the worker to pass a position.
type waiter struct {
	position uint64
	passed   chan struct{}
}

func newWorker(b *Broker, index int) *worker {
	w := &worker{b: b, index: index, wake: make(chan struct{}, 1), done: make(chan struct{})}
	w.forgetLast()
	return w
}

func (w *worker) forgetLast() {
	for f := range w.lastOf {
		w.lastOf[f] = -1
	}
}

// add appends a record, or extends the format's last one. The log's lock is held.
func (w *worker) add(rec *record, deliveries int64, maxRun int) {
	w.bytes += rec.bytes()
	w.deliveries += deliveries
	if i := w.lastOf[rec.format]; i >= 0 && w.queue[i].extend(rec, maxRun) {
		return
	}
	if w.first == 0 {
		w.first = rec.first
	}
	w.lastOf[rec.format] = len(w.queue)
	w.queue = append(w.queue, *rec)
}

func (w *worker) run() {
	defer close(w.done)
	for {
		w.yield()
		if w.round < roundBytes && w.take() {
			w.distribute()
			w.pass()
			w.flush(flushRun)
			continue
		}
		if w.small.len()+w.large.len() > 0 {
			w.flush(flushRun)
			continue
		}
		w.round = 0
		if !w.sleep() {
			return
		}
	}
}

// maxYields bounds how long a worker lets others go first.
const maxYields = 16

// yield lets publishers that are ready append first: what they append is
// distributed and written together. One call of Gosched is not enough, as the
// scheduler lets a goroutine that has yielded jump the queue now and then: with
// 50 publishers half of them would wait for the next round.
func (w *worker) yield() {
	before := -1
	for range maxYields {
		runtime.Gosched()
		n := w.queued()
		if n == before || n == 0 {
			return
		}
		before = n
	}
}

// queued returns the bytes that wait for the worker.
func (w *worker) queued() int {
	l := w.b.log
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(w.bytes)
}

// take moves records from the queue to the batch, up to the round's bytes.
func (w *worker) take() bool {
	l := w.b.log
	l.mu.Lock()
	defer l.mu.Unlock()
	w.batchBytes, w.batchCount = 0, 0
	n := 0
	for n < len(w.queue) && w.round+w.batchBytes < roundBytes {
		rec := &w.queue[n]
		w.batchBytes += rec.bytes()
		w.batchCount += rec.deliveries()
		n++
	}
	w.batch = append(w.batch[:0], w.queue[:n]...)
	w.queue = slices.Delete(w.queue, 0, n)
	w.forgetLast()
	w.round += w.batchBytes
	return n > 0
}

func (w *worker) distribute() {
	delivered := 0
	for i := range w.batch {
		rec := &w.batch[i]
		dirty := &w.small
		if rec.set.n > smallSet {
			dirty = &w.large
		}
		if rec.set.groups == nil {
			delivered += w.deliver(rec, rec.set.flat, dirty)
			continue
		}
		for _, block := range rec.set.groups[w.index*MaxFormats+int(rec.format)] {
			delivered += w.deliver(rec, block, dirty)
		}
	}
	w.b.stats.deliveries.Add(int64(delivered))
}

// deliver puts the record's range into the outlets of its own sessions among
// subs and returns the number of messages delivered.
func (w *worker) deliver(rec *record, subs []*Subscription, dirty *dirtyList) int {
	n := 0
	for _, sub := range subs {
		s := sub.session
		if s.worker != w || sub.format != rec.format || s == rec.except || sub.Ended() {
			continue
		}
		n++
		switch s.outlet.Push(&rec.Delivery, sub) {
		case PushedDirty:
			dirty.push(s)
		case PushedOver:
			s.End(ReasonSlow)
		case Pushed:
		}
	}
	return n * rec.Range.Messages()
}

// pass tells the log that the batch is distributed.
func (w *worker) pass() {
	clear(w.batch)
	l := w.b.log
	l.mu.Lock()
	w.bytes -= w.batchBytes
	w.deliveries -= w.batchCount
	w.first = 0
	if len(w.queue) > 0 {
		w.first = w.queue[0].first
	}
	l.passed()
	w.waiters = slices.DeleteFunc(w.waiters, func(wt waiter) bool {
		if !w.hasPassed(wt.position) {
			return false
		}
		close(wt.passed)
		return true
	})
	l.mu.Unlock()
}

// hasPassed says whether everything up to position is in the outlets. The log's
// lock is held.
func (w *worker) hasPassed(position uint64) bool { return w.first == 0 || w.first > position }

// await returns when the worker has passed position or done is closed.
func (w *worker) await(position uint64, done <-chan struct{}) {
	l := w.b.log
	l.mu.Lock()
	if w.hasPassed(position) {
		l.mu.Unlock()
		return
	}
	passed := make(chan struct{})
	w.waiters = append(w.waiters, waiter{position, passed})
	l.mu.Unlock()
	select {
	case <-passed:
	case <-done:
	}
}

// flush writes what up to n sessions have queued.
func (w *worker) flush(n int) {
	for range n {
		s := w.small.pop()
		if s == nil {
			s = w.large.pop()
		}
		if s == nil {
			return
		}
		s.outlet.Flush()
	}
}

// sleep waits for records. It returns false when the worker is to stop.
func (w *worker) sleep() bool {
	l := w.b.log
	l.mu.Lock()
	if len(w.queue) > 0 {
		l.mu.Unlock()
		return true
	}
	if w.stopping {
		l.mu.Unlock()
		return false
	}
	w.asleep = true
	l.mu.Unlock()
	<-w.wake
	return true
}

// stop lets the worker end when its queue is empty, and waits for it.
func (w *worker) stop() {
	l := w.b.log
	l.mu.Lock()
	w.stopping = true
	asleep := w.asleep
	w.asleep = false
	l.mu.Unlock()
	if asleep {
		w.wake <- struct{}{}
	}
	<-w.done
}
