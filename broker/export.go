package broker

import (
	"encoding/binary"
	"errors"
	"time"
)

// What channels remember leaves a node as records and enters another one, or the
// same after a restart:
//
//	n  epoch, sequence, mark of dropped channels          first of all
//	h  channel, floor, counted, last, offsets lost        begins a history
//	e  offset, time, flags, key, from, payload            an entry of the last h
//	r  channel, deadline, value                           a retained message
//	m  channel, name, lease, flags, value                 a member
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
	node := appendText([]byte{recordNode}, b.Epoch())
	node = binary.AppendUvarint(node, b.Now().position)
	node = binary.AppendUvarint(node, b.memory.dropped.Load())
	if err := emit(node); err != nil {
		return 0, err
	}
	for i := range b.memory.stripes {
		copied, held := b.memory.copyStripe(i)
		pause = max(pause, held)
		for j := range copied {
			if err := copied[j].export(emit); err != nil {
				return pause, err
			}
		}
	}
	return pause, b.exportRetained(emit)
}

// keptCopy is what a channel remembered at one moment. The bytes of entries and
// values never change.
type keptCopy struct {
	name    string
	history history
	entries []entry
	lost    []uint64
	members []memberCopy
}

type memberCopy struct {
	name  string
	value []byte
	lease int64
	grace bool
}

// copyStripe copies what a stripe keeps, without the bytes.
func (m *memory) copyStripe(stripe int) ([]keptCopy, time.Duration) {
	var copied []keptCopy
	began := time.Now()
	at := now()
	m.eachOf(stripe, func(l locked, k *kept) {
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
		copied = append(copied, c)
	})
	return copied, time.Since(began)
}

func (c *keptCopy) export(emit func([]byte) error) error {
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
	for i := range c.members {
		m := &c.members[i]
		record = appendText(appendText(append(record[:0], recordMember), c.name), m.name)
		record = binary.AppendUvarint(record, uint64(m.lease)) // #nosec G115 -- not negative
		record = binary.AppendUvarint(record, flag(m.grace, memberGrace))
		if err := emit(append(record, m.value...)); err != nil {
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

func (b *Broker) exportRetained(emit func([]byte) error) (err error) {
	var record []byte
	b.memory.retained.match(everything, func(channel string) bool {
		l := b.memory.lock(channel)
		value, deadline, ok := l.retainedValue(channel)
		l.unlock()
		if !ok {
			return true
		}
		record = appendText(append(record[:0], recordRetained), channel)
		record = binary.AppendUvarint(record, uint64(deadline)) // #nosec G115 -- not negative
		err = emit(append(record, value...))
		return err == nil
	})
	return err
}

// retainedValue returns the value of the retained message and its deadline; 0: none.
func (l locked) retainedValue(channel string) (value []byte, deadline int64, ok bool) {
	key := retainedKey(channel)
	tx := l.m.store.Begin(0, [][]byte{key})
	defer tx.End()
	value, ok, _ = tx.Get(0, key)
	return value, max(0, tx.Deadline(0, key)), ok
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}
