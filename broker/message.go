package broker

import "time"

// Format is the index of a wire format in Config.Codecs.
type Format uint8

// MaxFormats is the number of wire formats a broker can have at most.
const MaxFormats = 4

// Kind says what a subscription names: a channel, a pattern of channels, or a
// channel of the separate namespace of shard channels.
type Kind uint8

// The kinds of subscription.
const (
	KindChannel Kind = iota // SUBSCRIBE
	KindPattern             // PSUBSCRIBE, a glob as topic.Compile reads it
	KindShard               // SSUBSCRIBE; never seen by patterns or by KindChannel
	kinds
)

// Message is one publication.
type Message struct {
	Kind    Kind   // KindChannel or KindShard
	Channel string // any bytes, also none
	Payload []byte // owned by the publisher; unchanged until Batch.Commit
	JSON    bool   // Payload is compacted JSON text as a browser sent it; else bytes
	Time    int64  // Unix milliseconds; set by the broker
	From    string // user of the publisher; empty where unknown
	NoEcho  bool   // do not deliver to the publishing session itself

	Retain    bool          // it becomes the retained message of its channel
	TTL       time.Duration // of the retained message; 0: until the next one
	NoHistory bool          // the channel's history leaves it out
	// Key makes publishing idempotent: of messages of one user with the same key
	// only the first is published, as long as the channel's history has it.
	Key string

	// Of messages that were kept: the place in the order of the node, 0 where the
	// channel keeps no history, and whether it is the channel's retained message.
	Offset   uint64
	Retained bool
}

// flagged says that the publisher asks for something to be remembered.
func (m *Message) flagged() bool { return m.Retain || m.Key != "" }

// special says that the message is not handled like the next one of its channel.
func (m *Message) special() bool { return m.flagged() || m.NoHistory || m.NoEcho || m.TTL != 0 }

// Codec writes deliveries in one wire format. A delivery's bytes are
// Prefix + Body + Tail. The functions are called concurrently, append to dst
// and return it; Prefix and Tail are called under the log's lock and must be
// quick.
type Codec struct {
	// Name is for logs and statistics.
	Name string
	// Prefix begins a delivery to a subscription of kind k. The pattern is that
	// of the subscription and empty for other kinds.
	Prefix func(dst []byte, k Kind, pattern string) []byte
	// Body is the part that is the same for every receiver of m.
	Body func(dst []byte, m *Message) []byte
	// Tail ends a delivery. The offset is 0 where the channel keeps no history.
	// A nil Tail appends nothing.
	Tail func(dst []byte, offset uint64) []byte
	// Event is the body of an event, as Body is that of a message. A nil Event
	// means that the format has no events.
	Event func(dst []byte, e *Event) []byte
	// Accepts says whether the format can express the channel's name. Messages
	// of other channels are neither delivered nor counted for its receivers.
	// A nil Accepts means that it can express all.
	Accepts func(channel string) bool
	// MaxRun is how many messages may be merged into one Range; 0: no limit.
	MaxRun int
}

// formatSet is a set of formats, one bit each.
type formatSet uint8

func (s formatSet) has(f Format) bool         { return s&(1<<f) != 0 }
func (s formatSet) with(f Format) formatSet   { return s | 1<<f }
func (s formatSet) covers(t formatSet) bool   { return t&^s == 0 }
func (s formatSet) and(t formatSet) formatSet { return s & t }
