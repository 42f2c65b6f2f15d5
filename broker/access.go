package broker

// Identity is who a session acts as.
type Identity struct {
	// User is the name of an authenticated user; empty for an anonymous one.
	User string
}

// Action is something an Identity may be allowed to do on a channel.
type Action uint8

// The actions that Config.Access is asked about.
const (
	ActionPublish   Action = iota // publish to the channel
	ActionSubscribe               // receive the channel's messages
	ActionPattern                 // receive the messages of all channels that match the pattern
)

func (a Action) String() string {
	switch a {
	case ActionPublish:
		return "publish"
	case ActionSubscribe:
		return "subscribe"
	case ActionPattern:
		return "pattern"
	}
	return "unknown"
}

// Access says whether id may do a on the channel (for ActionPattern: on the
// pattern). There is one such function, asked at every path on which a message
// enters or leaves the broker. It must be quick and is called concurrently,
// with no lock held.
type Access func(id Identity, a Action, channel string) bool

func (b *Broker) allowed(id Identity, a Action, channel string) bool {
	return b.cfg.Access == nil || b.cfg.Access(id, a, channel)
}

func (k Kind) action() Action {
	if k == KindPattern {
		return ActionPattern
	}
	return ActionSubscribe
}
