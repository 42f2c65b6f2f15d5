package model

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing/synctest"

	"fanfare/broker"
)

// A storm is several publishers and subscribers at once. What the witness saw is
// the node's order: the reference publishes in that order too, so that the peers
// of the world are held to it like in every step. The subscribers of the storm
// come and go meanwhile, and are held to what a stay promises (stay_test.go).

// stormRules are those of the channels that storms publish to: a history of which
// a burst takes all, one that also retains, and one that lasts a while.
var stormRules = []broker.Rule{
	{Match: "s:1", History: broker.History{Size: 2}},
	{Match: "s:2", History: broker.History{Size: 15}, Retain: broker.RetainAll},
	{Match: "s:3", History: broker.History{Size: 15}},
}

var stormChannels = []string{"s:1", "s:2", "s:3"}

const (
	publishers = 4
	each       = 30 // messages: all of them together stay below pushLimit
	visitors   = 6
)

type storm struct {
	w        *world
	over     chan struct{} // closed when nothing more will come
	failures chan error
	stays    []*stay
	mu       sync.Mutex // guards stays
}

func (w *world) storm() bool {
	if w.someoneSilent() {
		return false
	}
	w.note("storm")
	s := &storm{w: w, over: make(chan struct{}), failures: make(chan error, publishers+visitors)}
	var writing, visiting sync.WaitGroup
	for i := range publishers {
		kind, rnd := []protocol{websocket, resp2, resp3}[i%3], w.branch()
		writing.Go(func() { s.try(s.publish(kind, i, rnd)) })
	}
	for i := range visitors {
		kind, rnd := websocket, w.branch()
		if i < 2 {
			kind = resp3
		}
		visiting.Go(func() { s.try(s.visit(kind, rnd)) })
	}
	writing.Wait()
	synctest.Wait()
	close(s.over)
	visiting.Wait()
	synctest.Wait()
	w.seen["storms"]++
	select {
	case err := <-s.failures:
		w.fatalf("storm: %v", err)
	default:
	}
	s.follow()
	for _, stay := range s.stays {
		if err := stay.check(w.stormed, w.seen); err != nil {
			w.fatalf("storm: %v: %v\n%v", stay, err, stay.story(w.stormed))
		}
	}
	return true
}

// branch is a source of numbers for another goroutine.
func (w *world) branch() *rand.Rand {
	return rand.New(rand.NewPCG(w.rnd.Uint64(), 2)) //nolint:gosec // a test that has to be repeatable
}

func (s *storm) try(err error) {
	if err != nil {
		s.failures <- err
	}
}

// publish is one publisher: some messages at once, then the replies.
func (s *storm) publish(kind protocol, number int, rnd *rand.Rand) error {
	l, err := s.w.node.dial(kind)
	if err != nil {
		return err
	}
	defer func() { _ = l.conn.Close() }()
	if kind == websocket {
		l.next(nil) // the welcome
	}
	for sent := 0; sent < each; {
		var requests [][]string
		for range min(1+rnd.IntN(5), each-sent) {
			pub := publication{
				channel: stormChannels[rnd.IntN(len(stormChannels))], id: strconv.Itoa(sent),
				text: fmt.Sprintf("%d.%d.%d", s.w.step, number, sent),
			}
			if sent++; kind == websocket {
				requests = append(requests, []string{pub.line()})
			} else {
				requests = append(requests, pub.command())
			}
		}
		if err := l.send(requests...); err != nil {
			return fmt.Errorf("publisher %d: %w", number, err)
		}
		for replies := 0; replies < len(requests); {
			for _, g := range l.next(nil) {
				if replies++; g.end || !strings.HasPrefix(g.text, ":") && !strings.HasPrefix(g.text, "ok=") {
					return fmt.Errorf("publisher %d got %s", number, describe(&g))
				}
			}
		}
	}
	return nil
}

// follow lets the reference publish what the witness saw, and checks that all of
// it is there and each publisher's messages are in their order.
func (s *storm) follow() {
	w := s.w
	var sent [publishers]int
	got := w.witness.link.take()
	for i := range got {
		g := &got[i]
		var step, number, n int
		if _, err := fmt.Sscanf(plain(g.fields["data"]), "%d.%d.%d", &step, &number, &n); err != nil || step != w.step {
			w.fatalf("storm: the witness got %s", describe(g))
		}
		if n != sent[number] {
			w.fatalf("storm: message %d of publisher %d came where %d was to come", n, number, sent[number])
		}
		sent[number]++
		out := w.ref.publish(nil, &publication{channel: plain(g.fields["msg"]), text: plain(g.fields["data"])})
		w.stormed = append(w.stormed, stormMessage{out.message, g.offset})
	}
	for number, n := range sent {
		if n != each {
			w.fatalf("storm: %d messages of publisher %d, want %d", n, number, each)
		}
	}
	w.witness.link.put(got)
}

// stormMessage is a message of a storm with the offset that the witness saw.
type stormMessage struct {
	*message
	offset uint64
}

// visit is one subscriber that comes and goes until the storm is over.
func (s *storm) visit(kind protocol, rnd *rand.Rand) error {
	since := make(map[subKey]uint64)
	for {
		key := subKey{false, stormChannels[rnd.IntN(len(stormChannels))]}
		if kind == websocket && rnd.IntN(3) == 0 {
			key = subKey{true, "s:*"}
		}
		st := &stay{kind: kind, key: key, since: since[key], last: rnd.IntN(4) * 3, noRetained: rnd.IntN(2) == 0}
		s.mu.Lock()
		s.stays = append(s.stays, st)
		s.mu.Unlock()
		over, err := s.stay(st, rnd)
		if err != nil {
			return fmt.Errorf("%v: %w", st, err)
		}
		if c := st.cursor(); c > since[key] {
			since[key] = c
		}
		if over {
			st.final = true
			return nil
		}
		for range rnd.IntN(200) {
			runtime.Gosched()
		}
	}
}

// stay connects, subscribes, receives something and leaves. It says whether the
// storm was over before that.
func (s *storm) stay(st *stay, rnd *rand.Rand) (over bool, err error) {
	l, err := s.w.node.dial(st.kind)
	if err != nil {
		return false, err
	}
	defer func() {
		l.gate(false)
		_ = l.conn.Close()
	}()
	if err := l.send(st.requests(s.w.ref.epoch)...); err != nil {
		return false, err
	}
	for patience := rnd.IntN(40); patience > 0 || !st.begun; {
		if rnd.IntN(10) == 0 {
			l.gate(true)
			for range rnd.IntN(100) {
				runtime.Gosched()
			}
			l.gate(false)
		}
		batch := l.next(s.over)
		if len(batch) == 0 {
			return true, nil
		}
		for i := range batch {
			if err := st.take(&batch[i]); err != nil {
				return false, err
			}
			patience--
		}
	}
	if rnd.IntN(3) > 0 {
		return false, nil
	}
	return s.unsubscribe(l, st)
}

// unsubscribe ends a stay by asking for it: after the answer nothing comes.
func (s *storm) unsubscribe(l *link, st *stay) (over bool, err error) {
	command := []string{"UNSUBSCRIBE", st.key.name}
	if st.kind == websocket {
		command = []string{fmt.Sprintf(`{%q:%q}`, map[bool]string{true: "punsub", false: "unsub"}[st.key.pattern], st.key.name)}
	}
	ping := []string{"PING"}
	if st.kind == websocket {
		ping = []string{`{"ping":1,"id":"end"}`}
	}
	if err := l.send(command, ping); err != nil {
		return false, err
	}
	for unsubscribed := false; ; {
		for _, g := range l.next(nil) {
			switch {
			case strings.HasPrefix(g.text, "id=end") || g.text == "+PONG":
				return false, nil
			case unsubscribed:
				return false, fmt.Errorf("got %s after the end of the subscription", describe(&g))
			case strings.Contains(g.text, "unsub"):
				unsubscribed = true
			default:
				if err := st.take(&g); err != nil {
					return false, err
				}
			}
		}
	}
}

// place is the number of the message in the order, -1 if it is none of it.
func placeOf(order []stormMessage, payload string) int {
	return slices.IndexFunc(order, func(m stormMessage) bool { return m.payload == payload })
}
