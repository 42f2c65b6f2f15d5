package ws_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fanfare/broker"
	"fanfare/internal/conversation"
	"fanfare/internal/place"
)

const document = "../../docs/protocol-websocket.md"

func readDocument(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var exampleBlock = regexp.MustCompile("(?ms)^```ws\n(.*?)^```$")

// TestTheDocumentIsTrue holds every example of the document with a broker of its
// own: what is received is what is written there, byte for byte.
func TestTheDocumentIsTrue(t *testing.T) {
	t.Parallel()
	text := readDocument(t)
	blocks := exampleBlock.FindAllStringSubmatchIndex(text, -1)
	if len(blocks) < 20 {
		t.Fatalf("%d examples found, want all of them", len(blocks))
	}
	for _, at := range blocks {
		line := strings.Count(text[:at[2]], "\n") + 1
		t.Run(fmt.Sprintf("line=%d", line), func(t *testing.T) {
			t.Parallel()
			dialer, b := serveBroker(t, place.Memory)
			e := &example{t: t, broker: b, dialer: dialer, peers: map[string]*speaker{}, names: map[string]string{b.Epoch(): "k3f9"}}
			for i, step := range strings.Split(strings.TrimSpace(text[at[2]:at[3]]), "\n") {
				e.step(line+i, step)
			}
			e.nothingMore()
		})
	}
}

// example is one block of the document while it is held.
type example struct {
	t      *testing.T
	broker *broker.Broker
	dialer conversation.Dialer
	peers  map[string]*speaker
	names  map[string]string // what is written in the document for what is received
}

// speaker is a participant: a WebSocket or a Redis client.
type speaker struct {
	web   conversation.WebSocket
	lines []string
	redis net.Conn
	in    *bufio.Reader
}

func (e *example) step(line int, text string) {
	e.t.Helper()
	head, text, found := strings.Cut(text, " ")
	name := head[:len(head)-1]
	p := e.peer(name, text)
	var err error
	switch {
	case !found:
		e.t.Fatalf("line %d has nothing behind %s", line, head)
	case head[len(head)-1] == '>':
		err = p.send(strings.ReplaceAll(strings.ReplaceAll(text, "k3f9", e.broker.Epoch()), `\n`, "\n"))
	default:
		var got string
		if got, err = p.receive(); err == nil && e.written(got) != text {
			e.t.Errorf("line %d: %s received\n     %s\nwant %s", line, name, e.written(got), text)
		}
	}
	if err != nil {
		e.t.Fatalf("line %d: %s: %v", line, head, err)
	}
}

var someTime = regexp.MustCompile(`"time":\d{13}\b`)

func (e *example) written(text string) string {
	for real, shown := range e.names {
		text = strings.ReplaceAll(text, real, shown)
	}
	return someTime.ReplaceAllString(text, `"time":1700000000123`)
}

// peer returns the participant, who connects when it is first named. Its welcome
// is only looked at where the document does.
func (e *example) peer(name, text string) *speaker {
	e.t.Helper()
	if p := e.peers[name]; p != nil {
		return p
	}
	p, err := e.connect(name[0] == 'W')
	if err != nil {
		e.t.Fatalf("connect %s: %v", name, err)
	}
	e.peers[name] = p
	if p.web == nil {
		return p
	}
	welcome, err := p.receive()
	if err != nil {
		e.t.Fatalf("%s: %v", name, err)
	}
	session := strings.Split(welcome, `"`)[3]
	e.names[session] = "tab1"
	if name != "W" {
		e.names[session] = "tab" + name[1:]
	}
	if strings.HasPrefix(text, `{"welcome"`) {
		p.lines = []string{welcome}
	}
	return p
}

func (e *example) connect(web bool) (*speaker, error) {
	if web {
		c, err := e.dialer.WebSocket()
		if err != nil {
			return nil, err
		}
		e.t.Cleanup(func() { _ = c.Close() })
		return &speaker{web: c}, nil
	}
	c, err := e.dialer.RESP()
	if err != nil {
		return nil, err
	}
	e.t.Cleanup(func() { _ = c.Close() })
	return &speaker{redis: c, in: bufio.NewReader(c)}, nil
}

func (p *speaker) send(text string) error {
	if p.web != nil {
		return p.web.Send(text)
	}
	words := strings.Fields(text)
	command := fmt.Sprintf("*%d\r\n", len(words))
	for _, word := range words {
		command += fmt.Sprintf("$%d\r\n%s\r\n", len(word), word)
	}
	_, err := p.redis.Write([]byte(command))
	return err
}

func (p *speaker) receive() (string, error) {
	deadline := time.Now().Add(patience)
	if p.web == nil {
		_ = p.redis.SetReadDeadline(deadline)
		line, err := p.in.ReadString('\n')
		return strings.TrimSuffix(line, "\r\n"), err
	}
	if len(p.lines) == 0 {
		frame, err := p.web.Receive(deadline)
		if err != nil {
			return "", err
		}
		p.lines = strings.Split(frame, "\n")
	}
	line := p.lines[0]
	p.lines = p.lines[1:]
	return line, nil
}

// nothingMore checks that the document leaves out nothing that is received.
func (e *example) nothingMore() {
	e.t.Helper()
	for name, p := range e.peers {
		if p.web == nil {
			continue
		}
		if err := p.send(`{"ping":"nothing more"}`); err != nil {
			e.t.Fatal(err)
		}
		if got, err := p.receive(); got != `{"pong":"nothing more"}` {
			e.t.Errorf("at the end %s received %s, %v; want nothing more", name, got, err)
		}
	}
}

var (
	faultInSource   = regexp.MustCompile(`fault\{(\d+), "([^"]*)"\}|\{(\d+), "([^"]*)"\},\n`)
	faultInDocument = regexp.MustCompile("(?m)^\\| (\\d+) \\| `([^`]*)` \\|")
	verbInSource    = regexp.MustCompile(`command\{verb: "(\w+)"`)
)

// TestTheDocumentHasEveryErrorAndVerb compares the document with the tables of
// the source, in both directions.
func TestTheDocumentHasEveryErrorAndVerb(t *testing.T) {
	t.Parallel()
	text := readDocument(t)
	inDocument := map[string]bool{}
	for _, m := range faultInDocument.FindAllStringSubmatch(text, -1) {
		inDocument[m[1]+" "+m[2]] = true
	}
	inSource := map[string]bool{}
	for name, base := range map[string]string{"errors.go": "", "close.go": "4"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range faultInSource.FindAllStringSubmatch(string(source), -1) {
			inSource[base+m[1]+m[3]+" "+m[2]+m[4]] = true
		}
	}
	// Nothing takes rights away yet, or lets them run out, and CLIENT KILL knows
	// Redis clients only.
	delete(inSource, "4403 ended by an operator")
	delete(inSource, "4403 denied")
	delete(inSource, "4401 token needed")
	for row := range inSource {
		if !inDocument[row] {
			t.Errorf("the document does not have %s", row)
		}
	}
	for row := range inDocument {
		if !inSource[row] {
			t.Errorf("the document has %s, which nothing answers", row)
		}
	}
	files, err := filepath.Glob("cmd_*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files with verbs: %v", err)
	}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range verbInSource.FindAllStringSubmatch(string(source), -1) {
			if !strings.Contains(text, "| `"+m[1]+"` |") || !regexp.MustCompile(`(?m)^W2?> .*\{"`+m[1]+`":`).MatchString(text) {
				t.Errorf("the document does not have the verb %s in its table and in an example", m[1])
			}
		}
	}
}
