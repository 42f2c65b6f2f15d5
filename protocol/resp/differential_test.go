package resp_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanfare/internal/conversation"
	"fanfare/internal/place"
)

const (
	differentialCommands = 100_000
	differentialBatch    = 25 // commands in one packet
)

// What is not compared, and why. Everything else is, reply by reply and byte by byte.
var differentialExclusions = []struct{ command, reason string }{
	{"TTL, PTTL, EXPIRETIME, PEXPIRETIME", "time passes between the two servers: they may differ by a minute"},
	{"SET, EXPIRE with short or past absolute times", "when an expired key is deleted is not promised, and DBSIZE counts it until then"},
	{"EXPIRETIME of a deadline within half a second of 2^63 ms", "Redis' rounding overflows"},
	{"KEYS and SCAN of more than one key", "the order is not promised; whole iterations are compared as sets"},
	{"RANDOMKEY", "random; a conversation holds it"},
	{"HRANDFIELD, SRANDMEMBER, SPOP of some", "random; none or all are asked for, conversations and tests of kv hold the others"},
	{"HGETALL, SMEMBERS, SINTER and their like", "the order is not promised; the elements are compared as sets"},
	{"HSCAN and SSCAN of some", "the order is not promised; all are asked for, tests of kv hold the others"},
	{"SETRANGE and APPEND from 64 to 512 MiB", "longer than Fanfare's limit; a test of kv holds it"},
	{"options with a NUL", "Redis compares them as C strings and ignores what follows it"},
	{"scores that need more than a few digits", "Redis 7.0 writes 17 digits, 7.2 the fewest that are needed; a test of kv holds it"},
	{"ZRANK, ZREVRANK with more arguments", "Redis 7.0 knows no WITHSCORE; a conversation holds it"},
	{"ZRANDMEMBER", "random; a conversation and a test of kv hold it"},
	{"ZSCAN of more than one member", "the order is not promised; a test of kv holds it"},
	{"BYLEX where scores differ", "what it answers is not said"},
	{"HELLO, CLIENT, INFO", "they name the server; conversations hold them"},
	{"QUIT, RESET", "they end what the streams are about; conversations hold them"},
}

// The same random commands go to Fanfare and to redis-server, over a connection in RESP2 and one in RESP3
// that watch and change the same few keys, and every reply must be the same.
func TestKeyCommandsAnswerAsRedisDoes(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d; excluded:", seed)
	for _, row := range differentialExclusions {
		t.Logf("- %s: %s", row.command, row.reason)
	}
	g := &generator{rand: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // G404: a test's stream, not a secret
	redis, fanfare := conversation.Redis(t), serve(t, place.TCP(t))
	pairs := [2]pair{dialPair(t, redis, fanfare, 2), dialPair(t, redis, fanfare, 3)}
	var queues [2]transaction
	onlooker := dialPair(t, redis, fanfare, 3)
	for sent := 0; sent < differentialCommands; sent += differentialBatch {
		if sent%(20*differentialBatch) == 0 {
			onlooker.compareKeys(t, g, fmt.Sprintf("before command %d, seed %d", sent, seed))
		}
		batch := make([][]string, differentialBatch)
		for i := range batch {
			batch[i] = g.command()
		}
		n := g.rand.IntN(2)
		p, queue := &pairs[n], &queues[n]
		want, got := p[0].exchange(t, batch), p[1].exchange(t, batch)
		for i := range batch {
			if !same(batch[i], queue.commands, want[i], got[i]) {
				t.Fatalf("command %d, RESP%d, seed %d: %q\n\tgot  %s\n\twant %s", sent+i, p[0].proto, seed, batch[i], got[i], want[i])
			}
			queue.follow(batch[i], want[i])
		}
	}
}

// same compares the replies to a command as differentialExclusions allows. Those of EXEC belong to the
// commands that were queued.
func same(command []string, queued [][]string, want, got conversation.Value) bool {
	want, got = sorted(command, want), sorted(command, got)
	if want.Kind != got.Kind || want.Null != got.Null || len(want.Elems) != len(got.Elems) {
		return false
	}
	for i := range want.Elems {
		var inner []string
		if strings.EqualFold(command[0], "EXEC") && i < len(queued) {
			inner = queued[i]
		}
		if !same(append(inner, ""), nil, want.Elems[i], got.Elems[i]) {
			return false
		}
	}
	return want.Text == got.Text || want.Kind == ':' && near(command[0], want.Text, got.Text)
}

// near tells whether two answers to a question about time are as close as the times at which they were asked.
func near(command, want, got string) bool {
	minute, asksTime := map[string]int64{"TTL": 60, "EXPIRETIME": 60, "PTTL": 60_000, "PEXPIRETIME": 60_000}[strings.ToUpper(command)]
	w, err := strconv.ParseInt(want, 10, 64)
	g, errGot := strconv.ParseInt(got, 10, 64)
	return asksTime && err == nil && errGot == nil && w >= 0 && g >= 0 && max(w-g, g-w) <= minute
}

func TestOnlyTimesMayDiffer(t *testing.T) {
	t.Parallel()
	number := func(n int) conversation.Value { return conversation.Value{Kind: ':', Text: strconv.Itoa(n)} }
	list := func(v ...conversation.Value) conversation.Value { return conversation.Value{Kind: '*', Elems: v} }
	for _, tt := range []struct {
		rule      string
		command   string
		queued    [][]string
		want, got conversation.Value
		same      bool
	}{
		{"a time may differ by a minute", "ttl", nil, number(1000), number(1060), true},
		{"not by more", "TTL", nil, number(1000), number(1061), false},
		{"thousandths of seconds are counted as such", "PTTL", nil, number(90_000), number(30_000), true},
		{"no life and no key are different", "TTL", nil, number(-1), number(-2), false},
		{"a key without a life has none", "TTL", nil, number(-1), number(5), false},
		{"another number is exact", "DBSIZE", nil, number(1000), number(1001), false},
		{"inside EXEC it is what was queued", "EXEC", [][]string{{"DBSIZE"}, {"TTL"}}, list(number(9), number(100)), list(number(9), number(99)), true},
		{"inside EXEC other numbers are exact", "EXEC", [][]string{{"DBSIZE"}, {"TTL"}}, list(number(9), number(100)), list(number(8), number(100)), false},
	} {
		if got := same([]string{tt.command}, tt.queued, tt.want, tt.got); got != tt.same {
			t.Errorf("%s: got %v, want %v", tt.rule, got, tt.same)
		}
	}
}

// transaction is what a connection has queued since MULTI.
type transaction struct{ commands [][]string }

// follow takes note of a command and its reply.
func (x *transaction) follow(command []string, reply conversation.Value) {
	switch {
	case reply.Kind == '+' && reply.Text == "QUEUED":
		x.commands = append(x.commands, command)
	case reply.Kind == '-':
		// Refused, so not queued; EXECABORT is followed by MULTI.
	case slices.ContainsFunc([]string{"MULTI", "EXEC", "DISCARD"}, func(name string) bool { return strings.EqualFold(name, command[0]) }):
		x.commands = nil
	}
}

// pair is one connection to redis-server and one to Fanfare that get the same commands.
type pair [2]*wire

func dialPair(t *testing.T, redis, fanfare conversation.Dialer, proto int) pair {
	t.Helper()
	return pair{dialWire(t, redis, proto), dialWire(t, fanfare, proto)}
}

type wire struct {
	conn  net.Conn
	in    *bufio.Reader
	proto int
}

func dialWire(t *testing.T, d conversation.Dialer, proto int) *wire {
	t.Helper()
	conn, err := d.RESP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	w := &wire{conn: conn, in: bufio.NewReader(conn), proto: proto}
	w.exchange(t, [][]string{{"HELLO", strconv.Itoa(proto)}})
	return w
}

// exchange sends the commands in one packet and reads a reply to each.
func (w *wire) exchange(t *testing.T, batch [][]string) []conversation.Value {
	t.Helper()
	var b []byte
	for _, args := range batch {
		b = fmt.Appendf(b, "*%d\r\n", len(args))
		for _, a := range args {
			b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
		}
	}
	if err := w.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.conn.Write(b); err != nil {
		t.Fatal(err)
	}
	replies := make([]conversation.Value, len(batch))
	for i := range replies {
		var err error
		if replies[i], err = conversation.ReadValue(w.in); err != nil {
			t.Fatalf("reply to %q: %v", batch[i], err)
		}
	}
	return replies
}

// generator makes commands that meet each other: few keys, values and times, and now and then something
// that is none of them.
type generator struct{ rand *rand.Rand }

func (g *generator) one(of ...string) string { return of[g.rand.IntN(len(of))] }

// chance is true once in n times.
func (g *generator) chance(n int) bool { return g.rand.IntN(n) == 0 }

func (g *generator) command() []string {
	args := g.form()
	if g.chance(2) {
		args = g.wideForm()
	}
	switch {
	case g.chance(40) && !strings.HasSuffix(args[0], "RANK"): // a wrong number of arguments
		args = append(args, g.one("", "v", "\x00\xff", "two words")) // no number: behind EX it would be a short life
	case g.chance(40) && len(args) > 1 && !asksForAll(args):
		args = args[:len(args)-1]
	}
	if g.chance(4) {
		args[0] = strings.ToLower(args[0])
	}
	return args
}

func (g *generator) form() []string {
	switch n := g.rand.IntN(100); {
	case n < 12:
		return []string{"GET", g.key()}
	case n < 37:
		return append([]string{"SET", g.key(), g.value()}, g.setOptions()...)
	case n < 45:
		return append([]string{g.one("DEL", "EXISTS")}, g.keys()...)
	case n < 60:
		return append([]string{g.one("EXPIRE", "PEXPIRE"), g.key(), g.life()}, g.expireOptions()...)
	case n < 75:
		return []string{g.one("TTL", "PTTL", "PERSIST", "TYPE"), g.key()}
	case n < 79:
		return []string{"SELECT", g.one("0", "0", "1", "2", "15", "16", "-1", "x", "", "00")}
	case n < 92:
		return g.transaction()
	case n < 94:
		return []string{"DBSIZE"}
	case n < 95:
		return []string{g.one("FLUSHDB", "FLUSHALL"), g.one("SYNC", "ASYNC", "async", "NOPE", "")}
	case n < 98:
		return []string{g.one("PING", "ECHO"), g.value()}
	}
	return []string{g.one("NOPE", "", "GETT", "SET\r\n", "\x00"), g.value()}
}

func (g *generator) transaction() []string {
	switch g.rand.IntN(8) {
	case 0, 1:
		return []string{"MULTI"}
	case 2:
		return []string{"DISCARD"}
	case 3:
		return append([]string{"WATCH"}, g.keys()...)
	case 4:
		return []string{"UNWATCH"}
	}
	return []string{"EXEC"}
}

func (g *generator) key() string {
	if g.chance(20) {
		return g.one("", "\x00", "k\r\n1", "\xff\xfe", strings.Repeat("k", 300))
	}
	return g.one("a", "b", "c", "d")
}

func (g *generator) keys() []string {
	list := make([]string, 1+g.rand.IntN(4))
	for i := range list {
		list[i] = g.key()
	}
	return list
}

func (g *generator) value() string {
	if g.chance(50) {
		return strings.Repeat("0123456789", 1+g.rand.IntN(3000))
	}
	return g.one("", "v", "1", "-1", "007", "1.5", "nan", "9223372036854775807", "\x00\xff", "two words", "a\r\nb")
}

func (g *generator) setOptions() []string {
	var list []string
	for !g.chance(2) {
		switch g.rand.IntN(6) {
		case 0:
			list = append(list, g.one("NX", "XX", "nx", "Xx"))
		case 1:
			list = append(list, g.one("GET", "get"))
		case 2:
			list = append(list, g.one("KEEPTTL", "keepttl"))
		case 3:
			list = append(list, g.one("NOPE", "", "N", "EXX", "100s"))
		default:
			list = append(list, g.one("EX", "PX", "ex", "EXAT", "PXAT"))
			if !g.chance(20) {
				list = append(list, g.absolute(list[len(list)-1]))
			}
		}
	}
	return list
}

// absolute makes a time that is far away for the option before it, or none at all.
func (g *generator) absolute(option string) string {
	switch {
	case g.chance(5):
		return g.one("0", "-1", "x", "", "1.5", " 1", "+1", "01", "9223372036854775807", "9223372036854775808", "-9223372036854775808")
	case option == "EXAT":
		return g.one("33177117420", "9223372036854775")
	case option == "PXAT":
		return g.one("33177117420000", "9223372036854775000")
	}
	return g.life()
}

func (g *generator) life() string {
	if g.chance(6) {
		return g.one("0", "-1", "-100000", "x", "", "1e3", "0x10", "-0", "9223372036854775807", "9223372036854775", "-9223372036854775808", "-9223372036854775809")
	}
	// Far enough apart for GT and LT to decide alike on both servers, however long the test takes.
	return strconv.Itoa(10_000_000 + 100_000*g.rand.IntN(1_000_000))
}

func (g *generator) expireOptions() []string {
	var list []string
	for g.chance(2) {
		list = append(list, g.one("NX", "XX", "GT", "LT", "gt", "NOPE", ""))
	}
	return list
}
