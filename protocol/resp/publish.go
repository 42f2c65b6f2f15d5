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

// publishing is a run of consecutive PUBLISH, SPUBLISH and RETAIN: they enter the
// log together, and their replies are written then.
type publishing struct {
	batch    *broker.Batch // nil: none begun
	bytes    int
	rows     []*command       // of the messages in the batch; reused
	receipts []broker.Receipt // reused
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
	if cap(p.rows) > batchMessages {
		p.rows, p.receipts = nil, nil
	}
}

// publish is the first hop of a message. Inside EXEC it takes its place in the log
// at once, else as part of the run.
func (x *call) publish(m *broker.Message) {
	if x.inExec {
		x.conn.publishNow(m)
		return
	}
	x.conn.addMessage(x.cmd, m)
}

// addMessage publishes as part of the run. The reply comes at commit, or at
// once where there is an error.
func (c *conn) addMessage(cmd *command, m *broker.Message) {
	if c.publish.len() == 0 && !c.awaitRoom() {
		return
	}
	if c.publish.batch == nil {
		c.publish.batch = c.session.Batch()
	}
	if err := c.publish.batch.Add(m); err != nil {
		c.commit()
		c.w.Error(errorText(err))
		return
	}
	c.publish.rows = append(c.publish.rows, cmd)
	c.publish.bytes += len(m.Payload)
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
	p.receipts = p.batch.Commit(p.receipts[:0])
	p.bytes = 0
	c.accountRun()
	for i := range p.receipts {
		if err := p.receipts[i].Err; err != nil {
			c.w.Error(errorText(err))
			c.countFailed(p.rows[i])
			continue
		}
		c.w.Int(int64(p.receipts[i].Receivers))
	}
	p.rows = p.rows[:0]
}

// publishNow publishes a message that takes its place in the log at once, and
// replies.
func (c *conn) publishNow(m *broker.Message) {
	batch := c.session.Batch()
	defer batch.Release()
	err := batch.Add(m)
	var receipts [1]broker.Receipt
	if err == nil {
		batch.Commit(receipts[:0])
		err = receipts[0].Err
	}
	if err != nil {
		c.w.Error(errorText(err))
		return
	}
	c.w.Int(int64(receipts[0].Receivers))
}

// message makes a message of the first two arguments. The channel is a view of
// the input buffer, which does not change until the message is committed: the
// broker copies the names it keeps.
func (x *call) message(k broker.Kind) broker.Message {
	channel := x.args[1]
	return broker.Message{
		Kind:    k,
		Channel: unsafe.String(unsafe.SliceData(channel), len(channel)), // #nosec G103
		Payload: x.args[2],
		From:    x.conn.session.Identity().User,
	}
}
