package kv

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrRecord says that a record is not one of Export's.
var ErrRecord = errors.New("not a record of a key")

// ErrNoDatabase says that a record is of a database that the store does not have.
var ErrNoDatabase = errors.New("a key is in a database that there is not")

// Importer stores keys from records of Export. It is used by one goroutine at a time.
type Importer struct {
	s               *Store
	stored, expired int64 // keys

	// the key of the record at hand
	db       int
	deadline int64
	key      []byte
	object   object // nil, unless there are records of it still to come
}

// Import begins to store what another store, or this one in another life, has
// exported.
func (s *Store) Import() *Importer { return &Importer{s: s} }

// Keys returns how many keys were stored, and how many were not because their deadline
// had passed.
func (im *Importer) Keys() (stored, expired int64) { return im.stored, im.expired }

// Done ends the import. ErrRecord: the last key is not complete, and was not stored.
func (im *Importer) Done() error {
	if im.object != nil {
		return fmt.Errorf("%w: the rest of a collection is missing", ErrRecord)
	}
	return nil
}

// Record takes the next record, in the order of Export. A key is stored when its last
// record was taken, as a whole, unless its deadline has passed. After an error there is
// to be no further record.
// ErrRecord: it is no record. ErrNoDatabase: the store has too few. ErrOOM: the
// store is full, and no key may be evicted. Events are those of Set.
func (im *Importer) Record(record []byte) error {
	if len(record) == 0 {
		return fmt.Errorf("%w: empty", ErrRecord)
	}
	first, value := record[0], record[1:]
	if (first&partContinues != 0) != (im.object != nil) {
		return fmt.Errorf("%w: a part of a collection out of its place", ErrRecord)
	}
	if im.object == nil {
		var err error
		if value, err = im.head(value); err != nil {
			return err
		}
	}
	if Type(first) == TypeString {
		return im.store(func(t *Tx) error { return im.storeString(t, value) })
	}
	return im.part(Type(first&partType), value, first&partFollows != 0)
}

// head reads what is before the value.
func (im *Importer) head(rest []byte) (value []byte, err error) {
	var head [3]uint64
	for i := range head {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			return nil, fmt.Errorf("%w: too short", ErrRecord)
		}
		head[i], rest = v, rest[n:]
	}
	db, deadline, size := head[0], int64(head[1]), head[2] // #nosec G115 -- checked below
	switch {
	case db >= uint64(im.s.cfg.Databases): // #nosec G115 -- not negative
		return nil, fmt.Errorf("%w: %d of %d", ErrNoDatabase, db, im.s.cfg.Databases)
	case deadline < 0, size > uint64(len(rest)):
		return nil, fmt.Errorf("%w: contradicting lengths", ErrRecord)
	}
	im.db, im.deadline = int(db), deadline // #nosec G115 -- checked above
	im.key = append(im.key[:0], rest[:size]...)
	return rest[size:], nil
}

// part takes elements of a collection, and stores it if more are not to follow.
func (im *Importer) part(kind Type, data []byte, follows bool) error {
	o := im.object
	if o == nil {
		o = newObject(kind)
	}
	if o == nil || o.kind() != kind {
		return fmt.Errorf("%w: unknown type", ErrRecord)
	}
	if err := o.load(data, im.s.compact.Load()); err != nil {
		return err
	}
	if im.object = o; follows {
		return im.s.affords(o.bytes())
	}
	im.object = nil
	return im.store(func(t *Tx) error {
		_, err := t.replaceObject(im.db, im.key, o, EventGeneric, "restore")
		if err != nil || im.deadline == 0 {
			return err
		}
		p := t.find(im.db, im.key)
		t.setDeadline(p, im.deadline)
		t.s.settle(p.sp)
		return nil
	})
}

func (im *Importer) storeString(t *Tx, value []byte) error {
	staged, err := t.Stage(im.db, im.key, len(value))
	if err != nil {
		return err
	}
	staged.Put(im.deadline, value)
	return nil
}

// store makes room for the key at hand and puts it in.
func (im *Importer) store(put func(t *Tx) error) error {
	if !im.s.MakeRoom() {
		return ErrOOM
	}
	t := im.s.Begin(im.db, [][]byte{im.key})
	defer t.End()
	if im.deadline != 0 && im.deadline <= t.Now() {
		im.expired++
		return nil
	}
	if err := put(t); err != nil {
		return err
	}
	im.stored++
	return nil
}

// affords says with ErrOOM that there is no memory for n bytes more.
func (s *Store) affords(n int64) error {
	taken, err := s.reserve(n)
	s.bytes.Add(-taken)
	return err
}

// newObject makes an empty object; nil: there are none of the type.
func newObject(kind Type) object {
	switch kind {
	case TypeHash:
		return new(hash)
	case TypeSet:
		return newMemberSet()
	case TypeList:
		return new(list)
	case TypeSorted:
		return new(sorted)
	default:
		return nil
	}
}
