package resp

import (
	"errors"
	"os"
	"time"

	"fanfare/broker"
	"fanfare/protocol/outbound"
)

// awaitServed lets the reader wait until the command that has blocked is answered, and
// writes the reply. Replies and pushes go out meanwhile; input is kept and not looked
// at, so that the end of the connection is seen at once.
func (c *conn) awaitServed() {
	w := c.waiter.Load()
	if w == nil {
		return
	}
	open := c.uncork()
	c.publish.release()
	outbound.Recycle(c.replies)
	c.replies, c.w.buf = nil, nil
	c.guard.release()
	for open && w.state.Load() == waiting {
		open = c.readBlocked(w)
	}
	c.leave(w)
	c.replies = outbound.Buffer()
	c.w.buf, c.mark = (*c.replies)[:0], 0
	c.refresh()
	c.cork()
	c.deadline.set, c.deadline.partial = true, false
	c.answer(w)
}

// leave ends the wait, whatever it was ended by.
func (c *conn) leave(w *waiter) {
	w.finish(ended)
	c.server.blocked.leave(w)
	c.waiter.Store(nil)
}

// answer writes the reply of a command that has waited.
func (c *conn) answer(w *waiter) {
	switch w.state.Load() {
	case served:
		<-w.done
		c.w.buf = append(c.w.buf, w.reply.buf...)
		c.w.failure = w.reply.failure
	case timedOut:
		c.w.NullArray()
	case unblocked:
		c.w.Error("UNBLOCKED client unblocked via CLIENT UNBLOCK")
	}
	if c.w.failure != "" {
		c.countFailed(w.cmd)
	}
}

// readBlocked waits for input, the end of the wait, or that of the connection, and
// reports whether there is something to wait for. Where the server stops there is not:
// the connection goes on as others do, because of its subscriptions, and nothing is read.
func (c *conn) readBlocked(w *waiter) bool {
	// Whoever ends the wait changes the state, then the deadline; this is done here the
	// other way round, so that one of the two is seen. An error: the connection is closed.
	_ = c.queue.SetReadDeadline(w.deadline)
	switch {
	case w.state.Load() != waiting:
		return true
	case c.server.quiescing():
		c.guard.drop() // what is behind a command without reply is not executed
		return false
	}
	input, err := c.queue.ReadPooled()
	switch {
	case err == nil:
		return c.keep(input)
	case !errors.Is(err, os.ErrDeadlineExceeded) || !c.alive():
		c.readFailed(err)
		c.alive() // takes over the reason, so that nothing more is executed
		return false
	case !w.deadline.IsZero() && !time.Now().Before(w.deadline):
		w.finish(timedOut)
	}
	return true
}

// keep takes input that is not looked at yet. Whoever sends more than a command may
// have, and does not wait for the reply, is ended.
func (c *conn) keep(input *[]byte) bool {
	c.server.stats.inputBytes.Add(int64(len(*input)))
	c.info.active.Store(time.Now().UnixMilli())
	c.guard.feed(input)
	c.guard.release()
	if c.guard.held() <= c.server.cfg.MaxCommand {
		return true
	}
	c.server.stats.violations[violationLimit].Add(1)
	c.quit = broker.ReasonProtocol
	return false
}
