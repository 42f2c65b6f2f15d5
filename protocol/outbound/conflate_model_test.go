package outbound

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"fanfare/broker"
)

// gate is a sink whose peer takes something only when it is told to.
type gate struct {
	writes chan []byte
	taken  chan int // how much of the write
	closed chan struct{}
}

func (g *gate) write(b *batch, wait bool) (int, error) {
	if !wait {
		return 0, errAgain
	}
	select {
	case g.writes <- bytes.Join(b.pieces[:b.n], nil):
		return <-g.taken, nil
	case <-g.closed:
		return b.bytes, nil
	}
}

func (*gate) pending() bool { return false }

// modelQueue says what a Queue does, one line after the other.
type modelQueue struct {
	t       *testing.T
	framed  bool
	corked  bool
	held    []modelPush
	slots   []modelSlot // oldest delivery first
	queue   string      // not taken by the peer
	wire    []byte      // taken: a frame that is not whole
	cut     bool        // taken: a line that is not whole
	skipped int64
}

type modelPush struct {
	sub, line string
	conflate  bool
}

type modelSlot struct {
	modelPush
	skipped int
}

func (m *modelQueue) push(p modelPush) {
	if m.corked {
		m.held = append(m.held, p)
		return
	}
	m.deliver(p)
}

func (m *modelQueue) deliver(p modelPush) {
	if m.queue == "" {
		p.conflate = false
	}
	s := modelSlot{modelPush: p}
	if i := m.slot(p.sub); i >= 0 {
		if p.conflate {
			s.skipped = m.slots[i].skipped + 1
			m.slots = slices.Delete(m.slots, i, i+1)
			m.skipped++
		} else {
			m.admit(i + 1) // and the older ones, which keep their order
		}
	}
	if p.conflate {
		m.slots = append(m.slots, s)
	} else {
		m.queue += p.line + "\n"
	}
}

func (m *modelQueue) enqueueSlot(s modelSlot) {
	m.queue += marked(m.framed, s.skipped, s.line) + "\n"
}

func (m *modelQueue) settle() {
	m.corked = true
	m.admit(len(m.slots))
}

func (m *modelQueue) slot(sub string) int {
	return slices.IndexFunc(m.slots, func(s modelSlot) bool { return s.sub == sub })
}

// uncork also says what happens to an idle queue: all that was held is queued
// before anything is written.
func (m *modelQueue) uncork(reply string) {
	m.corked = false
	wasIdle := m.queue == ""
	m.queue += reply
	for _, p := range m.held {
		if wasIdle {
			m.queue += p.line + "\n"
			continue
		}
		m.deliver(p)
	}
	m.held = nil
}

func (m *modelQueue) admit(n int) {
	n = min(n, len(m.slots))
	for _, s := range m.slots[:n] {
		m.enqueueSlot(s)
	}
	m.slots = m.slots[n:]
}

// drop forgets a subscription.
func (m *modelQueue) drop(sub string) {
	m.held = slices.DeleteFunc(m.held, func(p modelPush) bool { return p.sub == sub })
	m.slots = slices.DeleteFunc(m.slots, func(s modelSlot) bool { return s.sub == sub })
}

// take checks what the peer has taken.
func (m *modelQueue) take(b []byte) {
	m.t.Helper()
	text := string(b)
	if m.framed {
		text = m.unframe(b)
	}
	if !strings.HasPrefix(m.queue, text) {
		m.t.Fatalf("got\n%.400s\nwant\n%.400s", text, m.queue)
	}
	m.cut = len(m.wire) > 0 || !strings.HasSuffix(text, "\n")
	if m.queue = m.queue[len(text):]; m.queue == "" {
		m.admit(admitted)
	}
}

// unframe returns the lines of the frames that are whole.
func (m *modelQueue) unframe(b []byte) string {
	m.wire = append(m.wire, b...)
	var text strings.Builder
	for {
		n, header := frameLengths(m.wire)
		if len(m.wire) < n+header {
			break
		}
		text.Write(m.wire[header : header+n])
		text.WriteByte('\n')
		m.wire = m.wire[header+n:]
	}
	return text.String()
}

// frameLengths returns how long the payload and the header of a frame are, or
// more than there is if the header is not whole.
func frameLengths(b []byte) (payload, header int) {
	h := append(slices.Clone(b[:min(len(b), maxHeader)]), make([]byte, maxHeader)...)
	switch {
	case len(b) < 2:
		return 0, 2
	case h[1] == 126:
		return int(binary.BigEndian.Uint16(h[2:])), 4
	case h[1] == 127:
		return int(binary.BigEndian.Uint64(h[2:])), 10
	}
	return int(h[1]), 2
}

// pushBytes counts what waits: all of it is pushes but the replies.
func (m *modelQueue) pushBytes() (n int64) {
	for line := range strings.Lines(m.queue) {
		if !strings.HasPrefix(line, "reply") {
			n += int64(len(line))
		}
	}
	for _, p := range m.held {
		n += int64(len(p.line) + 1)
	}
	for _, s := range m.slots {
		n += int64(len(s.line) + 1)
	}
	return n
}

// modelTest runs a Queue and its model side by side.
type modelTest struct {
	*modelQueue
	rnd       *rand.Rand
	gate      *gate
	q         *Queue
	session   *broker.Session
	publisher *broker.Session
	subs      map[string]bool // channels
	published int
	settleIn  int // deliveries, the next one is 1; 0: not at all
}

var modelNames = []string{"c0", "c1", "c2", "p0", "p1"}

const modelPattern = "?1"

// step does one thing at random to both.
func (m *modelTest) step() {
	switch m.rnd.IntN(12) {
	case 0, 1, 2, 3, 4:
		m.publish(modelNames[m.rnd.IntN(len(modelNames))])
	case 5, 6, 7:
		select {
		case b := <-m.gate.writes:
			if m.rnd.IntN(3) == 0 {
				b = b[:1+m.rnd.IntN(len(b))]
			}
			m.gate.taken <- len(b)
			m.take(b)
		default:
		}
	case 8:
		m.corked = true
		m.q.Cork()
	case 9:
		reply := fmt.Sprintf("reply %d\n", m.rnd.IntN(100))
		if m.corked && m.rnd.IntN(2) == 0 {
			m.queue += reply
			m.q.Reply([]byte(reply))
			break
		}
		m.uncork(reply)
		m.q.Uncork([]byte(reply))
	case 10:
		m.settle()
		m.q.Settle()
	case 11:
		m.toggle(modelNames[m.rnd.IntN(len(modelNames))])
	}
}

func (m *modelTest) publish(name string) {
	m.published++
	body := text(m.published, m.rnd.IntN(60))
	if m.rnd.IntN(20) == 0 {
		body = text(m.published, copyOut+m.rnd.IntN(copyOut))
	}
	pattern := strings.HasSuffix(name, "1")
	settle := pattern && m.rnd.IntN(4) == 0 // just before the pattern's delivery
	if m.settleIn = 0; settle && m.subs[name] {
		m.settleIn = 2
	} else if settle {
		m.settleIn = 1
	}
	publish(m.t, m.publisher, name, body)
	conflate := name[0] == 'c'
	// Both deliveries are pushed before an idle queue is written.
	wasIdle := m.queue == ""
	push := func(sub, via string) {
		p := modelPush{sub, delivery(via, name, body), conflate}
		if wasIdle {
			p.conflate = conflate && m.corked
		}
		m.push(p)
	}
	if m.subs[name] {
		push(name, "")
	}
	if settle {
		m.settle()
	}
	switch {
	case settle && m.subs[name]: // the reply covers the message
		m.queue += delivery(modelPattern, name, body) + "\n"
	case pattern:
		push(modelPattern, modelPattern)
	}
}

// beforePush runs before each delivery to the session.
func (m *modelTest) beforePush(*broker.Subscription) {
	if m.settleIn--; m.settleIn == 0 {
		m.q.Settle()
	}
}

// toggle subscribes, or unsubscribes as inside EXEC.
func (m *modelTest) toggle(name string) {
	if m.subs[name] = !m.subs[name]; m.subs[name] {
		if _, _, err := m.session.Subscribe(broker.KindChannel, []string{name}, nil); err != nil {
			m.t.Fatal(err)
		}
		return
	}
	m.session.UnsubscribeInExec(broker.KindChannel, []string{name}, nil)
	m.drop(name)
}

// check compares what both have to tell.
func (m *modelTest) check(what string, skipped int64) {
	m.t.Helper()
	if skipped != m.skipped {
		m.t.Fatalf("%s: %d messages were skipped, want %d", what, skipped, m.skipped)
	}
	if m.cut {
		return
	}
	if got, _ := m.q.Queued(); got != m.pushBytes() {
		m.t.Fatalf("%s: %d bytes of pushes are queued, want %d", what, got, m.pushBytes())
	}
}

// A Queue does with conflated, plain, small and large deliveries, replies, corks
// and unsubscribes what the model does, byte for byte, whenever the peer takes
// something.
func TestConflationIsThatOfTheModel(t *testing.T) {
	t.Parallel()
	steps, seeds := 400, 12
	if testing.Short() {
		seeds = 4
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { runModel(t, seed, steps) })
		})
	}
}

func runModel(t *testing.T, seed uint64, steps int) {
	var skipped atomic.Int64
	m := &modelTest{
		modelQueue: &modelQueue{t: t, framed: seed%2 == 1},
		rnd:        rand.New(rand.NewPCG(seed, 11)),
		gate:       &gate{make(chan []byte), make(chan int), make(chan struct{})},
		subs:       map[string]bool{},
	}
	b := newBroker(t, conflating)
	t.Cleanup(func() { close(m.gate.closed) })
	m.q = New(Config{Conn: sinkhole{}, Framed: m.framed, Skipped: &skipped})
	m.q.out = m.gate
	s, err := b.Connect(broker.SessionConfig{Outlet: &hook{m.q, m.beforePush}})
	if err != nil {
		t.Fatal(err)
	}
	m.q.Bind(s)
	m.session, m.publisher = s, publisher(t, b)
	if _, _, err := s.Subscribe(broker.KindPattern, []string{modelPattern}, nil); err != nil {
		t.Fatal(err)
	}
	for i := range steps {
		m.step()
		synctest.Wait()
		m.check(fmt.Sprint("step ", i), skipped.Load())
	}
	m.uncork("")
	m.q.Uncork(nil)
	for synctest.Wait(); m.queue != ""; synctest.Wait() {
		b := <-m.gate.writes
		m.gate.taken <- len(b)
		m.take(b)
	}
	m.check("at the end", skipped.Load())
	s.Close()
}
