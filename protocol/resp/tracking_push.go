package resp

import (
	"sync"

	"github.com/tidwall/redcon"

	"fanfare/broker"
	"fanfare/protocol/outbound"
)

// invalidation is one message to clients that track. Its bytes are made once for
// each version of the protocol that has a receiver.
type invalidation struct {
	keys   []string // nil: whatever the client has
	broken int64    // not 0: no keys, but the connection of this number is gone
	push   []byte
	text   []byte
}

// trackingChannel is where a RESP2 connection gets invalidations that are
// redirected to it, whatever it is subscribed to.
const trackingChannel = "__redis__:invalidate"

// bytes returns the message in the given form; nil: it has none.
func (m *invalidation) bytes(form pushForm) []byte {
	switch {
	case form == pushMessage && m.broken == 0:
		if m.text == nil {
			w := Writer{proto: proto2}
			w.Array(3)
			w.BulkString("message")
			w.BulkString(trackingChannel)
			m.value(&w)
			m.text = w.buf
		}
		return m.text
	case form != pushNative:
		return nil
	case m.push == nil:
		w := Writer{proto: proto3}
		w.Push(2)
		if m.broken != 0 {
			w.BulkString("tracking-redir-broken")
			w.Int(m.broken)
		} else {
			w.BulkString("invalidate")
			m.value(&w)
		}
		m.push = w.buf
	}
	return m.push
}

func (m *invalidation) value(w *Writer) {
	if m.keys == nil {
		w.Null()
		return
	}
	w.buf = redcon.AppendArray(w.buf, len(m.keys))
	for _, key := range m.keys {
		w.BulkString(key)
	}
}

// pushForm is how a connection gets invalidations.
type pushForm uint8

const (
	pushNone    pushForm = iota // RESP2 without a subscription: anything would be taken for a reply
	pushMessage                 // RESP2 in subscribed mode
	pushNative                  // RESP3
)

// pushGate lets invalidations into a queue in the form that the connection is able to
// read when it comes to them. The reader closes or changes it before the command
// that makes the difference lets out what is held back, and replies.
type pushGate struct {
	mu   sync.Mutex
	form pushForm
	used bool // something was let in
}

// setPushForm is called by the reader when its mode has changed, or inside EXEC its
// protocol.
func (c *conn) setPushForm() { c.setGate(c.pushForm()) }

// turnGate is called by the reader when its protocol has changed. What was let in is
// let out before anything comes in another form, if there is such or the connection is
// subscribed. The gate is closed while the queue writes what its socket takes.
func (c *conn) turnGate(old broker.Format) {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	if c.gate.used || c.subscribed() {
		c.queue.UncorkFormat(c.w.buf, old)
		c.server.stats.replyBytes.Add(int64(len(c.w.buf)))
		c.w.buf, c.mark = (*c.replies)[:0], 0
	}
	c.gate.form = c.pushForm()
}

func (c *conn) pushForm() pushForm {
	switch {
	case c.w.proto == proto3:
		return pushNative
	case c.subscribed():
		return pushMessage
	}
	return pushNone
}

func (c *conn) setGate(form pushForm) {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	c.gate.form = form
}

// push queues an invalidation. It may be called with shards locked.
func (c *conn) push(m *invalidation) {
	verdict := c.pushBytes(m)
	switch verdict {
	case broker.PushedDirty:
		c.server.tracking.flusher.add(c.queue)
	case broker.PushedOver:
		c.session.End(broker.ReasonSlow)
	}
}

func (c *conn) pushBytes(m *invalidation) broker.Verdict {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	b := m.bytes(c.gate.form)
	if b == nil {
		return broker.Pushed
	}
	c.server.stats.invalidations.Add(1)
	c.gate.used = true
	return c.queue.Notify(b)
}

// flusher writes to sockets for those who must not take the time. Its goroutine is
// there only while there is something to do.
type flusher struct {
	mu      sync.Mutex
	queues  []*outbound.Queue // guarded by mu
	running bool              // guarded by mu
}

func (f *flusher) add(q *outbound.Queue) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queues = append(f.queues, q)
	if !f.running {
		f.running = true
		go f.run()
	}
}

func (f *flusher) run() {
	for queues := f.take(nil); queues != nil; queues = f.take(queues) {
		for i, q := range queues {
			q.Flush()
			queues[i] = nil
		}
	}
}

// take returns the queues to flush, nil if there are none and the goroutine is to
// end. It keeps the memory of those before.
func (f *flusher) take(done []*outbound.Queue) []*outbound.Queue {
	f.mu.Lock()
	defer f.mu.Unlock()
	queues := f.queues
	f.queues = done[:0]
	if len(queues) == 0 {
		f.running, f.queues = false, nil
		return nil
	}
	return queues
}
