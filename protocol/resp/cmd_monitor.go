package resp

func init() {
	register(&command{
		name: "monitor", arity: 1, flags: flagAdmin | flagNoScript | flagLoading | flagStale,
		group: "server", since: "1.0.0", complexity: "O(1), and each command costs as much again for each monitor",
		summary: "Shows every command that the server executes.", run: monitorCommand,
	})
}

// monitorCommand makes the connection a monitor. One that is a monitor gets no
// reply, as in Redis.
func monitorCommand(x *call) {
	c := x.conn
	switch {
	case x.inExec:
		x.w.Error("ERR MONITOR isn't allowed for DENY BLOCKING client")
	case !c.info.monitor.Load():
		x.w.OK()
		c.server.monitors.add(c)
	}
}
