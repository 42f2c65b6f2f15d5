package resp

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"fanfare/broker"
	"fanfare/internal/audit"
	"fanfare/protocol/outbound"
)

// Bounds of one turn of the reader: after so many bytes of replies, or so much
// time at a command's end, replies and held pushes go out.
const (
	turnBytes = 56 << 10 // with the last reply, still within a pooled buffer
	turnTime  = 10 * time.Millisecond
)

// conn is the wire side of a connection: its reader, which executes commands.
// The session is the broker's side, the queue the way out.
type conn struct {
	// set at construction
	server  *Server
	queue   *outbound.Queue
	session *broker.Session
	since   time.Time
	stop    stopper

	// owned by the reader
	settings *settings // as of the last read
	guard    guard
	w        Writer
	replies  *[]byte // the pooled buffer under w, while commands run
	call     call
	names    names
	ahead    int // commands that lookAhead has looked at and that have not come yet
	publish  publishing
	tx       transaction
	silence  silence
	deadline deadline
	db       int // selected database
	// What the command that runs has changed, for those who track; the goroutine's that
	// runs it.
	touched []string
	entered bool // tracking.enter
	mark    int  // where the current command's reply begins in w
	// quit is why the connection is to be closed after the replies; ReasonNone
	// while it goes on.
	quit          broker.Reason
	authenticated bool
	authSince     time.Time     // since when it may log in
	turn          time.Duration // when this turn of the reader began, by elapsed
	clock         time.Duration // when the last command ended, or the turn began
	nested        time.Duration // of EXEC's time, that of its commands
	tally         tally

	// waiter is the command that has blocked; nil: none has.
	waiter atomic.Pointer[waiter]
	// info is what other connections see of this one.
	info info
	gate pushGate
}

// serve reads and executes commands until the connection ends.
func (c *conn) serve() {
	defer c.close()
	defer c.server.readers.Done()
	defer c.recover()
	if err := c.queue.Handshake(context.Background()); err != nil {
		c.handshakeFailed(err)
		return
	}
	for c.read() && c.execute() {
	}
}

// handshakeFailed counts a TLS handshake that did not succeed, and logs why.
func (c *conn) handshakeFailed(err error) {
	s := c.server
	if outbound.Refused(err) && c.session.Reason() == broker.ReasonNone && !s.quiescing() {
		s.stats.refusedHandshakes.Add(1)
		s.audit.Warn(audit.Address(c.queue.Conn().RemoteAddr()), "TLS handshake refused",
			zap.String("session", c.session.ID()), zap.String("remote", c.info.remote), zap.Error(err))
	}
	c.readFailed(err)
}

// recover keeps a bug in one command from ending the other connections.
func (c *conn) recover() {
	if p := recover(); p != nil {
		c.server.stats.panics.Add(1)
		c.server.cfg.Log.Error("a command panicked", zap.String("session", c.session.ID()),
			zap.String("command", c.info.command()), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
		c.quit = broker.ReasonInternal
		c.session.End(broker.ReasonInternal)
	}
}

// read waits for input. It holds no buffer but the guard's, and that only while
// a command is incomplete.
func (c *conn) read() bool {
	c.guard.release()
	input, err := c.input()
	if err != nil {
		c.readFailed(err)
		return false
	}
	if input == nil {
		return false
	}
	c.server.stats.inputBytes.Add(int64(len(*input)))
	c.info.active.Store(time.Now().UnixMilli())
	c.refresh() // the settings may have changed while it waited
	c.guard.feed(input)
	return true
}

// input waits for input under the present settings; nil: the server stops.
func (c *conn) input() (*[]byte, error) {
	c.beginIdle()
	for !c.server.quiescing() {
		c.refresh()
		c.setDeadline()
		if c.settings != c.server.settings() {
			c.deadline.set = true // it may have replaced the one of reconsider
			continue
		}
		input, err := c.queue.ReadPooled()
		if err == nil || !c.early(err) {
			return input, err
		}
	}
	return nil, nil //nolint:nilnil // the server stops, which is no error
}

func (c *conn) readFailed(err error) {
	switch {
	case c.session.Reason() != broker.ReasonNone:
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.timedOut()
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		c.quit = broker.ReasonClosed
	default:
		c.quit = broker.ReasonClosed
		c.server.cfg.Log.Debug("connection broken", zap.String("session", c.session.ID()), zap.Error(err))
	}
}

func (c *conn) timedOut() {
	switch {
	case c.server.quiescing():
	case !c.authenticated:
		c.quit = broker.ReasonExpired
	case c.guard.partial():
		c.quit = broker.ReasonProtocol
		c.server.stats.violations[violationStalled].Add(1)
	default:
		c.quit = broker.ReasonIdle
	}
}

// execute runs every command that is complete. It reports false when the
// connection is over.
func (c *conn) execute() bool {
	c.replies = outbound.Buffer()
	c.w.buf = (*c.replies)[:0]
	c.cork()
	for c.quit == broker.ReasonNone {
		args, err := c.guard.next()
		if err != nil {
			c.violated(err)
			break
		}
		if args == nil {
			break
		}
		c.lookAhead()
		c.dispatch(args)
		if c.turnOver() && c.uncork() {
			c.cork()
		}
	}
	c.uncork()
	c.settle()
	c.publish.release()
	outbound.Recycle(c.replies)
	c.replies, c.w.buf = nil, nil
	return c.quit == broker.ReasonNone
}

func (c *conn) violated(err error) {
	c.commit()
	c.w.Error(err.Error())
	c.quit = broker.ReasonProtocol
	var v *violation
	if errors.As(err, &v) {
		c.server.stats.violations[v.kind].Add(1)
		c.server.cfg.Log.Debug("protocol violated", zap.String("session", c.session.ID()), zap.Error(err))
	}
}

// cork holds back pushes from now on: they follow the replies of the commands
// that run next.
func (c *conn) cork() {
	c.queue.Cork()
	c.beginTurn()
}

func (c *conn) beginTurn() {
	c.turn = c.elapsed()
	c.clock = c.turn
}

// elapsed is the time since the connection was made: the clock that commands are timed
// by. Asking for the time of day as well would cost twice as much.
func (c *conn) elapsed() time.Duration { return time.Since(c.since) }

// turnOver says whether replies have waited long enough.
func (c *conn) turnOver() bool {
	switch {
	case len(c.w.buf) >= turnBytes:
		return true
	case c.publish.len() == 0: // the command that ended has looked at the clock
		return c.clock-c.turn > turnTime
	case c.publish.len()%clockEvery != 0: // a run of publishes: the clock costs as much as they do
		return false
	}
	return c.elapsed()-c.turn > turnTime
}

const clockEvery = 32

// uncork sends the replies, then what was held back, and waits while too many
// replies are queued. It reports whether the connection goes on.
func (c *conn) uncork() bool {
	c.commit()
	c.queue.Uncork(c.w.buf)
	return c.sent()
}

// send sends the replies so far, holds on to what is held back, and waits while
// too many replies are queued: for a reply that is better not collected first. It
// reports whether the connection goes on.
func (c *conn) send() bool {
	c.queue.Reply(c.w.buf)
	return c.sent()
}

// sent is the end of uncork and send.
func (c *conn) sent() bool {
	c.server.stats.replyBytes.Add(int64(len(c.w.buf)))
	c.w.buf, c.mark = (*c.replies)[:0], 0
	if c.alive() {
		c.awaitReplies()
	}
	return c.alive()
}

// awaitReplies waits while too many replies are queued. A server that stops does
// not wait for such a client: what it sent and did not hear about is not run.
// Before authentication few replies are too many, and the wait ends with the
// time to authenticate: who sends that much and reads nothing has not come to
// log in.
func (c *conn) awaitReplies() {
	if c.authenticated {
		c.queue.AwaitReplies(c.stop.stopped)
		if _, replies := c.queue.Queued(); replies > c.server.cfg.ReplyPause && c.alive() {
			c.quit = broker.ReasonShutdown
		}
		return
	}
	if _, replies := c.queue.Queued(); replies <= authQueue {
		return
	}
	late := time.NewTimer(time.Until(c.authSince.Add(c.server.cfg.AuthTimeout)))
	defer late.Stop()
	select {
	case <-late.C:
		c.quit = broker.ReasonExpired
	case <-c.stop.stopped:
	}
}

// stopper ends the waits of a reader that a peer can prolong: the session has
// ended, or the server stops.
type stopper struct {
	once    sync.Once
	stopped chan struct{}
}

func (s *stopper) stop() { s.once.Do(func() { close(s.stopped) }) }

// wait uncorks while f waits for something. It reports whether the connection
// goes on; if not, the command must have no effect.
func (c *conn) wait(f func()) bool {
	if !c.waitUncorked(f) {
		return false
	}
	c.cork()
	return true
}

func (c *conn) waitUncorked(f func()) bool {
	if !c.uncork() {
		return false
	}
	f()
	return c.alive()
}

// takePlace gives the command that runs a place in the order of messages: what is
// up to the offset returned has been pushed, where the connection is subscribed to
// it, and leaves before the reply; what is behind it follows the reply. It reports
// whether the connection goes on.
func (c *conn) takePlace() (offset uint64, ok bool) {
	end := c.server.cfg.Broker.Now()
	if !c.waitUncorked(func() { c.session.Await(end) }) {
		return 0, false
	}
	last := c.queue.Settle()
	c.beginTurn()
	return max(end.Offset(), last), true
}

// alive says whether nobody has ended the session.
func (c *conn) alive() bool {
	if reason := c.session.Reason(); reason != broker.ReasonNone && c.quit == broker.ReasonNone {
		c.quit = reason
	}
	return c.quit == broker.ReasonNone
}

// closeWait is how long the last replies may take to leave.
const closeWait = time.Second

// close ends the connection. A connection that is still good when the server
// stops stays until everything published has reached it.
func (c *conn) close() {
	deadline := time.Now().Add(closeWait)
	c.queue.Uncork(nil) // a command that panicked left it corked
	if c.alive() {
		c.quit = broker.ReasonShutdown
		deadline = c.server.awaitDrain(c.session.Done())
	}
	c.publish.release()
	if w := c.waiter.Load(); w != nil {
		c.leave(w) // where a command panicked
	}
	c.server.store().Unwatch(&c.tx.watcher)
	c.server.monitors.remove(c)
	c.leaveTracking()
	if c.subscribed() {
		c.session.UnsubscribeAll() // who is not listed any more is not counted either
	}
	c.server.clients.remove(c)
	c.queue.Finish(deadline)
	c.session.End(c.quit)
	c.session.Close()
	c.queue.Close()
	c.server.stats.writtenBytes.Add(c.queue.Written())
	c.server.cfg.Log.Debug("connection closed", zap.String("session", c.session.ID()),
		zap.Stringer("reason", c.session.Reason()))
}
