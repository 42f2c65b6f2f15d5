package ws

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/broker"
)

// pulse is what is known about a connection being alive.
type pulse struct {
	pong    atomic.Int64 // when the last one came, Unix nanoseconds
	waits   atomic.Bool  // the reader waits for the node and reads nothing
	resumed atomic.Int64 // when it last went on reading, Unix nanoseconds

	// owned by the wheel
	slot    int       // guarded by the wheel's lock
	gone    bool      // guarded by the wheel's lock
	begun   time.Time // of this round: when the ping was queued
	end     int64     // what the queue has written once the ping has left
	flushed time.Time // when the ping was seen to be written; zero: not yet
}

func (p *pulse) ponged() { p.pong.Store(time.Now().UnixNano()) }

// pause and resume enclose the waits of the reader, during which a pong may lie
// unread for a reason that is not the peer's.
func (p *pulse) pause() { p.waits.Store(true) }

func (p *pulse) resume() {
	p.resumed.Store(time.Now().UnixNano())
	p.waits.Store(false)
}

// wheel is the timer of all connections: one goroutine and one ticker, instead
// of a timer for each. A connection is in the slot of the tick at which it is
// to be looked at.
type wheel struct {
	s        *Server
	tick     time.Duration
	stopOnce sync.Once
	stopped  chan struct{}

	mu      sync.Mutex
	slots   []map[*conn]struct{}
	now     int // the current slot
	running bool
}

// ticks is how finely the pong's time is measured.
const ticks = 10

func newWheel(s *Server) *wheel {
	tick := s.cfg.PongTimeout / ticks
	return &wheel{
		s: s, tick: tick, stopped: make(chan struct{}),
		slots: make([]map[*conn]struct{}, max(s.cfg.PingInterval, s.cfg.PongTimeout)/tick+2),
	}
}

// add lets the connection be visited after the time given. The goroutine runs
// from the first connection on.
func (w *wheel) add(c *conn, after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.pulse.gone {
		return
	}
	steps := max(1, int((after+w.tick-1)/w.tick))
	slot := (w.now + min(steps, len(w.slots)-1)) % len(w.slots)
	if w.slots[slot] == nil {
		w.slots[slot] = make(map[*conn]struct{})
	}
	w.slots[slot][c] = struct{}{}
	c.pulse.slot = slot
	if !w.running {
		w.running = true
		go w.run()
	}
}

func (w *wheel) remove(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.pulse.gone = true
	delete(w.slots[c.pulse.slot], c)
}

func (w *wheel) stop() { w.stopOnce.Do(func() { close(w.stopped) }) }

func (w *wheel) run() {
	ticker := time.NewTicker(w.tick)
	defer ticker.Stop()
	for {
		select {
		case <-w.stopped:
			return
		case now := <-ticker.C:
			w.turn(now)
		}
	}
}

// turn visits the connections whose time has come.
func (w *wheel) turn(now time.Time) {
	w.mu.Lock()
	w.now = (w.now + 1) % len(w.slots)
	due := w.slots[w.now]
	w.slots[w.now] = nil
	w.mu.Unlock()
	ping := pingsAt(now)
	for c := range due {
		if next := c.visit(now, &ping); next > 0 {
			w.add(c, next)
		}
	}
}

// pings are what a round begins with. Both hold a WebSocket ping, which browsers
// answer by themselves. A connection that had no other output since the last
// round also gets the text {"ping":seconds}: a page can see that one, and knows
// from it that the server lives.
type pings struct{ quiet, busy []byte }

func pingsAt(now time.Time) pings {
	text := append([]byte(`{"ping":`), strconv.FormatInt(now.Unix(), 10)...)
	text = append(text, '}')
	ping := []byte{0x80 | opPing, 0}
	quiet := append(ping, 0x80|opText, byte(len(text))) // #nosec G115 -- below 126
	return pings{quiet: append(quiet, text...), busy: ping}
}

// begin queues the pings of a round.
func (c *conn) begin(now time.Time, ping *pings) {
	p := &c.pulse
	frame := ping.quiet
	if p.end > 0 && c.queue.Written() > p.end { // the first round does not know
		frame = ping.busy
	}
	p.begun, p.flushed, p.end = now, time.Time{}, c.queue.Frame(frame)
}

// visit begins a round, or looks whether its pong has come. It returns the time
// until the next visit, 0 for none.
func (c *conn) visit(now time.Time, ping *pings) time.Duration {
	cfg, p := &c.s.cfg, &c.pulse
	if c.ended() {
		return 0
	}
	if p.begun.IsZero() {
		c.begin(now, ping)
	}
	if p.flushed.IsZero() {
		// A ping that waits behind deliveries is not late, however long it does:
		// whether the peer takes bytes at all is the queue's to watch.
		if c.queue.Written() < p.end {
			return c.s.wheel.tick
		}
		p.flushed = now
	}
	switch {
	case p.answered():
		rest := cfg.PingInterval - now.Sub(p.begun)
		p.begun = time.Time{}
		return max(rest, c.s.wheel.tick)
	case p.late(now, cfg):
		c.s.stats.late.Add(1)
		c.session.End(broker.ReasonIdle)
		return 0
	}
	return c.s.wheel.tick
}

func (p *pulse) answered() bool { return p.pong.Load() >= p.begun.UnixNano() }

// late says whether the pong should have come. The time that the peer has runs
// from when the ping was written, and anew from when its bytes are read again.
func (p *pulse) late(now time.Time, cfg *Config) bool {
	if p.answered() || p.waits.Load() {
		return false
	}
	since := max(p.flushed.UnixNano(), p.resumed.Load())
	return now.UnixNano()-since >= int64(cfg.PongTimeout)
}
