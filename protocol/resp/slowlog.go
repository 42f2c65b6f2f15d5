package resp

import (
	"fmt"
	"sync"
	"time"
)

// slowlog holds the last commands that took long. The newest entry is the last.
type slowlog struct {
	mu      sync.Mutex
	entries []slowEntry
	next    int64 // number of the next entry; never repeated, also after RESET
}

type slowEntry struct {
	id           int64
	at           time.Time
	micros       int64
	args         []string
	remote, name string
}

// What an entry keeps of a command, as in Redis.
const (
	slowArgs  = 32
	slowBytes = 128 // of one argument
)

// add keeps a command that took long, and at most limit of them.
func (l *slowlog) add(e slowEntry, limit int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.id = l.next
	l.next++
	l.entries = append(l.entries, e)
	l.cut(limit)
}

// trim forgets the oldest entries over limit.
func (l *slowlog) trim(limit int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut(limit)
}

func (l *slowlog) cut(limit int64) {
	if over := int64(len(l.entries)) - limit; over > 0 {
		n := copy(l.entries, l.entries[over:])
		clear(l.entries[n:])
		l.entries = l.entries[:n]
	}
}

// last returns up to n entries, the newest first; negative: all.
func (l *slowlog) last(n int64) []slowEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := int64(len(l.entries))
	if n >= 0 {
		count = min(count, n)
	}
	list := make([]slowEntry, 0, count)
	for i := range int(count) {
		list = append(list, l.entries[len(l.entries)-1-i])
	}
	return list
}

func (l *slowlog) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// slow enters a command that was executed into the slow log.
func (c *conn) slow(cmd *command, args [][]byte, at time.Time, took time.Duration) {
	now := c.server.settings()
	c.server.slowlog.add(slowEntry{
		at: at, micros: took.Microseconds(), args: shortened(redacted(cmd, args)),
		remote: c.info.remote, name: c.info.read().name,
	}, now.slowlogLen)
}

// shortened returns copies of as many arguments, and as much of each, as an
// entry keeps; the rest is counted.
func shortened(args [][]byte) []string {
	list := make([]string, 0, min(len(args), slowArgs))
	for i, arg := range args {
		switch {
		case i == slowArgs-1 && len(args) > slowArgs:
			return append(list, fmt.Sprintf("... (%d more arguments)", len(args)-slowArgs+1))
		case len(arg) > slowBytes:
			list = append(list, fmt.Sprintf("%s... (%d more bytes)", arg[:slowBytes], len(arg)-slowBytes))
		default:
			list = append(list, string(arg))
		}
	}
	return list
}
