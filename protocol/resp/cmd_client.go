package resp

import (
	"strconv"
	"strings"
	"time"

	"fanfare/broker"
)

func init() {
	const common = flagNoScript | flagLoading | flagStale
	register(&command{
		name: "client", arity: -2, group: "connection", since: "2.4.0", complexity: "Depends on subcommand.",
		summary: "A container for commands about connections.",
		subcommands: append([]*command{
			{name: "id", arity: 2, flags: common, acl: "connection", group: "connection", since: "5.0.0",
				complexity: "O(1)", summary: "Returns the connection's number.",
				run: func(x *call) { x.w.Int(x.conn.session.Number()) }},
			{name: "setname", arity: 3, flags: common, acl: "connection", group: "connection", since: "2.6.9",
				complexity: "O(1)", summary: "Names the connection.", run: clientSetName},
			{name: "getname", arity: 2, flags: common, acl: "connection", group: "connection", since: "2.6.9",
				complexity: "O(1)", summary: "Returns the connection's name.", run: clientGetName},
			{name: "setinfo", arity: 4, flags: common, acl: "connection", group: "connection", since: "7.2.0",
				complexity: "O(1)", summary: "Tells which client library is used.", run: clientSetInfo},
			{name: "info", arity: 2, flags: common, acl: "connection", group: "connection", since: "6.2.0",
				complexity: "O(1)", summary: "Describes the connection.",
				run: func(x *call) { x.w.Verbatim(x.conn.describe(time.Now())) }},
			{name: "list", arity: -2, flags: common | flagAdmin, acl: "connection dangerous", group: "connection",
				since: "2.4.0", complexity: "O(N) for N connections", summary: "Describes all connections.", run: clientList},
			{name: "kill", arity: -3, flags: common | flagAdmin, acl: "connection", group: "connection",
				since: "2.4.0", complexity: "O(N) for N connections", summary: "Ends connections.", run: clientKill},
			{name: "reply", arity: 3, flags: common, acl: "connection", group: "connection", since: "3.2.0",
				complexity: "O(1)", summary: "Turns the replies to the connection's commands on or off.", run: clientReply},
			{name: "no-evict", arity: 3, flags: common | flagAdmin, acl: "connection", group: "connection",
				since: "7.0.0", complexity: "O(1)", summary: "Is accepted; connections are never evicted for memory.",
				run: func(x *call) { clientSwitch(x, &x.conn.info.noEvict) }},
			{name: "no-touch", arity: 3, flags: common, acl: "connection", group: "connection", since: "7.2.0",
				complexity: "O(1)", summary: "Says whether the connection's reads count as use of a key.",
				run: func(x *call) { clientSwitch(x, &x.conn.info.noTouch) }},
			{name: "pause", arity: -3, flags: common | flagAdmin, acl: "connection", group: "connection",
				since: "2.9.50", complexity: "O(1)", summary: "Lets commands, or those that write, wait for a while.", run: clientPause},
			{name: "unpause", arity: 2, flags: common | flagAdmin, acl: "connection", group: "connection",
				since: "6.2.0", complexity: "O(N) for N waiting connections", summary: "Ends a pause.", run: clientUnpause},
			{name: "unblock", arity: -3, flags: common | flagAdmin, acl: "connection", group: "connection",
				since: "5.0.0", complexity: "O(N) for N keys that are waited for", summary: "Ends the wait of a connection whose command has blocked.",
				run: clientUnblock},
			{name: "help", arity: 2, flags: flagLoading | flagStale, acl: "connection", group: "connection",
				since: "5.0.0", complexity: "O(1)", summary: "Lists the subcommands.", run: help},
		}, trackingCommands()...),
	})
}

func clientSetName(x *call) {
	if text := checkName(x.args[2]); text != "" {
		x.w.Error(text)
		return
	}
	name := string(x.args[2])
	x.conn.info.write(func(n *clientNames) { n.name = name })
	x.w.OK()
}

func clientGetName(x *call) {
	if name := x.conn.info.read().name; name != "" {
		x.w.BulkString(name)
		return
	}
	x.w.Null()
}

func clientSetInfo(x *call) {
	library, version := x.option(2, "LIB-NAME"), x.option(2, "LIB-VER")
	value := x.args[3]
	switch {
	case !library && !version:
		x.w.Error("ERR Unrecognized option '" + quoted(x.args[2], echoed) + "'")
		return
	case !printable(value) || len(value) > longestClientName:
		x.w.Error("ERR " + string(x.args[2]) + " cannot contain spaces, newlines or special characters.")
		return
	}
	text := string(value)
	x.conn.info.write(func(n *clientNames) {
		if library {
			n.library = text
		} else {
			n.version = text
		}
	})
	x.w.OK()
}

// clientSwitch sets a property of the connection to ON or OFF.
func clientSwitch(x *call, property interface{ Store(bool) }) {
	switch {
	case x.option(2, "ON"):
		property.Store(true)
	case x.option(2, "OFF"):
		property.Store(false)
	default:
		x.syntaxError()
		return
	}
	x.w.OK()
}

// clientReply changes whether replies are sent. Inside EXEC, whose array must
// keep its length, every form answers OK and holds from the next command on.
func clientReply(x *call) {
	s := &x.conn.silence
	switch {
	case x.option(2, "ON"):
		*s = silence{}
		x.w.OK()
		return
	case x.option(2, "OFF"):
		s.off = true
	case x.option(2, "SKIP"):
		s.skipNext = !s.off
	default:
		x.syntaxError()
		return
	}
	if x.inExec {
		x.w.OK()
	}
}

// clientFilter chooses connections. The zero value chooses all.
type clientFilter struct {
	ids           map[int64]bool // nil: any
	addr, laddr   string
	class         string
	skip          *conn // this one is not chosen
	nobodyMatches bool  // a class that no connection of ours has
}

// matches says whether c is chosen. A connection that has ended is gone, though
// its goroutine may still be tidying up.
func (f *clientFilter) matches(c *conn) bool {
	i := &c.info
	return c != f.skip && !f.nobodyMatches && c.session.Reason() == broker.ReasonNone &&
		(f.ids == nil || f.ids[c.session.Number()]) &&
		(f.addr == "" || f.addr == i.remote) &&
		(f.laddr == "" || f.laddr == i.local) &&
		(f.class == "" || f.class == i.class())
}

// setClass reads a TYPE. It returns the text of an error.
func (f *clientFilter) setClass(name []byte) string {
	switch f.class = strings.ToLower(string(name)); f.class {
	case "normal", "pubsub":
		return ""
	case "master", "slave", "replica":
		f.nobodyMatches = true
		return ""
	}
	return "ERR Unknown client type '" + quoted(name, echoed) + "'"
}

func (f *clientFilter) addID(id int64) {
	if f.ids == nil {
		f.ids = map[int64]bool{}
	}
	f.ids[id] = true
}

func clientList(x *call) {
	var f clientFilter
	switch {
	case len(x.args) == 2:
	case len(x.args) == 4 && x.option(2, "TYPE"):
		if text := f.setClass(x.args[3]); text != "" {
			x.w.Error(text)
			return
		}
	case len(x.args) > 3 && x.option(2, "ID"):
		for _, arg := range x.args[3:] {
			id, ok := parseInt(arg)
			if !ok {
				x.w.Error("ERR Invalid client ID")
				return
			}
			f.addID(id)
		}
	default:
		x.syntaxError()
		return
	}
	var list strings.Builder
	now := time.Now()
	x.conn.server.clients.each(func(c *conn) {
		if f.matches(c) {
			list.WriteString(c.describe(now))
		}
	})
	x.w.Verbatim(list.String())
}

// clientKill ends connections. The subscriptions of the others are gone before
// the reply, so no later PUBLISH counts them; one's own connection gets the
// reply and ends then.
func clientKill(x *call) {
	f := clientFilter{skip: x.conn}
	old := len(x.args) == 3
	if old {
		f.skip, f.addr = nil, string(x.args[2])
	} else if text := parseKill(x, &f); text != "" {
		x.w.Error(text)
		return
	}
	killed := int64(0)
	x.conn.server.clients.each(func(c *conn) {
		if !f.matches(c) {
			return
		}
		killed++
		if c == x.conn {
			c.quit = broker.ReasonQuit // ends after the reply
			return
		}
		c.session.Kill()
	})
	switch {
	case !old:
		x.w.Int(killed)
	case killed == 0:
		x.w.Error("ERR No such client")
	default:
		x.w.OK()
	}
}

// parseKill reads the pairs of filter and value. It returns the text of an error.
func parseKill(x *call, f *clientFilter) string {
	for i := 2; i < len(x.args); i += 2 {
		if i+1 == len(x.args) {
			return textSyntax
		}
		value := x.args[i+1]
		text := ""
		switch {
		case x.option(i, "ID"):
			id, ok := parseInt(value)
			if !ok || id < 1 {
				return "ERR client-id should be greater than 0"
			}
			f.ids = nil
			f.addID(id)
		case x.option(i, "TYPE"):
			text = f.setClass(value)
		case x.option(i, "ADDR"):
			f.addr = string(value)
		case x.option(i, "LADDR"):
			f.laddr = string(value)
		case x.option(i, "USER"):
			if string(value) != "default" {
				return "ERR No such user '" + quoted(value, echoed) + "'"
			}
		case x.option(i, "SKIPME") && equalFold(value, "YES"):
			f.skip = x.conn
		case x.option(i, "SKIPME") && equalFold(value, "NO"):
			f.skip = nil
		default:
			return textSyntax
		}
		if text != "" {
			return text
		}
	}
	return ""
}

// help lists the subcommands of a container with their summaries.
func help(x *call) {
	container := x.cmd.parent
	x.w.Array(1 + 2*len(container.subcommands))
	x.w.SimpleString(strings.ToUpper(container.name) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for _, sub := range container.subcommands {
		line := strings.ToUpper(sub.name)
		switch n := sub.arity; {
		case n < 0:
			line += " [<arg> ...]"
		case n > 2:
			line += strings.Repeat(" <arg>", n-2)
		}
		x.w.SimpleString(line)
		x.w.SimpleString("    " + sub.summary)
	}
}

// itoa is short for a decimal number in a text.
func itoa(n int64) string { return strconv.FormatInt(n, 10) }
