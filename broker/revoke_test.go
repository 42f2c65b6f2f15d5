package broker

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// may is a Rights that can be changed.
type may struct{ channels atomic.Pointer[string] }

func (m *may) set(channels string) { m.channels.Store(&channels) }

func (m *may) Allows(_ Action, name string) bool {
	return slices.Contains(strings.Fields(*m.channels.Load()), name)
}

func mayUse(channels string) *may {
	m := new(may)
	m.set(channels)
	return m
}

// asked is a broker that asks the rights of an identity; one without may do all.
func asked(t testing.TB, rules []Rule) *Broker {
	return newRemembering(t, rules, func(c *Config) {
		c.Access = func(id Identity, a Action, channel string) bool {
			return id.Rights == nil || id.Rights.Allows(a, channel)
		}
	})
}

func withRights(user string, m *may) func(*SessionConfig) {
	return func(c *SessionConfig) { c.Identity = Identity{user, m} }
}

func named(user string) func(Identity) bool {
	return func(id Identity) bool { return id.User == user }
}

// What rights do not cover any more ends, in the place of the order that it has for
// all: what was published before still comes, what is published after does not.
func TestLostRightsEndWhatDependedOnThem(t *testing.T) {
	t.Parallel()
	b := asked(t, nil)
	rights := mayUse("a b a* c")
	p, other := connect(t, b, asTold, withRights("ann", rights)), connect(t, b)
	p.sub(KindChannel, "a", "b")
	p.sub(KindPattern, "a*")
	p.sub(KindShard, "c")
	other.pub("a", "1")
	rights.set("b")
	b.Recheck(named("bob"))
	if got := other.pub("b", "still there"); got != 1 {
		t.Errorf("after a change for somebody else: got %d receivers, want 1", got)
	}
	b.Recheck(named("ann"))
	if got := other.pub("a", "2"); got != 0 {
		t.Errorf("got %d receivers of what is not allowed, want 0", got)
	}
	other.pub("b", "3")
	settle(t, b)
	wantLines(t, p, "a=1", "a*>a=1", "b=still there", "withdrawn a denied", "withdrawn a* denied", "withdrawn c denied", "b=3")
	if got := p.Count(KindChannel) + p.Count(KindShard); got != 1 {
		t.Errorf("got %d subscriptions, want 1", got)
	}
	if got := b.Stats().Revoked; got != 3 {
		t.Errorf("revoked: got %d, want 3", got)
	}
}

// A format without events cannot be told: the session ends, as Redis does.
func TestASessionThatCannotBeToldEnds(t *testing.T) {
	t.Parallel()
	b := asked(t, nil)
	endRevoked := func(c *SessionConfig) { c.EndRevoked = true }
	rights := mayUse("a b")
	p, other := connect(t, b, withRights("ann", rights), endRevoked), connect(t, b, withRights("ann", rights), endRevoked)
	p.sub(KindChannel, "a", "b")
	other.sub(KindChannel, "b")
	rights.set("b")
	b.Recheck(named("ann"))
	if p.Reason() != ReasonDenied || other.Reason() != ReasonNone {
		t.Errorf("got the reasons %v and %v, want denied and none", p.Reason(), other.Reason())
	}
	if got := connect(t, b).pub("b", "1"); got != 1 {
		t.Errorf("got %d receivers, want 1", got)
	}
	if got := other.Withdraw(KindChannel, "a"); got != 0 || other.Reason() != ReasonNone {
		t.Errorf("withdrawn from what it does not hold: got %d, %v", got, other.Reason())
	}
	if got := other.Withdraw(KindChannel, "b"); got != 1 || other.Reason() != ReasonKilled {
		t.Errorf("withdrawn: got %d, %v, want 1, killed", got, other.Reason())
	}
}

func TestMembersLeaveWithTheRight(t *testing.T) {
	t.Parallel()
	b := asked(t, presenceRules)
	rights := mayUse("room:1 room:2")
	p, w := connect(t, b, asTold, withRights("ann", rights)), connect(t, b, asTold)
	w.sub(KindChannel, "room:1", "room:2")
	p.join("room:1", "ann", "", 0)
	p.join("room:2", "ann", "", 0)
	rights.set("room:2")
	b.Recheck(named("ann"))
	settle(t, b)
	wantLines(t, w, "joined room:1 ann ", "joined room:2 ann ", "left room:1 ann")
	p.LeaveAll()
	settle(t, b)
	if got := w.lines(); len(got) != 4 || got[3] != "left room:2 ann" {
		t.Errorf("got %q", got)
	}
}

// Another identity has other rights, from the moment of the call.
func TestIdentifyEndsWhatTheNewIdentityMayNot(t *testing.T) {
	t.Parallel()
	b := asked(t, nil)
	p := connect(t, b, asTold, withRights("", mayUse("a b")))
	p.sub(KindChannel, "a", "b")
	p.Identify(Identity{"ann", mayUse("b c")})
	p.sub(KindChannel, "c")
	settle(t, b)
	wantLines(t, p, "withdrawn a denied")
	if got := p.Identity().User + "/" + p.Member(); got != "ann/ann" {
		t.Errorf("got %q", got)
	}
	if _, _, err := p.Subscribe(KindChannel, []string{"a"}, nil); err == nil {
		t.Error("subscribed to what only the old identity may")
	}
}

func TestAnOperatorEndsSubscriptionsAndSessions(t *testing.T) {
	t.Parallel()
	b := asked(t, nil)
	p, q := connect(t, b, asTold, asUser("ann")), connect(t, b, asTold, asUser("ann"))
	p.sub(KindChannel, "a", "b")
	q.sub(KindChannel, "a")
	if b.Session(p.ID()) != p.Session || b.Session("none") != nil {
		t.Error("the session was not found by its id, or one that there is not was")
	}
	if got := p.Withdraw(KindChannel, "a", "x"); got != 1 {
		t.Errorf("withdrew %d, want 1", got)
	}
	connect(t, b).pub("a", "1")
	settle(t, b)
	wantLines(t, p, "withdrawn a")
	wantLines(t, q, "a=1")
	if got := b.EndUser("ann", ReasonDenied); got != 2 || p.Reason() != ReasonDenied || q.Reason() != ReasonDenied {
		t.Errorf("ended %d, with %v and %v", got, p.Reason(), q.Reason())
	}
	if got := connect(t, b).pub("b", "2"); got != 0 {
		t.Errorf("got %d receivers after the end, want 0", got)
	}
}

// Whatever is going on at the time: once Recheck has returned, nothing is
// delivered that is not allowed.
func TestNothingOvertakesALossOfRights(t *testing.T) {
	t.Parallel()
	b := asked(t, presenceRules)
	rights := mayUse("")
	p, operator := connect(t, b, withRights("ann", rights)), connect(t, b)
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_, _, _ = p.Subscribe(KindChannel, []string{"room:1"}, nil)
			_, _ = p.Join("room:1", Member{Name: "ann"}, 0)
			if i%3 == 0 {
				p.Unsubscribe(KindChannel, []string{"room:1"}, nil)
			}
		}
	})
	for range 2000 {
		rights.set("room:1")
		operator.pub("room:1", "yes")
		rights.set("")
		b.Recheck(named("ann"))
		if got := operator.pub("room:1", "no"); got != 0 {
			t.Errorf("got %d receivers without rights, want 0", got)
			break
		}
	}
	close(stop)
	group.Wait()
}

// Rights that are lost between the question and the act do not count.
func TestRightsAreThoseOfTheAct(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(p *peer) (after int){
		"subscribe": func(p *peer) int {
			_, _, _ = p.Subscribe(KindChannel, []string{"room:1"}, nil)
			return p.Count(KindChannel)
		},
		"join": func(p *peer) int {
			_, _ = p.Join("room:1", Member{Name: "ann"}, 0)
			n, _ := connect(p.t, p.b).MemberCount("room:1")
			return n
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b *Broker
			var lost atomic.Bool
			b = newRemembering(t, presenceRules, func(c *Config) {
				c.Access = func(id Identity, _ Action, _ string) bool {
					if id.User == "ann" && !lost.Swap(true) {
						b.Recheck(named("ann")) // what was asked first is answered last
						return true
					}
					return id.User != "ann"
				}
			})
			if got := act(connect(t, b, asUser("ann"))); got != 0 {
				t.Errorf("got %d, want 0", got)
			}
		})
	}
}
