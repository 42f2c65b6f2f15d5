package ws

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"fanfare/broker"
	"fanfare/protocol/outbound"
	"fanfare/protocol/payload"
)

const (
	// maxAnswers and maxCorked are how much a connection answers, and for how
	// long it keeps its deliveries waiting, before both go out.
	maxAnswers = 64 << 10
	maxCorked  = 10 * time.Millisecond
)

var errNotText = errors.New("frame is not UTF-8 text")

// conn is one WebSocket connection. Everything but the queue, the session and
// the pulse belongs to the goroutine that reads.
type conn struct {
	// set at construction
	s       *Server
	in      *inbound
	queue   *outbound.Queue
	ws      *websocket.Conn
	session *broker.Session
	// remote is the client's address, also where a proxy is in between; invalid: it has
	// none.
	remote netip.Addr
	pulse  pulse

	rate rate
	t    *turn // of the frame that is being executed
}

// serve is the connection's goroutine, from the welcome to the end.
func (c *conn) serve() {
	defer c.s.forget(c)
	defer c.ws.CloseNow() //nolint:errcheck // what could fail is that it is closed already
	defer c.queue.Close()
	defer c.session.Close()
	defer c.recover()

	err := c.read()
	if c.s.stopping() && !c.ended() && errors.Is(err, os.ErrDeadlineExceeded) {
		c.leave()
	}
	c.session.End(reasonOf(err))
	c.s.log.Debug("connection ended", zap.String("session", c.session.ID()),
		zap.Stringer("reason", c.session.Reason()), zap.Error(err))
}

// leave lets deliveries go on until everything published has been distributed,
// or somebody else ends the session.
func (c *conn) leave() {
	select {
	case <-c.s.drained:
		c.queue.Finish(c.s.finishBy())
		c.session.End(broker.ReasonShutdown)
	case <-c.session.Done():
	}
}

// recover keeps a fault of ours from ending everybody's connection.
func (c *conn) recover() {
	cause := recover()
	if cause == nil {
		return
	}
	c.s.log.Error("panic in a connection", zap.String("session", c.session.ID()),
		zap.Any("error", cause), zap.ByteString("stack", debug.Stack()))
	c.session.End(broker.ReasonInternal)
}

func (c *conn) greet() {
	t := newTurn()
	defer t.release()
	cfg := &c.s.cfg
	ping := int(cfg.PingInterval / time.Second)
	t.out = appendWelcome(t.out, c.session.ID(), cfg.Broker.Epoch(), ping, cfg.MaxFrame)
	c.queue.Cork()
	c.queue.Uncork(t.out)
}

// read executes frames until the connection ends or the server stops.
func (c *conn) read() error {
	defer c.s.readers.Done()
	c.greet()
	for {
		// A context with a deadline would make the library start a timer for
		// each read; inbound sets deadlines where one is needed.
		kind, r, err := c.ws.Reader(context.Background())
		if err != nil {
			return err
		}
		if err := c.frame(kind, r); err != nil {
			return err
		}
	}
}

func (c *conn) frame(kind websocket.MessageType, r io.Reader) error {
	t := newTurn()
	defer t.release()
	if err := t.receive(r); err != nil {
		return err
	}
	if kind != websocket.MessageText || !utf8.Valid(t.frame) {
		return errNotText
	}
	c.t = t
	defer func() { c.t = nil }()
	c.execute(t)
	return nil
}

// execute runs the requests of a frame, one on each line.
func (c *conn) execute(t *turn) {
	c.cork(t)
	for line := range bytes.SplitSeq(t.frame, []byte{'\n'}) {
		if payload.Blanks(line) == len(line) {
			continue
		}
		if c.ended() {
			break
		}
		c.run(t, line)
		if len(t.out) >= maxAnswers || time.Since(t.corked) >= maxCorked {
			c.wait(t, func() { c.queue.AwaitReplies(c.session.Done()) })
		}
	}
	c.uncork(t)
	c.pulse.pause()
	c.queue.AwaitReplies(c.session.Done())
	c.pulse.resume()
}

func (c *conn) run(t *turn, line []byte) {
	r := &t.request
	f := r.parse(line)
	if c.limited(r) {
		return
	}
	if f != nil {
		c.commit(t)
		c.fail(r, f)
		return
	}
	if !r.cmd.joins {
		c.commit(t)
	}
	r.cmd.run(c, r)
}

// limited says that the request came too fast and is not to be run. It is
// answered as long as that is not for ever.
func (c *conn) limited(r *request) bool {
	now := time.Since(c.s.began)
	if c.rate.admit(now, c.s.cfg.Rate, c.s.cfg.Burst) {
		return false
	}
	c.s.stats.limited.Add(1)
	switch tooLong := c.rate.refuse(now); {
	case tooLong:
		c.session.End(broker.ReasonRate)
	case r.id != nil, c.rate.tell(now):
		c.commit(c.t)
		c.fail(r, faultRate)
	}
	return true
}

// ok answers a request that has nothing to tell.
func (c *conn) ok(r *request) {
	if r.id != nil {
		c.t.out = appendOK(c.t.out, r.id)
	}
}

// fail answers a request with an error that concerns the whole of it.
func (c *conn) fail(r *request, f *fault) {
	verb, name := "", ""
	if r.cmd != nil && r.verbs == 1 {
		if n, ok := r.name(); ok {
			verb, name = r.cmd.verb, n
		}
	}
	c.refuse(r, f, verb, name)
}

// refuse answers with an error for one of the request's names.
func (c *conn) refuse(r *request, f *fault, verb, name string) {
	c.s.stats.errors.Add(1)
	c.t.out = appendFault(c.t.out, f, verb, name, r.id)
}

// faultOf is the fault for an error of the broker, which the log gets to see
// where the peer must not.
func (c *conn) faultOf(err error) *fault {
	f := faultOf(err)
	if f == faultInternal {
		c.s.logFault(c, err)
	}
	return f
}

func (c *conn) cork(t *turn) {
	c.queue.Cork()
	t.corked = time.Now()
}

// uncork sends the answers, then what was delivered meanwhile.
func (c *conn) uncork(t *turn) {
	c.commit(t)
	c.queue.Uncork(t.out)
	t.out = t.out[:0]
}

// wait lets f wait with nothing held back that others wait for. The session may
// have ended afterwards, and then nothing more is to be run.
func (c *conn) wait(t *turn, f func()) {
	c.uncork(t)
	c.pulse.pause()
	f()
	c.pulse.resume()
	c.cork(t)
}

func (c *conn) ended() bool { return c.session.Reason() != broker.ReasonNone }

// reasonOf says what an error of the reader means.
func reasonOf(err error) broker.Reason {
	switch code := websocket.CloseStatus(err); {
	case code == websocket.StatusNormalClosure, code == websocket.StatusNoStatusRcvd:
		return broker.ReasonQuit
	case code != -1:
		return broker.ReasonClosed
	}
	var network net.Error
	switch {
	case errors.Is(err, errTooBig):
		return broker.ReasonTooBig
	case errors.Is(err, errFlood):
		return broker.ReasonRate
	case errors.Is(err, errNotText):
		return broker.ReasonProtocol
	case errors.Is(err, os.ErrDeadlineExceeded):
		return broker.ReasonIdle
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), errors.As(err, &network):
		return broker.ReasonClosed
	}
	// What is left are frames that coder/websocket has refused.
	return broker.ReasonProtocol
}
