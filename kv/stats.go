package kv

// Stats are a store's counters. The shards are read one after the other, so
// under load the numbers are not of one moment.
type Stats struct {
	Databases []DatabaseStats // by number
	Bytes     int64           // as Store.Bytes
	Hits      uint64          // reads that found their key
	Misses    uint64          // reads that did not
	Expired   uint64          // keys deleted because their deadline had passed
	Evicted   uint64          // keys deleted to make room
	Changes   uint64          // changes of keys; of a database that is emptied, one for each shard
}

// DatabaseStats counts the keys of a database, those included whose deadline
// has passed and which are not deleted yet.
type DatabaseStats struct {
	Keys    int
	Expires int // keys with a deadline
}

// Stats returns the counters now.
func (s *Store) Stats() Stats {
	st := Stats{Databases: make([]DatabaseStats, s.cfg.Databases), Bytes: s.Bytes()}
	for i := range s.shards {
		st.add(&s.shards[i])
	}
	return st
}

func (st *Stats) add(sh *shard) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	st.Hits += sh.hits
	st.Misses += sh.misses
	st.Expired += sh.expired
	st.Evicted += sh.evicted
	st.Changes += sh.changes
	for db, sp := range sh.spaces {
		if sp != nil {
			st.Databases[db].Keys += sp.keys.count
			st.Databases[db].Expires += sp.deadlines.count
		}
	}
}
