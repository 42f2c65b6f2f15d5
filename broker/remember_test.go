package broker

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// batch publishes the messages in one batch.
func (p *peer) batch(messages ...Message) []Receipt {
	b := p.Batch()
	defer b.Release()
	for i := range messages {
		if err := b.Add(&messages[i]); err != nil {
			panic(err)
		}
	}
	return b.Commit(nil)
}

// What a pipeline publishes is remembered as if each message came alone.
func TestABatchIsRememberedAsItsMessagesWouldBe(t *testing.T) {
	t.Parallel()
	rules := []Rule{{Match: "a", History: History{Size: 5}, Retain: RetainAll}, {Match: "b", History: History{Size: 5}}}
	var messages []Message
	for i := range 12 {
		m := Message{Channel: []string{"a", "a", "b", "plain"}[i%4], Payload: fmt.Append(nil, i)}
		switch i {
		case 4:
			m.NoHistory = true
		case 5, 8:
			m.Key = "k"
		case 6:
			m.Retain = true
		case 7:
			m.Retain = true // refused: no rule
		case 9:
			m.NoEcho = true
		}
		messages = append(messages, m)
	}
	for _, text := range []string{"x", "left out", "y", "z"} {
		messages = append(messages, Message{Channel: "a", Payload: []byte(text), NoHistory: text == "left out"})
	}
	one, all := newRemembering(t, rules), newRemembering(t, rules)
	p, q := connect(t, one), connect(t, all)
	for _, x := range []*peer{p, q} {
		x.sub(KindPattern, "*")
		x.sub(KindChannel, "a")
	}
	var want []Receipt
	for _, m := range messages {
		want = append(want, p.batch(m)...)
	}
	if got := q.batch(messages...); !slices.Equal(got, want) {
		t.Errorf("receipts: got %v, want %v", got, want)
	}
	settle(t, one)
	settle(t, all)
	wantLines(t, q, p.take()...)
	for _, channel := range []string{"a", "b"} {
		wantTexts(t, q.page(channel, HistoryQuery{}).Messages, texts(p.page(channel, HistoryQuery{}).Messages)...)
		got, is, _ := q.Retained(channel)
		wanted, was, _ := p.Retained(channel)
		if is != was || string(got.Payload) != string(wanted.Payload) || got.Offset != wanted.Offset {
			t.Errorf("retained of %s: got %q at %d, want %q at %d", channel, got.Payload, got.Offset, wanted.Payload, wanted.Offset)
		}
	}
}

// One message of a pipeline for which there is no room does not take the others
// with it.
func TestOnlyTheMessageWithoutRoomIsRefused(t *testing.T) {
	t.Parallel()
	b := newRemembering(t, []Rule{{Match: "*", Retain: RetainAll}}, func(c *Config) { c.MaxState = 20_000 })
	p := connect(t, b)
	large := Message{Channel: "a", Payload: []byte(strings.Repeat("x", 30_000))}
	got := p.batch(Message{Channel: "a", Payload: []byte("1")}, large, Message{Channel: "a", Payload: []byte("3")})
	for i, want := range []error{nil, ErrStateFull, nil} {
		if !errors.Is(got[i].Err, want) {
			t.Errorf("message %d: got %v, want %v", i+1, got[i].Err, want)
		}
	}
	if r, ok, _ := p.Retained("a"); !ok || string(r.Payload) != "3" {
		t.Errorf("retained: got %v, %q, want the last", ok, r.Payload)
	}
}
