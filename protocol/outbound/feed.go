package outbound

import "time"

// Feed queues lines that are neither replies nor messages of the broker, such as
// those of MONITOR. They count as pushes, follow the replies of the commands
// that are being executed, and belong to the queue from now on. Feed answers
// false if the connection's limit is passed: nothing was queued, and the session
// is to be ended.
func (q *Queue) Feed(lines []byte) bool {
	q.mu.Lock()
	switch {
	case q.sealed:
		q.mu.Unlock()
		return true
	case q.overLimit(int64(len(lines))):
		q.mu.Unlock()
		return false
	}
	q.pushBytes += int64(len(lines))
	if q.corked {
		q.fed = append(q.fed, lines...)
		q.mu.Unlock()
		return true
	}
	q.enqueueFed(lines)
	q.flushLocked()
	return true
}

func (q *Queue) enqueueFed(lines []byte) {
	q.enqueued += int64(len(lines))
	q.entries = append(q.entries, entry{own: &lines, kind: copied})
}

// SetPushLimits changes how many bytes of pushes may be queued from the next
// one on; see Limits.
func (q *Queue) SetPushLimits(hard, soft int64, softFor time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := &q.cfg.Limits
	l.PushHard, l.PushSoft, l.PushSoftFor = hard, soft, softFor
}
