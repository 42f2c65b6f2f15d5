package kv

import "math/rand/v2"

// What eviction and OBJECT know of a key's use is in three bytes of its entry, as
// in Redis: the seconds since 1970, cut; with a policy that counts the minutes,
// cut, and a counter that grows with the logarithm of the number of uses.

// firstCount is the counter of a new key. It is not 0, lest what has just been
// stored goes first.
const firstCount = 5

// used notes that a key was accessed.
func (t *Tx) used(e *entry) {
	if !t.untouched {
		t.s.use(e)
	}
}

// NoTouch lets the commands of the Tx leave no trace in what eviction and OBJECT
// know of a key (CLIENT NO-TOUCH). Touch leaves one all the same.
func (t *Tx) NoTouch() { t.untouched = true }

// Touch notes that a key was used, and says whether it exists (TOUCH).
func (t *Tx) Touch(db int, key []byte) bool {
	e := t.look(db, key)
	if e != nil {
		t.s.use(e)
	}
	return e != nil
}

func (s *Store) use(e *entry) {
	now := s.seconds.Load()
	if !s.counts.Load() {
		e.stamp(now)
		return
	}
	v := s.eviction.Load()
	e.count(now, grown(e.decayed(now, v.DecayTime), v.LogFactor))
}

// born notes that a key is new.
func (s *Store) born(e *entry) {
	now := s.seconds.Load()
	if s.counts.Load() {
		e.count(now, firstCount)
	} else {
		e.stamp(now)
	}
}

func (e *entry) stamp(seconds uint32) {
	e.clock = [3]byte{byte(seconds), byte(seconds >> 8), byte(seconds >> 16)}
}

// idle is for how many seconds the key was not used: modulo 194 days.
func (e *entry) idle(now uint32) uint32 {
	last := uint32(e.clock[0]) | uint32(e.clock[1])<<8 | uint32(e.clock[2])<<16
	return (now - last) & (1<<24 - 1)
}

// count stamps an entry for a policy that counts.
func (e *entry) count(now uint32, counter uint8) {
	minutes := now / 60
	e.clock = [3]byte{byte(minutes), byte(minutes >> 8), counter}
}

// decayed is the counter less what it has lost since the last use.
func (e *entry) decayed(now uint32, decay int) uint8 {
	counter := int(e.clock[2])
	if decay == 0 {
		return uint8(counter) // #nosec G115 -- it was one byte
	}
	last := uint16(e.clock[0]) | uint16(e.clock[1])<<8
	passed := uint16(now/60) - last                 // #nosec G115 -- modulo 45 days
	return uint8(max(0, counter-int(passed)/decay)) // #nosec G115 -- it was one byte
}

// grown is the counter after one more use. The higher it is the less likely it
// grows: with a factor of 10 a million uses take it to 255.
func grown(counter uint8, factor int) uint8 {
	above := max(0, float64(counter)-firstCount)
	if counter < 255 && rand.Float64()*(above*float64(factor)+1) < 1 { //nolint:gosec // no secret
		counter++
	}
	return counter
}

// tick looks at the clock for the stamps.
func (s *Store) tick() {
	s.seconds.Store(uint32(s.cfg.Now() / 1000)) // #nosec G115 -- the cut is wanted
}

// IdleTime returns for how many seconds a key was not used (OBJECT IDLETIME); ok is
// false if it does not exist. It is no use itself. ErrCounted: the policy counts
// uses instead.
func (t *Tx) IdleTime(db int, key []byte) (seconds int64, ok bool, err error) {
	e := t.live(t.find(db, key))
	switch {
	case e == nil:
		return 0, false, nil
	case t.s.counts.Load():
		return 0, false, ErrCounted
	}
	return int64(e.idle(t.s.seconds.Load())), true, nil
}

// Frequency returns a key's counter of uses, 0 to 255 (OBJECT FREQ); ok is false if
// it does not exist. It is no use itself. ErrNotCounted: the policy does not count.
func (t *Tx) Frequency(db int, key []byte) (counter int64, ok bool, err error) {
	e := t.live(t.find(db, key))
	switch {
	case e == nil:
		return 0, false, nil
	case !t.s.counts.Load():
		return 0, false, ErrNotCounted
	}
	return int64(e.decayed(t.s.seconds.Load(), t.s.eviction.Load().DecayTime)), true, nil
}
