package broker

// Event is something that happened to a channel beside its messages.
type Event struct {
	Verb    EventVerb
	Channel string
	Member  Member   // joined, updated, left
	Count   int      // members
	Offsets []uint64 // forgotten
	Pattern bool     // withdrawn: Channel is a pattern
	Denied  bool     // withdrawn: because the rights for it were taken away
}

// EventVerb says what happened.
type EventVerb uint8

// The events.
const (
	EventJoined    EventVerb = iota // a member is there for the first time
	EventUpdated                    // its data changed
	EventLeft                       // it has left
	EventMembers                    // how many members there are, instead of the three above
	EventCleared                    // all messages were removed from the history
	EventForgotten                  // some were
	EventOccupied                   // the channel has a subscriber
	EventVacated                    // it has none any more
	EventWithdrawn                  // the session's subscription was ended by somebody else
)

var eventNames = [...]string{"joined", "updated", "left", "members", "cleared", "forgotten", "occupied", "vacated", "withdrawn"}

func (v EventVerb) String() string { return eventNames[v] }

// toPatterns says whether the subscribers of patterns learn of the event.
func (v EventVerb) toPatterns() bool { return v == EventCleared || v == EventForgotten }

// Names of the channels on which back ends are told of members and of occupancy.
const (
	presencePrefix  = "__presence__:"
	occupancyPrefix = "__occupancy__:"
)

// announce tells the channel's subscribers of an event, in the formats that have
// events.
func (b *Broker) announce(channel string, e *Event) {
	if b.eventCodec == nil {
		return
	}
	p := b.batches.Get().(*Batch)
	p.b = b
	defer p.Release()
	p.items = append(p.items, item{event: e})
	it := &p.items[0]
	it.message.Channel = channel
	p.find(it)
	p.prepare(it)
	for p.next == 0 { // rules do not matter to an event
		p.rules = b.rules.Load()
		p.commitRun(nil, 1)
	}
}

// report publishes an event as a message of the node itself.
func (b *Broker) report(prefix, channel string, e *Event) {
	if b.eventCodec == nil {
		return
	}
	text := append(b.eventCodec.Event([]byte{'{'}, e), '}')
	b.publishOwn(&Message{Channel: prefix + channel, Payload: text, JSON: true})
}
