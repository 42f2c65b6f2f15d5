package kv

// What TTL returns for a key without a time to live, as Redis does.
const (
	TTLNoKey      = -2
	TTLNoDeadline = -1
)

// Expire gives a key a deadline in Unix milliseconds, see ExpireDeadline, and
// says whether it did: false if the key does not exist or the condition does not
// hold. A deadline that has passed deletes the key (event: del); otherwise the
// event is expire.
func (t *Tx) Expire(db int, key []byte, deadline int64, c ExpireCondition) bool {
	p := t.find(db, key)
	if t.live(p) == nil {
		return false
	}
	t.used(p.e)
	if !c.allows(p.sp.deadlines.at(p.e), deadline) {
		return false
	}
	if deadline <= t.Now() {
		t.remove(p, db, key)
		return true
	}
	t.setDeadline(p, deadline)
	t.s.settle(p.sp)
	p.sh.touched(db, key, true)
	t.s.event(db, EventGeneric, "expire", key)
	return true
}

// setDeadline stores the deadline of p.e and has the expiry goroutine know.
func (t *Tx) setDeadline(p place, deadline int64) {
	p.sp.deadlines.set(p.e, deadline)
	if deadline < p.sh.next.Load() {
		p.sh.next.Store(deadline)
		t.s.wakeBy(deadline)
	}
}

// Deadline returns when a key expires, in Unix milliseconds: TTLNoDeadline if
// it does not, TTLNoKey if there is no such key (PEXPIRETIME's answers).
func (t *Tx) Deadline(db int, key []byte) int64 {
	p := t.find(db, key)
	e := t.live(p)
	t.count(p.sh, db, key, e != nil)
	switch {
	case e == nil:
		return TTLNoKey
	case e.due == 0:
		return TTLNoDeadline
	}
	return p.sp.deadlines.at(e)
}

// TTL returns the time a key has left, in milliseconds, or TTLNoDeadline or
// TTLNoKey (PTTL's answers; TTL answers (ms+500)/1000).
func (t *Tx) TTL(db int, key []byte) int64 {
	d := t.Deadline(db, key)
	if d < 0 {
		return d
	}
	return d - t.Now()
}

// Persist takes the deadline from a key and says whether it had one. Event: persist.
func (t *Tx) Persist(db int, key []byte) bool {
	p := t.find(db, key)
	if t.live(p) == nil {
		return false
	}
	t.used(p.e)
	if p.e.due == 0 {
		return false
	}
	p.sp.deadlines.remove(p.e)
	t.s.settle(p.sp)
	p.sh.touched(db, key, true)
	t.s.event(db, EventGeneric, "persist", key)
	return true
}
