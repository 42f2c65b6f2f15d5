package kv

import "math/rand/v2"

// Scan visits about count keys of a database and returns the cursor to go on
// with. Cursor 0 begins, and 0 is returned at the end. A key that exists from
// the first call to the last is visited at least once (perhaps more often),
// whatever else is written, deleted or expires meanwhile. Any cursor is legal.
// Expired keys are not visited. It needs BeginAll. visit must not call the Tx;
// key is valid during the call.
func (t *Tx) Scan(db int, cursor uint64, count int, visit func(key []byte, typ Type)) uint64 {
	t.all()
	shard, at := int(cursor%shardCount), uint32(cursor>>shardBits) //nolint:gosec // foreign cursors may be cut
	// As in Redis: a database of mostly empty buckets must not hold the locks for long.
	for visits := 10 * max(1, count); shard < shardCount; shard, at = shard+1, 0 {
		sp := t.s.shards[shard].spaces[db]
		if sp == nil {
			continue
		}
		for {
			at = sp.keys.scan(at, func(e *entry) {
				if e.due == 0 || sp.deadlines.at(e) > t.Now() {
					visit(e.key(), e.kind)
					count--
				}
			})
			visits--
			if at == 0 {
				break
			}
			if count <= 0 || visits <= 0 {
				return uint64(at)<<shardBits | uint64(shard) //nolint:gosec // not negative
			}
		}
		if (count <= 0 || visits <= 0) && shard+1 < shardCount {
			return uint64(shard + 1) //nolint:gosec // not negative
		}
	}
	return 0
}

// Each visits every key of a database once, in no order (KEYS). Expired keys are
// not visited. It needs BeginAll. visit must not call the Tx; key is valid until End.
func (t *Tx) Each(db int, visit func(key []byte, typ Type)) {
	const atOnce = 1 << 10
	for cursor := t.Scan(db, 0, atOnce, visit); cursor != 0; {
		cursor = t.Scan(db, cursor, atOnce, visit)
	}
}

// randomKeyTries is how many expired keys RandomKey puts up with before it looks
// for one that is not.
const randomKeyTries = 16

// RandomKey returns any key of a database; ok is false if it has none. It needs
// BeginAll. The slice is valid until End.
func (t *Tx) RandomKey(db int) (key []byte, ok bool) {
	n := t.Size(db)
	if n == 0 {
		return nil, false
	}
	for range randomKeyTries {
		sp := t.spaceOf(db, rand.IntN(n)) //nolint:gosec // no secret
		e := sp.keys.random()
		if e.due == 0 || sp.deadlines.at(e) > t.Now() {
			return e.key(), true
		}
	}
	for cursor := uint64(0); ; {
		cursor = t.Scan(db, cursor, 1, func(k []byte, _ Type) { key, ok = k, true })
		if ok || cursor == 0 {
			return key, ok
		}
	}
}

// spaceOf returns the space that has the i-th key, in any fixed order, so that
// shards are chosen by their number of keys.
func (t *Tx) spaceOf(db, i int) *space {
	for k := range t.s.shards {
		sp := t.s.shards[k].spaces[db]
		if sp == nil {
			continue
		}
		if i -= sp.keys.count; i < 0 {
			return sp
		}
	}
	return nil
}
