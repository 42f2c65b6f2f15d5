package resp

import "time"

func init() {
	register(
		&command{
			name: "time", arity: 1, flags: flagLoading | flagStale | flagFast,
			group: "server", since: "2.6.0", complexity: "O(1)",
			summary: "Returns the server's time: Unix seconds, and microseconds of the second.", run: timeCommand,
		},
		&command{
			name: "role", arity: 1, flags: flagNoScript | flagLoading | flagStale | flagFast, acl: "admin dangerous",
			group: "server", since: "2.8.12", complexity: "O(1)",
			summary: "Says that the server is a master without replicas.", run: role,
		},
		&command{
			name: "wait", arity: 3, flags: flagNoScript, acl: "connection",
			group: "generic", since: "3.0.0", complexity: "O(1)",
			summary: "Returns how many replicas have the connection's writes: none, at once.", run: waitCommand,
		},
	)
}

func timeCommand(x *call) {
	micros := time.Now().UnixMicro()
	x.w.Array(2)
	x.w.BulkString(itoa(micros / 1e6))
	x.w.BulkString(itoa(micros % 1e6))
}

func role(x *call) {
	x.w.Array(3)
	x.w.BulkString("master")
	x.w.Int(0) // of the replication stream, which does not exist
	x.w.Array(0)
}

// waitCommand does not wait: where there are no replicas, none will come.
func waitCommand(x *call) {
	if _, ok := parseInt(x.args[1]); !ok {
		x.w.Error(textNotInteger)
		return
	}
	if _, text := parseTimeout(x.args[2]); text != "" {
		x.w.Error(text)
		return
	}
	x.w.Int(0)
}
