package resp

import (
	"bytes"
	"slices"

	"go.uber.org/zap"

	"fanfare/broker"
	"fanfare/kv"
)

// dispatch checks a command and runs it, or queues it inside MULTI. Everything
// that is the same for all commands is checked here and nowhere else.
func (c *conn) dispatch(args [][]byte) {
	row, cmd := c.names.lookup(args)
	if row == nil && foreign(args[0]) {
		c.refuseForeign(args[0])
		return
	}
	if cmd == nil || !cmd.flags.has(flagPublish) {
		c.commit()
	}
	quiet := c.silence.on()
	c.mark = len(c.w.buf)
	text := c.check(row, cmd, args)
	if text == "" && !c.awaitPause(cmd) {
		return
	}
	c.mark = min(c.mark, len(c.w.buf)) // what was before it has left if there was a pause
	switch {
	case text != "":
		c.commit()
		c.reject(cmd, text)
	case c.tx.open && !cmd.flags.has(flagImmediate):
		c.enqueue(cmd, args)
	default:
		c.run(cmd, args)
	}
	switch {
	case quiet && c.silence.on() && (cmd == nil || !cmd.flags.has(flagPushes)):
		c.w.buf = c.w.buf[:c.mark]
	case c.replyTooLarge():
		c.w.buf = c.w.buf[:c.mark]
		c.quit = broker.ReasonTooBig
	}
	if len(c.tx.newcomers.list) > 0 {
		c.bringAll()
	}
	c.cached(cmd)
	c.silence.next()
}

// replyTooLarge says that the reply of the command that runs, or of EXEC, is over
// the limit. It will not be sent: what makes replies of many parts stops then.
func (c *conn) replyTooLarge() bool { return len(c.w.buf)-c.mark > c.server.cfg.MaxReply }

// check returns the error text for a command that cannot run, else "". The
// order is Redis'.
func (c *conn) check(row, cmd *command, args [][]byte) string {
	switch {
	case row == nil:
		return unknownCommandText(args)
	case cmd == nil:
		return unknownSubcommandText(args)
	case cmd.run == nil || !cmd.acceptsArgs(len(args)):
		return wrongArgsText(cmd)
	case !c.authenticated && !cmd.flags.has(flagNoAuth):
		return textNoAuth
	case c.tx.open && cmd.flags.has(flagNoMulti):
		return "ERR Command not allowed inside a transaction"
	case c.w.proto == proto2 && c.subscribed() && !cmd.flags.has(flagSubscribed):
		return "ERR Can't execute '" + cmd.full + "': only (P|S)SUBSCRIBE / " +
			"(P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
	case c.server.loading(cmd):
		return textLoading
	case !c.hasMemory(cmd):
		return kv.ErrOOM.Error()
	}
	return ""
}

// hasMemory makes room, by the policy, for what a command may store; false: there is
// none. Inside MULTI every command has to have it, because it is queued.
func (c *conn) hasMemory(cmd *command) bool {
	switch {
	case cmd == commandExec:
		if !slices.ContainsFunc(c.tx.queue, func(q queued) bool { return q.cmd.flags.has(flagDenyOOM) }) {
			return true
		}
	case c.tx.open && cmd.flags.has(flagImmediate):
		return true
	case !c.tx.open && !cmd.flags.has(flagDenyOOM):
		return true
	}
	return c.server.store().MakeRoom()
}

// reject answers a command that did not pass the checks. An open transaction
// cannot be executed any more.
func (c *conn) reject(cmd *command, text string) {
	c.server.stats.rejectedCommands.Add(1)
	if cmd == commandExec {
		c.discard()
		c.w.Error("EXECABORT Transaction discarded because of: " + withoutCode(text))
		c.countRejected(cmd)
		return
	}
	c.tx.failed = c.tx.open
	c.w.Error(text)
	c.countRejected(cmd)
}

// run executes a command outside of EXEC.
func (c *conn) run(cmd *command, args [][]byte) {
	c.server.stats.commands.Add(1)
	if c.info.last.Load() != cmd { // a store costs as much as ten loads
		c.info.last.Store(cmd)
	}
	x := &c.call
	*x = call{conn: c, cmd: cmd, args: args, db: c.db, w: &c.w}
	if cmd.locks() {
		c.runLocked(x)
		c.server.serve()
	} else {
		cmd.run(x)
	}
	c.account(cmd, args, false)
	c.awaitServed()
}

// runLocked executes a command on the keys it names.
func (c *conn) runLocked(x *call) {
	var few [8][]byte
	store := c.server.store()
	if x.cmd.locksAll(x.args) {
		x.tx = store.BeginAll()
	} else {
		x.tx = store.Begin(x.db, x.cmd.keys.of(few[:0], x.args))
	}
	c.server.tracking.enter(x.tx, c)
	defer func() {
		c.endTx(x.tx)
		x.tx = nil
	}()
	c.touch(x.tx)
	x.cmd.run(x)
	c.remember(x.cmd, x.args)
}

// endTx releases the locks of what has run.
func (c *conn) endTx(tx *kv.Tx) {
	c.server.tracking.leave(tx, c)
	tx.End()
	c.broadcast()
}

// touch keeps what runs in tx from counting as use of keys, if the client wants so.
func (c *conn) touch(tx *kv.Tx) {
	if c.info.noTouch.Load() {
		tx.NoTouch()
	}
}

// silence is the state of CLIENT REPLY.
type silence struct {
	off      bool // OFF
	skipping bool // SKIP: the command that runs now
	skipNext bool // SKIP: the command after this one
}

func (s *silence) on() bool { return s.off || s.skipping }

// next is called after each command.
func (s *silence) next() { s.skipping, s.skipNext = s.skipNext, false }

// foreign says whether the peer speaks HTTP to us. A browser that is made to
// post to this port must not get commands executed from the body.
func foreign(name []byte) bool {
	return bytes.EqualFold(name, []byte("post")) || bytes.EqualFold(name, []byte("host:"))
}

func (c *conn) refuseForeign(name []byte) {
	c.commit()
	c.quit = broker.ReasonProtocol
	c.server.stats.violations[violationForeign].Add(1)
	c.server.cfg.Log.Warn("HTTP spoken to the Redis port, possibly an attack through a browser: connection closed",
		zap.String("session", c.session.ID()), zap.String("remote", c.info.remote), zap.ByteString("command", name))
}
