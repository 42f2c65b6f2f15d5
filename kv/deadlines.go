package kv

// deadlines is a heap (four children per node: half the levels, and siblings are
// in one or two cache lines) of the entries that expire, the earliest at the root.
// An entry knows its position, so a deadline can be changed and taken back; it
// costs 16 bytes for keys that have one and 4 for those that do not. It is
// kept in chunks, because a slice of a million would stop the shard when it
// grows. A timing wheel was the alternative: no comparisons, but cascades whose
// work is hard to bound, and more bytes per key.
type deadlines struct {
	chunks [][]due
	count  int
	bytes  int64 // of the chunks, for the account of memory
}

// due is the deadline of an entry, in Unix milliseconds.
type due struct {
	at int64
	e  *entry
}

const (
	chunkBits = 8
	chunkSize = 1 << chunkBits
	arity     = 4
)

func (d *deadlines) get(i int) due { return d.chunks[i>>chunkBits][i&(chunkSize-1)] }

// put stores x at position i and has the entry know.
func (d *deadlines) put(i int, x due) {
	d.chunks[i>>chunkBits][i&(chunkSize-1)] = x
	x.e.due = int32(i + 1) //nolint:gosec // 2^31 deadlines in one shard do not fit into memory
}

// at returns the deadline of an entry, 0 if it has none.
func (d *deadlines) at(e *entry) int64 {
	if e.due == 0 {
		return 0
	}
	return d.get(int(e.due) - 1).at
}

// first returns the earliest deadline; ok is false if there is none.
func (d *deadlines) first() (x due, ok bool) {
	if d.count == 0 {
		return due{}, false
	}
	return d.get(0), true
}

// set gives an entry a deadline or changes it.
func (d *deadlines) set(e *entry, at int64) {
	i := int(e.due) - 1
	if i < 0 {
		i = d.count
		d.grow()
	}
	d.settle(i, due{at, e})
}

// remove takes the deadline from an entry that may have one.
func (d *deadlines) remove(e *entry) {
	i := int(e.due) - 1
	if i < 0 {
		return
	}
	e.due = 0
	last := d.get(d.count - 1)
	d.cut()
	if last.e != e {
		d.settle(i, last)
	}
}

// replace gives the deadline of an entry, if it has one, to another.
func (d *deadlines) replace(old, e *entry) {
	if i := int(old.due) - 1; i >= 0 {
		d.put(i, due{d.get(i).at, e})
		old.due = 0
	}
}

// settle finds the place of x, beginning at the free position i.
func (d *deadlines) settle(i int, x due) {
	j := d.up(i, x.at)
	if j == i {
		j = d.down(i, x.at)
	}
	d.put(j, x)
}

// up moves later ancestors of position i down and returns the free position.
func (d *deadlines) up(i int, at int64) int {
	for i > 0 {
		parent := (i - 1) / arity
		p := d.get(parent)
		if p.at <= at {
			break
		}
		d.put(i, p)
		i = parent
	}
	return i
}

// down moves earlier descendants of position i up and returns the free position.
func (d *deadlines) down(i int, at int64) int {
	for {
		child := i*arity + 1
		if child >= d.count {
			return i
		}
		least, end := d.get(child), min(child+arity, d.count)
		for j := child + 1; j < end; j++ {
			if x := d.get(j); x.at < least.at {
				child, least = j, x
			}
		}
		if least.at >= at {
			return i
		}
		d.put(i, least)
		i = child
	}
}

// grow adds a position at the end. The first chunk grows like a slice, so that
// a few deadlines cost little; the others are made whole.
func (d *deadlines) grow() {
	c := d.count >> chunkBits
	if c == len(d.chunks) {
		d.chunks = append(d.chunks, nil)
		d.bytes += sliceBytes
	}
	chunk := &d.chunks[c]
	if i := d.count & (chunkSize - 1); i >= len(*chunk) {
		size := chunkSize
		if c == 0 {
			size = min(chunkSize, max(minBuckets, 2*i))
		}
		d.bytes += allocatedPointers(size*dueBytes) - allocatedPointers(len(*chunk)*dueBytes)
		bigger := make([]due, size)
		copy(bigger, *chunk)
		*chunk = bigger
	}
	d.count++
}

// cut takes the last position away. One empty chunk is kept, lest a deadline
// that comes and goes at the border makes a new one each time.
func (d *deadlines) cut() {
	d.count--
	d.chunks[d.count>>chunkBits][d.count&(chunkSize-1)] = due{}
	if last := len(d.chunks) - 1; last > d.count>>chunkBits+1 {
		d.bytes -= allocatedPointers(len(d.chunks[last])*dueBytes) + sliceBytes
		d.chunks[last] = nil
		d.chunks = d.chunks[:last]
	}
}
