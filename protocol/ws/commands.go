package ws

// command is a row of the table of verbs.
type command struct {
	// verb is the key that names the request.
	verb string
	// run executes the request and appends its answers to the connection's.
	run func(c *conn, r *request)
	// joins says that the verb adds to the open batch of publishes; before
	// every other verb the batch is committed.
	joins bool
}

// commands is filled by the init functions of cmd_*.go and not changed later.
var commands = make(map[string]*command)

func register(cmd command) {
	commands[cmd.verb] = &cmd
}
