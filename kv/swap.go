package kv

// SwapDatabases exchanges the keys of two databases (SWAPDB). It needs BeginAll.
// Whoever watches a key that exists in either of them becomes dirty. There are no
// events.
func (t *Tx) SwapDatabases(a, b int) {
	t.all()
	if a == b {
		return
	}
	for i := range t.s.shards {
		sh := &t.s.shards[i]
		sh.changes++
		t.touchedSwap(sh, a, b)
		t.touchedSwap(sh, b, a)
		sh.spaces[a], sh.spaces[b] = sh.spaces[b], sh.spaces[a]
	}
}

// touchedSwap is touched for the watched keys of a database that is about to get
// the keys of another one.
func (t *Tx) touchedSwap(sh *shard, db, other int) {
	for k, list := range sh.watch {
		if k.db != db {
			continue
		}
		was, is := sh.state(t, db, k, list[0].hash), sh.state(t, other, k, list[0].hash)
		for _, x := range list {
			x.swapped(was, is)
		}
	}
}

// keyState is what a key is to commands and to the expiry goroutine.
type keyState uint8

const (
	keyAbsent keyState = iota
	keyExpired
	keyLive
)

func (sh *shard) state(t *Tx, db int, k watchedKey, hash uint32) keyState {
	p := place{sh: sh, sp: sh.spaces[db], h: hash}
	if p.sp != nil {
		p.e = p.sp.keys.find(hash, []byte(k.key))
	}
	switch {
	case p.e == nil:
		return keyAbsent
	case t.expired(p):
		return keyExpired
	}
	return keyLive
}

// swapped makes the watcher dirty unless the key is absent for commands before
// and after. From then on it counts as one that had expired at WATCH if it is one
// now: that it will be deleted is no change.
func (x *watch) swapped(was, is keyState) {
	switch {
	case was == keyAbsent && is == keyAbsent:
	case is == keyLive, was == keyLive, was == keyExpired && !x.expired:
		x.w.dirty.Store(true)
	default:
		x.expired = is == keyExpired
	}
}
