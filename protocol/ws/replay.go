package ws

import "fanfare/broker"

// maxPiece is how much of a replay is encoded before it goes into the queue, so
// that a history of any size needs no buffer of its size, and up to where
// messages share a frame.
const maxPiece = 48 << 10

// replay answers with the messages of a new subscription, which name is the
// channel or pattern of. Live ones stay held meanwhile, and count as queued: who
// is slower than the channel while it catches up is ended as slow. It reports
// false if the session has ended.
func (c *conn) replay(k broker.Kind, name string, messages []broker.Message) bool {
	t := c.t
	for i := range messages {
		m := &messages[i]
		if !accepts(m.Channel) {
			continue // a pattern may match what JSON cannot say
		}
		if len(t.out) > 0 && len(t.out)+len(m.Payload) > maxPiece {
			if c.pass(t); c.ended() {
				return false
			}
		}
		t.out = appendReplayed(t.out, k, name, m)
	}
	return true
}

// pass queues the answers so far, with deliveries still held, and waits while
// the peer has not taken enough of those before.
func (c *conn) pass(t *turn) {
	c.queue.Reply(t.out)
	t.out = t.out[:0]
	c.pulse.pause()
	c.queue.AwaitReplies(c.session.Done())
	c.pulse.resume()
}
