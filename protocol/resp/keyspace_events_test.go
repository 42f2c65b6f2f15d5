package resp_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanfare/broker"
	"fanfare/internal/conversation"
	"fanfare/internal/place"
	"fanfare/kv"
	"fanfare/protocol/resp"
)

// serveEvents starts a Fanfare whose store reports events.
func serveEvents(t *testing.T, mask string) conversation.Dialer {
	t.Helper()
	b, err := broker.New(broker.Config{Codecs: []broker.Codec{resp.Codec2(), resp.Codec3()}})
	if err != nil {
		t.Fatal(err)
	}
	classes, err := kv.ParseEvents(mask)
	if err != nil {
		t.Fatal(err)
	}
	store := kv.New(kv.Config{Event: resp.KeyspaceEvents(b)})
	store.SetEventMask(classes)
	s, err := resp.New(resp.Config{Broker: b, Store: store, RESP2: 0, RESP3: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(); store.Close() })
	p := place.TCP(t)
	p.Serve(t, s, inOrder)
	return conversation.Dialer{Name: "Fanfare", RESP: p.Dial}
}

// listener is a connection that hears the events of what another one does.
type listener struct{ commands, events *wire }

func listen(t *testing.T, d conversation.Dialer) *listener {
	t.Helper()
	l := &listener{dialWire(t, d, 3), dialWire(t, d, 2)}
	l.events.exchange(t, [][]string{{"PSUBSCRIBE", "__key*"}})
	return l
}

// of runs commands and returns the events they made, each as "channel event".
func (l *listener) of(t *testing.T, batch [][]string) []string {
	t.Helper()
	const end = "__key_end"
	l.commands.exchange(t, append(slices.Clone(batch), []string{"PUBLISH", end, ""}))
	var events []string
	for {
		if err := l.events.conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		v, err := conversation.ReadValue(l.events.in)
		if err != nil {
			t.Fatal(err)
		}
		if v.Elems[2].Text == end {
			return events
		}
		events = append(events, v.Elems[2].Text+" "+v.Elems[3].Text)
	}
}

// reads returns what the server counted as reads that found a key and that did not.
func (l *listener) reads(t *testing.T) string {
	t.Helper()
	var lines []string
	for line := range strings.FieldsSeq(l.commands.exchange(t, [][]string{{"INFO", "stats"}})[0].Text) {
		if strings.HasPrefix(line, "keyspace_") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " ")
}

// Every command counts the same reads and makes the same events on the same channels in the same order as redis-server, in the
// classes of the mask. (Expiry is left out: Redis reports it at the access, Fanfare when it deletes.)
func TestEveryReadAndWriteIsReportedAsRedisDoes(t *testing.T) {
	t.Parallel()
	for _, mask := range []string{"KEAmn", "KEAm", "K$", "Eg", "KEm", "KEn", "KExe"} {
		t.Run(mask, func(t *testing.T) {
			t.Parallel()
			seed := uint64(time.Now().UnixNano())
			g := &generator{rand: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // G404: a test's stream, not a secret
			redis, fanfare := listen(t, conversation.Redis(t)), listen(t, serveEvents(t, mask))
			redis.commands.exchange(t, [][]string{{"CONFIG", "SET", "notify-keyspace-events", mask}})
			for range 1000 {
				command := g.eventful()
				want, got := redis.of(t, [][]string{command}), fanfare.of(t, [][]string{command})
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d, %q:\n\tgot  %q\n\twant %q", seed, command, got, want)
				}
			}
			if got, want := fanfare.reads(t), redis.reads(t); got != want {
				t.Errorf("seed %d: got %s, want %s", seed, got, want)
			}
		})
	}
}

// eventful makes a command that reads or changes something, mostly.
func (g *generator) eventful() []string {
	key := func() string { return g.one("a", "b", "c") }
	number := func() string { return strconv.Itoa(g.rand.IntN(100)) }
	// Hardly ever the same twice: which of two equal lives ends later depends on the millisecond.
	life := func() string { return strconv.Itoa(1000 + 10*g.rand.IntN(1_000_000)) }
	future := func() string { return strconv.Itoa(33_177_117_420 + g.rand.IntN(9)) }
	forms := [][]string{
		{"GET", key()}, {"SET", key(), number()}, {"SET", key(), number(), g.one("GET", "NX", "XX", "KEEPTTL")},
		{"SET", key(), number(), "EX", life(), "GET"}, {"DEL", key(), key()}, {"UNLINK", key(), key()},
		{"EXISTS", key(), key()}, {"TOUCH", key(), key()}, {"TYPE", key()}, {"TTL", key()}, {"PEXPIRETIME", key()},
		{"EXPIRE", key(), g.one(life(), life(), "-1"), g.one("NX", "XX", "GT", "LT")}, {"EXPIREAT", key(), g.one(future(), "1")},
		{"PERSIST", key()}, {"SETNX", key(), number()}, {"SETEX", key(), life(), number()}, {"PSETEX", key(), life() + "000", number()},
		{"GETSET", key(), number()}, {"GETDEL", key()}, {"GETEX", key()}, {"GETEX", key(), "PERSIST"}, {"GETEX", key(), "EX", life()},
		{"GETEX", key(), "EXAT", g.one(future(), "1")}, {"MGET", key(), key()}, {"MSET", key(), number(), key(), number()},
		{"MSETNX", key(), number(), key(), number()}, {"INCR", key()}, {"DECRBY", key(), number()}, {"INCRBYFLOAT", key(), "0.5"},
		{"APPEND", key(), g.one("1", "")}, {"STRLEN", key()}, {"GETRANGE", key(), "0", "1"}, {"SETRANGE", key(), g.one("0", "1", "9"), g.one("5", "")},
		{"RENAME", key(), key()}, {"RENAMENX", key(), key()}, {"COPY", key(), key()}, {"COPY", key(), key(), "REPLACE"},
		{"COPY", key(), key(), "DB", "1", "REPLACE"}, {"MOVE", key(), g.one("0", "1")}, {"SWAPDB", "0", "1"}, {"SELECT", g.one("0", "1")},
		{"RANDOMKEY"}, {"DBSIZE"}, {"FLUSHDB"},
	}
	if g.chance(2) {
		forms = collectionForms(g, key)
	}
	return forms[g.rand.IntN(len(forms))]
}

func TestEventsOfATransactionComeInItsOrder(t *testing.T) {
	t.Parallel()
	l := listen(t, serveEvents(t, "KEA"))
	got := l.of(t, [][]string{{"MULTI"}, {"SET", "k", "1"}, {"PUBLISH", "__key_mine", "between"}, {"INCR", "k"}, {"EXEC"}})
	want := []string{
		"__keyspace@0__:k set", "__keyevent@0__:set k", "__key_mine between",
		"__keyspace@0__:k incrby", "__keyevent@0__:incrby k",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnExpiredKeyIsReportedOnceItIsDeleted(t *testing.T) {
	t.Parallel()
	l := listen(t, serveEvents(t, "Ex"))
	l.commands.exchange(t, [][]string{{"SET", "k", "v", "PX", "20"}})
	if err := l.events.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	v, err := conversation.ReadValue(l.events.in) // nobody touches the key
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(v.Elems[2].Text, " ", v.Elems[3].Text); got != "__keyevent@0__:expired k" {
		t.Errorf("got %q", got)
	}
}

func TestEventsOfVeryLongKeysAreLeftOut(t *testing.T) {
	t.Parallel()
	l := listen(t, serveEvents(t, "KEA"))
	got := l.of(t, [][]string{{"SET", strings.Repeat("k", 1<<17), "v"}, {"SET", "k", "v"}})
	if want := []string{"__keyspace@0__:k set", "__keyevent@0__:set k"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
