package resp

import (
	"errors"
	"os"
	"time"

	"fanfare/broker"
)

// stride is how much of an incomplete command must arrive within
// Config.CommandTimeout.
const stride = 64 << 10

// deadline is the state of a connection's read deadline. Setting one costs
// about as much as a small command, so it is only touched when it changes.
type deadline struct {
	set     bool
	partial bool      // a command is incomplete
	since   time.Time // when it last made progress
	reached int       // bytes of it by then
	idle    time.Time // since when the reader waits; set where there is a timeout
}

// setDeadline chooses how long the next read may take.
func (c *conn) setDeadline() {
	d := &c.deadline
	held := c.guard.held()
	switch {
	case !c.guard.partial():
		d.partial = false
	case !d.partial || held < d.reached || held >= d.reached+stride:
		d.partial, d.since, d.reached = true, time.Now(), held
	}
	at := c.readUntil()
	if at.IsZero() && !d.set {
		return
	}
	d.set = !at.IsZero()
	// An error means that the connection is closed, which the read will say too.
	_ = c.queue.SetReadDeadline(at)
}

// beginIdle notes when the connection fell silent. The clock is looked at only
// where somebody asks how long that is.
func (c *conn) beginIdle() {
	c.deadline.idle = time.UnixMilli(c.info.active.Load())
	if c.server.settings().timeout > 0 {
		c.deadline.idle = time.Now()
	}
}

// early says whether a read ended before its time: the settings have changed.
func (c *conn) early(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) || c.server.quiescing() || c.session.Reason() != broker.ReasonNone {
		return false
	}
	now := time.Now()
	if at := c.readUntil(); !at.IsZero() && !now.Before(at) {
		return c.settings != c.server.settings()
	}
	c.deadline.set = true // so that it is replaced
	return true
}

// readUntil returns when the next read must be done; zero: there is no hurry.
func (c *conn) readUntil() time.Time {
	var at time.Time
	cfg := &c.server.cfg
	switch {
	case c.deadline.partial:
		at = c.deadline.since.Add(cfg.CommandTimeout)
	case c.settings.timeout > 0 && !c.subscribed() && !c.info.monitor.Load():
		at = c.deadline.idle.Add(c.settings.timeout)
	}
	if !c.authenticated {
		if limit := c.authSince.Add(cfg.AuthTimeout); at.IsZero() || limit.Before(at) {
			at = limit
		}
	}
	return at
}
