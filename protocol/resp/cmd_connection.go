package resp

import (
	"crypto/sha256"
	"crypto/subtle"
	"math"
	"strconv"
	"time"

	"fanfare/broker"
)

// compatible is the Redis version that the server behaves as.
const compatible = "7.2.4"

func init() {
	const flagsConnect = flagNoScript | flagLoading | flagStale | flagFast | flagNoAuth | flagAllowBusy
	register(
		&command{
			name: "ping", arity: -1, flags: flagFast | flagSubscribed,
			acl: "connection", group: "connection", since: "1.0.0", complexity: "O(1)",
			summary: "Answers PONG or the given text; proves that the connection works.", run: ping,
		},
		&command{
			name: "echo", arity: 2, flags: flagLoading | flagStale | flagFast,
			acl: "connection", group: "connection", since: "1.0.0", complexity: "O(1)",
			summary: "Answers the given text.", run: func(x *call) { x.w.Bulk(x.args[1]) },
		},
		&command{
			name: "hello", arity: -1, flags: flagsConnect,
			acl: "connection", group: "connection", since: "6.0.0", complexity: "O(1)",
			summary: "Chooses the protocol version, and may log in and name the connection.", run: hello,
		},
		&command{
			name: "auth", arity: -2, flags: flagsConnect,
			acl: "connection", group: "connection", since: "1.0.0", complexity: "O(1)",
			summary: "Logs the connection in.", run: auth,
		},
		&command{
			name: "quit", arity: -1, flags: flagsConnect | flagSubscribed | flagImmediate,
			acl: "connection", group: "connection", since: "1.0.0", complexity: "O(1)",
			summary: "Closes the connection after the replies to everything before.", run: quit,
		},
		&command{
			name: "reset", arity: 1, flags: flagsConnect | flagSubscribed | flagImmediate,
			acl: "connection", group: "connection", since: "6.2.0", complexity: "O(N) for N subscriptions",
			summary: "Makes the connection what it was when it was opened.", run: reset,
		},
		&command{
			name: "select", arity: 2, flags: flagLoading | flagStale | flagFast,
			acl: "connection", group: "connection", since: "1.0.0", complexity: "O(1)",
			summary: "Chooses the database of the commands that follow.", run: selectDB,
		},
	)
}

func ping(x *call) {
	switch {
	case len(x.args) > 2:
		x.wrongArgs()
	case x.w.proto == proto2 && x.conn.subscribed():
		x.w.Array(2)
		x.w.BulkString("pong")
		x.w.BulkString(string(lastArg(x.args)))
	case len(x.args) == 2:
		x.w.Bulk(x.args[1])
	default:
		x.w.SimpleString("PONG")
	}
}

// lastArg returns the only argument, empty if there is none.
func lastArg(args [][]byte) []byte {
	if len(args) < 2 {
		return nil
	}
	return args[1]
}

func quit(x *call) {
	x.w.OK()
	x.conn.quit = broker.ReasonQuit
}

func selectDB(x *call) {
	db, ok := parseInt(x.args[1])
	switch {
	case !ok:
		x.w.Error(textNotInteger)
	case db < math.MinInt32 || db > math.MaxInt32:
		x.w.Error("ERR value is out of range, value must between -2147483648 and 2147483647")
	case db < 0 || db >= int64(x.conn.server.store().Databases()):
		x.w.Error(textNoDB)
	default:
		x.conn.selectDB(int(db))
		x.w.OK()
	}
}

func (c *conn) selectDB(db int) {
	c.db = db
	c.info.db.Store(int64(db))
}

// helloOptions is what HELLO asks for.
type helloOptions struct {
	proto      int // 0: as it is
	user, pass []byte
	name       []byte // nil: not given
}

func hello(x *call) {
	o, text := parseHello(x.args)
	c := x.conn
	switch {
	case text != "":
	case o.user != nil:
		text = c.login(o.user, o.pass)
	}
	if text == "" && !c.authenticated {
		text = "NOAUTH HELLO must be called with the client already authenticated, otherwise the " +
			"HELLO AUTH <user> <pass> option can be used to authenticate the client and select the " +
			"RESP protocol version at the same time"
	}
	if text != "" {
		x.w.Error(text)
		return
	}
	if o.name != nil {
		c.info.write(func(n *clientNames) { n.name = string(o.name) })
	}
	if o.proto != 0 && !c.setProto(o.proto, x.inExec) {
		return
	}
	x.w.Map(7)
	for _, field := range [][2]string{{"server", "redis"}, {"version", compatible}} {
		x.w.BulkString(field[0])
		x.w.BulkString(field[1])
	}
	x.w.BulkString("proto")
	x.w.Int(int64(x.w.proto))
	x.w.BulkString("id")
	x.w.Int(c.session.Number())
	for _, field := range [][2]string{{"mode", "standalone"}, {"role", "master"}} {
		x.w.BulkString(field[0])
		x.w.BulkString(field[1])
	}
	x.w.BulkString("modules")
	x.w.Array(0)
}

// parseHello returns what HELLO asks for, or the text of an error.
func parseHello(args [][]byte) (o helloOptions, text string) {
	if len(args) > 1 {
		proto, ok := parseInt(args[1])
		switch {
		case !ok:
			return o, "ERR Protocol version is not an integer or out of range"
		case proto != proto2 && proto != proto3:
			return o, textNoProto
		}
		o.proto = int(proto)
	}
	for i := 2; i < len(args); i++ {
		switch more := len(args) - 1 - i; {
		case more >= 2 && equalFold(args[i], "AUTH"):
			o.user, o.pass = args[i+1], args[i+2]
			i += 2
		case more >= 1 && equalFold(args[i], "SETNAME"):
			o.name = args[i+1]
			i++
			if text := checkName(o.name); text != "" {
				return o, text
			}
		default:
			return o, "ERR Syntax error in HELLO option '" + quoted(args[i], echoed) + "'"
		}
	}
	return o, ""
}

// setProto changes the protocol version. What is held back for the connection
// by the time that all its subscriptions have changed is in the old form, and
// leaves before the reply, or in the new one, and follows it: in RESP2 a message
// that overtook the reply would be taken for it. The barrier is passed by a
// worker that waits for nobody, so it is awaited with the queue corked. It
// reports whether the connection goes on.
func (c *conn) setProto(proto int, inExec bool) bool {
	if proto == c.w.proto {
		return true
	}
	old, format := c.session.Format(), c.server.cfg.RESP2
	if proto == proto3 {
		format = c.server.cfg.RESP3
	}
	barrier := c.session.SetFormat(format)
	c.w.proto = proto
	c.info.proto.Store(int64(proto))
	if inExec {
		c.setPushForm()
		return true
	}
	if c.subscribed() {
		c.session.Await(barrier)
		if !c.alive() {
			return false
		}
	}
	c.turnGate(old)
	return true
}

// await waits until every message before the barrier has left. It reports
// whether the connection goes on.
func (c *conn) await(b broker.Barrier) bool {
	return c.wait(func() { c.session.Await(b) })
}

func auth(x *call) {
	c := x.conn
	var text string
	switch {
	case len(x.args) > 3:
		text = textSyntax
	case len(x.args) == 3:
		text = c.login(x.args[1], x.args[2])
	case c.server.settings().password == "":
		text = "ERR AUTH <password> called without any password configured for the default user. " +
			"Are you sure your configuration is correct?"
	default:
		text = c.login([]byte("default"), x.args[1])
	}
	if text != "" {
		x.w.Error(text)
		return
	}
	x.w.OK()
}

// login checks a password and returns the text of an error. The default user,
// the only one, takes any password where none is configured, as in Redis.
func (c *conn) login(user, pass []byte) (text string) {
	sum := passwordSum(string(pass))
	now := c.server.settings()
	right := subtle.ConstantTimeCompare(sum[:], now.passwordSum[:]) == 1 || now.password == ""
	if !right || string(user) != "default" {
		c.server.stats.authFailures.Add(1)
		return textWrongPass
	}
	c.setAuthenticated(true)
	return ""
}

// passwordSum hides the length of a password from whoever measures comparisons.
func passwordSum(pass string) [sha256.Size]byte { return sha256.Sum256([]byte(pass)) }

func (c *conn) setAuthenticated(yes bool) {
	if c.authenticated && !yes {
		c.authSince = time.Now()
	}
	c.authenticated = yes
	c.guard.limits = c.server.cfg.input(yes, c.server.settings().maxBulk)
}

func reset(x *call) {
	c := x.conn
	c.discard()
	c.untrack()
	if c.w.proto == proto2 {
		c.setGate(pushNone)
	}
	barrier := c.session.UnsubscribeAll()
	if c.subscribed() && !c.await(barrier) {
		return
	}
	for k := range c.info.held {
		c.info.held[k].Store(0)
	}
	c.session.LeaveAll()
	if !c.setProto(proto2, false) {
		return
	}
	c.silence = silence{}
	c.selectDB(0)
	c.info.noEvict.Store(false)
	c.info.noTouch.Store(false)
	c.info.write(func(n *clientNames) { n.name = "" })
	c.server.monitors.remove(c)
	c.setAuthenticated(c.server.settings().password == "")
	x.w.SimpleString("RESET")
}

// checkName returns the text of an error for a name a client must not have.
func checkName(name []byte) string {
	switch {
	case !printable(name):
		return "ERR Client names cannot contain spaces, newlines or special characters."
	case len(name) > longestClientName:
		return "ERR Client names cannot be longer than " + strconv.Itoa(longestClientName) + " bytes."
	}
	return ""
}

// longestClientName bounds what a client may call itself.
const longestClientName = 1024

// printable says whether all bytes are visible ASCII characters.
func printable(b []byte) bool {
	for _, ch := range b {
		if ch < '!' || ch > '~' {
			return false
		}
	}
	return true
}
