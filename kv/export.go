package kv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrRecord says that a record is not one of Export's.
var ErrRecord = errors.New("not a record of a key")

// ErrNoDatabase says that a record is of a database that the store does not have.
var ErrNoDatabase = errors.New("a key is in a database that there is not")

// exported is a key as it was when its shard was locked. The block's bytes do not
// change any more.
type exported struct {
	block    []byte
	size     uint32 // of the key
	db       uint32
	kind     Type
	deadline int64
}

// Export calls emit with a record for every key, in no order. Each shard is locked
// while its keys are listed, not while they are emitted: the records of a shard
// show it at one moment, those of different shards at different ones. The memory
// needed is that of one shard's list: 48 bytes for each key, and a copy of what is not a
// string. pause is the longest
// time that a shard was locked. emit must not keep the record.
func (s *Store) Export(emit func(record []byte) error) (pause time.Duration, err error) {
	var list []exported
	var record []byte
	for i := range s.shards {
		var held time.Duration
		list, held = s.shards[i].list(list[:0], s.cfg.Now())
		pause = max(pause, held)
		for j := range list {
			record = list[j].encode(record[:0])
			if err := emit(record); err != nil {
				return pause, err
			}
			list[j].block = nil
		}
	}
	return pause, nil
}

// list appends the keys of the shard that have not expired.
func (sh *shard) list(list []exported, now int64) ([]exported, time.Duration) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	began := time.Now()
	for db, sp := range sh.spaces {
		if sp == nil {
			continue
		}
		for cursor, first := uint32(0), true; first || cursor != 0; first = false {
			cursor = sp.keys.scan(cursor, func(e *entry) {
				at := sp.deadlines.at(e)
				if at == 0 || at > now {
					list = append(list, exported{e.snapshot(), e.size, uint32(db), e.kind, at}) // #nosec G115 -- few databases
				}
			})
		}
	}
	return list, time.Since(began)
}

// snapshot returns the key with its value behind it, as it is now.
func (e *entry) snapshot() []byte {
	if o := e.object(); o != nil {
		return o.export(slices.Clone(e.key()))
	}
	return slices.Clip(e.block)
}

// encode appends the record: the type, the database, the deadline (0: none) and the
// length of the key as unsigned varints; the key; the value.
func (x *exported) encode(dst []byte) []byte {
	dst = append(dst, byte(x.kind))
	dst = binary.AppendUvarint(dst, uint64(x.db))
	dst = binary.AppendUvarint(dst, uint64(x.deadline)) // #nosec G115 -- not negative
	dst = binary.AppendUvarint(dst, uint64(x.size))
	return append(dst, x.block...)
}

// Import stores a key from a record of Export, unless its deadline has passed, and
// says whether it did.
// ErrRecord: it is no record. ErrNoDatabase: the store has too few. ErrOOM: the
// store is full. Events are those of Set.
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
	default:
		return nil, fmt.Errorf("%w: unknown type", ErrRecord)
	}
}
