package e2e

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// line is a network between a browser and its broker that dies in both ways networks die: connections break,
// or they stay and nothing comes through any more.
type line struct {
	addr, target string

	silent atomic.Bool // for connections made from now on
	mu     sync.Mutex
	links  []*link
}

// link is one connection over a line.
type link struct {
	ends [2]net.Conn    // the browser's, the broker's
	dead [2]atomic.Bool // by sender: whatever it sends is dropped, also the news that it has closed
}

// newLine listens on a port of its own for the server at target.
func newLine(t *testing.T, target string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{addr: listener.Addr().String(), target: target}
	t.Cleanup(func() { _ = listener.Close(); l.cut() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			d, err := net.Dial("tcp", target)
			if err != nil {
				_ = c.Close()
				continue
			}
			l.join(&link{ends: [2]net.Conn{c, d}})
		}
	}()
	return l
}

func (l *line) join(k *link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for sender := range k.ends {
		k.dead[sender].Store(l.silent.Load())
		go carry(k.ends[sender], k.ends[1-sender], &k.dead[sender])
	}
	l.links = append(l.links, k)
}

func carry(from, to net.Conn, dead *atomic.Bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if dead.Load() {
			if err != nil {
				return
			}
			continue
		}
		if _, failed := to.Write(buf[:n]); failed != nil && err == nil {
			err = failed
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

// cut ends every connection as a network does: without a word of the WebSocket protocol.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.links {
		_ = k.ends[0].Close()
		_ = k.ends[1].Close()
	}
	l.links = nil
}

// silence lets connections stay, and nothing through: those there are for ever, new ones until the line is
// restored. A router that has lost its state does this to everybody behind it.
func (l *line) silence() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent.Store(true)
	for _, k := range l.links {
		k.dead[0].Store(true)
		k.dead[1].Store(true)
	}
}

// mute loses what the broker says on the connections there are; what it hears still arrives.
func (l *line) mute() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.links {
		k.dead[1].Store(true)
	}
}

func (l *line) restore() { l.silent.Store(false) }

func TestASilentLineCarriesNothingUntilItIsRestored(t *testing.T) {
	t.Parallel()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = echo.Close() })
	arrived := make(chan string, 10)
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				text, err := io.ReadAll(c)
				if err == nil {
					arrived <- string(text)
				}
			}()
		}
	}()
	l := newLine(t, echo.Addr().String())
	say := func(text string) {
		c, err := net.Dial("tcp", l.addr)
		if err == nil {
			_, err = io.WriteString(c, text)
		}
		if err != nil {
			t.Error(err)
		}
		_ = c.Close()
	}
	say("before")
	if got := <-arrived; got != "before" {
		t.Fatalf("got %q", got)
	}
	l.silence()
	say("meanwhile")
	eventually(t, "the silent connection exists", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.links) == 2
	})
	l.restore()
	say("after")
	if got := <-arrived; got != "after" {
		t.Errorf("got %q, want nothing of what was said in silence", got)
	}
}
