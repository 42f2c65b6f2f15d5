package resp

// names finds commands by their names for one connection and remembers the last one:
// most pipelines, and most connections, send the same command again and again.
type names struct {
	last [16]byte // the name as it was sent
	size int
	row  *command // nil: none is remembered
}

// lookup is the function of that name.
func (n *names) lookup(args [][]byte) (row, sub *command) { return n.find(args[0]).called(args) }

// find finds a command; nil: there is none.
func (n *names) find(name []byte) *command {
	if n.row != nil && string(name) == string(n.last[:n.size]) {
		return n.row
	}
	row := find(table, name)
	if len(name) <= len(n.last) {
		n.size, n.row = copy(n.last[:], name), row
	}
	return row
}
