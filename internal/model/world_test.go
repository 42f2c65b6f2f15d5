package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/broker"
)

// world is one broker, its peers and the reference.
type world struct {
	t     *testing.T
	rnd   *rand.Rand
	node  *node
	ref   *reference
	peers []*peer // connected or not
	// control is a RESP2 peer that never subscribes, witness a browser that sees
	// every message.
	control, witness *peer
	seed             uint64
	seen             counts
	head             uint64 // the node's last offset before the step
	step             int
	trail            []string
	payloads         int
	joins            int
	stormed          []stormMessage // of all storms, in order
}

// run drives a world with the seed.
func run(t *testing.T, seed uint64, length int, seen counts) {
	w := &world{t: t, seed: seed, seen: seen, rnd: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // a test that has to be repeatable
	rules := w.someRules()
	w.node = startNode(t, 1+w.rnd.IntN(3), rules)
	defer w.stop()
	w.start(rules)
	for w.step = 1; w.step <= length && !t.Failed(); w.step++ {
		w.take()
	}
}

func (w *world) start(rules []broker.Rule) {
	w.ref = &reference{epoch: w.node.broker.Epoch(), rules: rules, channels: make(map[string]*channel), seen: w.seen}
	w.note("rules %s", describeRules(rules[len(stormRules):]))
	for _, name := range append(stormChannels, channels...) {
		w.ref.channel(name)
	}
	w.control = w.newPeer(resp2)
	w.witness = w.newPeer(websocket)
	w.connect(w.control)
	// The first message of a node makes the end of its order an offset.
	w.publish(w.control, single, publication{channel: "d", text: "first"})
	w.settle()
	w.connect(w.witness)
	w.subscribe(w.witness, subscribing{pattern: true, names: []string{"*"}})
	w.settle()
	for _, kind := range []protocol{websocket, websocket, websocket, websocket, websocket, resp2, resp3, resp3} {
		p := w.newPeer(kind)
		w.peers = append(w.peers, p)
		w.enter(p)
	}
}

func (w *world) stop() {
	for _, p := range append(w.peers, w.control, w.witness) {
		if p != nil && p.link != nil {
			p.link.gate(false)
			_ = p.link.conn.Close()
		}
	}
	w.node.stop(w.t)
	if w.t.Failed() {
		w.t.Logf("seed %d, step %d; the last steps:\n%s\nagain: go test ./internal/model -model.seed=%d -model.steps=%d -model.worlds=1",
			w.seed, w.step, strings.Join(w.trail, "\n"), w.seed, w.step)
	}
}

func (w *world) newPeer(kind protocol) *peer {
	return &peer{number: len(w.peers), kind: kind, order: &w.ref.order, cursors: make(map[subKey]cursor)}
}

func (w *world) note(format string, args ...any) {
	text := fmt.Sprintf("%4d %s %s", w.step, time.Now().Format("04:05"), fmt.Sprintf(format, args...))
	if w.trail = append(w.trail, shorten(text)); len(w.trail) > *trailFlag {
		w.trail = w.trail[1:]
	}
}

func (w *world) fatalf(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("seed %d, step %d: %s", w.seed, w.step, fmt.Sprintf(format, args...))
}

// take does one step.
func (w *world) take() {
	for !one(w, steps)(w) {
	}
	w.settle()
}

// settle waits until nothing happens any more, and compares.
func (w *world) settle() {
	w.t.Helper()
	synctest.Wait()
	w.endSlow()
	head := w.node.broker.Now().Offset()
	w.ref.finish(w.head, head)
	w.head = head
	for _, p := range append([]*peer{w.control, w.witness}, w.peers...) {
		if p.link == nil {
			continue
		}
		p.got = append(p.got, p.link.take()...)
		if err := p.match(); err != nil {
			w.fatalf("%v %s: %v", p, p.session, err)
		}
		w.seen["left out"] += p.leftOut
		p.leftOut = 0
		if p.slow && !p.silent {
			w.hangUp(p)
		}
	}
	if len(w.ref.known) > 4000 {
		w.ref.known = slices.Clone(w.ref.known[2000:])
	}
}

// endSlow looks which of the silent peers have been ended for it.
func (w *world) endSlow() {
	ended := false
	for _, p := range w.peers {
		if p.link == nil || !p.silent || p.slow {
			continue
		}
		alive := w.node.broker.NumSub(broker.KindChannel, p.own()) > 0
		switch {
		case alive && p.heavy > pushLimit+socket+8<<10:
			w.fatalf("%v takes nothing, has %d bytes queued, and is not ended", p, p.heavy)
		case alive:
			continue
		case p.queued < pushLimit:
			w.fatalf("%v was ended with not more than %d bytes queued", p, p.queued)
		}
		w.note("  %v was ended as slow", p)
		p.slow, ended = true, true
		w.seen["ended as slow"]++
		w.ref.ended(p, false)
	}
	if ended { // what its end causes has no order with what this step caused
		group := w.ref.group()
		for _, p := range w.ref.peers {
			if p.silent {
				continue
			}
			for i := range p.wants {
				if p.wants[i].check == nil && p.wants[i].then == nil {
					p.wants[i].group = group
				}
			}
		}
	}
}

// hangUp forgets a connection that has ended.
func (w *world) hangUp(p *peer) {
	_ = p.link.conn.Close()
	p.link.gate(false)
	p.link, p.silent, p.slow = nil, false, false
	p.wants, p.held, p.got, p.newest = nil, nil, nil, 0
	p.subs = nil
}

func (w *world) send(p *peer, requests ...[]string) {
	if err := p.link.send(requests...); err != nil {
		w.fatalf("%v: send: %v", p, err)
	}
}
