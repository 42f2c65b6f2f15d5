package broker

import (
	"bytes"
	"encoding/binary"
	"time"
)

// A retained message is a value in the store of what channels remember, under the
// letter r and the channel's name. The value is
//
//	offset   8 bytes, little endian
//	time     8 bytes
//	flags    1 byte
//	from     4 bytes: length; then the name
//	payload  the rest

const (
	retainedHeader   = 8 + 8 + 1 + 4
	retainedJSON     = 1 << 0
	retainedRecorded = 1 << 1 // the message is part of a history too

	retainedLetter = 'r'
	memberLetter   = 'm'
)

func retainedKey(channel string) []byte {
	return append([]byte{retainedLetter}, channel...)
}

func retainedSize(m *Message) int { return retainedHeader + len(m.From) + len(m.Payload) }

// retainedHead is the header of the message's value.
func retainedHead(m *Message, sequence uint64, recorded bool) (head [retainedHeader]byte) {
	binary.LittleEndian.PutUint64(head[:], sequence)
	binary.LittleEndian.PutUint64(head[8:], uint64(m.Time)) // #nosec G115 -- bits, both ways
	if m.JSON {
		head[16] |= retainedJSON
	}
	if recorded {
		head[16] |= retainedRecorded
	}
	binary.LittleEndian.PutUint32(head[17:], uint32(len(m.From))) // #nosec G115 -- names have limits
	return head
}

// decodeRetained returns the message, and its place in the order, which the
// message's Offset has only if it is part of a history. The payload is the
// value's.
func decodeRetained(channel string, value []byte) (m Message, sequence uint64) {
	sequence = binary.LittleEndian.Uint64(value)
	m.Channel, m.Retained = channel, true
	m.Time = int64(binary.LittleEndian.Uint64(value[8:])) // #nosec G115
	flags := value[16]
	m.JSON = flags&retainedJSON != 0
	if flags&retainedRecorded != 0 {
		m.Offset = sequence
	}
	from := binary.LittleEndian.Uint32(value[17:])
	m.From = string(value[retainedHeader : retainedHeader+from])
	m.Payload = value[retainedHeader+from:]
	return m, sequence
}

// RetainedMessage is the message that a channel retains.
type RetainedMessage struct {
	Message
	// TTL is how long it will stay; negative: until the next one.
	TTL time.Duration
}

// Retained returns the channel's retained message, false if there is none. The
// payload is shared and must not be written to.
func (s *Session) Retained(channel string) (RetainedMessage, bool, error) {
	if err := s.permit(ActionSubscribe, channel); err != nil {
		return RetainedMessage{}, false, err
	}
	l := s.b.memory.lock(channel)
	defer l.unlock()
	r, _, ok := l.retained(channel)
	return r, ok, nil
}

// retained reads the channel's retained message and its place in the order.
func (l locked) retained(channel string) (r RetainedMessage, sequence uint64, ok bool) {
	key := retainedKey(channel)
	tx := l.m.store.Begin(0, [][]byte{key})
	defer tx.End()
	value, ok, err := tx.Get(0, key)
	if err != nil || !ok {
		return r, 0, false
	}
	r.Message, sequence = decodeRetained(string(key[1:]), bytes.Clone(value))
	r.TTL = -1
	if ms := tx.TTL(0, key); ms >= 0 {
		r.TTL = time.Duration(ms) * time.Millisecond
	}
	return r, sequence, true
}

// Unretain removes the channel's retained message and says whether there was one.
func (s *Session) Unretain(channel string) (bool, error) {
	if err := s.permit(ActionPublish, channel); err != nil {
		return false, err
	}
	l := s.b.memory.lock(channel)
	defer l.unlock()
	return l.unretain(channel), nil
}

func (l locked) unretain(channel string) bool {
	key := retainedKey(channel)
	tx := l.m.store.Begin(0, [][]byte{key})
	defer tx.End()
	if !tx.Delete(0, key) {
		return false
	}
	l.m.forgetRetained(channel)
	return true
}

// expired is told by the store which keys have ended: retained messages, and
// members whose lease or grace is over. A key that exists was renewed meanwhile.
func (b *Broker) expired(keys []string) {
	for _, key := range keys {
		switch key[0] {
		case retainedLetter:
			b.retainedExpired(key[1:])
		case memberLetter:
			channel, name := memberOfKey(key)
			b.memberExpired(channel, name)
		}
	}
}

func (b *Broker) retainedExpired(channel string) {
	l := b.memory.lock(channel)
	defer l.unlock()
	key := retainedKey(channel)
	tx := l.m.store.Begin(0, [][]byte{key})
	defer tx.End()
	if !tx.Exists(0, key) {
		l.m.forgetRetained(channel)
	}
}

// What is kept beside the store's values counts as its bytes: the index over the
// channels with a retained message, and the numbers of a member.
const (
	retainedNameBytes = 48
	memberBytes       = 112
)

func (m *memory) indexRetained(channel string) {
	if m.retained.add(channel) {
		m.store.Charge(retainedNameBytes + int64(len(channel)))
	}
}

func (m *memory) forgetRetained(channel string) {
	if m.retained.remove(channel) {
		m.store.Charge(-retainedNameBytes - int64(len(channel)))
	}
}
