package resp

import (
	"crypto/sha256"
	"time"

	"fanfare/kv"
)

// settings are what CONFIG SET can change. A value is never written once it is
// in Server.live: a change makes a new one, so that a reader sees all of it or
// nothing.
type settings struct {
	maxClients  int
	timeout     time.Duration
	keepAlive   time.Duration // 0: off
	password    string
	passwordSum [sha256.Size]byte
	maxBulk     int
	maxMemory   int64
	eviction    kv.Eviction
	compact     kv.Compact
	pushes      bufferLimit
	replicas    bufferLimit // there are none; the setting names them, and clients set all classes at once
	events      kv.EventClass
	slowerThan  int64 // microseconds; negative: nothing is slow
	slowlogLen  int64
	trackedKeys int64 // 0: any number
}

// bufferLimit is one class of client-output-buffer-limit; 0: no limit.
type bufferLimit struct {
	hard, soft int64
	softFor    time.Duration
}

// Defaults of the slow log, as in Redis.
const (
	defaultSlowerThan = 10_000
	defaultSlowlogLen = 128
)

// defaultTrackedKeys is tracking-table-max-keys at the start, as in Redis.
const defaultTrackedKeys = 1_000_000

// settings returns what the configuration starts with.
func (c *Config) settings() *settings {
	return &settings{
		maxClients:  c.MaxClients,
		timeout:     c.Timeout,
		keepAlive:   c.KeepAlive,
		password:    c.RequirePass,
		passwordSum: passwordSum(c.RequirePass),
		maxBulk:     c.MaxBulk,
		maxMemory:   c.Store.MaxMemory(),
		eviction:    c.Store.Eviction(),
		compact:     c.Store.Compact(),
		pushes:      bufferLimit{c.PushHard, c.PushSoft, c.PushSoftFor},
		replicas:    bufferLimit{256 << 20, 64 << 20, time.Minute},
		events:      c.Events,
		slowerThan:  defaultSlowerThan,
		slowlogLen:  defaultSlowlogLen,
		trackedKeys: defaultTrackedKeys,
	}
}

// settings returns the present ones.
func (s *Server) settings() *settings { return s.live.Load() }

// change replaces the settings by what edit makes of a copy, and lets them take
// effect; on an error nothing changes. Changes follow one another.
func (s *Server) change(edit func(*settings) error) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	old := s.settings()
	next := *old
	if err := edit(&next); err != nil {
		return err
	}
	s.live.Store(&next)
	s.apply(old, &next)
	return nil
}

// apply takes the settings to where they are kept as copies.
func (s *Server) apply(old, next *settings) {
	s.applyMemory(old, next)
	if next.events != old.events {
		s.store().SetEventMask(next.events)
	}
	if next.slowlogLen != old.slowlogLen {
		s.slowlog.trim(next.slowlogLen)
	}
	if next.pushes != old.pushes {
		s.clients.each(func(c *conn) { c.limitPushes(next) })
	}
	if next.timeout != old.timeout || next.password != old.password {
		s.clients.each((*conn).reconsider)
	}
}

// applyMemory takes the settings about memory to the store. The policy goes first, lest
// keys are deleted by one that was just left.
func (s *Server) applyMemory(old, next *settings) {
	if next.eviction != old.eviction {
		s.store().SetEviction(next.eviction)
	}
	if next.compact != old.compact {
		s.store().SetCompact(next.compact)
	}
	if next.maxMemory == old.maxMemory {
		return
	}
	s.store().SetMaxMemory(next.maxMemory)
	if s.cfg.MaxMemoryChanged != nil {
		s.cfg.MaxMemoryChanged(next.maxMemory)
	}
}

func (c *conn) limitPushes(now *settings) {
	c.queue.SetPushLimits(now.pushes.hard, now.pushes.soft, now.pushes.softFor)
}

// reconsider makes the connection's reader look at its settings again: its read
// ends as if it had timed out, and it sees that it has not.
func (c *conn) reconsider() {
	_ = c.queue.SetReadDeadline(time.Unix(1, 0)) // an error: it is closed
}

// refresh makes the reader use the present settings.
func (c *conn) refresh() {
	now := c.server.settings()
	if now == c.settings {
		return
	}
	c.settings = now
	if !c.authenticated && now.password == "" {
		c.authenticated = true
	}
	c.guard.limits = c.server.cfg.input(c.authenticated, now.maxBulk)
}
