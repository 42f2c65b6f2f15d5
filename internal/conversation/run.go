package conversation

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is how long an expected line may take to arrive.
const patience = 2 * time.Minute

// Dialer is a server that conversations are held with.
type Dialer struct {
	Name    string // for messages: "redis-server 7.0.15"
	Release string // of Redis: what it is or behaves as; decides which tagged lines hold
	Fanfare bool   // decides the lines of deliberate deviations

	// RESP opens a connection to the Redis side.
	RESP func() (net.Conn, error)
	// WebSocket opens a connection to the browser side. Where it is nil, sections with WebSocket peers
	// are left out.
	WebSocket func() (WebSocket, error)
}

// WebSocket is a connection over which text frames travel.
type WebSocket interface {
	Send(text string) error
	// Receive gives the next frame, or an error after the deadline. io.EOF: closed by the other side.
	Receive(deadline time.Time) (string, error)
	Close() error
}

// Run holds every conversation of the file with d, each section as a subtest. The sections run one after
// the other; they empty the server, so it must not be shared with other tests.
func Run(t *testing.T, file string, d Dialer) {
	t.Helper()
	sections, err := parseFile(file)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	release, err := parseRelease(d.Release)
	if err != nil {
		t.Fatalf("release %q of %s: %v", d.Release, d.Name, err)
	}
	base := target{Dialer: d, release: release, file: filepath.Base(file)}
	for _, s := range sections {
		for _, proto := range s.protos {
			base.proto = proto
			if !base.holds(s.only) || d.WebSocket == nil && s.mentionsWebSocket() {
				continue
			}
			t.Run(fmt.Sprintf("resp%d/%s", proto, s.title), func(t *testing.T) { hold(t, base, s) })
		}
	}
	t.Logf("%s with %s: %s", base.file, d.Name, count(sections))
}

// count says how many lines a file has that do not simply hold everywhere.
func count(sections []section) string {
	later, deviating := 0, 0
	decisions := map[string]bool{}
	for _, s := range sections {
		for _, l := range s.lines {
			if l.only.since != 0 || s.only.since != 0 {
				later++
			}
			for _, decision := range []string{l.only.decision, s.only.decision} {
				if decision != "" {
					deviating++
					decisions[decision] = true
				}
			}
		}
	}
	text := fmt.Sprintf("%d lines from a later Redis, %d deliberate deviations", later, deviating)
	if deviating > 0 {
		text += " (decisions " + strings.Join(slices.Sorted(maps.Keys(decisions)), ", ") + ")"
	}
	return text
}

// target is a server in one version of the protocol.
type target struct {
	Dialer
	release release
	file    string
	proto   int
}

// holds tells whether a line with these tags is meant for the target.
func (r *target) holds(t tags) bool {
	return (t.since == 0 || r.release >= t.since) &&
		(t.before == 0 || r.release < t.before) &&
		(!t.redis || !r.Fanfare) &&
		(t.decision == "" || r.Fanfare) &&
		(t.proto == 0 || t.proto == r.proto)
}

func (s *section) mentionsWebSocket() bool {
	return slices.ContainsFunc(s.lines, func(l line) bool { return isWebSocket(l.peer) })
}

// conversation is one section while it is held.
type conversation struct {
	target
	t        testing.TB
	peers    map[string]peer
	gone     map[string]bool // peers that are no longer connected
	captured map[string]string
	runner   *runner
}

// peer is a participant: what it sends and receives depends on the protocol it speaks.
type peer interface {
	send(l *line) error
	receive() (fmt.Stringer, error)
	matches(l *line, got fmt.Stringer) bool
	fence(r *runner) error // nil: nothing more has arrived
	close()
}

func hold(t testing.TB, base target, s section) {
	c := &conversation{target: base, t: t, peers: map[string]peer{}, gone: map[string]bool{}, captured: map[string]string{}}
	var err error
	if c.runner, err = newRunner(base.RESP); err != nil {
		t.Fatalf("prepare %s: %v", base.Name, err)
	}
	defer c.runner.close()
	defer func() {
		for _, p := range c.peers {
			p.close()
		}
	}()
	c.run(slices.DeleteFunc(slices.Clone(s.lines), func(l line) bool { return !c.holds(l.only) }))
	if t.Failed() {
		return // whatever arrives now says nothing
	}
	for _, name := range slices.Sorted(maps.Keys(c.peers)) {
		if err := c.peers[name].fence(c.runner); err != nil {
			t.Errorf("%s:%d: at the end of %q: peer %s: %v", c.file, s.number, s.title, name, err)
		}
	}
}

func (c *conversation) run(lines []line) {
	c.t.Helper()
	for len(lines) > 0 {
		n := 1
		if l := &lines[0]; l.do == actExpect && l.unordered {
			for n < len(lines) && lines[n].peer == l.peer && lines[n].do == actExpect && lines[n].unordered {
				n++
			}
		}
		c.step(lines[:n])
		lines = lines[n:]
	}
}

// step does one line, or one group of lines whose answers come in any order.
func (c *conversation) step(group []line) {
	c.t.Helper()
	l := &group[0]
	p := c.peer(l)
	switch l.do {
	case actSend, actRaw:
		if err := p.send(l); err != nil {
			c.t.Fatalf("%s: %v", c.at(l), err)
		}
	case actExpect:
		c.expect(p, group)
	case actNothing:
		if err := p.fence(c.runner); err != nil {
			c.t.Fatalf("%s: %v", c.at(l), err)
		}
	case actClosed:
		if got, err := p.receive(); !isClosed(err) {
			c.t.Errorf("%s:\n\tgot  %s\n\twant the connection to be closed", c.at(l), describe(got, err))
		}
		c.hangUp(l.peer)
	case actCloses:
		c.hangUp(l.peer)
	}
}

// peer gives the participant of a line, connecting it if this is the first it says.
func (c *conversation) peer(l *line) peer {
	c.t.Helper()
	p, known := c.peers[l.peer]
	if c.gone[l.peer] {
		c.t.Fatalf("%s: %s is no longer connected", c.at(l), l.peer)
	}
	proto := c.proto
	if l.do == actProto {
		proto = l.proto
	}
	if known {
		if r, isRESP := p.(*respPeer); isRESP && l.do == actProto {
			r.proto = proto
		}
		return p
	}
	var err error
	if isWebSocket(l.peer) {
		p, err = connectWebSocket(c.WebSocket, c.captured)
	} else {
		p, err = connectRESP(c.RESP, proto, c.captured)
	}
	if err != nil {
		c.t.Fatalf("%s: connect %s to %s: %v", c.at(l), l.peer, c.Name, err)
	}
	c.peers[l.peer] = p
	return p
}

func (c *conversation) hangUp(name string) {
	c.peers[name].close()
	delete(c.peers, name)
	c.gone[name] = true
}

// expect receives one answer per line of the group and compares. After a difference the conversation goes
// on, so that one run shows them all.
func (c *conversation) expect(p peer, group []line) {
	c.t.Helper()
	open := slices.Clone(group)
	for range group {
		got, err := p.receive()
		if err != nil {
			c.t.Fatalf("%s:\n\tgot  %s\n\twant %s", c.at(&open[0]), describe(nil, err), open[0].source)
		}
		i := slices.IndexFunc(open, func(l line) bool { return p.matches(&l, got) })
		if i < 0 {
			c.t.Errorf("%s:\n\tgot  %s\n\twant %s", c.at(&open[0]), got, open[0].source)
			i = 0
		}
		open = slices.Delete(open, i, i+1)
	}
}

func (c *conversation) at(l *line) string { return fmt.Sprintf("%s:%d", c.file, l.number) }

// describe says what came, or why nothing did.
func describe(got fmt.Stringer, err error) string {
	switch {
	case isClosed(err):
		return "a closed connection"
	case err != nil:
		return err.Error()
	}
	return got.String()
}

// isClosed tells whether an error of a read means that the other side has closed the connection.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || isReset(err)
}
