package kv

// used notes that a key was accessed, for eviction and OBJECT IDLETIME. Three
// bytes hold it, as in Redis: the seconds since 1970, cut.
func (t *Tx) used(e *entry) {
	if !t.untouched {
		e.stamp(t.s.seconds.Load())
	}
}

func (e *entry) stamp(seconds uint32) {
	e.clock = [3]byte{byte(seconds), byte(seconds >> 8), byte(seconds >> 16)}
}

// NoTouch lets the commands of the Tx leave no trace in what eviction and OBJECT
// IDLETIME know of a key (CLIENT NO-TOUCH).
func (t *Tx) NoTouch() { t.untouched = true }

// tick looks at the clock for the stamps.
func (s *Store) tick() {
	s.seconds.Store(uint32(s.cfg.Now() / 1000)) // #nosec G115 -- the cut is wanted
}
