package resp

import (
	"strconv"

	"fanfare/broker"
	"fanfare/kv"
)

// maxEventName bounds the channel and the payload of a key-space event: those of
// a longer key would fill the broker's table of names and its log.
const maxEventName = 64 << 10

// KeyspaceEvents returns the function for kv.Config.Event that makes each event
// of a key a message, as Redis' setting notify-keyspace-events has it: to
// __keyspace@<db>__:<key> with the event's name, then to __keyevent@<db>__:<event>
// with the key; the one, the other or both, as the mask says (CONFIG SET
// notify-keyspace-events is kv.Store.SetEventMask). A message whose channel or
// payload exceeds 64 KiB is left out.
//
// It is called with the key's shard locked: it appends to the broker's log and
// neither waits nor calls the store.
func KeyspaceEvents(b *broker.Broker) func(db int, class kv.EventClass, event, key string) {
	return func(db int, class kv.EventClass, event, key string) {
		if len(key) > maxEventName {
			return
		}
		at := strconv.Itoa(db)
		if class&kv.EventKeyspace != 0 {
			b.PublishEvent("__keyspace@"+at+"__:"+key, []byte(event))
		}
		if class&kv.EventKeyevent != 0 {
			b.PublishEvent("__keyevent@"+at+"__:"+event, []byte(key))
		}
	}
}
