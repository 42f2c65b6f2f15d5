package broker

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Above 500 members subscribers are told how many there are, once a second;
// back ends, which keep lists, are told every change.
func TestALargeChannelTellsItsNumberOfMembers(t *testing.T) {
	bubble(t, presenceRules, func(t *testing.T, b *Broker) {
		w, backEnd, p := watch(t, b), connect(t, b), connect(t, b)
		backEnd.sub(KindChannel, "__presence__:room:1")
		for i := range crowdedAbove {
			p.join("room:1", fmt.Sprint("u", i), "", 0)
		}
		settle(t, b)
		if got := w.take(); len(got) != crowdedAbove || got[crowdedAbove-1] != "joined room:1 u499 " {
			t.Errorf("up to 500: %d events", len(got))
		}
		pass(5 * time.Second)
		wantTold(t, b, w) // nothing to add
		backEnd.take()
		for i := range 20 {
			p.join("room:1", fmt.Sprint("v", i), "", 0)
		}
		p.join("room:1", "v1", "changed", 0)
		p.part("room:1", "v2")
		wantTold(t, b, w)
		pass(time.Second)
		wantTold(t, b, w, "members room:1 519")
		pass(10 * time.Second)
		wantTold(t, b, w) // nothing has changed
		p.part("room:1", "v3")
		pass(time.Second)
		wantTold(t, b, w, "members room:1 518")
		if got := backEnd.take(); len(got) != 23 || got[21] != "__presence__:room:1={left room:1 v2}" {
			t.Errorf("the back end was told %d changes, want 23", len(got))
		}
		for i := range 18 {
			p.part("room:1", fmt.Sprint("u", i))
		}
		wantTold(t, b, w, "left room:1 u17") // 500 again
		pass(time.Second)
		wantTold(t, b, w, "members room:1 500")
	})
}

// A room that empties within the second must not be told its number afterwards,
// when somebody else may be there already.
func TestTheNumberOfMembersIsThatOfNow(t *testing.T) {
	bubble(t, presenceRules, func(t *testing.T, b *Broker) {
		w, p := watch(t, b), connect(t, b)
		pass(time.Second + time.Millisecond)
		for i := range crowdedAbove + 1 {
			p.join("room:1", fmt.Sprint("u", i), "", 0)
		}
		p.Close()
		connect(t, b).join("room:1", "new", "", 0)
		settle(t, b)
		w.take()
		pass(2 * time.Second)
		settle(t, b)
		for _, line := range w.take() {
			if line != "members room:1 1" {
				t.Errorf("told %q, and there is one member", line)
			}
		}
	})
}

func TestASessionMayHoldAsManyMembersAsItMaySubscribe(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, presenceRules)
	p := connect(t, b, func(c *SessionConfig) { c.MaxSubscriptions = 30 })
	for i := range 30 {
		p.join("room:1", fmt.Sprint("u", i), "", 0)
	}
	if _, err := p.Join("room:2", Member{Name: "one too many"}, 0); !errors.Is(err, ErrTooManyJoins) {
		t.Errorf("got %v, want %v", err, ErrTooManyJoins)
	}
	if got := b.Stats(); got.Refused["too-many-joins"] != 1 || got.Remembered != 1 {
		t.Errorf("got %d refusals and %d channels", got.Refused["too-many-joins"], got.Remembered)
	}
	p.join("room:1", "u7", "again", 0) // is held already
	p.join("room:2", "lease", "", time.Hour)
	for i := range 15 {
		if !p.part("room:1", fmt.Sprint("u", 2*i)) {
			t.Errorf("u%d has not left", 2*i)
		}
	}
	for i := range 15 {
		p.join("room:2", fmt.Sprint("w", i), "", 0)
	}
	p.Close()
	q := connect(t, b)
	if n, _ := q.MemberCount("room:1"); n != 0 {
		t.Errorf("members of the first room: %d", n)
	}
	if got, _, _ := q.Members("room:2", 1<<20); len(got) != 1 || got[0].Name != "lease" {
		t.Errorf("members of the second room: %v", got)
	}
}

func TestAMemberForWhichThereIsNoRoomDoesNotJoin(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, presenceRules, func(c *Config) { c.MaxState = 50_000 })
	w, p := watch(t, b), connect(t, b)
	p.join("room:1", "ann", "x", 0)
	before := b.Stats()
	large := Member{Name: "ann", Data: []byte(strings.Repeat("y", 60_000))}
	if _, err := p.Join("room:1", large, 0); !errors.Is(err, ErrStateFull) {
		t.Errorf("an update: got %v, want %v", err, ErrStateFull)
	}
	for _, channel := range []string{"room:1", "room:2"} {
		large.Name = "bob"
		if joined, err := p.Join(channel, large, 0); joined || !errors.Is(err, ErrStateFull) {
			t.Errorf("%s: got %v, %v, want %v", channel, joined, err, ErrStateFull)
		}
		if p.part(channel, "bob") {
			t.Errorf("%s: who was refused is held", channel)
		}
	}
	got, _, _ := p.Members("room:1", 1<<20)
	if len(got) != 1 || string(got[0].Data) != "x" {
		t.Errorf("members: got %v", got)
	}
	after := b.Stats()
	if after.StateBytes != before.StateBytes || after.Remembered != 1 || after.Refused["state-full"] != 3 {
		t.Errorf("got %+v\nbefore %+v", after, before)
	}
	other := connect(t, b)
	other.join("room:1", "ann", "", 0) // a second connection takes nothing
	if other.part("room:1", "ann") || !p.part("room:1", "ann") {
		t.Error("the refused update changed who holds the member")
	}
	wantTold(t, b, w, "joined room:1 ann x", "left room:1 ann")
}

func TestATooLongNameDoesNotJoin(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, presenceRules)
	if _, err := connect(t, b).Join("room:1", Member{Name: strings.Repeat("x", 1025)}, 0); !errors.Is(err, ErrNameTooLong) {
		t.Errorf("got %v, want %v", err, ErrNameTooLong)
	}
}

// Presence switched off by a reload ends all holds; switched on again, the holds
// of before must not end the members of after.
func TestHoldsOfBeforeAReloadMeanNothing(t *testing.T) {
	bubble(t, presenceRules, func(t *testing.T, b *Broker) {
		w, old := watch(t, b), connect(t, b)
		old.join("room:1", "ann", "", 0)
		old.join("room:1", "bob", "", 0)
		for _, rules := range [][]Rule{nil, presenceRules} {
			if err := b.SetRules(rules); err != nil {
				t.Fatal(err)
			}
		}
		wantTold(t, b, w, "joined room:1 ann ", "joined room:1 bob ", "left room:1 ann", "left room:1 bob")
		fresh := connect(t, b)
		if !fresh.join("room:1", "ann", "", 0) || !fresh.join("room:1", "bob", "", 0) {
			t.Error("they were removed, and have not joined now")
		}
		if old.part("room:1", "ann") {
			t.Error("a hold of before the reload has ended a member of after it")
		}
		if n, _ := fresh.MemberCount("room:1"); n != 2 {
			t.Errorf("members: got %d, want 2", n)
		}
		if old.join("room:1", "ann", "", 0) {
			t.Error("joined, though it was there")
		}
		old.Close() // holds ann anew, bob not
		wantTold(t, b, w, "joined room:1 ann ", "joined room:1 bob ")
		fresh.Close()
		settle(t, b)
		if got := w.take(); len(got) != 2 {
			t.Errorf("at the end: got %q, want both to leave", got)
		}
	})
}
