package kv

// Bytes returns the memory that keys, values, tables and deadlines take, with
// the rounding of Go's allocator. Watchers are not in it.
func (s *Store) Bytes() int64 { return s.bytes.Load() }

// Charge counts n bytes more, or fewer, in Bytes: those of what the store's owner
// keeps beside a key's value, such as an index over the keys.
func (s *Store) Charge(n int64) { s.bytes.Add(n) }

// MaxMemory returns the limit of Bytes; 0: none.
func (s *Store) MaxMemory() int64 { return s.limit.Load() }

// SetMaxMemory changes the limit of Bytes; 0 or less: none. A store that is over the
// new one refuses writes that grow it until it is not, or, with a policy that evicts,
// deletes keys in the background.
func (s *Store) SetMaxMemory(limit int64) {
	s.limit.Store(max(limit, 0))
	s.relax()
}

// MemoryUsage returns the bytes that a key takes by the account of Bytes: its
// entry, its block, its deadline, and its share of the table, which is a pointer. ok
// is false if the key does not exist. It is not counted as a read.
func (t *Tx) MemoryUsage(db int, key []byte) (bytes int64, ok bool) {
	e := t.live(t.find(db, key))
	if e == nil {
		return 0, false
	}
	bytes = e.bytes() + pointerBytes
	if e.due != 0 {
		bytes += dueBytes
	}
	return bytes, true
}

// reserve takes grow bytes ahead of a write, or refuses with ErrOOM, and
// returns what it took. Adding first and looking then keeps the limit exact when
// several writers come at once. With a policy that evicts nothing is refused: there was room
// before the command (MakeRoom), and the next one makes up for what this one takes.
func (s *Store) reserve(grow int64) (int64, error) {
	limit := s.limit.Load()
	if grow <= 0 || limit == 0 || s.evicts.Load() {
		return 0, nil
	}
	if s.bytes.Add(grow) > limit {
		s.bytes.Add(-grow)
		return 0, ErrOOM
	}
	return grow, nil
}
