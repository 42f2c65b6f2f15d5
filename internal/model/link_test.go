package model

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"fanfare/internal/conversation"
	"fanfare/internal/memnet"
)

// protocol is what a peer speaks.
type protocol uint8

const (
	resp2 protocol = iota
	resp3
	websocket
)

func (p protocol) String() string { return [...]string{"resp2", "resp3", "ws"}[p] }

// got is one thing that a peer received: a line of JSON, a RESP value, or the end
// of the connection. The text is what is compared: a line's members in order,
// without those that have fields here.
type got struct {
	text    string
	offset  uint64 // 0: none
	skipped int
	fields  map[string]json.RawMessage
	value   conversation.Value
	end     bool
	code    int // of the close frame; 0: none came
}

// link is one connection, and what has come through it.
type link struct {
	protocol protocol
	conn     *memnet.Conn
	r        *bufio.Reader
	done     chan struct{} // closed when nothing more comes

	mu     sync.Mutex
	turned *sync.Cond // the gate has been opened
	shut   bool       // reads wait
	got    []got
	taken  chan struct{} // signalled for whoever waits for something to come
}

// dial connects and starts to read.
func (n *node) dial(p protocol) (*link, error) {
	l := &link{protocol: p, done: make(chan struct{}), taken: make(chan struct{}, 1)}
	l.turned = sync.NewCond(&l.mu)
	listener := n.redis
	if p == websocket {
		listener = n.http
	}
	var err error
	if l.conn, err = listener.Dial(); err != nil {
		return nil, err
	}
	l.r = bufio.NewReaderSize(l, 512)
	if p == websocket {
		if err := l.upgrade(); err != nil {
			return nil, err
		}
	}
	go l.read()
	return l, nil
}

// Read is io.Reader's: it waits while the gate is shut.
func (l *link) Read(b []byte) (int, error) {
	l.mu.Lock()
	for l.shut {
		l.turned.Wait()
	}
	l.mu.Unlock()
	return l.conn.Read(b)
}

// gate makes reads wait, or go on.
func (l *link) gate(shut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut = shut
	l.turned.Broadcast()
}

func (l *link) upgrade() error {
	_, err := io.WriteString(l.conn, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		return err
	}
	response, err := http.ReadResponse(l.r, nil)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("handshake: %s", response.Status)
	}
	return nil
}

func (l *link) read() {
	defer close(l.done)
	for {
		var batch []got
		var err error
		if l.protocol == websocket {
			batch, err = l.readFrame()
		} else {
			var v conversation.Value
			if v, err = conversation.ReadValue(l.r); err == nil {
				batch = []got{{text: v.String(), value: v}}
			}
		}
		if err != nil {
			batch = append(batch, got{text: "end: " + err.Error(), end: true})
		}
		l.put(batch)
		if len(batch) > 0 && batch[len(batch)-1].end {
			return
		}
	}
}

func (l *link) put(batch []got) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, batch...)
	select {
	case l.taken <- struct{}{}:
	default:
	}
}

// take returns what has come since the last call.
func (l *link) take() []got {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := l.got
	l.got = nil
	return batch
}

// next waits for something to come. Once over is closed it returns nothing instead
// of waiting.
func (l *link) next(over <-chan struct{}) []got {
	for {
		if batch := l.take(); len(batch) > 0 {
			return batch
		}
		select {
		case <-l.taken:
		case <-over:
			return l.take()
		}
	}
}

const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xa
)

func (l *link) readFrame() ([]got, error) {
	opcode, payload, err := l.frame()
	if err != nil {
		return nil, err
	}
	switch opcode {
	case opText:
		return parseLines(payload)
	case opClose:
		code := 1005
		if len(payload) >= 2 {
			code = int(binary.BigEndian.Uint16(payload))
		}
		return []got{{text: fmt.Sprintf("end: code %d", code), end: true, code: code}}, nil
	case opPing:
		return nil, l.write(opPong, string(payload))
	}
	return nil, fmt.Errorf("frame with opcode %d", opcode)
}

func (l *link) frame() (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(l.r, head[:]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1])
	if extended := map[uint64]int{126: 2, 127: 8}[size]; extended > 0 {
		var b [8]byte
		if _, err := io.ReadFull(l.r, b[8-extended:]); err != nil {
			return 0, nil, fmt.Errorf("in a header: %w", err)
		}
		size = binary.BigEndian.Uint64(b[:])
	}
	if size > 2<<20 || head[0]&0x80 == 0 || head[1]&0x80 != 0 {
		return 0, nil, fmt.Errorf("frame header %x, %d bytes", head, size)
	}
	payload = make([]byte, size)
	if _, err := io.ReadFull(l.r, payload); err != nil {
		return 0, nil, fmt.Errorf("in a frame: %w", err)
	}
	return head[0] & 0x0f, payload, nil
}

// write sends a frame, masked with zeros.
func (l *link) write(opcode byte, payload string) error {
	frame := []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, 0x80|byte(n))
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 0x80|127), uint64(n))
	}
	_, err := l.conn.Write(append(append(frame, 0, 0, 0, 0), payload...))
	return err
}

// send sends requests: lines of JSON in one frame, or commands in one write.
func (l *link) send(requests ...[]string) error {
	if l.protocol == websocket {
		lines := make([]string, len(requests))
		for i, r := range requests {
			lines[i] = r[0]
		}
		return l.write(opText, strings.Join(lines, "\n"))
	}
	var b strings.Builder
	for _, command := range requests {
		fmt.Fprintf(&b, "*%d\r\n", len(command))
		for _, word := range command {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(word), word)
		}
	}
	_, err := io.WriteString(l.conn, b.String())
	return err
}

// close tells the server that the peer leaves.
func (l *link) close(code uint16) error {
	return l.write(opClose, string(binary.BigEndian.AppendUint16(nil, code)))
}

func parseLines(frame []byte) ([]got, error) { return parseEach(strings.Split(string(frame), "\n")) }

func parseEach(texts []string) ([]got, error) {
	var batch []got
	for _, text := range texts {
		g := got{}
		if err := json.Unmarshal([]byte(text), &g.fields); err != nil {
			return batch, fmt.Errorf("line %q: %w", shorten(text), err)
		}
		if err := g.number("offset", &g.offset); err != nil {
			return batch, err
		}
		if err := g.number("skipped", &g.skipped); err != nil {
			return batch, err
		}
		words := make(map[string]string, len(g.fields))
		for key, value := range g.fields {
			if key != "offset" && key != "skipped" {
				words[key] = plain(value)
			}
			if key == "offsets" { // in no order
				list := elements(value)
				slices.Sort(list)
				words[key] = strings.Join(list, ",")
			}
		}
		g.text = line(words)
		batch = append(batch, g)
	}
	return batch, nil
}

func (g *got) number(key string, dst any) error {
	raw, ok := g.fields[key]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, dst); err != nil {
		return fmt.Errorf("%s %s: %w", key, raw, err)
	}
	return nil
}

// plain is a string's content, and the text of everything else.
func plain(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil && raw[0] == '"' {
		return s
	}
	return string(raw)
}

// line writes the members of a line in one order, so that lines can be compared.
func line(words map[string]string) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(words)) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(key + "=" + words[key])
	}
	return b.String()
}

func shorten(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%s… (%d bytes)", s[:200], len(s))
	}
	return s
}
