package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// The connections of the many-to-many tests: raw sockets, because millions of messages pass through them
// and a client library, under the race detector, would take most of the machine.

const room = "room" // the channel of these tests

// numbered is the content of a message: who published it and which of its messages it is. It is eight bytes
// on the wire, "03:00017", and as a JSON string from a browser gives Redis clients the same bytes.
type numbered struct{ Publisher, Number int }

// final is published after everything else, so that a subscriber knows that nothing is missing or double.
var final = numbered{99, 0}

func (m numbered) String() string { return fmt.Sprintf("%02d:%05d", m.Publisher, m.Number) }

func parseNumbered(b []byte) (m numbered, err error) {
	if len(b) != 8 || b[2] != ':' {
		return m, fmt.Errorf("strange payload %q", b)
	}
	for i, c := range b {
		switch {
		case i == 2:
		case c < '0' || c > '9':
			return m, fmt.Errorf("strange payload %q", b)
		case i < 2:
			m.Publisher = m.Publisher*10 + int(c-'0')
		default:
			m.Number = m.Number*10 + int(c-'0')
		}
	}
	return m, nil
}

// subscriber is a connection with one subscription that covers the room.
type subscriber interface {
	next() (numbered, error) // waits for the next message
	leave() error            // unsubscribes, takes what still comes before the answer, checks that nothing comes after it
	close()
}

// publisher is a connection that publishes to the room.
type publisher interface {
	// publish sends all messages at once and answers how many the broker has acknowledged, and to how many
	// subscriptions at least each of them goes.
	publish(messages []numbered) (acknowledged, receivers int, err error)
	close()
}

// --- RESP ---

type respConn struct {
	c      net.Conn
	r      *bufio.Reader
	header []byte // of every message of the subscription: all bytes before the payload
	unsub  string
	frame  []byte // of next
}

func connectRESP(n *node) (*respConn, error) {
	c, err := net.Dial("tcp", n.RESP)
	if err != nil {
		return nil, err
	}
	return &respConn{c: c, r: bufio.NewReaderSize(c, 64<<10)}, c.SetDeadline(time.Now().Add(longest))
}

// subscribeRESP subscribes to the room by name or by pattern, in RESP2 or RESP3.
func subscribeRESP(n *node, byPattern, resp3 bool) (subscriber, error) {
	c, err := connectRESP(n)
	if err != nil {
		return nil, err
	}
	kind := "*"
	if resp3 {
		kind = ">"
		if err := c.ask(command("HELLO", "3"), "%"); err != nil {
			return nil, err
		}
	}
	subscribe, parts := command("SUBSCRIBE", room), []string{"message", room}
	c.unsub = command("UNSUBSCRIBE", room)
	if byPattern {
		subscribe, parts = command("PSUBSCRIBE", "ro*"), []string{"pmessage", "ro*", room}
		c.unsub = command("PUNSUBSCRIBE", "ro*")
	}
	header := ""
	for _, part := range parts {
		header += bulk(part)
	}
	c.header = fmt.Appendf(nil, "%s%d\r\n%s$8\r\n", kind, len(parts)+1, header)
	c.frame = make([]byte, len(c.header)+len("03:00017\r\n"))
	return c, c.ask(subscribe, kind)
}

// ask sends one command and checks the first byte of its reply.
func (c *respConn) ask(text, kind string) error {
	if _, err := io.WriteString(c.c, text); err != nil {
		return err
	}
	reply, err := readReply(c.r)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(reply, kind) {
		return fmt.Errorf("%q: got %q, want a reply that begins with %s", text, reply, kind)
	}
	return nil
}

func (c *respConn) next() (numbered, error) {
	if _, err := io.ReadFull(c.r, c.frame); err != nil {
		return numbered{}, err
	}
	payload, found := bytes.CutPrefix(c.frame, c.header)
	if !found {
		return numbered{}, fmt.Errorf("got %q, want it to begin with %q", c.frame, c.header)
	}
	return parseNumbered(bytes.TrimSuffix(payload, []byte("\r\n")))
}

func (c *respConn) leave() error {
	if _, err := io.WriteString(c.c, c.unsub+command("PING", "gone")); err != nil {
		return err
	}
	left := false
	for {
		reply, err := readReply(c.r)
		switch {
		case err != nil:
			return err
		case strings.Contains(reply, "message"):
			if left {
				return fmt.Errorf("after the answer to %q came %q", c.unsub, reply)
			}
		case strings.Contains(reply, "unsubscribe"):
			left = true
		case strings.Contains(reply, "gone"):
			if !left {
				return fmt.Errorf("no answer to %q", c.unsub)
			}
			return nil
		default:
			return fmt.Errorf("strange reply %q", reply)
		}
	}
}

func (c *respConn) publish(messages []numbered) (acknowledged, receivers int, err error) {
	var b strings.Builder
	for _, m := range messages {
		b.WriteString(command("PUBLISH", room, m.String()))
	}
	if _, err := io.WriteString(c.c, b.String()); err != nil {
		return 0, 0, err
	}
	receivers = 1 << 30
	for i := range messages {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return i, receivers, err
		}
		count, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(line, ":"), "\r\n"))
		if err != nil {
			return i, receivers, fmt.Errorf("reply to PUBLISH: %q", line)
		}
		receivers = min(receivers, count)
	}
	return len(messages), receivers, nil
}

func (c *respConn) close() { _ = c.c.Close() }

// readReply returns the text of one reply, arrays with everything in them.
func readReply(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	count, _ := strconv.Atoi(strings.TrimSuffix(line[1:], "\r\n"))
	switch line[0] {
	case '$':
		body := make([]byte, count+2)
		_, err := io.ReadFull(r, body)
		return line + string(body), err
	case '%':
		count *= 2
	case '*', '>':
	default:
		return line, nil
	}
	for range count {
		part, err := readReply(r)
		if err != nil {
			return line, err
		}
		line += part
	}
	return line, nil
}

// --- WebSocket ---

type wsConn struct {
	ws    *websocket.Conn
	ctx   context.Context
	end   context.CancelFunc
	lines [][]byte // of the last frame, not yet taken
	unsub string
	id    int
}

func connectWS(n *node) (*wsConn, error) {
	c, err := dialWS(n)
	if err != nil {
		return nil, err
	}
	return c, c.expect(`{"welcome":`)
}

// dialWS is connectWS without the welcome.
func dialWS(n *node) (*wsConn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	ws, _, err := websocket.Dial(ctx, "ws://"+n.HTTP+"/ws", nil)
	if err != nil {
		cancel()
		return nil, err
	}
	ws.SetReadLimit(16 << 20)
	return &wsConn{ws: ws, ctx: ctx, end: cancel}, nil
}

// subscribeWS subscribes to the room by name or by pattern.
func subscribeWS(n *node, byPattern bool) (subscriber, error) {
	c, err := connectWS(n)
	if err != nil {
		return nil, err
	}
	subscribe := `{"sub":"room"}`
	c.unsub = `{"unsub":"room","id":1}`
	if byPattern {
		subscribe, c.unsub = `{"psub":"ro*"}`, `{"punsub":"ro*","id":1}`
	}
	if err := c.send(subscribe); err != nil {
		return nil, err
	}
	return c, c.expect(`subbed":"`)
}

// expect reads one object and checks what is in it.
func (c *wsConn) expect(part string) error {
	line, err := c.line()
	if err == nil && !bytes.Contains(line, []byte(part)) {
		err = fmt.Errorf("got %s, want %s in it", line, part)
	}
	return err
}

func (c *wsConn) send(text string) error {
	return c.ws.Write(c.ctx, websocket.MessageText, []byte(text))
}

// line returns the next object that is not a sign of life.
func (c *wsConn) line() ([]byte, error) {
	for {
		for len(c.lines) == 0 {
			_, frame, err := c.ws.Read(c.ctx)
			if err != nil {
				return nil, err
			}
			c.lines = bytes.Split(frame, []byte("\n"))
		}
		line := c.lines[0]
		c.lines = c.lines[1:]
		if !bytes.HasPrefix(line, []byte(`{"ping":`)) {
			return line, nil
		}
	}
}

func (c *wsConn) next() (numbered, error) {
	line, err := c.line()
	if err != nil {
		return numbered{}, err
	}
	_, after, found := bytes.Cut(line, []byte(`"data":"`))
	payload, _, closed := bytes.Cut(after, []byte(`"`))
	if !found || !closed || !bytes.Contains(line, []byte(`"msg":"room"`)) {
		return numbered{}, fmt.Errorf("got %q, want a message", line)
	}
	return parseNumbered(payload)
}

func (c *wsConn) leave() error {
	if err := c.send(c.unsub + "\n" + `{"ping":7}`); err != nil {
		return err
	}
	left := false
	for {
		line, err := c.line()
		switch {
		case err != nil:
			return err
		case bytes.Contains(line, []byte(`"msg":`)):
			if left {
				return fmt.Errorf("after the answer to %s came %s", c.unsub, line)
			}
		case bytes.Contains(line, []byte(`"ok":1`)), bytes.Contains(line, []byte(`unsubbed":`)):
			left = true
		case bytes.Contains(line, []byte(`"pong":7`)):
			if !left {
				return fmt.Errorf("no answer to %s", c.unsub)
			}
			return nil
		default:
			return fmt.Errorf("strange answer %s", line)
		}
	}
}

func (c *wsConn) publish(messages []numbered) (acknowledged, receivers int, err error) {
	requests := make([]string, len(messages))
	for i, m := range messages {
		requests[i] = fmt.Sprintf(`{"pub":"room","data":"%s","id":%d}`, m, c.id+i)
	}
	if err := c.send(strings.Join(requests, "\n")); err != nil {
		return 0, 0, err
	}
	receivers = 1 << 30
	for i := range messages {
		line, err := c.line()
		if err != nil {
			return i, receivers, err
		}
		var id, count int
		if _, err := fmt.Sscanf(string(line), `{"ok":%d,"receivers":%d`, &id, &count); err != nil || id != c.id+i {
			return i, receivers, fmt.Errorf("answer to request %d: %s", c.id+i, line)
		}
		receivers = min(receivers, count)
	}
	c.id += len(messages)
	return len(messages), receivers, nil
}

func (c *wsConn) close() {
	_ = c.ws.CloseNow()
	c.end()
}
