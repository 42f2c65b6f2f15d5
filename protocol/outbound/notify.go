package outbound

import "fanfare/broker"

// Notify is Feed for whoever must not take the time to write: it copies the lines,
// and where it answers PushedDirty, Flush is to be called soon, by anybody.
// PushedOver: the connection's limit is passed, nothing was queued, and the session
// is to be ended.
func (q *Queue) Notify(lines []byte) broker.Verdict {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.sealed:
		return broker.Pushed
	case q.overLimit(int64(len(lines))):
		return broker.PushedOver
	}
	q.pushBytes += int64(len(lines))
	if q.corked {
		q.fed = append(q.fed, lines...)
		return broker.Pushed
	}
	if !q.appendFed(lines) {
		q.enqueueFed(append(make([]byte, 0, len(lines)), lines...))
	}
	if q.state != idle || q.dirty {
		return broker.Pushed
	}
	q.dirty = true
	return broker.PushedDirty
}

// appendFed adds lines to the last entry if they are of its kind and it is of
// moderate size: many short ones must not take many times what is counted.
func (q *Queue) appendFed(lines []byte) bool {
	n := len(q.entries)
	if n == 0 {
		return false
	}
	last := &q.entries[n-1]
	if last.own == nil || last.kind != copied || len(*last.own) > replyEntry {
		return false
	}
	q.enqueued += int64(len(lines))
	grown := append(*last.own, lines...)
	last.own = &grown
	return true
}
