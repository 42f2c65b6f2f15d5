package resp

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// callCounters are what INFO commandstats and errorstats show. CONFIG RESETSTAT
// sets them to zero.
type callCounters struct {
	rows []callCounter // by command.number

	mu     sync.Mutex
	errors map[string]int64 // replies by their code; guarded by mu
}

type callCounter struct {
	calls, nanos, rejected, failed atomic.Int64
}

func (s *callCounters) init() {
	s.rows = make([]callCounter, commandCount)
	s.errors = map[string]int64{}
}

func (s *callCounters) reset() {
	for i := range s.rows {
		row := &s.rows[i]
		row.calls.Store(0)
		row.nanos.Store(0)
		row.rejected.Store(0)
		row.failed.Store(0)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.errors)
}

// countError counts an error reply by its code. The texts, and so the codes, are
// all the server's own.
func (s *callCounters) countError(text string) {
	code, _, _ := strings.Cut(text, " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errors[code]++
}

// tally collects the calls of one command until another one is called, so that a
// pipeline touches the shared counters once.
type tally struct {
	cmd           *command
	calls, failed int64
	took          time.Duration
}

func (c *conn) tallyOf(cmd *command) *tally {
	if c.tally.cmd != cmd {
		c.settle()
		c.tally.cmd = cmd
	}
	return &c.tally
}

// settle adds the tally to the counters.
func (c *conn) settle() {
	if t := &c.tally; t.cmd != nil {
		row := &c.server.calls.rows[t.cmd.number]
		row.calls.Add(t.calls)
		row.failed.Add(t.failed)
		row.nanos.Add(int64(t.took))
		*t = tally{}
	}
}

// account measures and counts a command that was executed, and shows it to
// monitors and slow log. One look at the clock is the end of a command and the
// beginning of the next; the commands of a run of PUBLISH are timed together,
// when the run is committed.
func (c *conn) account(cmd *command, args [][]byte, inExec bool) {
	t := c.tallyOf(cmd)
	t.calls++
	if c.w.failure != "" {
		t.failed++
		c.server.calls.countError(c.w.failure)
		c.w.failure = ""
	}
	monitored, slower := c.server.monitors.any.Load(), c.server.settings().slowerThan
	if c.publish.len() > 0 {
		switch {
		case slower == 0: // everything is to be seen
			c.commit()
		case monitored:
			c.monitored(cmd, args, time.Now())
			return
		default:
			return
		}
	}
	now := c.elapsed()
	took := now - c.clock
	c.clock = now
	if inExec {
		c.nested += took
	} else {
		took += c.nested
		c.nested = 0
	}
	c.tallyOf(cmd).took += took
	if slower >= 0 && took.Microseconds() >= slower && !cmd.flags.has(flagSkipSlowlog) {
		c.slow(cmd, args, time.Now(), took)
	}
	if monitored {
		c.monitored(cmd, args, time.Now())
	}
}

// accountRun adds the time of a run of PUBLISH, which ends now.
func (c *conn) accountRun() {
	now := c.elapsed()
	c.tally.took += now - c.clock
	c.clock = now
}

// countFailed counts a message of a run that was refused when the run was
// committed.
func (c *conn) countFailed(cmd *command) {
	c.server.calls.countError(c.w.failure)
	c.w.failure = ""
	c.server.calls.rows[cmd.number].failed.Add(1)
}

// countRejected counts a command that did not pass the checks.
func (c *conn) countRejected(cmd *command) {
	c.server.calls.countError(c.w.failure)
	c.w.failure = ""
	if cmd != nil {
		c.server.calls.rows[cmd.number].rejected.Add(1)
	}
}
