package ws

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/broker"
)

// closing is a client's close frame; code 0: one without a code.
func closing(code uint16) []byte {
	if code == 0 {
		return masked(fin|opClose, nil)
	}
	return masked(fin|opClose, binary.BigEndian.AppendUint16(nil, code))
}

func TestHowAMemberLeaves(t *testing.T) {
	const grace = 10 * time.Second
	for name, tt := range map[string]struct {
		leave func(*rawConn)
		grace time.Duration // of the server; 0: the default
		after time.Duration

		updates bool // is one again before it leaves
	}{
		"leave acts at once":                     {leave: func(c *rawConn) { c.write(text(`{"leave":"room:1"}`)) }},
		"closing with 1000 too":                  {leave: func(c *rawConn) { c.write(closing(1000)) }},
		"closing without a code too":             {leave: func(c *rawConn) { c.write(closing(0)) }},
		"a page that goes away has the grace":    {leave: func(c *rawConn) { c.write(closing(1001)) }, after: grace},
		"a connection that is cut has it":        {leave: func(c *rawConn) { _ = c.Close() }, after: grace},
		"one that breaks the protocol has it":    {leave: func(c *rawConn) { c.write(masked(fin|0x2, []byte("x"))) }, after: grace},
		"leaving first makes the cut no matter":  {leave: func(c *rawConn) { c.write(text(`{"leave":"room:1"}`)); _ = c.Close() }},
		"the grace is a setting":                 {leave: func(c *rawConn) { _ = c.Close() }, grace: time.Minute, after: time.Minute},
		"and may be none":                        {leave: func(c *rawConn) { _ = c.Close() }, grace: -1},
		"joining again does not need two leaves": {leave: func(c *rawConn) { c.write(text("{\"join\":\"room:1\",\"data\":null}\n{\"leave\":\"room:1\"}")) }, updates: true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(c *Config) { c.Grace = tt.grace }, func(b *bubble) {
				observer := b.dial()
				observer.write(text(`{"sub":"room:1"}`))
				observer.expect(`{"subbed":"room:1","offset":0}`)
				c, member := b.join("room:1")
				observer.expect(`{"joined":"room:1","user":"` + member + `"}`)
				began := time.Now()
				tt.leave(c)
				want := []string{`{"left":"room:1","user":"` + member + `"}`}
				if tt.updates {
					want = append([]string{`{"updated":"room:1","user":"` + member + `","data":null}`}, want...)
				}
				if got := observer.lines(len(want)); !slices.Equal(got, want) {
					t.Errorf("got  %q\nwant %q", got, want)
				}
				if took := time.Since(began); took < tt.after || took > tt.after+time.Second {
					t.Errorf("left after %v, want %v", took, tt.after)
				}
				_, _ = c.Close(), observer.Close()
			})
		})
	}
}

// double is another session of the member that a connection is.
func (b *bubble) double(member string) *broker.Session {
	b.t.Helper()
	s, err := b.broker.Connect(broker.SessionConfig{Outlet: deaf{}, Identity: broker.Identity{User: member}, Grace: 10 * time.Second})
	if err != nil {
		b.t.Fatal(err)
	}
	if joined, err := s.Join("room:1", broker.Member{Name: s.Member()}, 0); joined || err != nil {
		b.t.Fatalf("join: %v, %v; want a member that is there already", joined, err)
	}
	return s
}

// deaf is the outlet of a session that is told nothing.
type deaf struct{}

func (deaf) Push(*broker.Delivery, *broker.Subscription) broker.Verdict { return broker.Pushed }
func (deaf) Flush()                                                     {}
func (deaf) Drop(*broker.Subscription)                                  {}
func (deaf) End(broker.Reason)                                          {}
func (deaf) Oldest() (uint64, bool)                                     { return 0, false }

func TestAMemberIsCountedOverItsConnections(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		observer := b.dial()
		observer.write(text(`{"sub":"room:1"}`))
		observer.expect(`{"subbed":"room:1","offset":0}`)
		c, member := b.join("room:1")
		observer.expect(`{"joined":"room:1","user":"` + member + `"}`)
		other := b.double(member) // it has a second connection
		_ = c.Close()             // the first is cut
		synctest.Wait()
		<-time.After(4 * time.Second)
		began := time.Now()
		other.End(broker.ReasonQuit) // and the second leaves cleanly
		other.Close()
		observer.expect(`{"left":"room:1","user":"` + member + `"}`)
		if took := time.Since(began); took < 6*time.Second || took > 7*time.Second {
			t.Errorf("left %v after the second connection, want the rest of the grace of the first: 6 s", took)
		}
		_ = observer.Close()
	})
}

func TestNobodySeesAReloadWithinTheGrace(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		observer := b.dial()
		observer.write(text(`{"sub":"room:1"}`))
		observer.expect(`{"subbed":"room:1","offset":0}`)
		c, member := b.join("room:1")
		observer.expect(`{"joined":"room:1","user":"` + member + `"}`)
		_ = c.Close()
		synctest.Wait()
		<-time.After(9 * time.Second)
		again := b.double(member)
		<-time.After(12 * time.Second)
		observer.write(text(`{"who":"room:1","id":1}`))
		observer.expect(`{"ok":1,"who":{"` + member + `":null}}`)
		again.End(broker.ReasonQuit)
		again.Close()
		observer.expect(`{"left":"room:1","user":"` + member + `"}`)
		_ = observer.Close()
	})
}

func TestAbove500MembersOnlyTheirNumberIsTold(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		observer := b.dial()
		observer.write(text(`{"sub":"room:1"}`))
		observer.expect(`{"subbed":"room:1","offset":0}`)
		s, err := b.broker.Connect(broker.SessionConfig{Outlet: deaf{}})
		if err != nil {
			t.Fatal(err)
		}
		join := func(i int) {
			if _, err := s.Join("room:1", broker.Member{Name: fmt.Sprintf("u%d", i)}, time.Hour); err != nil {
				t.Error(err)
			}
		}
		for i := range 500 {
			join(i)
			observer.expect(fmt.Sprintf(`{"joined":"room:1","user":"u%d"}`, i))
		}
		for _, n := range []int{501, 510, 700} {
			began := time.Now()
			for i := range n {
				join(i)
			}
			observer.expect(fmt.Sprintf(`{"members":"room:1","count":%d}`, n))
			if took := time.Since(began); took > time.Second {
				t.Errorf("told after %v, want a second at most", took)
			}
		}
		s.Close()
		_ = observer.Close()
	})
}

// crowd makes so many members with as much data as a member may have.
func crowd(t *testing.T, b *broker.Broker, n int) *broker.Session {
	t.Helper()
	s, err := b.Connect(broker.SessionConfig{Outlet: deaf{}})
	if err != nil {
		t.Fatal(err)
	}
	data := fmt.Appendf(nil, `"%s"`, strings.Repeat("x", 4<<10-2))
	for i := range n {
		if _, err := s.Join("room:1", broker.Member{Name: fmt.Sprintf("u%d", i), Data: data, JSON: true}, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestWhoAnswersWithAMebibyteAtMost(t *testing.T) {
	t.Parallel()
	r := newRememberingRig(t, nil)
	s := crowd(t, r.broker, 300)
	defer s.Close()
	p := r.dial()
	for request, end := range map[string]string{
		`{"who":"room:1","id":1}`:              `},"more":true}`,
		`{"sub":"room:1","who":true,"id":1}`:   `},"more":true,"id":1}`,
		`{"sub":"room:1","who":true,"id":"x"}`: `},"more":true,"id":"x"}`,
	} {
		p.send(request)
		line := p.line()
		if n := strings.Count(line, `":"x`); n < 250 || n > 256 || len(line) > maxPage+10_000 {
			t.Errorf("%s: %d members in %d bytes, want what fits into %d", request, n, len(line), maxPage)
		}
		if !strings.HasSuffix(line, end) {
			t.Errorf("%s: ends with %s, want %s", request, line[len(line)-30:], end)
		}
	}
	p.nothingMore()
}

// TestOneNameManyTimesFillsNoMemory: the same name is answered as often as it is
// asked for, here with a mebibyte each time.
func TestOneNameManyTimesFillsNoMemory(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		s := crowd(t, b.broker, 300)
		c := b.dial()
		c.write(text(`{"sub":[` + strings.ReplaceAll(names(maxNames), "a", "room:1") + `],"who":true}`))
		synctest.Wait()
		b.server.mu.Lock()
		for asked := range b.server.live {
			if _, replies := asked.queue.Queued(); replies < maxPage/2 || replies > 3*maxPage {
				t.Errorf("%d bytes of answers are queued for who does not read, want one or two answers", replies)
			}
		}
		b.server.mu.Unlock()
		_ = c.Close()
		s.Close()
	})
}
