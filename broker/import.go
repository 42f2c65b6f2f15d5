package broker

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// maxSequence bounds what an import believes: JavaScript's numbers go so far.
const maxSequence = 1<<53 - 1

// Importer takes the records of an Export, in their order, into a broker that has
// no sessions yet. What is too old by now, and what the rules do not allow any
// more, is left out.
type Importer struct {
	b     *Broker
	grace time.Duration
	epoch string
	last  uint64 // the highest sequence that occurs
	at    *kept  // whose entries follow
	rule  *Rule
	stat  ImportStats
}

// ImportStats counts what was imported.
type ImportStats struct{ Histories, Messages, Retained, Members int }

// Import begins an import, which Done ends. Members whose connections have ended
// with the node stay for the grace, which begins at the import's end: before that
// nobody can return.
func (b *Broker) Import(grace time.Duration) *Importer {
	b.memory.importing.Store(true)
	return &Importer{b: b, grace: grace}
}

// Done ends the import. The order of messages goes on behind everything imported,
// which an export of a running node has out of order. With resume the node goes on
// in the epoch of the records, and cursors of that epoch stay good.
func (im *Importer) Done(resume bool) ImportStats {
	im.b.log.mu.Lock()
	im.b.log.seq = max(im.b.log.seq, im.last)
	im.b.log.mu.Unlock()
	im.beginGrace()
	im.b.memory.importing.Store(false)
	if resume && im.epoch != "" {
		im.b.epoch.Store(&im.epoch)
	}
	return im.stat
}

// Record takes a record. ErrRecord: it is none; ErrStateFull: max-state-bytes is
// less than it was.
func (im *Importer) Record(record []byte) error {
	if len(record) == 0 {
		return fmt.Errorf("%w: empty", ErrRecord)
	}
	f := fields{rest: record[1:]}
	defer func() { im.last = max(im.last, f.highest) }()
	var err error
	switch record[0] {
	case recordNode:
		im.node(&f)
	case recordHistory:
		im.history(&f)
	case recordEntry:
		im.entry(&f)
	case recordRetained:
		err = im.retained(&f)
	case recordMember:
		err = im.member(&f)
	default:
		return fmt.Errorf("%w: unknown letter %q", ErrRecord, record[0])
	}
	if f.bad {
		return fmt.Errorf("%w: the contents of %q contradict themselves", ErrRecord, record[0])
	}
	return err
}

func (im *Importer) node(f *fields) {
	epoch, _, dropped := f.name(), f.sequence(), f.sequence()
	if f.bad {
		return
	}
	im.epoch = epoch
	raise(&im.b.memory.dropped, dropped)
}

func (im *Importer) history(f *fields) {
	channel, floor, counted, last := f.name(), f.sequence(), f.sequence(), f.sequence()
	var lost []uint64
	for len(f.rest) > 0 && !f.bad {
		lost = append(lost, f.sequence())
	}
	if im.at = nil; f.bad {
		return
	}
	im.rule = im.b.ruleNamed(channel)
	if im.rule.History.Size == 0 {
		raise(&im.b.memory.dropped, max(floor, last))
		return
	}
	l := im.b.memory.lock(channel)
	defer l.unlock()
	if l.kept(channel) != nil {
		f.bad = true
		return
	}
	k := l.keepHistory(channel)
	h := &k.history
	h.floor, h.counted, h.last = floor, counted, last
	for _, offset := range lost {
		l.change(h.note(offset, im.rule.History.Size))
	}
	im.at = k
	im.stat.Histories++
}

func (im *Importer) entry(f *fields) {
	e := entry{
		offset: f.sequence(), time: int64(f.number()), json: f.number()&entryJSON != 0, // #nosec G115 -- any time is one
		key: uint32(f.number()), from: uint32(f.number()), // #nosec G115 -- checked below
	}
	e.bytes = append(make([]byte, 0, len(f.rest)), f.rest...) // not Clone, which takes more than it accounts for
	if uint64(e.key)+uint64(e.from) > uint64(len(e.bytes)) {
		f.bad = true
	}
	if f.bad || im.at == nil {
		return
	}
	f.bad = !im.at.take(im.b.memory, e, im.rule.History)
	im.b.memory.evict()
	im.stat.Messages++
}

// take puts an entry behind the others of its history; false: it is not behind them.
func (k *kept) take(m *memory, e entry, rule History) bool {
	l := m.lock(k.name)
	defer l.unlock()
	if l.kept(k.name) != k {
		return true // forgotten for the limit of all histories
	}
	h, last := &k.history, k.history.last
	if n := h.entries.n; n > 0 && h.entries.at(n-1).offset >= e.offset {
		return false
	}
	l.change(h.add(e, rule.Size))
	l.change(h.expire(now(), rule.TTL, rule.Size))
	h.last = max(h.last, last)
	return true
}

func (im *Importer) retained(f *fields) error {
	channel, deadline := f.name(), int64(f.number()) // #nosec G115 -- checked below
	if f.bad || len(f.rest) < retainedHeader || deadline < 0 {
		f.bad = true
		return nil
	}
	from := binary.LittleEndian.Uint32(f.rest[17:])
	f.note(binary.LittleEndian.Uint64(f.rest))
	if f.bad || uint64(from) > uint64(len(f.rest)-retainedHeader) {
		f.bad = true
		return nil
	}
	if im.b.ruleNamed(channel).Retain == RetainNever || deadline != 0 && deadline <= now() {
		return nil
	}
	l := im.b.memory.lock(channel)
	defer l.unlock()
	if err := l.put(retainedKey(channel), f.rest, deadline); err != nil {
		return err
	}
	l.m.indexRetained(channel)
	im.stat.Retained++
	return nil
}

func (im *Importer) member(f *fields) error {
	channel, name, lease, flags := f.name(), f.name(), int64(f.number()), f.number() // #nosec G115 -- checked below
	if f.bad || len(f.rest) == 0 || f.rest[0] > jsonData || lease < 0 {
		f.bad = true
		return nil
	}
	m, until := member{lease: lease}, lease
	if flags&memberGrace != 0 && im.grace > 0 {
		m.grace, until = untilDone, 0
	}
	if !im.b.ruleNamed(channel).Presence || m.deadline() <= now() {
		return nil
	}
	l := im.b.memory.lock(channel)
	defer l.unlock()
	if err := l.put(memberKey(channel, name), f.rest, until); err != nil {
		return err
	}
	k := l.keep(channel)
	l.setMember(k, name, m)
	im.stat.Members++
	return nil
}

// untilDone is the grace of a member while the import goes on.
const untilDone = math.MaxInt64

func (im *Importer) beginGrace() {
	until := deadline(now(), im.grace)
	im.b.memory.each(func(l locked, k *kept) {
		for name, m := range k.members {
			if m.grace != untilDone {
				continue
			}
			m.grace = until
			k.members[name] = m
			key := memberKey(k.name, name)
			tx := l.m.store.Begin(0, [][]byte{key})
			tx.Expire(0, key, m.deadline(), 0)
			tx.End()
		}
	})
}

// put stores a value in the store of what channels remember.
func (l locked) put(key, value []byte, deadline int64) error {
	tx := l.m.store.Begin(0, [][]byte{key})
	defer tx.End()
	staged, err := tx.Stage(0, key, len(value))
	if err != nil {
		return ErrStateFull
	}
	staged.Put(deadline, value)
	return nil
}

// fields reads the fields of a record.
type fields struct {
	rest    []byte
	highest uint64 // of the sequences read
	bad     bool   // the record is none
}

func (f *fields) number() uint64 {
	n, size := binary.Uvarint(f.rest)
	if size <= 0 {
		f.bad = true
		return 0
	}
	f.rest = f.rest[size:]
	return n
}

// sequence reads a place in the order of messages.
func (f *fields) sequence() uint64 {
	n := f.number()
	f.note(n)
	return n
}

func (f *fields) note(sequence uint64) {
	if sequence > maxSequence {
		f.bad = true
		return
	}
	f.highest = max(f.highest, sequence)
}

// name reads the name of a channel, a member or an epoch.
func (f *fields) name() string {
	n := f.number()
	if f.bad || n > min(maxNameLimit, uint64(len(f.rest))) {
		f.bad = true
		return ""
	}
	text := string(f.rest[:n])
	f.rest = f.rest[n:]
	return text
}
