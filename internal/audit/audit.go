// Package audit writes log lines about what strangers do. Such lines must not be
// sampled, or an attack hides the line that matters among others of its own; and they
// must be bounded, or one who tries a thousand times a second fills the disk. So each
// address has a few lines in a window of time, all addresses together some more, and
// what was left out is counted and told when the window ends.
package audit

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
)

// The bounds of one window.
const (
	Window      = 10 * time.Second
	LinesOfOne  = 5  // from one address
	LinesOfAll  = 50 // from all together
	maxCounted  = 1024
	networkBits = 64 // of an IPv6 address: what one subscriber of a provider has
)

// Log is where the lines go. Its methods may be called from any goroutine, but with no
// lock held that a writer of log lines might wait for.
type Log struct {
	log *zap.Logger

	mu    sync.Mutex
	open  *time.Timer // ends the window; nil: there is none
	lines int
	of    map[netip.Prefix]*count
	left  int // lines left out
}

// count is what one address did in the window.
type count struct{ lines, left int }

// New makes a Log that writes to log.
func New(log *zap.Logger) *Log { return &Log{log: log} }

// Warn writes a line about what the peer at an address did, unless the address has used
// up its lines, or all have. The invalid address stands for all peers without one. Text
// that a peer sent belongs into fields, cut to Shown.
func (l *Log) Warn(peer netip.Addr, message string, fields ...zap.Field) {
	if l.admit(network(peer)) {
		l.log.Warn(message, fields...)
	}
}

func (l *Log) admit(from netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.lines, l.left, l.of = 0, 0, make(map[netip.Prefix]*count)
		l.open = time.AfterFunc(Window, l.Close)
	}
	c := l.of[from]
	if c == nil {
		c = new(count)
		if len(l.of) < maxCounted {
			l.of[from] = c
		}
	}
	if l.lines == LinesOfAll || c.lines == LinesOfOne {
		c.left++
		l.left++
		return false
	}
	c.lines++
	l.lines++
	return true
}

// Close ends the window at once and tells what was left out in it, in one line. The next
// event begins another window, so a Log may be used after Close.
func (l *Log) Close() {
	l.mu.Lock()
	if l.open == nil {
		l.mu.Unlock()
		return
	}
	l.open.Stop()
	l.open = nil
	left, of := l.left, l.of
	l.mu.Unlock()
	if left == 0 {
		return
	}
	addresses, most, worst := 0, 0, netip.Prefix{}
	for from, c := range of {
		if c.left > 0 {
			addresses++
		}
		if c.left > most || c.left == most && most > 0 && from.String() < worst.String() {
			most, worst = c.left, from
		}
	}
	l.log.Warn("lines left out", zap.Int("suppressed", left), zap.Int("addresses", addresses),
		zap.String("remote", name(worst)), zap.Int("suppressed_of_remote", most))
}

// Shown is how much of what a stranger sent is repeated in a line, in bytes.
const Shown = 128

// Shorten cuts text to Shown bytes.
func Shorten(text string) string { return text[:min(len(text), Shown)] }

// Address is a peer's address without its port; invalid for one that has none, such as
// the peer of a Unix socket.
func Address(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// network is what counts as one address. A single machine has 2^64 IPv6 addresses.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = networkBits
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // the invalid address
	}
	return p
}

func name(p netip.Prefix) string {
	switch {
	case !p.IsValid():
		return ""
	case p.IsSingleIP():
		return p.Addr().String()
	}
	return p.String()
}
