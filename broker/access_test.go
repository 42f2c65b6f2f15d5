package broker

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// paths are all ways by which something of a channel gets into the node or out of
// it, each with the action that it needs.
var paths = map[string]struct {
	method string // of Session
	action Action
	call   func(p *peer) error
}{
	"publish": {"Batch", ActionPublish, func(p *peer) error { return p.add(Message{Channel: "c"}) }},
	"publish to a shard channel": {"Batch", ActionPublish, func(p *peer) error {
		return p.add(Message{Kind: KindShard, Channel: "c"})
	}},
	"retain":                 {"Batch", ActionPublish, func(p *peer) error { return p.add(Message{Channel: "c", Retain: true}) }},
	"unretain":               {"Unretain", ActionPublish, func(p *peer) error { return errorOf(p.Unretain("c")) }},
	"clear":                  {"Clear", ActionPublish, func(p *peer) error { return errorOf(p.Clear("c")) }},
	"forget":                 {"Forget", ActionPublish, func(p *peer) error { return errorOf(p.Forget("c", []uint64{1})) }},
	"subscribe":              {"Subscribe", ActionSubscribe, func(p *peer) error { return p.trySub(KindChannel) }},
	"subscribe to a shard":   {"Subscribe", ActionSubscribe, func(p *peer) error { return p.trySub(KindShard) }},
	"subscribe to a pattern": {"Subscribe", ActionPattern, func(p *peer) error { return p.trySub(KindPattern) }},
	"read what is retained": {"Retained", ActionSubscribe, func(p *peer) error {
		_, _, err := p.Retained("c")
		return err
	}},
	"look at a channel": {"ChannelInfo", ActionSubscribe, func(p *peer) error { return errorOf(p.ChannelInfo("c")) }},
	"read the history":  {"History", ActionHistory, func(p *peer) error { return errorOf(p.History("c", HistoryQuery{})) }},
	"get the last ones": {"MayResume", ActionHistory, func(p *peer) error { return p.MayResume(KindChannel, "c", &Resume{Last: 1}) }},
	"resume": {"MayResume", ActionHistory, func(p *peer) error {
		return p.MayResume(KindChannel, "c", &Resume{Since: &Position{}})
	}},
	"resume a pattern": {"MayResume", ActionHistoryPattern, func(p *peer) error {
		return p.MayResume(KindPattern, "c", &Resume{Since: &Position{}})
	}},
	"join":               {"Join", ActionPresence, func(p *peer) error { return errorOf(p.Join("c", Member{Name: "u"}, 0)) }},
	"leave":              {"Leave", ActionPresence, func(p *peer) error { return errorOf(p.Leave("c", "u")) }},
	"see who is there":   {"Members", ActionPresence, func(p *peer) error { return errorOf2(p.Members("c", 1<<20)) }},
	"count who is there": {"MemberCount", ActionPresence, func(p *peer) error { return errorOf(p.MemberCount("c")) }},
}

func errorOf[T any](_ T, err error) error { return err }

func (p *peer) add(m Message) error {
	batch := p.Batch()
	defer batch.Release()
	return batch.Add(&m)
}

func (p *peer) trySub(k Kind) error {
	_, _, err := p.Subscribe(k, []string{"c"}, nil)
	return err
}

// Every path asks for its own action, on the channel, as the session's user: it is
// refused by an Access that denies only that, and open where only that is allowed.
func TestEveryPathAsksForItsAction(t *testing.T) {
	t.Parallel()
	for name, path := range paths {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, deny := range []bool{true, false} {
				asked := 0
				b := newRemembering(t, []Rule{{Match: "*", History: History{Size: 5}, Presence: true}}, func(c *Config) {
					c.Access = func(id Identity, a Action, channel string) bool {
						if id.User != "eve" || channel != "c" {
							t.Errorf("asked for %v of %q for %q", a, channel, id.User)
						}
						asked++
						return (a == path.action) != deny
					}
				})
				err := path.call(connect(t, b, asUser("eve")))
				if errors.Is(err, ErrDenied) != deny || !deny && err != nil {
					t.Errorf("only %v is denied (else: allowed): %v: got %v", path.action, deny, err)
				}
				if asked != 1 {
					t.Errorf("asked %d times", asked)
				}
				if got := b.Stats().Refused["denied"]; deny && got != 1 {
					t.Errorf("refusals: got %d, want 1", got)
				}
			}
		})
	}
}

// A new method of Session is a new path, or says here why it is none.
func TestEveryMethodOfASessionIsAPathOrNone(t *testing.T) {
	t.Parallel()
	none := map[string]string{
		"about the session itself": "ID Number Identity Format Done Reason Member Held Count Holds",
		"its end":                  "End Kill Close Withdraw",
		"gives back what it has":   "Unsubscribe UnsubscribeInExec UnsubscribeAll LeaveAll SetFormat",
		"waits":                    "HasRoom AwaitRoom Await",
		"changes the rights":       "Identify",
		"behind Subscribe and MayResume, which ask": "Recall",
	}
	known := strings.Fields(strings.Join(slices.Collect(func(yield func(string) bool) {
		for _, names := range none {
			if !yield(names) {
				return
			}
		}
	}), " "))
	for _, path := range paths {
		known = append(known, path.method)
	}
	for i, s := 0, reflect.TypeFor[*Session](); i < s.NumMethod(); i++ {
		if name := s.Method(i).Name; !slices.Contains(known, name) {
			t.Errorf("Session.%s: which action does it ask for?", name)
		}
	}
}

// What only the node publishes nobody may forge, and nobody needs to ask for what
// a resumption does not ask for.
func TestReservedChannelsAndPlainResumesNeedNoRights(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, nil, func(c *Config) {
		c.Access = func(Identity, Action, string) bool { return false }
	})
	p := connect(t, b)
	if err := p.MayResume(KindChannel, "c", &Resume{NoRetained: true}); err != nil {
		t.Errorf("a resume that asks for nothing: got %v", err)
	}
	for _, channel := range []string{"__presence__:", "__presence__:a", "__occupancy__:a"} {
		if err := p.add(Message{Channel: channel}); !errors.Is(err, ErrReserved) {
			t.Errorf("%s: got %v, want %v", channel, err, ErrReserved)
		}
	}
	for _, m := range []Message{{Channel: "__presence__"}, {Channel: "__other__:a"}, {Channel: "a__presence__:"},
		{Kind: KindShard, Channel: "__presence__:a"}} {
		if err := p.add(m); !errors.Is(err, ErrDenied) {
			t.Errorf("%s: got %v: the name is not reserved", m.Channel, err)
		}
	}
}

func errorOf2[T, U any](_ T, _ U, err error) error { return err }
