package model

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// stay is one subscription of a visitor, from its beginning to its end.
type stay struct {
	kind  protocol
	key   subKey
	since uint64 // cursor that was sent; 0: none
	// noRetained says that no retained messages were asked for
	noRetained bool
	last       int // messages that were asked for
	// as the broker said
	begun     bool
	offset    uint64 // of the acknowledgement, or of the reply to HISTORY
	recovered bool
	missed    int
	replied   int // messages in the reply to HISTORY
	got       []seen
	retained  []seen
	final     bool // the storm was over before the stay was
}

// seen is one message that came.
type seen struct {
	payload string
	offset  uint64
}

func (st *stay) String() string {
	return fmt.Sprintf("%v on %v since %d last %d: offset %d recovered %v missed %d replied %d final %v",
		st.kind, st.key, st.since, st.last, st.offset, st.recovered, st.missed, st.replied, st.final)
}

// requests are what the visitor begins with.
func (st *stay) requests(epoch string) [][]string {
	if st.kind == websocket {
		r := subscribing{pattern: st.key.pattern, names: []string{st.key.name}, noRetained: st.noRetained}
		if r.resume = st.since > 0; r.resume {
			r.since.offset = st.since
		} else if !st.key.pattern {
			r.last = st.last
		}
		return [][]string{{r.line(epoch)}}
	}
	history := []string{"HISTORY", st.key.name}
	if st.since > 0 {
		history = append(history, "SINCE", epoch, strconv.FormatUint(st.since, 10))
	}
	return [][]string{{"HELLO", "3"}, {"SUBSCRIBE", st.key.name}, history}
}

// take takes note of something that came.
func (st *stay) take(g *got) error {
	if g.end {
		return errors.New(g.text)
	}
	if st.kind == websocket {
		return st.takeLine(g)
	}
	return st.takeValue(g)
}

func (st *stay) takeLine(g *got) error {
	switch {
	case g.fields["msg"] != nil && !st.begun:
		return fmt.Errorf("got %s before the acknowledgement", describe(g))
	case g.fields["retained"] != nil:
		st.retained = append(st.retained, seen{plain(g.fields["data"]), g.offset})
	case g.fields["msg"] != nil:
		st.got = append(st.got, seen{plain(g.fields["data"]), g.offset})
	case g.fields["welcome"] != nil:
	case !st.begun:
		st.offset, st.begun, st.recovered = g.offset, true, plain(g.fields["recovered"]) == "true"
		return g.number("missed", &st.missed)
	default:
		return fmt.Errorf("got %s", describe(g))
	}
	return nil
}

// takeValue drops what is pushed before the reply to HISTORY.
func (st *stay) takeValue(g *got) error {
	switch {
	case strings.HasPrefix(g.text, ">[message") && st.begun:
		st.got = append(st.got, seen{payload: g.value.Elems[2].Text})
	case g.value.Kind == '>':
	case g.value.Kind == '%' && field(g.value, "server").Text != "":
	case g.value.Kind == '%':
		st.offset, st.begun = number(field(g.value, "offset")), true
		st.recovered, st.missed = field(g.value, "recovered").Text == "1", -1
		for _, e := range field(g.value, "messages").Elems {
			st.got = append(st.got, seen{e.Elems[3].Text, number(e.Elems[0])})
			st.replied++
		}
	default:
		return fmt.Errorf("got %s", describe(g))
	}
	return nil
}

// cursor is what the visitor would come back with.
func (st *stay) cursor() uint64 {
	c := st.offset
	for _, s := range st.got {
		c = max(c, s.offset)
	}
	return c
}

// check holds the stay to the order of the node.
func (st *stay) check(order []stormMessage, count counts) error {
	if !st.begun {
		return nil // it ended before it began
	}
	places, err := st.places(order)
	if err != nil {
		return err
	}
	begin, missed := st.offset, 0
	if st.since > 0 {
		begin = st.since
	}
	for _, name := range stormChannels {
		if !st.covers(name) {
			continue
		}
		n, err := st.checkChannel(name, order, places, begin)
		if err != nil {
			return err
		}
		missed += n
	}
	if err := st.checkRetained(order, places); err != nil {
		return err
	}
	if st.kind != websocket {
		if err := st.checkReply(order); err != nil {
			return err
		}
	}
	if st.since == 0 {
		return nil
	}
	count[map[bool]string{true: "recovered in a storm", false: "not recovered in a storm"}[st.recovered]]++
	switch {
	case st.recovered && (missed > 0 || st.kind == websocket && st.missed != 0):
		return fmt.Errorf("%d messages are missing, and it is said to have recovered", missed)
	case st.missed < 0 && st.mayBeTrimmed(order):
	case !st.recovered && missed == 0 && st.complete(order, places):
		return fmt.Errorf("nothing is missing, and it is said not to have recovered")
	case !st.recovered && st.kind == websocket && st.missed >= 0 && st.missed != missed && st.complete(order, places):
		return fmt.Errorf("%d messages are missing, and %d are said to be", missed, st.missed)
	}
	return nil
}

// checkRetained holds what was retained to the order: it is the last message of
// its channel before the position, unless a later one had taken its place already,
// which then came live.
func (st *stay) checkRetained(order []stormMessage, places map[int]bool) error {
	const name = "s:2"
	last, later := -1, -1
	for i, m := range order {
		if m.channel == name && m.offset <= st.offset {
			last = i
		} else if m.channel == name && later < 0 {
			later = i
		}
	}
	for _, s := range st.retained {
		i := placeOf(order, s.payload)
		if st.noRetained || !st.covers(name) || i < 0 || i != last || places[i] || st.recovered || st.key.pattern && st.since > 0 {
			return fmt.Errorf("%s was not to be retained", s.payload)
		}
	}
	if len(st.retained) > 1 {
		return fmt.Errorf("%d retained messages", len(st.retained))
	}
	due := !st.noRetained && st.kind == websocket && st.covers(name) && last >= 0 && later < 0 && !places[last] && !st.recovered && !(st.key.pattern && st.since > 0)
	if due && len(st.retained) == 0 && st.final {
		return fmt.Errorf("%s was retained, and did not come", order[last].payload)
	}
	return nil
}

// checkReply holds the offset of a reply to HISTORY to its messages: whoever comes
// back with it has seen everything up to there.
func (st *stay) checkReply(order []stormMessage) error {
	if st.replied == 0 && !st.recovered {
		return nil // all of it was trimmed, or there was none
	}
	last := st.since
	for _, s := range st.got[:st.replied] {
		last = s.offset
	}
	for _, m := range order {
		if st.covers(m.channel) && m.offset > last && m.offset <= st.offset {
			return fmt.Errorf("the reply promises everything up to %d, and %s at %d is not part of it", st.offset, m.payload, m.offset)
		}
	}
	return nil
}

// mayBeTrimmed says whether so much was published behind the position that a
// history may have lost what is in front of it, and what it knew of that, before
// the broker looked: then it says that something is missing, which is careful.
func (st *stay) mayBeTrimmed(order []stormMessage) bool {
	behind := make(map[string]int)
	for _, m := range order {
		if st.covers(m.channel) && m.offset > st.offset {
			behind[m.channel]++
		}
	}
	for _, rule := range stormRules {
		if behind[rule.Match] >= rule.History.Size {
			return true
		}
	}
	return false
}

func (st *stay) covers(name string) bool {
	return st.key.name == name || st.key.pattern && matches(st.key.name, name)
}

// places finds what came in the order: it must be rising, and the offsets those
// that the witness saw.
func (st *stay) places(order []stormMessage) (map[int]bool, error) {
	places, last := make(map[int]bool), -1
	for _, s := range st.got {
		i := placeOf(order, s.payload)
		switch {
		case i < 0 || !st.covers(order[i].channel):
			return nil, fmt.Errorf("%s was not to come", s.payload)
		case i <= last:
			return nil, fmt.Errorf("%s came behind %s", s.payload, order[last].payload)
		case s.offset != 0 && s.offset != order[i].offset:
			return nil, fmt.Errorf("%s has the offset %d, and had %d for the witness", s.payload, s.offset, order[i].offset)
		}
		last = i
		places[i] = true
	}
	return places, nil
}

// checkChannel holds a channel's messages to its order: those that are missing
// come before all that came and are not behind the position of the subscription.
// It returns their number.
func (st *stay) checkChannel(name string, order []stormMessage, places map[int]bool, begin uint64) (missed int, err error) {
	newest, came := st.newest(order, places), false
	for i, m := range order {
		switch {
		case m.channel != name:
		case places[i]:
			came = true
			if st.since > 0 && m.offset <= st.since {
				return 0, fmt.Errorf("%s came again", m.payload)
			}
		case came && i < newest || st.final && m.offset > st.offset:
			return 0, fmt.Errorf("%s did not come", m.payload)
		case m.offset > st.offset && i < newest:
			return 0, fmt.Errorf("%s did not come, which is behind the position", m.payload)
		case m.offset > begin && m.offset <= st.offset:
			missed++
		}
	}
	return missed, nil
}

// newest is the place of the last message that came: the stay may have ended
// before any later one.
func (st *stay) newest(order []stormMessage, places map[int]bool) int {
	for i := range slices.Backward(order) {
		if places[i] {
			return i
		}
	}
	return -1
}

// complete says whether the replay was received to its end.
func (st *stay) complete(order []stormMessage, places map[int]bool) bool {
	i := st.newest(order, places)
	return st.final || st.kind != websocket || i >= 0 && order[i].offset > st.offset
}

// story is what came, for a failure.
func (st *stay) story(order []stormMessage) string {
	var b strings.Builder
	for i, m := range order {
		if st.covers(m.channel) && m.offset+60 > max(st.since, 60) {
			came := ""
			for _, s := range st.got {
				if s.payload == m.payload {
					came = " came"
				}
			}
			fmt.Fprintf(&b, "%d:%s@%d%s ", i, m.payload, m.offset, came)
		}
	}
	return b.String()
}
