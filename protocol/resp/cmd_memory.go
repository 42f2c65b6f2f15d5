package resp

func init() {
	register(&command{
		name: "memory", arity: -2, group: "server", since: "4.0.0", complexity: "Depends on subcommand.",
		summary: "A container for commands about memory.",
		subcommands: []*command{
			{name: "usage", arity: -3, flags: flagReadonly, keys: keySpec{first: 2, last: 2, step: 1, access: "RO"},
				group: "server", since: "4.0.0", complexity: "O(1)",
				summary: "Returns how many bytes a key and its value take.", run: memoryUsage},
			{name: "help", arity: 2, flags: flagLoading | flagStale, group: "server", since: "4.0.0",
				complexity: "O(1)", summary: "Lists the subcommands.", run: help},
		},
	})
}

// memoryUsage checks SAMPLES and needs none: the store's account is exact.
func memoryUsage(x *call) {
	for i := 3; i < len(x.args); i += 2 {
		if !x.option(i, "SAMPLES") || i+1 == len(x.args) {
			x.syntaxError()
			return
		}
		switch n, ok := parseInt(x.args[i+1]); {
		case !ok:
			x.w.Error(textNotInteger)
			return
		case n < 0:
			x.syntaxError()
			return
		}
	}
	bytes, ok := x.tx.MemoryUsage(x.db, x.args[2])
	if !ok {
		x.w.Null()
		return
	}
	x.w.Int(bytes)
}
