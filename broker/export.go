package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"
)

// What channels remember leaves a node as records and enters another one, or the
// same after a restart:
//
//	h  channel, floor, counted, last, offsets lost        begins a history
//	e  offset, time, flags, key, from, payload            an entry of the last h
//	r  channel, deadline, value                           a retained message
//	m  channel, name, lease, flags, value                 a member
//	n  epoch, sequence, mark of dropped channels          last of all: it covers
//	                                                      what was dropped meanwhile
//
// The letter is the first byte. Numbers are unsigned varints, texts have their
// length before them; the last text of e, r and m goes to the end.
const (
	recordNode     = 'n'
	recordHistory  = 'h'
	recordEntry    = 'e'
	recordRetained = 'r'
	recordMember   = 'm'

	entryJSON   = 1 << 0
	memberGrace = 1 << 0 // a session holds it, or held it lately
)

// ErrRecord says that a record is not one of Export's.
var ErrRecord = errors.New("not a record of what channels remember")

// Export calls emit with records of everything that channels remember. Each
// channel is shown at one moment, different ones at different moments; after the
// sessions have ended all of it is exact. pause is the longest time for which
// publishers could wait for it. emit must not keep the record.
func (b *Broker) Export(emit func(record []byte) error) (pause time.Duration, err error) {
	turn := b.memory.exports.Add(1)
	for i := range b.memory.stripes {
		copied, held := b.memory.copyStripe(i, turn)
		pause = max(pause, held)
		for j := range copied {
			if err := copied[j].export(emit); err != nil {
				return pause, err
			}
		}
	}
	if err := b.exportRetained(turn, emit); err != nil {
		return pause, err
	}
	node := appendText([]byte{recordNode}, b.Epoch())
	node = binary.AppendUvarint(node, b.Now().position)
	return pause, emit(binary.AppendUvarint(node, b.memory.dropped.Load()))
}

// keptCopy is what a channel remembered at one moment. The bytes of entries and
// values never change.
type keptCopy struct {
	name     string
	bare     bool // there is a retained message and nothing else
	history  history
	entries  []entry
	lost     []uint64
	members  []memberCopy
	retained []byte // nil: there is none
	until    int64  // the retained message's deadline; 0: none
}

type memberCopy struct {
	name  string
	value []byte
	lease int64
	grace bool
}

// copyStripe copies what a stripe keeps, without the bytes.
func (m *memory) copyStripe(stripe int, turn uint64) ([]keptCopy, time.Duration) {
	var copied []keptCopy
	began := time.Now()
	at := now()
	m.eachOf(stripe, func(l locked, k *kept) { copied = append(copied, l.copy(k, turn, at)) })
	return copied, time.Since(began)
}

// copy copies what a channel remembers, for the export whose turn it is.
func (l locked) copy(k *kept, turn uint64, at int64) keptCopy {
	k.shown = turn
	c := keptCopy{name: k.name, history: k.history}
	for i := range k.history.entries.n {
		c.entries = append(c.entries, *k.history.entries.at(i))
	}
	for i := range k.history.lost.n {
		c.lost = append(c.lost, *k.history.lost.at(i))
	}
	for name, m := range k.members {
		if value, ok := l.m.memberValue(k.name, name); ok {
			c.members = append(c.members, memberCopy{name, value, m.lease, m.sessions > 0 || m.grace > at})
		}
	}
	c.retained, c.until = l.retainedValue(k.name)
	return c
}

func (c *keptCopy) export(emit func([]byte) error) error {
	if !c.bare {
		if err := c.exportHistory(emit); err != nil {
			return err
		}
	}
	var record []byte
	for i := range c.members {
		m := &c.members[i]
		record = appendText(appendText(append(record[:0], recordMember), c.name), m.name)
		record = binary.AppendUvarint(record, uint64(m.lease)) // #nosec G115 -- not negative
		record = binary.AppendUvarint(record, flag(m.grace, memberGrace))
		if err := emit(append(record, m.value...)); err != nil {
			return err
		}
	}
	if c.retained == nil {
		return nil
	}
	record = appendText(append(record[:0], recordRetained), c.name)
	record = binary.AppendUvarint(record, uint64(c.until)) // #nosec G115 -- not negative
	return emit(append(record, c.retained...))
}

func (c *keptCopy) exportHistory(emit func([]byte) error) error {
	h := appendText([]byte{recordHistory}, c.name)
	for _, n := range []uint64{c.history.floor, c.history.counted, c.history.last} {
		h = binary.AppendUvarint(h, n)
	}
	for _, offset := range c.lost {
		h = binary.AppendUvarint(h, offset)
	}
	if err := emit(h); err != nil {
		return err
	}
	var record []byte
	for i := range c.entries {
		record = c.entries[i].export(record[:0])
		if err := emit(record); err != nil {
			return err
		}
	}
	return nil
}

func (e *entry) export(dst []byte) []byte {
	dst = binary.AppendUvarint(append(dst, recordEntry), e.offset)
	dst = binary.AppendUvarint(dst, uint64(e.time)) // #nosec G115 -- not negative
	dst = binary.AppendUvarint(dst, flag(e.json, entryJSON))
	dst = binary.AppendUvarint(dst, uint64(e.key))
	dst = binary.AppendUvarint(dst, uint64(e.from))
	return append(dst, e.bytes...)
}

func flag(set bool, bit uint64) uint64 {
	if set {
		return bit
	}
	return 0
}

// exportRetained shows the channels with a retained message that were not shown
// with their stripe: they kept nothing else, or have come since.
func (b *Broker) exportRetained(turn uint64, emit func([]byte) error) (err error) {
	b.memory.retained.match(everything, func(channel string) bool {
		l := b.memory.lock(channel)
		c := keptCopy{name: channel, bare: true}
		switch k := l.kept(channel); {
		case k == nil:
			c.retained, c.until = l.retainedValue(channel)
		case k.shown != turn:
			c = l.copy(k, turn, now())
		}
		l.unlock()
		err = c.export(emit)
		return err == nil
	})
	return err
}

// retainedValue returns the value of the retained message, nil if there is none,
// and its deadline; 0: none.
func (l locked) retainedValue(channel string) (value []byte, deadline int64) {
	key := retainedKey(channel)
	tx := l.m.store.Begin(0, [][]byte{key})
	defer tx.End()
	value, _, _ = tx.Get(0, key)
	return bytes.Clone(value), max(0, tx.Deadline(0, key))
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}
