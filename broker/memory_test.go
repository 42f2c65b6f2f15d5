package broker

import (
	"fmt"
	"runtime"
	"testing"
)

// heap is what is in use after the garbage is gone.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A budget of the design: at most 400 bytes per member, 100 for a second
// connection of one. What a session takes by itself is not the member's.
func TestAllocOfMembers(t *testing.T) {
	if poison {
		t.Skip("the race detector takes memory of its own")
	}
	const members = 100_000
	b := newRemembering(t, presenceRules)
	sessions := make([]*Session, 0, 2*members)
	names := numbered("user-of-some-length-", members)
	join := func(s *Session, i int) {
		m := Member{Name: names[i], Data: []byte(`{"name":"some name"}`), JSON: true}
		if _, err := s.Join(fmt.Sprint("room:", i%100), m, 0); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 * members {
		s, err := b.Connect(SessionConfig{Outlet: &counter{}})
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, s)
	}
	empty := heap()
	for i := range members {
		join(sessions[i], i)
	}
	first := heap()
	for i := range members {
		join(sessions[members+i], i)
	}
	second := heap()
	perMember, perConnection := (first-empty)/members, (second-first)/members
	t.Logf("%d bytes per member, %d per second connection, %d by the account of the store",
		perMember, perConnection, b.Stats().StateBytes/members)
	if perMember > 400 {
		t.Errorf("%d bytes per member, want at most 400", perMember)
	}
	if account := b.Stats().StateBytes / members; account < perMember-perConnection-20 || account > perMember+20 {
		t.Errorf("%d bytes by the account, %d really", account, perMember-perConnection)
	}
	if perConnection > 100 {
		t.Errorf("%d bytes per second connection of a member, want at most 100", perConnection)
	}
	runtime.KeepAlive(sessions)
}

// What a message in a history takes beside its bytes is what the account says, or
// the limit of all histories means nothing.
func TestAllocOfHistories(t *testing.T) {
	if poison {
		t.Skip("the race detector takes memory of its own")
	}
	const channels, messages = 1000, 100
	b := newRemembering(t, []Rule{{Match: "*", History: History{Size: messages}}})
	p := connect(t, b)
	payload := make([]byte, 100)
	empty := heap()
	for i := range channels {
		name := fmt.Sprint("c", i)
		for range 2 * messages {
			p.publish(&Message{Channel: name, Payload: payload})
		}
	}
	got, account := heap()-empty, b.Stats().HistoryBytes
	t.Logf("%d bytes per message of 100, %d by the account", got/channels/messages, account/channels/messages)
	if got > account+account/4 {
		t.Errorf("%d bytes are taken, %d are accounted for", got, account)
	}
}

// Joining and leaving take the same time however many are there.
func BenchmarkJoinAndLeave(b *testing.B) {
	for _, members := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			br := newRemembering(b, presenceRules)
			crowd := connect(b, br)
			for i := range members {
				crowd.join("room:1", fmt.Sprint("u", i), "", 0)
			}
			p := connect(b, br)
			m := Member{Name: "ann", Data: []byte("x")}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Join("room:1", m, 0); err != nil {
					b.Fatal(err)
				}
				if _, err := p.Session.Leave("room:1", "ann"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMembers(b *testing.B) {
	for _, members := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			br := newRemembering(b, presenceRules)
			p := connect(b, br)
			for i := range members {
				p.join("room:1", fmt.Sprint("u", i), "", 0)
			}
			for b.Loop() {
				if list, _, err := p.Members("room:1", 1<<30); err != nil || len(list) != members {
					b.Fatal(len(list), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(members), "ns/member")
		})
	}
}

// What is charged beside the values of retained messages and members is given
// back with them, whichever way they end: the second time takes no more than the
// first.
func TestStateThatEndsGivesItsBytesBack(t *testing.T) {
	t.Parallel()
	rules := []Rule{{Match: "*", Presence: true}}
	b := newRemembering(t, rules)
	s := connect(t, b)
	const channels = 20
	round := func() (full, empty int64) {
		for i := range channels {
			channel := fmt.Sprint("c", i)
			s.batch(Message{Channel: channel, Payload: []byte("x"), Retain: true})
			if _, err := s.Join(channel, Member{Name: "m"}, 0); err != nil {
				t.Fatal(err)
			}
		}
		full = b.Stats().StateBytes
		for i := range channels / 2 { // the other half ends with the rule
			if _, err := s.Unretain(fmt.Sprint("c", i)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Leave(fmt.Sprint("c", i), "m"); err != nil {
				t.Fatal(err)
			}
		}
		for _, list := range [][]Rule{{{Match: "*", Retain: RetainNever}}, rules} {
			if err := b.SetRules(list); err != nil {
				t.Fatal(err)
			}
		}
		return full, b.Stats().StateBytes
	}
	full, empty := round()
	again, left := round()
	if full < channels*(retainedNameBytes+memberBytes) {
		t.Errorf("got %d bytes, less than is charged for %d channels", full, channels)
	}
	if again != full || left != empty {
		t.Errorf("the second time: got %d bytes and %d afterwards, want %d and %d", again, left, full, empty)
	}
}
