package kv

// Staged is a Set of which everything is done that can fail.
type Staged struct {
	// Existed says that the key has a value.
	Existed bool

	t   *Tx
	p   place
	db  int
	key []byte
}

// Stage takes the memory that Set needs for a value of size bytes under the
// key, for a caller who must know that the write will succeed before it knows
// what to write. With ErrOOM nothing was changed. The Tx is used for nothing
// else until Put; what a stage that is given up has taken is given back with the
// next change of a key in the same shard. The key must stay unchanged.
func (t *Tx) Stage(db int, key []byte, size int) (Staged, error) {
	p := t.find(db, key)
	if err := t.prepare(&p, db, len(key)+size); err != nil {
		return Staged{}, err
	}
	return Staged{p.e != nil, t, p, db, key}, nil
}

// Put stores the value, given in parts that have the staged size together or less, with
// a deadline in Unix milliseconds; 0: none. Events: those of Set.
func (s *Staged) Put(deadline int64, parts ...[]byte) {
	size := len(s.key)
	for _, part := range parts {
		size += len(part)
	}
	rest := s.t.block(&s.p, s.db, s.key, size, size)[len(s.key):]
	for _, part := range parts {
		rest = rest[copy(rest, part):]
	}
	s.t.stored(s.p, s.db, s.key, SetOptions{Deadline: deadline})
}
