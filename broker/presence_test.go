package broker

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var presenceRules = []Rule{{Match: "room:*", Presence: true}, {Match: "*"}}

const grace = 10 * time.Second

// browser is a session that has a grace and sees events.
func browser(c *SessionConfig) { c.Format, c.Grace = told, grace }

func (p *peer) join(channel, name, data string, lease time.Duration) bool {
	p.t.Helper()
	m := Member{Name: name, Data: []byte(data)}
	if data == "" {
		m.Data = nil
	}
	joined, err := p.Join(channel, m, lease)
	if err != nil {
		p.t.Fatal(err)
	}
	return joined
}

func (p *peer) part(channel, name string) bool {
	p.t.Helper()
	left, err := p.Session.Leave(channel, name)
	if err != nil {
		p.t.Fatal(err)
	}
	return left
}

// wantTold checks the events since the last call, after everybody has settled.
func wantTold(t testing.TB, b *Broker, p *peer, want ...string) {
	t.Helper()
	settle(t, b)
	if got := p.take(); !slices.Equal(got, want) {
		t.Errorf("told %q\nwant %q", got, want)
	}
}

// watch connects somebody who sees the room's events.
func watch(t testing.TB, b *Broker) *peer {
	p := connect(t, b, browser)
	p.sub(KindChannel, "room:1")
	return p
}

func TestExactSubscribersAreToldOfMembers(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, presenceRules)
	w, plainOne, pattern, other := watch(t, b), connect(t, b), connect(t, b, browser), connect(t, b, browser)
	plainOne.sub(KindChannel, "room:1") // its format has no events
	pattern.sub(KindPattern, "room:*")
	other.sub(KindChannel, "room:2")
	p := connect(t, b, browser)
	for _, tt := range []struct {
		call func() bool
		want bool
		told []string
	}{
		{func() bool { return p.join("room:1", "ann", "1", 0) }, true, []string{"joined room:1 ann 1"}},
		{func() bool { return p.join("room:1", "ann", "1", 0) }, false, nil}, // nothing has changed
		{func() bool { return p.join("room:1", "ann", "", 0) }, false, nil},  // nothing to change
		{func() bool { return p.join("room:1", "ann", "2", 0) }, false, []string{"updated room:1 ann 2"}},
		{func() bool { return p.join("room:1", "bob", "", 0) }, true, []string{"joined room:1 bob "}},
		{func() bool { return p.part("room:1", "ann") }, true, []string{"left room:1 ann"}},
		{func() bool { return p.part("room:1", "ann") }, false, nil},
		{func() bool { return p.part("room:1", "nobody") }, false, nil},
		{func() bool { return p.part("room:3", "nobody") }, false, nil},
		{func() bool { return p.join("room:1", "ann", "3", 0) }, true, []string{"joined room:1 ann 3"}},
	} {
		if got := tt.call(); got != tt.want {
			t.Errorf("before %q: got %v, want %v", tt.told, got, tt.want)
		}
		wantTold(t, b, w, tt.told...)
	}
	p.Await(p.UnsubscribeAll()) // does not leave
	wantTold(t, b, w)
	for _, q := range []*peer{plainOne, pattern, other} {
		wantTold(t, b, q)
	}
}

func TestMembersAreListedByName(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, presenceRules)
	p := connect(t, b)
	for _, m := range []Member{{Name: "c", Data: []byte(`{}`), JSON: true}, {Name: "a"}, {Name: "b", Data: []byte{}}, {Name: "", Data: []byte("x")}} {
		if _, err := p.Join("room:1", m, 0); err != nil {
			t.Fatal(err)
		}
	}
	p.join("room:10", "other", "", 0)
	got, _, err := p.Members("room:1", 1<<20)
	var list []string
	for _, m := range got {
		list = append(list, fmt.Sprintf("%s=%s/%v", m.Name, m.Data, m.JSON))
	}
	if want := []string{"=x/false", "a=/false", "b=/false", "c={}/true"}; err != nil || !slices.Equal(list, want) {
		t.Fatalf("got %q, %v, want %q", list, err, want)
	}
	if got[1].Data != nil || got[2].Data == nil {
		t.Error("no data and empty data are the same")
	}
	if n, err := p.MemberCount("room:1"); n != 4 || err != nil {
		t.Errorf("count: got %d, %v, want 4", n, err)
	}
	if got, _, err := p.Members("room:nobody", 1<<20); len(got) != 0 || err != nil {
		t.Errorf("an empty room: got %v, %v", got, err)
	}
	for _, call := range []func() error{
		func() error { return errorOf(p.Join("plain", Member{}, 0)) },
		func() error { return errorOf(p.Session.Leave("plain", "")) },
		func() error { return errorOf2(p.Members("plain", 1<<20)) },
		func() error { return errorOf(p.MemberCount("plain")) },
	} {
		if err := call(); !errors.Is(err, ErrNoPresence) {
			t.Errorf("a channel without presence: got %v, want %v", err, ErrNoPresence)
		}
	}
}

func TestAMemberIsItsUserOrTheSession(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, nil)
	user, nobody := connect(t, b, asUser("ann")), connect(t, b)
	if got := user.Member(); got != "ann" {
		t.Errorf("a user: got %q", got)
	}
	if got := nobody.Member(); got != nobody.ID() {
		t.Errorf("an anonymous session: got %q, want %q", got, nobody.ID())
	}
}

func TestAMemberIsCountedOverItsConnections(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, presenceRules)
	w, one, two := watch(t, b), connect(t, b), connect(t, b)
	for i, want := range []bool{true, false} {
		p := []*peer{one, two}[i]
		if got := p.join("room:1", "ann", "", 0); got != want {
			t.Errorf("connection %d: joined %v", i, got)
		}
	}
	if n, _ := one.MemberCount("room:1"); n != 1 {
		t.Errorf("members: got %d, want 1", n)
	}
	wantTold(t, b, w, "joined room:1 ann ")
	for range 2 {
		if one.part("room:1", "ann") {
			t.Error("left, though another connection holds it")
		}
	}
	wantTold(t, b, w)
	two.Close() // RESP: at once
	wantTold(t, b, w, "left room:1 ann")
}

func TestACutMemberStaysForTheGrace(t *testing.T) {
	bubble(t, presenceRules, func(t *testing.T, b *Broker) {
		w := watch(t, b)
		for _, reason := range []Reason{ReasonClosed, ReasonSlow, ReasonKilled, ReasonIdle} {
			p := connect(t, b, browser)
			p.join("room:1", "ann", "x", 0)
			wantTold(t, b, w, "joined room:1 ann x")
			p.Session.End(reason)
			p.Close()
			pass(grace - time.Millisecond)
			wantTold(t, b, w)
			if got, _, _ := w.Members("room:1", 1<<20); len(got) != 1 || string(got[0].Data) != "x" {
				t.Errorf("%v: members within the grace: %v", reason, got)
			}
			pass(time.Millisecond)
			wantTold(t, b, w, "left room:1 ann")
			if n, _ := w.MemberCount("room:1"); n != 0 {
				t.Errorf("%v: members after it: %d", reason, n)
			}
		}
		p := connect(t, b, browser)
		p.join("room:1", "ann", "", 0)
		p.Session.End(ReasonQuit)
		p.Close()
		wantTold(t, b, w, "joined room:1 ann ", "left room:1 ann")
		redis := connect(t, b)
		redis.join("room:1", "bob", "", 0)
		redis.Close()
		wantTold(t, b, w, "joined room:1 bob ", "left room:1 bob")
		if got := b.Stats(); got.Remembered != 0 {
			t.Errorf("%d channels are known, want none: it has no history", got.Remembered)
		}
		if keys, _ := b.StateKeys(); keys != 0 {
			t.Errorf("%d keys are left", keys)
		}
	})
}

func TestWhoReturnsWithinTheGraceIsNotNoticed(t *testing.T) {
	bubble(t, presenceRules, func(t *testing.T, b *Broker) {
		w := watch(t, b)
		connect(t, b, browser).cutAfterJoin()
		pass(grace / 2)
		p := connect(t, b, browser)
		if p.join("room:1", "ann", "", 0) {
			t.Error("joined, though it was there")
		}
		pass(time.Minute)
		wantTold(t, b, w, "joined room:1 ann x")
		if got, _, _ := w.Members("room:1", 1<<20); len(got) != 1 || string(got[0].Data) != "x" {
			t.Errorf("members: got %v", got)
		}
		p.cut()
		pass(grace / 2)
		back := connect(t, b, browser)
		back.join("room:1", "ann", "", 0)
		if !back.part("room:1", "ann") {
			t.Error("who came back and leaves has left: nobody waits for the grace of before")
		}
		wantTold(t, b, w, "left room:1 ann")
	})
}

// cutAfterJoin joins ann and loses the connection.
func (p *peer) cutAfterJoin() {
	p.t.Helper()
	p.join("room:1", "ann", "x", 0)
	p.cut()
}

func (p *peer) cut() {
	p.Session.End(ReasonClosed)
	p.Close()
}

// RESET ends all holds of a session that goes on: nobody waits for it to come back.
func TestLeaveAllOfALivingSessionIsALeave(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, presenceRules)
	w, p := watch(t, b), connect(t, b, browser)
	for range 2 {
		p.join("room:1", "ann", "", 0)
		p.join("room:1", "bob", "", 0)
		settle(t, b)
		w.take()
		p.LeaveAll()
		settle(t, b)
		got := w.take()
		slices.Sort(got)
		if want := []string{"left room:1 ann", "left room:1 bob"}; !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	}
}

func TestOneConnectionIsCutAndAnotherLeaves(t *testing.T) {
	bubble(t, presenceRules, func(t *testing.T, b *Broker) {
		w := watch(t, b)
		for name, leave := range map[string]func(p *peer){
			"by leave": func(p *peer) {
				if p.part("room:1", "ann") {
					t.Error("left, though the other may come back")
				}
			},
			"by closing": func(p *peer) {
				p.Session.End(ReasonQuit)
				p.Close()
			},
		} {
			stays, cut := connect(t, b, browser), connect(t, b, browser)
			stays.join("room:1", "ann", "", 0)
			cut.join("room:1", "ann", "x", 0)
			cut.Close()
			pass(grace / 2)
			leave(stays)
			wantTold(t, b, w, "joined room:1 ann ", "updated room:1 ann x")
			pass(grace/2 - time.Millisecond)
			wantTold(t, b, w)
			pass(time.Millisecond)
			settle(t, b)
			if got := w.take(); !slices.Equal(got, []string{"left room:1 ann"}) {
				t.Errorf("%s: got %q, want the end of the grace", name, got)
			}
		}
		stays := connect(t, b, browser)
		stays.join("room:1", "ann", "", 0)
		connect(t, b, browser).cutAfterJoin()
		pass(time.Minute) // the grace is over, the other connection is not
		wantTold(t, b, w, "joined room:1 ann ", "updated room:1 ann x")
		if !stays.part("room:1", "ann") {
			t.Error("the last connection has left: nobody is waited for any more")
		}
	})
}

func TestTheEndOfALeaseIsALeave(t *testing.T) {
	bubble(t, presenceRules, func(t *testing.T, b *Broker) {
		w, p := watch(t, b), connect(t, b)
		p.join("room:1", "ann", "x", 10*time.Second)
		p.Close() // the lease is not the connection's
		pass(10*time.Second - time.Millisecond)
		wantTold(t, b, w, "joined room:1 ann x")
		q := connect(t, b)
		if q.join("room:1", "ann", "", 10*time.Second) {
			t.Error("a renewal is no join")
		}
		pass(10*time.Second - time.Millisecond)
		wantTold(t, b, w)
		if keys, expires := b.StateKeys(); keys != 1 || expires != 1 {
			t.Errorf("keys: got %d, %d, want one that expires", keys, expires)
		}
		pass(time.Millisecond)
		wantTold(t, b, w, "left room:1 ann")
		if !q.join("room:1", "ann", "y", time.Second) {
			t.Error("after the end it is a join")
		}
		if !connect(t, b).part("room:1", "ann") {
			t.Error("a lease can be ended by anybody who may")
		}
		pass(time.Minute)
		wantTold(t, b, w, "joined room:1 ann y", "left room:1 ann")
	})
}

// A lease and connections hold a member together: the last to end is its end.
func TestAMemberStaysAsLongAsAnythingHoldsIt(t *testing.T) {
	bubble(t, presenceRules, func(t *testing.T, b *Broker) {
		w, p := watch(t, b), connect(t, b, browser)
		p.join("room:1", "ann", "", 0)
		leaser := connect(t, b)
		leaser.join("room:1", "ann", "", 5*time.Second)
		leaser.Close()    // holds nothing
		pass(time.Minute) // the connection outlives the lease
		wantTold(t, b, w, "joined room:1 ann ")
		connect(t, b).join("room:1", "ann", "", 30*time.Second)
		if p.part("room:1", "ann") {
			t.Error("left, though there is a lease")
		}
		p.join("room:1", "ann", "", 0)
		p.Close()       // cut: the lease outlives the grace
		pass(grace * 2) // 20 s
		wantTold(t, b, w)
		pass(grace)
		wantTold(t, b, w, "left room:1 ann")
	})
}

// The store tells of ends after it gave its locks back: whoever came back in
// between is there.
func TestARenewedMemberHasNotLeft(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, presenceRules)
	w, p := watch(t, b), connect(t, b)
	p.join("room:1", "ann", "", time.Hour)
	b.expired([]string{string(memberKey("room:1", "ann")), string(memberKey("room:1", "gone")), string(memberKey("room:2", "ann"))})
	wantTold(t, b, w, "joined room:1 ann ")
	if n, _ := p.MemberCount("room:1"); n != 1 {
		t.Errorf("members: got %d, want 1", n)
	}
}

func TestMembersWithAnyNamesAreToldApart(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"room:1", "ann"}, {"", ""}, {"a", ""}, {"", "a"}, {strings.Repeat("x", 300), "\x00\xff"}, {"ab", "c"}, {"a", "bc"}} {
		channel, name := memberOfKey(string(memberKey(pair[0], pair[1])))
		if channel != pair[0] || name != pair[1] {
			t.Errorf("got %q, %q, want %q", channel, name, pair)
		}
	}
}
