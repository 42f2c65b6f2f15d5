package conversation

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRunHoldsEveryLineAgainstRedis(t *testing.T) {
	t.Parallel()
	Run(t, "testdata/runner.txt", Redis(t))
}

// recorder stands in for the test of a conversation that is expected to fail.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper()      {}
func (r *recorder) Failed() bool { return len(r.errors) > 0 }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// stopped ends the conversation, as Goexit does in a real test.
type stopped struct{}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(stopped{})
}

// failures holds the first section of text and returns what it reports.
func failures(t *testing.T, d Dialer, text string) []string {
	t.Helper()
	sections, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	release, err := parseRelease(d.Release)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(stopped{}) {
				panic(p)
			}
		}()
		hold(r, target{Dialer: d, release: release, file: "f.txt", proto: 2}, sections[0])
	}()
	return r.errors
}

func TestARunnerThatSeesADifferenceFails(t *testing.T) {
	t.Parallel()
	d := Redis(t)
	for _, row := range []struct{ name, text, want string }{
		{"an answer of another type", "A> PING\nA< PONG", "f.txt:3:\n\tgot  +PONG\n\twant A< PONG"},
		{"an answer not read", "A> PING", `at the end of "t": peer A: got +PONG, want nothing more`},
		{"an answer before nothing", "A> PING\nA nothing", "f.txt:3: got +PONG, want nothing more"},
		{"a message not read", "A> SUBSCRIBE a\nA< >[subscribe a :1]\nB> PUBLISH a x\nB< :1", "got [message a x], want nothing more"},
		{"a pattern's message not read", "A> PSUBSCRIBE a\nA< ?\nB> PUBLISH a x\nB< :1", "got [pmessage a a x], want nothing more"},
		{"a transaction left open", "A> MULTI\nA< +OK", "got +QUEUED, want nothing more"},
		{"a connection that stays open", "A> PING\nA closed", "want the connection to be closed"},
		{"a connection that does not", "A> QUIT\nA< +OK\nA> PING\nA< +PONG", "f.txt:5:\n\tgot  a closed connection"},
		{"a group with an answer missing from it", "A> PING a\nA> PING b\nA<* b\nA<* c", "got  b\n\twant A<* c"},
		{"a peer that has gone", "A closes\nA> PING", "A is no longer connected"},
		{"a name nothing was captured as", "A> ECHO ${x}", "nothing was captured as ${x}"},
	} {
		got := failures(t, d, "== t\n"+row.text)
		if len(got) == 0 {
			t.Errorf("%s: got no failure", row.name)
		} else if row.name == "a group with an answer missing from it" {
			continue // which line is named depends on the order
		} else if !strings.Contains(got[0], row.want) {
			t.Errorf("%s: got %q, want %q", row.name, got[0], row.want)
		}
	}
}

func TestAfterADifferenceTheOthersAreShownToo(t *testing.T) {
	t.Parallel()
	got := failures(t, Redis(t), "== t\nA> PING\nA< +A\nA> PING\nA< +PONG\nA> PING\nA< +B")
	if len(got) != 2 || !strings.Contains(got[1], "f.txt:7") {
		t.Errorf("got %q, want failures in lines 3 and 7", got)
	}
}

func TestAnAnswerThatDoesNotComeIsSaidAtTheEndOfPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer func() { _ = server.Close() }()
		p, err := connectRESP(func() (net.Conn, error) { return client, nil }, 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer p.close()
		begin := time.Now()
		if _, err := p.receive(); err == nil || err.Error() != "nothing within 2m0s" {
			t.Errorf("got %v", err)
		}
		if got := time.Since(begin); got != patience {
			t.Errorf("waited %s, want %s", got, patience)
		}
	})
}

func TestTheNextSectionBeginsWithAnEmptyServer(t *testing.T) {
	t.Parallel()
	d := Redis(t)
	for _, text := range []string{
		"== t\nA> SET k v\nA< +OK\nA> SUBSCRIBE a\nA< ?\nA closes\nB> SUBSCRIBE a\nB< ?",
		"== t\nA> PUBSUB NUMSUB a\nA< [a :0]\nA> DBSIZE\nA< :0",
	} {
		if got := failures(t, d, text); len(got) > 0 {
			t.Errorf("got %q", got)
		}
	}
}

// browser is a server side of the WebSocket protocol that answers from a script: each request it knows
// is answered by frames.
type browser struct {
	answers map[string][]string
	frames  chan string
}

func (b *browser) Send(text string) error {
	if _, channel, found := strings.Cut(text, fencePrefix); found {
		channel, _, _ = strings.Cut(fencePrefix+channel, `"`)
		b.fence(text, channel)
	}
	for _, frame := range b.answers[text] {
		b.frames <- frame
	}
	return nil
}

// fence answers as a server does that has nothing else to say.
func (b *browser) fence(request, channel string) {
	if strings.HasPrefix(request, `{"sub"`) {
		b.frames <- fmt.Sprintf(`{"subbed":%q}`, channel)
		b.frames <- fmt.Sprintf(`{"via":"*","msg":%q}`+"\n"+`{"msg":%q}`, channel, channel)
		return
	}
	b.frames <- fmt.Sprintf(`{"ok":%q,"id":%q}`, channel, fencePrefix)
}

func (b *browser) Receive(time.Time) (string, error) {
	select {
	case frame := <-b.frames:
		return frame, nil
	default:
		return "", errors.New("nothing came")
	}
}

func (b *browser) Close() error { return nil }

func TestWebSocketPeers(t *testing.T) {
	t.Parallel()
	b := &browser{frames: make(chan string, 10), answers: map[string][]string{
		`{"sub":"a"}`: {`{"subbed":"a","offset":7}` + "\n" + `{"ping":1700000000}` + "\n" + `{"msg":"a","data":{"x":[1,"two"]},"time":12}`},
	}}
	b.frames <- `{"welcome":"id"}`
	p, err := connectWebSocket(func() (WebSocket, error) { return b, nil }, map[string]string{})
	if err != nil {
		t.Fatal(err)
	}
	exchange := func(text string) error {
		l, err := parseLine(text)
		if err != nil {
			t.Fatal(err)
		}
		if l.do == actSend {
			return p.send(&l)
		}
		got, err := p.receive()
		if err == nil && !p.matches(&l, got) {
			err = fmt.Errorf("got %s", got)
		}
		return err
	}
	for _, text := range []string{
		`W> {"sub":"a"}`,
		`W< {"offset":"/(?P<offset>\\d+)/","subbed":"a"}`,
		`W< {"msg":"a","data":{"x":[1,"/t.o/"]},"time":"/\\d+/"}`,
	} {
		if err := exchange(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if p.captured["offset"] != "7" {
		t.Errorf("captured %v", p.captured)
	}
	for _, want := range []string{`{"msg":"b"}`, `{"msg":"a","x":1}`, `{}`, `{"msg":1}`} {
		b.frames <- `{"msg":"a"}`
		if err := exchange("W< " + want); err == nil {
			t.Errorf("%s matches what it is not", want)
		}
	}
}

func TestAWebSocketPeersFence(t *testing.T) {
	t.Parallel()
	r, err := newRunner(Redis(t).RESP)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	p := &wsPeer{conn: &browser{frames: make(chan string, 10)}}
	if err := p.fence(r); err != nil {
		t.Errorf("got %v, want nothing more to have arrived", err)
	}
	p.frame = []string{`{"ping":1}`, `{"msg":"a","data":1}`}
	if err := p.fence(r); err == nil || !strings.Contains(err.Error(), `{"msg":"a","data":1}, want nothing more`) {
		t.Errorf("got %v, want the message to be named", err)
	}
}

func TestSectionsWithWebSocketPeersNeedThem(t *testing.T) {
	t.Parallel()
	sections, err := parse("== t\nA> PING\nA< +PONG\nW> {}\n== u\nA> PING\n")
	if err != nil {
		t.Fatal(err)
	}
	if !sections[0].mentionsWebSocket() || sections[1].mentionsWebSocket() {
		t.Error("the wrong section needs a WebSocket")
	}
}

func TestHalfAValueIsNoClosedConnection(t *testing.T) {
	t.Parallel()
	if isClosed(io.ErrUnexpectedEOF) {
		t.Error("half a value is taken for a closed connection")
	}
}
