package ws

import (
	"sync"
	"time"
)

// audit limits the log lines about what strangers do: a page that tries a
// thousand times a second must not fill the disk. What it leaves out is counted
// and told with the next line.
type audit struct {
	mu         sync.Mutex
	window     time.Time
	lines      int
	suppressed int
}

const (
	auditLines  = 20
	auditWindow = 10 * time.Second
)

// allow says whether a line may be written now, and how many were not before it.
func (a *audit) allow(now time.Time) (suppressed int, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Sub(a.window) >= auditWindow {
		a.window, a.lines = now, 0
	}
	if a.lines == auditLines {
		a.suppressed++
		return 0, false
	}
	a.lines++
	suppressed, a.suppressed = a.suppressed, 0
	return suppressed, true
}

// shown is how much of what a stranger sent is repeated in a log line.
const shown = 128

func shorten(text string) string { return text[:min(len(text), shown)] }
