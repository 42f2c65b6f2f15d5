package kv

import "math/bits"

// Shards is the number of shards of every store.
const Shards = shardCount

// Shard returns the number of a key's shard, below Shards, which it has in every
// database.
func (s *Store) Shard(key []byte) int {
	i, _ := s.hash(key)
	return i
}

// EachShard calls visit with the number of every shard that the Tx has locked. Until
// End no one else changes a key of these.
func (t *Tx) EachShard(visit func(shard int)) {
	for set := t.held; set != 0; set &= set - 1 {
		visit(bits.TrailingZeros64(set))
	}
}
