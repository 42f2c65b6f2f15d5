package kv

// Compact says how large collections may be that are kept in the compact form:
// one block of bytes, searched from end to end. A collection that outgrows it gets
// a table (or what its type has instead) and keeps that. The names are those of
// Redis' settings.
type Compact struct {
	HashEntries int // hash-max-listpack-entries
	HashValue   int // hash-max-listpack-value: bytes of a field or value

	SetIntegers int // set-max-intset-entries: members of a set of integers
	SetEntries  int // set-max-listpack-entries
	SetValue    int // set-max-listpack-value: bytes of a member

	SortedEntries int // zset-max-listpack-entries
	SortedValue   int // zset-max-listpack-value: bytes of a member

	// ListSize is list-max-listpack-size: how much one node of a list holds.
	// Positive: so many elements; -1 to -5: 4, 8, 16, 32, 64 KiB.
	ListSize int
}

// DefaultCompact has Redis' defaults.
var DefaultCompact = Compact{
	HashEntries: 512, HashValue: 64,
	SetIntegers: 512, SetEntries: 128, SetValue: 64,
	SortedEntries: 128, SortedValue: 64,
	ListSize: -2,
}

// Compact returns the present sizes.
func (s *Store) Compact() Compact { return *s.compact.Load() }

// SetCompact changes the sizes. What is there already changes its form with the
// next write that makes it grow.
func (s *Store) SetCompact(c Compact) { s.compact.Store(&c) }
