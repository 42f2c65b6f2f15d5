package kv

// EventClass is a set of classes of keyspace events, one bit for each letter of
// Redis' setting notify-keyspace-events.
type EventClass uint32

// The classes. EventKeyspace and EventKeyevent choose the channel, not the
// event: without one of them nothing is reported.
const (
	EventKeyspace EventClass = 1 << iota // K: to __keyspace@<db>__:<key>
	EventKeyevent                        // E: to __keyevent@<db>__:<event>
	EventGeneric                         // g: commands for every type: del, expire, rename …
	EventString                          // $
	EventList                            // l
	EventSet                             // s
	EventHash                            // h
	EventSorted                          // z
	EventExpired                         // x: a key was deleted because its deadline passed
	EventEvicted                         // e: a key was deleted for maxmemory
	EventStream                          // t
	EventModule                          // d
	EventKeyMiss                         // m: a key was read that does not exist
	EventNew                             // n: a key was added

	// EventAll is what the letter A stands for: every class but KeyMiss and New.
	EventAll = EventGeneric | EventString | EventList | EventSet | EventHash | EventSorted |
		EventExpired | EventEvicted | EventStream | EventModule
)

// eventLetters has one letter per class, in the order Redis prints them; the
// first `classLetters` give way to the letter A when all of EventAll is set.
var eventLetters = []struct {
	letter byte
	class  EventClass
}{
	{'g', EventGeneric}, {'$', EventString}, {'l', EventList}, {'s', EventSet}, {'h', EventHash},
	{'z', EventSorted}, {'x', EventExpired}, {'e', EventEvicted}, {'t', EventStream},
	{'d', EventModule}, {'n', EventNew},
	{'K', EventKeyspace}, {'E', EventKeyevent}, {'m', EventKeyMiss},
}

const classLetters = 11

// Follow has Config.Touched told of changes from now on, or no more. It costs
// nothing while nobody follows.
func (s *Store) Follow(on bool) { s.followed.Store(on && s.cfg.Touched != nil) }

// ParseEvents reads a value of notify-keyspace-events. Letters may repeat and
// come in any order; a letter Redis does not know is ErrEventClass.
func ParseEvents(flags string) (EventClass, error) {
	var c EventClass
	for i := range len(flags) {
		class, ok := eventClass(flags[i])
		if !ok {
			return 0, ErrEventClass
		}
		c |= class
	}
	return c, nil
}

func eventClass(letter byte) (EventClass, bool) {
	if letter == 'A' {
		return EventAll, true
	}
	for _, l := range eventLetters {
		if l.letter == letter {
			return l.class, true
		}
	}
	return 0, false
}

// String returns the classes as CONFIG GET notify-keyspace-events prints them.
func (c EventClass) String() string {
	letters := eventLetters
	text := make([]byte, 0, len(letters)+1)
	if c&EventAll == EventAll {
		text = append(text, 'A')
		letters = letters[classLetters:]
	}
	for _, l := range letters {
		if c&l.class != 0 {
			text = append(text, l.letter)
		}
	}
	return string(text)
}
