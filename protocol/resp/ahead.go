package resp

import "fanfare/kv"

// lookAhead has the keys of the commands that have arrived behind the present one
// fetched into the processor's cache. A pipeline of small commands on many keys would
// wait for memory most of the time.
//
// The commands are only looked at: whatever is not simple ends it, and is said by the
// guard when the command's turn comes.
func (c *conn) lookAhead() {
	if c.ahead > 0 {
		c.ahead--
		return
	}
	if !c.guard.partial() || !c.authenticated {
		return
	}
	var few [kv.MaxAhead]kv.Hint
	if hints := c.hints(few[:0]); len(hints) > 0 {
		c.server.store().Prefetch(c.db, hints)
	}
	c.ahead = kv.MaxAhead
}

// hints appends what the commands that come next will look for.
func (c *conn) hints(hints []kv.Hint) []kv.Hint {
	var args [peekArgs][]byte
	rest := c.guard.buf[c.guard.start:]
	for range kv.MaxAhead {
		n, size := peekCommand(rest, &args)
		if size == 0 {
			break
		}
		rest = rest[size:]
		if cmd := c.names.find(args[0]); cmd != nil && cmd.keys.first == 1 && !cmd.keys.shard && n > 1 {
			hints = append(hints, kv.Hint{Key: args[1], Member: cmd.member(args[:n])})
		}
	}
	return hints
}

// member returns the field or member that a command on a collection looks for: the
// argument behind the key, of a sorted set the last one, which is behind a score.
func (m *command) member(args [][]byte) []byte {
	switch {
	case len(args) < 3:
	case m.group == "hash", m.group == "set":
		return args[2]
	case m.group == "sorted-set":
		return args[len(args)-1]
	}
	return nil
}

// peekArgs is the number of arguments up to which a command is looked at in advance.
const peekArgs = 8

// peekCommand reads the arguments of the command that input begins with, and returns
// their number and its length; 0: it is not complete, or not a simple one.
func peekCommand(input []byte, args *[peekArgs][]byte) (n, size int) {
	if len(input) == 0 || input[0] != '*' {
		return 0, 0
	}
	n, at := shortLength(input)
	if n > len(args) {
		return 0, 0
	}
	for i := range n {
		if at >= len(input) || input[at] != '$' {
			return 0, 0
		}
		length, head := shortLength(input[at:])
		begin := at + head
		if at = begin + length + len("\r\n"); head == 0 || at > len(input) {
			return 0, 0
		}
		args[i] = input[begin : begin+length]
	}
	return n, at
}
