package resp

import (
	"sync"
	"sync/atomic"
	"time"

	"fanfare/broker"
)

// pause is the state of CLIENT PAUSE. It costs a command one load while there is
// none.
type pause struct {
	mu      sync.Mutex // held by whoever changes the state
	state   atomic.Pointer[pauseState]
	waiting atomic.Int64 // connections
}

// pauseState is one pause. It never changes: a longer one takes its place.
type pauseState struct {
	until  time.Time
	all    bool          // every command waits, not only those that write
	lifted chan struct{} // closed when the state is no longer the present one
}

// begin pauses until a moment. A pause that is under way is only ever prolonged
// and widened, as in Redis.
func (p *pause) begin(until time.Time, all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := &pauseState{until: until, all: all, lifted: make(chan struct{})}
	old := p.state.Load()
	if old != nil && time.Now().Before(old.until) {
		next.all = all || old.all
		if old.until.After(until) {
			next.until = old.until
		}
	}
	p.state.Store(next)
	if old != nil {
		close(old.lifted)
	}
}

// lift ends the pause, if there is one.
func (p *pause) lift() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.state.Swap(nil); old != nil {
		close(old.lifted)
	}
}

// holds returns the pause that a command of c has to wait for; nil: none. As in
// Redis a monitor is never paused, and every other connection is, also the one
// that would lift the pause.
func (p *pause) holds(c *conn, cmd *command) *pauseState {
	state := p.state.Load()
	switch {
	case state == nil || c.info.monitor.Load():
		return nil
	case !state.all && !c.writes(cmd):
		return nil
	case !time.Now().Before(state.until):
		return nil
	}
	return state
}

// writes says whether a command, or what EXEC would run, changes the store or
// publishes.
func (c *conn) writes(cmd *command) bool {
	const changes = flagWrite | flagMayReplicate | flagPublish | flagAnnounces
	if cmd == commandExec {
		for _, q := range c.tx.queue {
			if q.cmd.flags.has(changes) {
				return true
			}
		}
	}
	return cmd.flags.has(changes)
}

// awaitPause waits while the command is paused. It reports whether the
// connection goes on; if not, the command must have no effect.
func (c *conn) awaitPause(cmd *command) bool {
	for {
		state := c.server.pause.holds(c, cmd)
		if state == nil {
			return true
		}
		if !c.wait(func() { c.sleepThrough(state) }) {
			return false
		}
	}
}

// sleepThrough waits for the end of a pause, or of the connection. What waits
// when the server stops is not run: its peer has heard nothing about it.
func (c *conn) sleepThrough(state *pauseState) {
	p := &c.server.pause
	p.waiting.Add(1)
	c.info.paused.Store(true)
	defer func() {
		p.waiting.Add(-1)
		c.info.paused.Store(false)
	}()
	timer := time.NewTimer(time.Until(state.until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-state.lifted:
	case <-c.stop.stopped:
		if c.alive() {
			c.quit = broker.ReasonShutdown
		}
	}
}
