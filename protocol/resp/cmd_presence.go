package resp

import (
	"fanfare/broker"
	"fanfare/protocol/payload"
)

func init() {
	const looking = flagPubSub | flagLoading | flagStale
	const changing = looking | flagFast | flagAnnounces
	register(&command{
		name: "presence", arity: -2, group: "pubsub", since: compatible, complexity: "Depends on subcommand.",
		summary: "A container for commands about the members of channels.",
		subcommands: []*command{
			{name: "join", arity: -4, flags: changing, group: "pubsub", since: compatible,
				complexity: "O(N) for N subscribers", summary: "Makes a member present in a channel.", run: presenceJoin},
			{name: "leave", arity: 4, flags: changing, group: "pubsub", since: compatible,
				complexity: "O(N) for N subscribers", summary: "Ends what keeps a member in a channel.", run: presenceLeave},
			{name: "list", arity: 3, flags: looking, group: "pubsub", since: compatible,
				complexity: "O(N*log(N)) for N members", summary: "Lists the members of a channel and their data.", run: presenceList},
			{name: "count", arity: 3, flags: looking | flagFast, group: "pubsub", since: compatible,
				complexity: "O(1)", summary: "Counts the members of a channel.", run: presenceCount},
			{name: "help", arity: 2, flags: flagLoading | flagStale, group: "pubsub", since: compatible,
				complexity: "O(1)", summary: "Lists the subcommands.", run: help},
		},
	})
}

// presenceJoin is PRESENCE JOIN channel member [DATA data] [EX seconds | PX
// milliseconds].
func presenceJoin(x *call) {
	m := broker.Member{Name: string(x.args[3])}
	var life span
	for i := 4; i < len(x.args); i += 2 {
		switch {
		case life.take(x, i):
		case x.option(i, "DATA") && i+1 < len(x.args):
			m.Data = x.args[i+1]
		default:
			x.syntaxError()
			return
		}
	}
	lease, err := life.duration()
	switch {
	case err != nil:
		x.spanError(err)
		return
	case m.Name == "":
		x.w.Error("ERR member name is empty")
		return
	case !x.awaitRoom():
		return
	}
	joined, err := x.conn.session.Join(string(x.args[2]), m, lease)
	if err != nil {
		x.fail(err)
		return
	}
	x.bit(joined)
}

func presenceLeave(x *call) {
	if !x.awaitRoom() {
		return
	}
	left, err := x.conn.session.Leave(string(x.args[2]), string(x.args[3]))
	if err != nil {
		x.fail(err)
		return
	}
	x.bit(left)
}

// awaitRoom waits until the node has room for what the command tells others; EXEC
// has waited before it took its locks. It reports whether the connection goes on.
func (x *call) awaitRoom() bool { return x.inExec || x.conn.awaitRoom() }

func presenceList(x *call) {
	members, more, err := x.conn.session.Members(string(x.args[2]), x.conn.server.cfg.MaxReply)
	switch {
	case err != nil:
		x.fail(err)
		return
	case more:
		x.w.Error("ERR the members take more bytes than a reply may have")
		return
	}
	x.w.Map(len(members))
	for _, m := range members {
		x.w.BulkString(m.Name)
		if m.Data == nil {
			x.w.Null()
		} else {
			x.w.Bulk(payload.Bytes(m.Data, m.JSON))
		}
	}
}

func presenceCount(x *call) {
	n, err := x.conn.session.MemberCount(string(x.args[2]))
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Int(int64(n))
}
