package resp

import (
	"fanfare/broker"
	"fanfare/topic"
)

func init() {
	const subscribing = flagPubSub | flagNoScript | flagLoading | flagStale | flagSubscribed | flagPushes
	const publishing = flagPubSub | flagLoading | flagStale | flagFast | flagPublish
	register(
		&command{
			name: "subscribe", arity: -2, flags: subscribing, group: "pubsub", since: "2.0.0",
			complexity: "O(N) for N channels", summary: "Receives the messages of channels.",
			run: func(x *call) { subscribe(x, broker.KindChannel, "subscribe") },
		},
		&command{
			name: "psubscribe", arity: -2, flags: subscribing, group: "pubsub", since: "2.0.0",
			complexity: "O(N) for N patterns", summary: "Receives the messages of all channels that match patterns.",
			run: func(x *call) { subscribe(x, broker.KindPattern, "psubscribe") },
		},
		&command{
			name: "ssubscribe", arity: -2, flags: subscribing, keys: shardChannels(-1), group: "pubsub", since: "7.0.0",
			complexity: "O(N) for N shard channels", summary: "Receives the messages of shard channels.",
			run: shardSubscribe,
		},
		&command{
			name: "unsubscribe", arity: -1, flags: subscribing, group: "pubsub", since: "2.0.0",
			complexity: "O(N) for N channels", summary: "Stops receiving the messages of some or all channels.",
			run: func(x *call) { unsubscribe(x, broker.KindChannel, "unsubscribe") },
		},
		&command{
			name: "punsubscribe", arity: -1, flags: subscribing, group: "pubsub", since: "2.0.0",
			complexity: "O(N) for N patterns", summary: "Gives up some or all patterns.",
			run: func(x *call) { unsubscribe(x, broker.KindPattern, "punsubscribe") },
		},
		&command{
			name: "sunsubscribe", arity: -1, flags: subscribing, keys: shardChannels(-1), group: "pubsub", since: "7.0.0",
			complexity: "O(N) for N shard channels", summary: "Stops receiving the messages of some or all shard channels.",
			run: func(x *call) { unsubscribe(x, broker.KindShard, "sunsubscribe") },
		},
		&command{
			name: "publish", arity: 3, flags: publishing, group: "pubsub", since: "2.0.0",
			complexity: "O(N) for N receivers", summary: "Publishes a message; answers the number of deliveries.",
			run: func(x *call) { publish(x, broker.KindChannel) },
		},
		&command{
			name: "spublish", arity: 3, flags: publishing, keys: shardChannels(1), group: "pubsub", since: "7.0.0",
			complexity: "O(N) for N receivers", summary: "Publishes a message on a shard channel.",
			run: func(x *call) { publish(x, broker.KindShard) },
		},
	)
	register(pubsubContainer())
}

// pubsubContainer is the row of PUBSUB.
func pubsubContainer() *command {
	const introspecting = flagPubSub | flagLoading | flagStale
	return &command{
		name: "pubsub", arity: -2, group: "pubsub", since: "2.8.0", complexity: "Depends on subcommand.",
		summary: "A container for commands that tell who is subscribed.",
		subcommands: []*command{
			{name: "channels", arity: -2, flags: introspecting, group: "pubsub", since: "2.8.0",
				complexity: "O(N) for N channels", summary: "Lists the channels that have subscribers.",
				run: func(x *call) { pubsubChannels(x, broker.KindChannel) }},
			{name: "numpat", arity: 2, flags: introspecting, group: "pubsub", since: "2.8.0",
				complexity: "O(1)", summary: "Counts the distinct patterns.",
				run: func(x *call) { x.w.Int(int64(x.conn.server.cfg.Broker.NumPat())) }},
			{name: "numsub", arity: -2, flags: introspecting, group: "pubsub", since: "2.8.0",
				complexity: "O(N) for N channels", summary: "Counts the subscribers of channels.",
				run: func(x *call) { pubsubNumSub(x, broker.KindChannel) }},
			{name: "shardchannels", arity: -2, flags: introspecting, group: "pubsub", since: "7.0.0",
				complexity: "O(N) for N shard channels", summary: "Lists the shard channels that have subscribers.",
				run: func(x *call) { pubsubChannels(x, broker.KindShard) }},
			{name: "shardnumsub", arity: -2, flags: introspecting, group: "pubsub", since: "7.0.0",
				complexity: "O(N) for N shard channels", summary: "Counts the subscribers of shard channels.",
				run: func(x *call) { pubsubNumSub(x, broker.KindShard) }},
			{name: "help", arity: 2, flags: flagLoading | flagStale, group: "pubsub", since: "6.2.0",
				complexity: "O(1)", summary: "Lists the subcommands.", run: help},
		},
	}
}

func publish(x *call, k broker.Kind) {
	m := x.message(k)
	x.publish(&m)
}

// subscribe adds subscriptions and acknowledges each; what a new one brings
// follows at once. The queue is corked: later messages come behind.
func subscribe(x *call, k broker.Kind, word string) {
	c := x.conn
	names := texts(x.args[1:])
	before := c.countOf(k)
	at, counts, err := c.session.Subscribe(k, names, nil)
	if err != nil {
		x.fail(err)
		return
	}
	c.noteHeld(k, counts[len(counts)-1])
	for i, name := range names {
		x.acknowledge(word, name, counts[i])
		if counts[i] > before && !x.bring(newcomer{k, name, at}) {
			return
		}
		before = counts[i]
	}
}

func shardSubscribe(x *call) {
	if x.inExec {
		x.w.Error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
		return
	}
	subscribe(x, broker.KindShard, "ssubscribe")
}

// unsubscribe removes subscriptions, lets every message before that leave, and
// acknowledges. Nobody can wait inside EXEC: there, messages that have not left
// yet are dropped.
func unsubscribe(x *call, k broker.Kind, word string) {
	c := x.conn
	names := texts(x.args[1:])
	if len(names) == 0 {
		names = c.session.Held(k)
	}
	if len(names) == 0 {
		x.w.Push(3)
		x.w.BulkString(word)
		x.w.Null()
		x.w.Int(int64(c.session.Count(k)))
		return
	}
	var counts []int
	if x.inExec {
		counts = c.session.UnsubscribeInExec(k, names, nil)
		c.noteHeld(k, counts[len(counts)-1])
		c.tx.newcomers.drop(k, names)
	} else {
		var barrier broker.Barrier
		held := c.info.held[k].Load() > 0
		barrier, counts = c.session.Unsubscribe(k, names, nil)
		c.noteHeld(k, counts[len(counts)-1])
		if held && !c.await(barrier) {
			return
		}
	}
	for i, name := range names {
		x.acknowledge(word, name, counts[i])
	}
}

// acknowledge confirms one subscription or its end.
func (x *call) acknowledge(word, name string, count int) {
	x.w.Push(3)
	x.w.BulkString(word)
	x.w.BulkString(name)
	x.w.Int(int64(count))
}

// countOf returns the number that an acknowledgement of the kind would have now.
func (c *conn) countOf(k broker.Kind) int {
	if k == broker.KindShard {
		return int(c.info.held[k].Load())
	}
	return int(c.info.held[broker.KindChannel].Load() + c.info.held[broker.KindPattern].Load())
}

// noteHeld keeps the number of subscriptions by kind, of which the broker counts
// channels and patterns together.
func (c *conn) noteHeld(k broker.Kind, count int) {
	n := int64(count)
	switch k {
	case broker.KindChannel:
		n -= c.info.held[broker.KindPattern].Load()
	case broker.KindPattern:
		n -= c.info.held[broker.KindChannel].Load()
	}
	c.info.held[k].Store(n)
	c.setPushForm()
}

func texts(args [][]byte) []string {
	list := make([]string, len(args))
	for i, arg := range args {
		list[i] = string(arg)
	}
	return list
}

func pubsubChannels(x *call, k broker.Kind) {
	var pattern *topic.Pattern
	switch {
	case len(x.args) > 3:
		x.w.Error("ERR unknown subcommand or wrong number of arguments for '" + quoted(x.args[1], echoed) +
			"'. Try PUBSUB HELP.")
		return
	case len(x.args) == 3:
		pattern = topic.Compile(string(x.args[2]))
	}
	x.w.Strings(x.conn.server.cfg.Broker.Channels(k, pattern))
}

func pubsubNumSub(x *call, k broker.Kind) {
	names := x.args[2:]
	x.w.Array(2 * len(names))
	for _, name := range names {
		x.w.Bulk(name)
		x.w.Int(int64(x.conn.server.cfg.Broker.NumSub(k, string(name))))
	}
}
