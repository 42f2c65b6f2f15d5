package resp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/broker"
)

// monitors are the connections that see every command. While there is none, a
// command pays for one load.
//
// A line is made once and appended to a buffer of each monitor, which a
// goroutine of the monitor's own takes to its queue: the connection whose
// command is shown never writes to another's socket.
type monitors struct {
	any  atomic.Bool
	mu   sync.Mutex
	list []*monitor // guarded by mu
}

// monitor is one of them.
type monitor struct {
	conn *conn
	stop chan struct{} // closed: it is none any more
	wake chan struct{} // holds a token while lines wait

	mu    sync.Mutex
	lines []byte // guarded by mu
}

// monitorBytes bounds the lines of a monitor where client-output-buffer-limit
// does not.
const monitorBytes = 32 << 20

func (m *monitors) add(c *conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := &monitor{conn: c, stop: make(chan struct{}), wake: make(chan struct{}, 1)}
	m.list = append(m.list, one)
	m.any.Store(true)
	c.info.monitor.Store(true)
	go one.pass()
}

// remove makes c a monitor no more, if it is one.
func (m *monitors) remove(c *conn) {
	if !c.info.monitor.Load() {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = slices.DeleteFunc(m.list, func(one *monitor) bool {
		if one.conn == c {
			close(one.stop)
		}
		return one.conn == c
	})
	m.any.Store(len(m.list) > 0)
	c.info.monitor.Store(false)
}

func (m *monitors) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.list)
}

// show gives a line to every monitor.
func (m *monitors) show(line []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.list {
		one.append(line)
	}
}

func (m *monitor) append(line []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	limit := int(m.conn.server.settings().pushes.hard)
	if limit == 0 {
		limit = monitorBytes
	}
	if len(m.lines)+len(line) >= limit {
		m.conn.session.End(broker.ReasonSlow)
		return
	}
	if m.lines = append(m.lines, line...); len(m.wake) == 0 {
		m.wake <- struct{}{}
	}
}

// pass takes the lines to the queue until the monitor or its session ends.
func (m *monitor) pass() {
	for {
		select {
		case <-m.wake:
		case <-m.stop:
			return
		case <-m.conn.session.Done():
			return
		}
		m.mu.Lock()
		lines := m.lines
		m.lines = nil
		m.mu.Unlock()
		if !m.conn.queue.Feed(lines) {
			m.conn.session.End(broker.ReasonSlow)
		}
	}
}

// hidden are the flags of commands that monitors do not see.
const hidden = flagSkipMonitor | flagAdmin

// monitored shows a command that was executed to the monitors.
func (c *conn) monitored(cmd *command, args [][]byte, at time.Time) {
	if cmd.flags.has(hidden) {
		return
	}
	micros := at.UnixMicro()
	line := fmt.Appendf(nil, "+%d.%06d [%d %s]", micros/1e6, micros%1e6, c.db, c.info.monitorAddress())
	for _, arg := range redacted(cmd, args) {
		line = appendRepr(append(line, ' '), arg)
	}
	c.server.monitors.show(append(line, "\r\n"...))
}

func (i *info) monitorAddress() string {
	if i.unix {
		return "unix:" + strings.TrimSuffix(i.remote, ":0")
	}
	return i.remote
}

// appendRepr appends a word between quotes as Redis shows it: a line of ASCII
// whatever the word holds.
func appendRepr(dst, word []byte) []byte {
	const letters = "\n\r\t\a\b"
	dst = append(dst, '"')
	for _, ch := range word {
		switch i := strings.IndexByte(letters, ch); {
		case ch == '"' || ch == '\\':
			dst = append(dst, '\\', ch)
		case i >= 0:
			dst = append(dst, '\\', "nrtab"[i])
		case ch < ' ' || ch > '~':
			dst = append(dst, '\\', 'x')
			if ch < 0x10 {
				dst = append(dst, '0')
			}
			dst = strconv.AppendUint(dst, uint64(ch), 16)
		default:
			dst = append(dst, ch)
		}
	}
	return append(dst, '"')
}

// redacted returns the arguments as monitors and the slow log may show them:
// without passwords.
func redacted(cmd *command, args [][]byte) [][]byte {
	var secret func(i int) bool
	switch cmd.full {
	case "auth":
		secret = func(i int) bool { return i > 0 }
	case "hello":
		secret = func(i int) bool {
			return i > 2 && equalFold(args[i-1], "AUTH") || i > 3 && equalFold(args[i-2], "AUTH")
		}
	case "config|set":
		secret = func(i int) bool { return i > 2 && i%2 == 1 && equalFold(args[i-1], "REQUIREPASS") }
	default:
		return args
	}
	shown := slices.Clone(args)
	for i := range shown {
		if secret(i) {
			shown[i] = []byte("(redacted)")
		}
	}
	return shown
}
