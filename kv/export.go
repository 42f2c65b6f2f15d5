package kv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// ErrRecord says that a record is not one of Export's.
var ErrRecord = errors.New("not a record of a key")

// ErrNoDatabase says that a record is of a database that the store does not have.
var ErrNoDatabase = errors.New("a key is in a database that there is not")

// exports are the records of a shard's keys, one behind the other.
type exports struct {
	data []byte
	ends []int
}

// Export calls emit with a record for every key, in no order. Each shard is locked
// while its keys are copied, not while they are emitted: the records of a shard
// show it at one moment, those of different shards at different ones. The memory
// needed is that of one shard's copy. pause is the longest time that a shard was
// locked. emit must not keep the record.
func (s *Store) Export(emit func(record []byte) error) (pause time.Duration, err error) {
	var x exports
	for i := range s.shards {
		pause = max(pause, x.copy(&s.shards[i], s.cfg.Now()))
		begin := 0
		for _, end := range x.ends {
			if err := emit(x.data[begin:end]); err != nil {
				return pause, err
			}
			begin = end
		}
	}
	return pause, nil
}

// copy lists the keys of a shard that have not expired.
func (x *exports) copy(sh *shard, now int64) time.Duration {
	x.data, x.ends = x.data[:0], x.ends[:0]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	began := time.Now()
	for db, sp := range sh.spaces {
		if sp == nil {
			continue
		}
		for cursor, first := uint32(0), true; first || cursor != 0; first = false {
			cursor = sp.keys.scan(cursor, func(e *entry) {
				if at := sp.deadlines.at(e); at == 0 || at > now {
					x.add(e, db, at)
				}
			})
		}
	}
	return time.Since(began)
}

// add appends the record of a key: the type, the database, the deadline (0: none)
// and the length of the key as unsigned varints; the key; the value.
func (x *exports) add(e *entry, db int, deadline int64) {
	x.data = append(x.data, byte(e.kind))
	x.data = binary.AppendUvarint(x.data, uint64(db))       // #nosec G115 -- not negative
	x.data = binary.AppendUvarint(x.data, uint64(deadline)) // #nosec G115 -- not negative
	x.data = binary.AppendUvarint(x.data, uint64(e.size))
	x.data = append(x.data, e.block...)
	if o := e.object(); o != nil {
		x.data = o.export(x.data)
	}
	x.ends = append(x.ends, len(x.data))
}

// Import stores a key from a record of Export, unless its deadline has passed, and
// says whether it did.
// ErrRecord: it is no record. ErrNoDatabase: the store has too few. ErrOOM: the
// store is full, and no key may be evicted. Events are those of Set.
func (s *Store) Import(record []byte) (stored bool, err error) {
	if len(record) == 0 {
		return false, fmt.Errorf("%w: empty", ErrRecord)
	}
	var head [3]uint64
	rest := record[1:]
	for i := range head {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			return false, fmt.Errorf("%w: too short", ErrRecord)
		}
		head[i], rest = v, rest[n:]
	}
	db, deadline, size := head[0], int64(head[1]), head[2] // #nosec G115 -- checked below
	switch {
	case db >= uint64(s.cfg.Databases): // #nosec G115 -- not negative
		return false, fmt.Errorf("%w: %d of %d", ErrNoDatabase, db, s.cfg.Databases)
	case deadline < 0, size > uint64(len(rest)):
		return false, fmt.Errorf("%w: contradicting lengths", ErrRecord)
	}
	if !s.MakeRoom() {
		return false, ErrOOM
	}
	key, value := rest[:size], rest[size:]
	t := s.Begin(int(db), [][]byte{key})
	defer t.End()
	if deadline != 0 && deadline <= t.Now() {
		return false, nil
	}
	return true, t.restore(Type(record[0]), int(db), key, value, deadline)
}

// restore stores what snapshot has put behind a key.
func (t *Tx) restore(kind Type, db int, key, value []byte, deadline int64) error {
	if kind == TypeString {
		staged, err := t.Stage(db, key, len(value))
		if err != nil {
			return err
		}
		staged.Put(deadline, value)
		return nil
	}
	o, err := decodeObject(kind, value, t.s.compact.Load())
	if err != nil {
		return err
	}
	if _, err := t.replaceObject(db, key, o, EventGeneric, "restore"); err != nil {
		return err
	}
	if deadline != 0 {
		p := t.find(db, key)
		t.setDeadline(p, deadline)
		t.s.settle(p.sp)
	}
	return nil
}

// decodeObject makes an object of what its export has written.
func decodeObject(kind Type, data []byte, c *Compact) (object, error) {
	switch kind {
	case TypeHash:
		return decodeHash(data, c)
	case TypeSet:
		return decodeSet(data, c)
	case TypeList:
		return decodeList(data, c)
	case TypeSorted:
		return decodeSorted(data, c)
	default:
		return nil, fmt.Errorf("%w: unknown type", ErrRecord)
	}
}
