package outbound

import (
	"testing"

	"fanfare/broker"
)

// A pattern that matches channels of both kinds sees their messages in one order:
// its cursor says what it has seen.
func TestAPlainDeliveryFollowsTheSlotOfItsSubscription(t *testing.T) {
	t.Parallel()
	bothForms(t, func(t *testing.T, n network, framed bool) {
		r := connect(t, newBroker(t, conflating), n, asFramed(framed))
		r.sub(broker.KindPattern, "*3")
		r.sub(broker.KindChannel, "c1")
		s := publisher(t, r.broker)
		r.stick()
		for _, m := range []struct{ channel, body string }{
			{"c1", "0"}, {"c3", "1"}, {"c3", "2"}, {"p3", "3"}, {"p3", "4"}, {"c3", "5"},
		} {
			publish(t, s, m.channel, []byte(m.body))
		}
		r.drain()
		next := r.lines(framed)
		next()
		wantLines(t, next,
			delivery("", "c1", []byte("0")), // of another subscription, and older
			marked(framed, 1, delivery("*3", "c3", []byte("2"))),
			delivery("*3", "p3", []byte("3")), delivery("*3", "p3", []byte("4")),
			delivery("*3", "c3", []byte("5")),
		)
		r.wantQueued(0)
	})
}

// Settle may come between the two deliveries of a message: the reply covers both,
// also if the later one could be conflated.
func TestADeliveryThatTheReplyCoversIsNotConflated(t *testing.T) {
	t.Parallel()
	bothForms(t, func(t *testing.T, n network, framed bool) {
		r := connect(t, newBroker(t, conflating), n, asFramed(framed))
		r.sub(broker.KindChannel, "c3")
		s := publisher(t, r.broker)
		r.stick()
		r.queue.mu.Lock()
		r.queue.pushed = r.broker.Stats().Sequence + 1 // the other delivery of the next message
		r.queue.mu.Unlock()
		r.queue.Settle()
		publish(t, s, "c3", []byte("covered"))
		publish(t, s, "c3", []byte("later"))
		r.drain()
		r.queue.Uncork([]byte("reply\n"))
		next := r.lines(framed)
		next()
		wantLines(t, next,
			delivery("", "c3", []byte("covered")), "reply", delivery("", "c3", []byte("later")),
		)
		r.wantQueued(0)
	})
}
