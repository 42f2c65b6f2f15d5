package broker

// Identity is who a session acts as.
type Identity struct {
	// User is the name of an authenticated user; empty for an anonymous one.
	User string
	// Rights is what it may do. The broker does not look at it: Config.Access does.
	Rights Rights
}

// Rights is what an identity may do on channels. Its method is called concurrently.
// What it answers may change; who changes it calls Broker.Recheck afterwards.
type Rights interface {
	// Allows says whether the rights cover a on the channel, or on the pattern for
	// ActionPattern and ActionHistoryPattern.
	Allows(a Action, name string) bool
}

// Action is something an Identity may be allowed to do on a channel.
type Action uint8

// The actions that Config.Access is asked about.
const (
	ActionPublish        Action = iota // publish to the channel
	ActionSubscribe                    // receive the channel's messages
	ActionPattern                      // receive the messages of all channels that match the pattern
	ActionHistory                      // receive what the channel's history keeps
	ActionHistoryPattern               // receive what the histories of all channels that match the pattern keep
	ActionPresence                     // be a member of the channel, and see who else is
)

func (a Action) String() string {
	switch a {
	case ActionPublish:
		return "publish"
	case ActionSubscribe:
		return "subscribe"
	case ActionPattern:
		return "pattern"
	case ActionHistory:
		return "history"
	case ActionHistoryPattern:
		return "history of pattern"
	case ActionPresence:
		return "presence"
	}
	return "unknown"
}

// Access says whether id may do a on the channel (for ActionPattern and
// ActionHistoryPattern: on the pattern). There is one such function, asked at every path on which a message
// enters or leaves the broker. It must be quick and is called concurrently,
// with no lock held.
type Access func(id Identity, a Action, channel string) bool

func (b *Broker) allowed(id Identity, a Action, channel string) bool {
	return b.cfg.Access == nil || b.cfg.Access(id, a, channel)
}

// permit is the check of every request about one channel.
func (s *Session) permit(a Action, channel string) error {
	switch {
	case len(channel) > s.cfg.MaxName:
		return s.b.refuse(ErrNameTooLong)
	case !s.b.allowed(s.Identity(), a, channel):
		return s.b.refuse(ErrDenied)
	}
	return nil
}

func (k Kind) action() Action {
	if k == KindPattern {
		return ActionPattern
	}
	return ActionSubscribe
}
