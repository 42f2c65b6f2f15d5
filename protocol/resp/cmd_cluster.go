package resp

// clusterSubcommands are the names and arities that Redis knows. The refusal is
// theirs; an unknown name or a wrong number of arguments has its usual error.
var clusterSubcommands = []struct {
	name  string
	arity int
	flags flags
}{
	{"addslots", -3, flagAdmin | flagStale | flagNoAsyncLoading},
	{"addslotsrange", -4, flagAdmin | flagStale | flagNoAsyncLoading},
	{"bumpepoch", 2, flagAdmin | flagStale | flagNoAsyncLoading},
	{"count-failure-reports", 3, flagAdmin | flagStale},
	{"countkeysinslot", 3, flagStale},
	{"delslots", -3, flagAdmin | flagStale | flagNoAsyncLoading},
	{"delslotsrange", -4, flagAdmin | flagStale | flagNoAsyncLoading},
	{"failover", -2, flagAdmin | flagStale | flagNoAsyncLoading},
	{"flushslots", 2, flagAdmin | flagStale | flagNoAsyncLoading},
	{"forget", 3, flagAdmin | flagStale | flagNoAsyncLoading},
	{"getkeysinslot", 4, flagStale},
	{"help", 2, flagLoading | flagStale},
	{"info", 2, flagStale},
	{"keyslot", 3, flagStale},
	{"links", 2, flagStale},
	{"meet", -4, flagAdmin | flagStale | flagNoAsyncLoading},
	{"myid", 2, flagStale},
	{"myshardid", 2, flagStale},
	{"nodes", 2, flagStale},
	{"replicas", 3, flagAdmin | flagStale},
	{"replicate", 3, flagAdmin | flagStale | flagNoAsyncLoading},
	{"reset", -2, flagAdmin | flagNoScript | flagStale},
	{"saveconfig", 2, flagAdmin | flagStale | flagNoAsyncLoading},
	{"set-config-epoch", 3, flagAdmin | flagStale | flagNoAsyncLoading},
	{"setslot", -4, flagAdmin | flagStale | flagNoAsyncLoading},
	{"shards", 2, flagStale},
	{"slaves", 3, flagAdmin | flagStale},
	{"slots", 2, flagStale},
}

func init() {
	cluster := &command{
		name: "cluster", arity: -2, group: "cluster", since: "3.0.0", complexity: "O(1)",
		summary: "A container for commands of cluster mode, which are all refused.",
	}
	for _, sub := range clusterSubcommands {
		cluster.subcommands = append(cluster.subcommands, &command{
			name: sub.name, arity: sub.arity, flags: sub.flags, group: "cluster", since: "3.0.0",
			complexity: "O(1)", summary: "Is refused: there is no cluster mode.", run: refuseCluster,
		})
	}
	register(cluster)
	for name, flags := range map[string]flags{
		"readonly": flagLoading | flagStale | flagFast, "readwrite": flagLoading | flagStale | flagFast, "asking": flagFast,
	} {
		register(&command{
			name: name, arity: 1, flags: flags, acl: "connection", group: "cluster", since: "3.0.0",
			complexity: "O(1)", summary: "Is refused: there is no cluster mode.", run: refuseCluster,
		})
	}
}

// refuseCluster answers what clients take for a server without cluster mode.
func refuseCluster(x *call) { x.w.Error(textCluster) }
