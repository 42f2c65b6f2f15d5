package kv

import (
	"encoding/binary"
	"time"
)

// The first byte of a record is the key's type, with what these say. A collection
// that is larger than a part is several records, one behind the other: no record is
// much larger than one element, however large a collection grows.
const (
	partContinues = 0x40 // the elements behind the first byte belong to the key of the record before
	partFollows   = 0x80 // the next record has more elements
	partType      = partContinues - 1
)

const (
	// partBytes is how much of a collection one record has, and one element more.
	partBytes = 16 << 10
	// chunkBytes is how much is allocated at a time while a shard is locked.
	chunkBytes = 1 << 20
	// headBytes is what a record has at most before its key.
	headBytes = 1 + 3*binary.MaxVarintLen64
)

// exports are the records of a shard's keys. They lie in chunks, so that none has to
// be moved to make room for more.
type exports struct {
	records [][]byte
	data    []byte   // the chunk that is being filled
	begin   int      // where the record begins that is being written
	body    int      // where its elements do
	chunks  [][]byte // all of chunkBytes, for every shard again
	used    int      // of them
}

// Export calls emit with records of every key, in no order of the keys: one record, or
// for a large collection several, one behind the other. Each shard is locked while its
// keys are copied, not while they are emitted: the records of a shard show it at one
// moment, those of different shards at different ones. The memory needed is that of one
// shard's copy. pause is the longest time that a shard was locked. emit must not keep
// the record.
func (s *Store) Export(emit func(record []byte) error) (pause time.Duration, err error) {
	var x exports
	for i := range s.shards {
		pause = max(pause, x.copy(&s.shards[i], s.cfg.Now()))
		for _, r := range x.records {
			if err := emit(r); err != nil {
				return pause, err
			}
		}
	}
	return pause, nil
}

// copy lists the keys of a shard that have not expired.
func (x *exports) copy(sh *shard, now int64) time.Duration {
	clear(x.records) // a chunk of a long string is not needed any more
	x.records, x.data, x.used = x.records[:0], nil, 0
	sh.mu.Lock()
	defer sh.mu.Unlock()
	began := time.Now()
	for db, sp := range sh.spaces {
		if sp == nil {
			continue
		}
		sp.keys.each(func(e *entry) bool {
			if at := sp.deadlines.at(e); at == 0 || at > now {
				x.add(e, db, at)
			}
			return true
		})
	}
	return time.Since(began)
}

// add makes the record of a key, or the records: the type, the database, the deadline
// (0: none) and the length of the key, as unsigned varints but the type; the key; the
// value.
func (x *exports) add(e *entry, db int, deadline int64) {
	o, size := e.object(), headBytes+len(e.block)
	if o != nil {
		size += int(min(o.bytes(), partBytes))
	}
	x.open(byte(e.kind), size)
	x.data = binary.AppendUvarint(x.data, uint64(db))       // #nosec G115 -- not negative
	x.data = binary.AppendUvarint(x.data, uint64(deadline)) // #nosec G115 -- not negative
	x.data = binary.AppendUvarint(x.data, uint64(e.size))
	x.data = append(x.data, e.block...)
	x.body = len(x.data)
	if o != nil {
		o.export(x)
	}
	x.close()
}

// open begins a record of about so many bytes.
func (x *exports) open(first byte, size int) {
	if size > cap(x.data)-len(x.data) {
		x.data = x.chunk(size)
	}
	x.begin = len(x.data)
	x.data = append(x.data, first)
	x.body = len(x.data)
}

// close ends a record.
func (x *exports) close() {
	x.records = append(x.records, x.data[x.begin:len(x.data):len(x.data)])
}

// chunk returns room for a record of so many bytes.
func (x *exports) chunk(size int) []byte {
	if size > chunkBytes {
		return make([]byte, 0, size)
	}
	if x.used == len(x.chunks) {
		x.chunks = append(x.chunks, make([]byte, 0, chunkBytes))
	}
	x.used++
	return x.chunks[x.used-1]
}

// element is called before an element of a collection is written: if the record has
// enough of them, another one goes on.
func (x *exports) element() {
	if len(x.data)-x.body < partBytes {
		return
	}
	kind := x.data[x.begin] & partType
	x.data[x.begin] |= partFollows
	x.close()
	x.open(kind|partContinues, headBytes+partBytes)
}

// item writes an element, or a part of one, as packed has it.
func (x *exports) item(b []byte) { x.data = appendPacked(x.data, b) }

// block writes what a block has, of which every step items are an element. A small
// one is copied as it is.
func (x *exports) block(p *packed, step int) {
	x.element()
	if len(p.data) <= partBytes {
		x.data = append(x.data, p.data...)
		return
	}
	for at := 0; at < len(p.data); {
		x.element()
		begin := at
		for range step {
			_, at = p.at(at)
		}
		x.data = append(x.data, p.data[begin:at]...)
	}
}
