package resp

import "strings"

func init() {
	const common = flagAdmin | flagLoading | flagStale
	register(&command{
		name: "slowlog", arity: -2, group: "server", since: "2.2.12", complexity: "Depends on subcommand.",
		summary: "A container for commands about commands that took long.",
		subcommands: []*command{
			{name: "get", arity: -2, flags: common, group: "server", since: "2.2.12",
				complexity: "O(N) for N entries returned", summary: "Returns the newest entries, ten or as many as asked for.",
				run: slowlogGet},
			{name: "len", arity: 2, flags: common, group: "server", since: "2.2.12",
				complexity: "O(1)", summary: "Counts the entries.",
				run: func(x *call) { x.w.Int(int64(x.conn.server.slowlog.len())) }},
			{name: "reset", arity: 2, flags: common, group: "server", since: "2.2.12",
				complexity: "O(N) for N entries", summary: "Forgets all entries.", run: slowlogReset},
			{name: "help", arity: 2, flags: flagLoading | flagStale, group: "server", since: "6.2.0",
				complexity: "O(1)", summary: "Lists the subcommands.", run: help},
		},
	})
}

func slowlogGet(x *call) {
	n := int64(10)
	switch {
	case len(x.args) > 3:
		x.wrongSubcommandArgs()
		return
	case len(x.args) == 3:
		var ok bool
		if n, ok = parseInt(x.args[2]); !ok || n < -1 {
			x.w.Error("ERR count should be greater than or equal to -1")
			return
		}
	}
	list := x.conn.server.slowlog.last(n)
	x.w.Array(len(list))
	for _, e := range list {
		x.w.Array(6)
		x.w.Int(e.id)
		x.w.Int(e.at.Unix())
		x.w.Int(e.micros)
		x.w.Strings(e.args)
		x.w.BulkString(e.remote)
		x.w.BulkString(e.name)
	}
}

// wrongSubcommandArgs replies as Redis does where a subcommand's arity allows
// what its function does not.
func (x *call) wrongSubcommandArgs() {
	x.w.Error("ERR unknown subcommand or wrong number of arguments for '" + quoted(x.args[1], echoed) +
		"'. Try " + strings.ToUpper(x.cmd.parent.name) + " HELP.")
}

func slowlogReset(x *call) {
	x.conn.server.slowlog.trim(0)
	x.w.OK()
}
