package broker

import (
	"slices"
	"sort"
	"strings"
	"time"
)

// history is what a channel remembers of its messages. The channel's stripe is
// locked.
//
// Offsets are places in the node's order and say nothing about how many messages
// lie between two of them. So that a subscriber who missed too much can be told
// how much, the offsets of as many lost messages are kept as there are messages.
type history struct {
	entries ring[entry]
	lost    ring[uint64] // offsets of messages that were trimmed, the latest ones
	// floor is the offset above which nothing was trimmed. A channel of which
	// nothing is known starts with the node's mark.
	floor uint64
	// counted is the offset above which lost has every trimmed message.
	counted uint64
	last    uint64            // offset of the last message
	fixed   int64             // bytes that the channel takes while there are entries
	keys    map[string]uint64 // offsets of the entries that were published with a key
}

// begin says that nothing is known of what was published up to the offset.
func (h *history) begin(offset uint64) {
	h.floor = max(h.floor, offset)
	h.counted = max(h.counted, h.floor)
}

// entry is one message of a history. Its bytes are the idempotency key with its
// owner, the publisher's name and the payload, in one allocation.
type entry struct {
	offset uint64
	time   int64 // Unix milliseconds
	bytes  []byte
	key    uint32 // length of the key's part
	from   uint32 // length of the publisher's
	json   bool
}

// What an entry takes besides its bytes, with its share of the ring and of lost;
// and what one with a key takes more.
const (
	entryBytes = 80
	keyBytes   = 80
	lostBytes  = 8
	keptBytes  = 512 // of a channel besides its name: kept, its places in the table and the index, the least ring
)

func (e *entry) size() int64 {
	n := int64(cap(e.bytes)) + entryBytes
	if e.key > 0 {
		n += keyBytes + int64(e.key)
	}
	return n
}

// message returns the entry as a message whose payload is the entry's.
func (e *entry) message(channel string) Message {
	return Message{
		Channel: channel,
		Payload: e.bytes[e.key+e.from:],
		JSON:    e.json,
		Time:    e.time,
		From:    string(e.bytes[e.key : e.key+e.from]),
		Offset:  e.offset,
	}
}

// keyOf returns the name under which a message's key is remembered: two users
// who choose the same key do not hide each other's messages.
func keyOf(m *Message) string {
	if m.Key == "" {
		return ""
	}
	return m.From + "\x00" + m.Key
}

func newEntry(m *Message, key string) entry {
	e := entry{time: m.Time, json: m.JSON, key: uint32(len(key)), from: uint32(len(m.From))} // #nosec G115 -- names have limits
	e.bytes = make([]byte, 0, len(key)+len(m.From)+len(m.Payload))
	e.bytes = append(append(append(e.bytes, key...), m.From...), m.Payload...)
	return e
}

// add appends an entry and returns the bytes by which the history grew.
func (h *history) add(e entry, size int) int64 {
	grown := e.size()
	if h.entries.n == 0 {
		grown += h.fixed
	}
	h.entries.push(e)
	h.last = e.offset
	if e.key > 0 {
		if h.keys == nil {
			h.keys = make(map[string]uint64)
		}
		h.keys[string(e.bytes[:e.key])] = e.offset
	}
	return grown + h.trim(size)
}

// trim removes the oldest entries until size are left. It returns the change of
// bytes, which is not positive.
func (h *history) trim(size int) (change int64) {
	for h.entries.n > size {
		change -= h.lose(size)
	}
	return change
}

// expire removes what is older than ttl (0: nothing is).
func (h *history) expire(now int64, ttl time.Duration, size int) (change int64) {
	if ttl == 0 {
		return 0
	}
	for h.entries.n > 0 && h.entries.at(0).time+ttl.Milliseconds() <= now {
		change -= h.lose(size)
	}
	return change
}

// lose removes the oldest entry and remembers at most size lost offsets.
func (h *history) lose(size int) (bytes int64) {
	e := h.entries.pop()
	h.floor = e.offset
	h.forgetKey(&e)
	bytes = e.size() - h.note(e.offset, size)
	if h.entries.n == 0 {
		bytes += h.fixed
	}
	return bytes
}

// note remembers the offset of a lost message, and of at most size of them.
func (h *history) note(offset uint64, size int) (grown int64) {
	before := h.lost.n
	h.lost.push(offset)
	for h.lost.n > size {
		h.counted = max(h.counted, h.lost.pop()) // begin may have raised it above some
	}
	return lostBytes * int64(h.lost.n-before)
}

// forgetLost forgets which messages were lost, and returns the bytes freed.
func (h *history) forgetLost() (freed int64) {
	freed = lostBytes * int64(h.lost.n)
	h.lost, h.counted = ring[uint64]{}, max(h.counted, h.floor)
	return freed
}

// drop removes everything up to a place in the order, of which nothing is known
// any more afterwards.
func (h *history) drop(position uint64) (change int64) {
	for h.entries.n > 0 && h.entries.at(0).offset <= position {
		change -= h.lose(0)
	}
	return change - h.forgetLost()
}

// forget removes the entries that gone names. They do not count as lost.
func (h *history) forget(gone func(offset uint64) bool) (removed int, change int64) {
	h.entries.filter(func(e *entry) bool {
		if !gone(e.offset) {
			return true
		}
		removed++
		change -= e.size()
		h.forgetKey(e)
		return false
	})
	if removed > 0 && h.entries.n == 0 {
		change -= h.fixed
	}
	return removed, change
}

// has says whether there is an entry that gone names.
func (h *history) has(gone func(offset uint64) bool) bool {
	for i := range h.entries.n {
		if gone(h.entries.at(i).offset) {
			return true
		}
	}
	return false
}

func (h *history) forgetKey(e *entry) {
	if e.key > 0 {
		if delete(h.keys, string(e.bytes[:e.key])); len(h.keys) == 0 {
			h.keys = nil // a map never gives back what it has grown to
		}
	}
}

// after returns the number of the first entry with an offset above the given one.
func (h *history) after(offset uint64) int {
	return sort.Search(h.entries.n, func(i int) bool { return h.entries.at(i).offset > offset })
}

// missed returns how many messages above the offset and up to until were lost, -1
// if that is not known. Nothing was lost if the offset is not below floor. What is
// behind until comes live, also where the history has lost it meanwhile.
func (h *history) missed(offset, until uint64) int {
	if offset >= min(h.floor, until) {
		return 0
	}
	if offset < h.counted {
		return -1
	}
	return h.lostUpTo(until) - h.lostUpTo(offset)
}

// lostUpTo returns how many of the offsets in lost are not above the given one.
func (h *history) lostUpTo(offset uint64) int {
	return sort.Search(h.lost.n, func(i int) bool { return *h.lost.at(i) > offset })
}

// Position is a place in the order of a node's messages. The offset means
// nothing in another epoch.
type Position struct {
	Epoch  string
	Offset uint64
}

// HistoryQuery says which messages of a history are wanted.
type HistoryQuery struct {
	Since  *Position // only later ones
	Before uint64    // only those with lower offsets; 0: all
	Count  int       // with Since the oldest so many, else the newest; 0: all
}

// HistoryPage is what a history has for a query.
type HistoryPage struct {
	Epoch  string
	Offset uint64 // of the channel's last message, below Before; 0: not known
	// Recovered says that there is everything after Since; Missed counts what is
	// not there, -1: it is not known how much.
	Recovered bool
	Missed    int
	Messages  []Message // oldest first; the payloads are shared and must not be written to
}

// History returns messages that the channel keeps. ErrNoHistory: it keeps none.
func (s *Session) History(channel string, q HistoryQuery) (HistoryPage, error) {
	if err := s.permit(ActionHistory, channel); err != nil {
		return HistoryPage{}, err
	}
	page := HistoryPage{Epoch: s.b.Epoch(), Recovered: true}
	m := s.b.memory
	at := m.lock(channel)
	defer at.unlock()
	rule := s.b.ruleNamed(channel)
	if rule.History.Size == 0 {
		return HistoryPage{}, ErrNoHistory
	}
	k := at.kept(channel)
	if k != nil {
		at.change(k.history.expire(now(), rule.History.TTL, rule.History.Size))
		page.Offset = k.history.last
		if q.Before > 0 {
			page.Offset = min(page.Offset, q.Before-1)
		}
	}
	from := uint64(0)
	if q.Since != nil {
		head := s.b.Now().position
		if q.Before > 0 && q.Since.Offset <= head {
			head = max(q.Since.Offset, min(head, q.Before-1)) // what is behind it is not asked for
		}
		page.Recovered, page.Missed = s.b.recovers(k, q.Since, head)
		if page.Recovered {
			from = q.Since.Offset
		}
	}
	if k != nil {
		page.Messages = k.history.page(strings.Clone(channel), from, q)
	}
	return page, nil
}

// page returns the messages that the query wants of those above the offset.
func (h *history) page(channel string, from uint64, q HistoryQuery) []Message {
	lo, hi := h.after(from), h.entries.n
	if q.Before > 0 {
		hi = max(lo, min(hi, h.after(q.Before-1)))
	}
	if q.Count > 0 && hi-lo > q.Count {
		if q.Since != nil {
			hi = lo + q.Count
		} else {
			lo = hi - q.Count
		}
	}
	return h.messages(nil, channel, lo, hi)
}

// messages appends the entries from lo up to hi.
func (h *history) messages(dst []Message, channel string, lo, hi int) []Message {
	dst = slices.Grow(dst, hi-lo)
	for i := lo; i < hi; i++ {
		dst = append(dst, h.entries.at(i).message(channel))
	}
	return dst
}

// recovers says whether whoever has seen everything up to the position since
// misses nothing of the channel, and what is missing if it does. k is nil where
// nothing is remembered of the channel; head is the log's end. While rules are
// being replaced nobody knows.
func (b *Broker) recovers(k *kept, since *Position, head uint64) (recovered bool, missed int) {
	if since.Epoch != b.Epoch() || since.Offset > head || b.fitting.Load() {
		return false, -1
	}
	if k == nil {
		if since.Offset < b.memory.dropped.Load() {
			return false, -1
		}
		return true, 0
	}
	missed = k.history.missed(since.Offset, head)
	return missed == 0, missed
}
