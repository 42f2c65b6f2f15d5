package resp

import "fanfare/broker"

// newcomer is a new subscription, and its place in the order of messages.
type newcomer struct {
	kind broker.Kind
	name string
	at   broker.Barrier
}

// newcomers are the subscriptions that EXEC has made so far, in order. What they
// bring is looked up after EXEC has released its locks and replied: it may be
// large, and nobody waits for a peer inside EXEC.
type newcomers struct {
	list  []newcomer
	index map[subscribedTo]int // in list; of the subscriptions that are still held
}

// subscribedTo names a subscription of a connection.
type subscribedTo struct {
	kind broker.Kind
	name string
}

func (n *newcomers) add(one newcomer) {
	if n.index == nil {
		n.index = map[subscribedTo]int{}
	}
	n.index[subscribedTo{one.kind, one.name}] = len(n.list)
	n.list = append(n.list, one)
}

// drop forgets subscriptions that the same EXEC has ended again.
func (n *newcomers) drop(k broker.Kind, names []string) {
	for _, name := range names {
		delete(n.index, subscribedTo{k, name})
	}
}

// bring writes the retained messages that a new subscription begins with; inside
// EXEC later. It reports whether the connection goes on.
func (x *call) bring(one newcomer) bool {
	switch {
	case one.kind == broker.KindShard:
		return true
	case x.inExec:
		x.conn.tx.newcomers.add(one)
		return true
	}
	return x.conn.bring(one)
}

// bring is as many replies as it takes, each of moderate size.
func (c *conn) bring(one newcomer) bool {
	recall := c.session.Recall(one.kind, one.name, one.at, broker.Resume{})
	for i := range recall.Messages {
		c.w.Delivery(one.kind, one.name, &recall.Messages[i])
		if len(c.w.buf) >= turnBytes && !c.send() {
			return false
		}
	}
	return true
}

// bringAll writes what the subscriptions of an EXEC begin with.
func (c *conn) bringAll() {
	n := c.tx.newcomers
	c.tx.newcomers = newcomers{}
	for i, one := range n.list {
		if at, held := n.index[subscribedTo{one.kind, one.name}]; !held || at != i {
			continue
		}
		if c.quit != broker.ReasonNone || !c.bring(one) {
			return
		}
	}
}
