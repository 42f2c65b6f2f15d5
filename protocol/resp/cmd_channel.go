package resp

func init() {
	const looking = flagPubSub | flagLoading | flagStale
	const changing = looking | flagAnnounces
	register(&command{
		name: "channel", arity: -2, group: "pubsub", since: compatible, complexity: "Depends on subcommand.",
		summary: "A container for commands about one channel and what it keeps.",
		subcommands: []*command{
			{name: "info", arity: 3, flags: looking, group: "pubsub", since: compatible,
				complexity: "O(N) for N patterns that match", summary: "Tells what is known about a channel.", run: channelInfo},
			{name: "clear", arity: 3, flags: changing, group: "pubsub", since: compatible,
				complexity: "O(N) for N messages", summary: "Removes all messages that a channel keeps.", run: channelClear},
			{name: "forget", arity: -4, flags: changing, group: "pubsub", since: compatible,
				complexity: "O(N*log(M)) for N messages and M offsets", summary: "Removes messages by their offsets.", run: channelForget},
			{name: "help", arity: 2, flags: flagLoading | flagStale, group: "pubsub", since: compatible,
				complexity: "O(1)", summary: "Lists the subcommands.", run: help},
		},
	})
}

func channelInfo(x *call) {
	info, err := x.conn.session.ChannelInfo(string(x.args[2]))
	if err != nil {
		x.fail(err)
		return
	}
	retained := 0
	if info.Retained {
		retained = 1
	}
	x.w.Map(9)
	x.w.BulkString("name")
	x.w.Bulk(x.args[2])
	for _, field := range []struct {
		name  string
		value int
	}{
		{"subscribers", info.Subscribers}, {"patterns", info.Patterns}, {"members", info.Members},
		{"retained", retained}, {"history", info.History},
	} {
		x.w.BulkString(field.name)
		x.w.Int(int64(field.value))
	}
	x.w.BulkString("epoch")
	x.w.BulkString(x.conn.server.cfg.Broker.Epoch())
	x.w.BulkString("offset")
	x.w.Int(int64(info.Offset)) // #nosec G115 -- a sequence does not reach 2^63
	x.w.BulkString("rule")
	if info.Rule == "" {
		x.w.Null()
	} else {
		x.w.BulkString(info.Rule)
	}
}

func channelClear(x *call) {
	if x.awaitRoom() {
		x.erased(x.conn.session.Clear(string(x.args[2])))
	}
}

func channelForget(x *call) {
	offsets := make([]uint64, len(x.args)-3)
	for i, arg := range x.args[3:] {
		var ok bool
		if offsets[i], ok = parseOffset(arg); !ok {
			x.w.Error(textNotInteger)
			return
		}
	}
	if x.awaitRoom() {
		x.erased(x.conn.session.Forget(string(x.args[2]), offsets))
	}
}

// erased replies with the number of messages removed.
func (x *call) erased(n int, err error) {
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Int(int64(n))
}
