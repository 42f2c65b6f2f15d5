package resp

import (
	"unsafe"

	"fanfare/broker"
)

// A batch is committed when it has grown to one of these, so that a long
// pipeline neither fills memory nor keeps others from the log.
const (
	batchMessages = 1024
	batchBytes    = 256 << 10
)

// publishing is a run of consecutive PUBLISH and SPUBLISH: they enter the log
// together, and their replies are written then.
type publishing struct {
	batch  *broker.Batch // nil: none begun
	bytes  int
	counts []int // reused
}

func (p *publishing) len() int {
	if p.batch == nil {
		return 0
	}
	return p.batch.Len()
}

// release gives the batch back.
func (p *publishing) release() {
	if p.batch != nil {
		p.batch.Release()
		p.batch = nil
	}
	if cap(p.counts) > batchMessages {
		p.counts = nil
	}
}

// addMessage publishes as part of the run. The reply comes at commit, or at
// once where there is an error.
func (c *conn) addMessage(k broker.Kind, channel, payload []byte) {
	if c.publish.len() == 0 && !c.awaitRoom() {
		return
	}
	if c.publish.batch == nil {
		c.publish.batch = c.session.Batch()
	}
	m := message(k, channel, payload, c.session.Identity())
	if err := c.publish.batch.Add(&m); err != nil {
		c.commit()
		c.w.Error(errorText(err))
		return
	}
	c.publish.bytes += len(payload)
	if c.silence.on() || c.publish.len() >= batchMessages || c.publish.bytes >= batchBytes {
		c.commit()
	}
}

// awaitRoom waits until the node has room for messages. It reports whether the
// connection goes on.
func (c *conn) awaitRoom() bool {
	return c.session.HasRoom() || c.wait(c.session.AwaitRoom)
}

// commit puts the run into the log and writes the replies.
func (c *conn) commit() {
	p := &c.publish
	if p.len() == 0 {
		return
	}
	p.counts = p.batch.Commit(p.counts[:0])
	p.bytes = 0
	c.accountRun()
	for _, n := range p.counts {
		c.w.Int(int64(n))
	}
}

// publishNow publishes a message that takes its place in the log at once, and
// replies; inside EXEC.
func (c *conn) publishNow(k broker.Kind, channel, payload []byte) {
	batch := c.session.Batch()
	defer batch.Release()
	m := message(k, channel, payload, c.session.Identity())
	if err := batch.Add(&m); err != nil {
		c.w.Error(errorText(err))
		return
	}
	var count [1]int
	c.w.Int(int64(batch.Commit(count[:0])[0]))
}

// message makes a message of arguments. The channel is a view of the input
// buffer, which does not change until the message is committed: the broker
// copies the names it keeps.
func message(k broker.Kind, channel, payload []byte, id broker.Identity) broker.Message {
	return broker.Message{
		Kind:    k,
		Channel: unsafe.String(unsafe.SliceData(channel), len(channel)), // #nosec G103
		Payload: payload,
		From:    id.User,
	}
}
