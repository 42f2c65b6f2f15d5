package ws

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"fanfare/broker"
)

// TestEveryViolationClosesTheSocket is W2: the library alone leaves the socket
// open after most of them.
func TestEveryViolationClosesTheSocket(t *testing.T) {
	t.Parallel()
	unmasked := append([]byte{fin | opText, 2}, "{}"...)
	big := strings.Repeat("x", 64<<10)
	tests := []struct {
		name string
		send [][]byte
		want int
	}{
		{"a frame without a mask", [][]byte{unmasked}, 4400},
		{"a reserved bit", [][]byte{masked(fin|0x40|opText, []byte("{}"))}, 1002},
		{"an unknown opcode", [][]byte{masked(fin|0x3, nil)}, 1002},
		{"an unknown control opcode", [][]byte{masked(fin|0xb, nil)}, 1002},
		{"a fragmented ping", [][]byte{masked(opPing, nil)}, 1002},
		{"a ping of 126 bytes", [][]byte{masked(fin|opPing, make([]byte, 126))}, 4413},
		{"a continuation of nothing", [][]byte{masked(fin|opContinuation, []byte("{}"))}, 1002},
		{"a message inside another", [][]byte{masked(opText, []byte("{")), text("{}")}, 1002},
		{"a close frame of one byte", [][]byte{masked(fin|opClose, []byte{3})}, 1002},
		{"a close code that may not be sent", [][]byte{masked(fin|opClose, []byte{0x03, 0xed})}, 1002},
		{"text that is not UTF-8", [][]byte{text("{\"ping\":\"\xff\"}")}, 4400},
		{"a binary frame", [][]byte{masked(fin|0x2, []byte("{}"))}, 4400},
		{"a frame over the limit", [][]byte{text(big + "x")}, 4413},
		{"fragments over the limit", [][]byte{masked(opText, []byte(big)), masked(fin|opContinuation, []byte("x"))}, 4413},
		{"2^40 bytes announced", [][]byte{append(appendSize([]byte{fin | opText}, 0x80, 1<<40), 1, 2, 3, 4, 'x')}, 4413},
		{"2^63 bytes announced", [][]byte{append(appendSize([]byte{fin | opText}, 0x80, 1<<63), 1, 2, 3, 4)}, 4413},
		{"2^63-1 bytes announced after one", [][]byte{masked(opText, []byte("x")), append(appendSize([]byte{fin}, 0x80, 1<<63-1), 1, 2, 3, 4)}, 4413},
		{"a flood of pings", [][]byte{bytes.Repeat(masked(fin|opPing, nil), 60)}, 4429},
		{"a flood of pongs", [][]byte{bytes.Repeat(masked(fin|opPong, nil), 60)}, 4429},
		{"a flood of empty fragments", [][]byte{masked(opText, nil), bytes.Repeat(masked(opContinuation, nil), 60)}, 4429},
		{"a flood of empty frames", [][]byte{bytes.Repeat(text(""), 60)}, 4429},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			c := r.upgraded()
			for _, b := range tt.send {
				_, _ = c.Write(b) // fails where the server has closed already
			}
			if got := c.ending(); got != tt.want {
				t.Errorf("close code %d, want %d", got, tt.want)
			}
			r.awaitSessions(0)
			eventually(t, "no connection is open", func() bool { return r.server.Stats().Open == 0 })
		})
	}
}

func TestGoodByeIsAnsweredAndCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, tt := range []struct {
		payload []byte
		want    int
	}{{[]byte{0x03, 0xe8}, 1000}, {nil, 1005}, {[]byte{0x03, 0xe9}, 1001}} {
		c := r.upgraded()
		c.write(masked(fin|opClose, tt.payload))
		if got := c.ending(); got != tt.want {
			t.Errorf("close % x answered by %d, want %d", tt.payload, got, tt.want)
		}
	}
	r.awaitSessions(0)
	stats := r.broker.Stats()
	if got := stats.EndedBy(broker.ReasonQuit); got != 2 {
		t.Errorf("ended by good-bye: %d, want 2", got)
	}
	if got := stats.EndedBy(broker.ReasonClosed); got != 1 {
		t.Errorf("ended by a cut: %d, want 1", got)
	}
}

func TestFramesOfAllShapesAreRead(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.connect()
	// The first frame comes with the handshake, and is longer than the buffers.
	long := strings.Repeat(" ", 3000)
	c.handshake("", text(`{"ping":1}`+long)...)
	expect := func(want string) {
		t.Helper()
		if opcode, got, err := c.next(); err != nil || opcode != opText || string(got) != want {
			t.Fatalf("got %d %s, %v; want %s", opcode, got, err, want)
		}
	}
	_, _, _ = c.next() // the welcome
	expect(`{"pong":1}`)
	c.write(masked(opText, []byte(`{"pi`)))
	c.write(masked(opContinuation, nil))
	c.write(masked(fin|opPing, []byte("inside")))
	if opcode, payload, err := c.next(); err != nil || opcode != 0xa || string(payload) != "inside" {
		t.Fatalf("got %d %q, %v; want a pong", opcode, payload, err)
	}
	c.write(masked(fin|opContinuation, []byte(`ng":2}`)))
	expect(`{"pong":2}`)
	c.write(text(`{"ping":3}` + strings.Repeat(" ", 64<<10-10)))
	expect(`{"pong":3}`)
	for _, b := range text(`{"ping":4}`) {
		c.write([]byte{b})
	}
	expect(`{"pong":4}`)
	c.write(append(text(`{"ping":5}`), appendSize([]byte{fin | opText}, 0x80, 1<<20)...))
	c.write([]byte{1, 2, 3, 4})
	expect(`{"pong":5}`) // a frame before a refused one still counts
	if got := c.ending(); got != 4413 {
		t.Errorf("close code %d, want 4413", got)
	}
}

// TestHalfSentIsClosed is W4 and the deadline of W5.
func TestHalfSentIsClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.ReadTimeout = 200 * time.Millisecond })
	tests := []struct {
		name string
		send []byte
		want int
	}{
		{"a header", []byte{fin | opText}, 4408},
		{"a payload", text("{}")[:7], 4408},
		{"a fragmented message", masked(opText, []byte("{}")), 4408},
	}
	for _, tt := range tests {
		c := r.upgraded()
		c.write(tt.send)
		if got := c.ending(); got != tt.want {
			t.Errorf("%s: close code %d, want %d", tt.name, got, tt.want)
		}
	}
	for _, request := range []string{
		upgradeRequest, // and no empty line
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx",
	} {
		c := r.connect()
		c.write([]byte(request))
		if _, err := io.ReadAll(c.r); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a half-sent request was not closed: %.20s", request)
		}
	}
	idle := r.upgraded()
	r.upgraded().write(text("{")[:3])
	eventually(t, "the half-sent one is gone", func() bool { return r.broker.Stats().Sessions == 1 })
	idle.write(text(`{"ping":1}`))
	if _, got, err := idle.next(); err != nil || string(got) != `{"pong":1}` {
		t.Errorf("an idle connection: %s, %v; want a pong", got, err)
	}
}

func TestLargeHeadersAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.connect()
	c.write([]byte(upgradeRequest + "X: " + strings.Repeat("x", 32<<10)))
	if status, _ := c.response(); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d, want 431", status)
	}
}

func TestConnectionsOverTheLimitAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.MaxClients = 2 })
	first, second := r.dial(), r.dial()
	if _, status := r.dialWith(nil); status != http.StatusServiceUnavailable {
		t.Errorf("third connection: status %d, want 503", status)
	}
	_ = first.ws.CloseNow()
	r.awaitSessions(1)
	eventually(t, "there is room", func() bool { return r.server.Stats().Open == 1 })
	r.dial()
	second.nothingMore()
}

// deadlines is a conn that notes its read deadlines.
type deadlines struct {
	net.Conn
	r   io.Reader
	set []bool // whether each call set one or cleared it
}

func (d *deadlines) Read(b []byte) (int, error) { return d.r.Read(b) }

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.set = append(d.set, !t.IsZero())
	return nil
}

func TestEachMessageHasItsOwnDeadline(t *testing.T) {
	t.Parallel()
	message := text("0123456789")
	tests := []struct {
		name   string
		chunks []int // sizes of what arrives at once
		want   []bool
	}{
		{"whole messages need none", []int{16, 32}, nil},
		{"one is set in the middle, and cleared behind", []int{5, 5, 6, 16}, []bool{true, false}},
		{"a new one is set when the next has begun", []int{20, 16, 12}, []bool{true, true, false}},
	}
	for _, tt := range tests {
		stream := bytes.Repeat(message, 8)
		d := &deadlines{}
		n := &inbound{Conn: d, maxMessage: 100, maxControls: 10, patience: time.Hour}
		buf := make([]byte, 100)
		for _, size := range append(tt.chunks, 16) {
			d.r = bytes.NewReader(stream[:size])
			stream = stream[size:]
			if got, err := n.Read(buf); got != size || err != nil {
				t.Fatalf("%s: read %d, %v; want %d", tt.name, got, err, size)
			}
		}
		if len(d.set) != len(tt.want) || !equal(d.set, tt.want) {
			t.Errorf("%s: deadlines %v, want %v", tt.name, d.set, tt.want)
		}
	}
}

func equal(a, b []bool) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// FuzzInbound: however a stream is cut into reads, the same bytes are passed on
// and the same fault is found.
func FuzzInbound(f *testing.F) {
	f.Add(append(text("{}"), masked(fin|opPing, []byte("x"))...))
	f.Add(append(masked(opText, []byte("abc")), masked(fin, make([]byte, 300))...))
	f.Add(append(text("{}"), masked(fin|opText, make([]byte, 2000))...))
	f.Add(append(appendSize([]byte{fin | opText}, 0x80, 1<<63), make([]byte, 100)...))
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole, errWhole := readInbound(bytes.NewReader(stream))
		split, errSplit := readInbound(iotest.OneByteReader(bytes.NewReader(stream)))
		if !errors.Is(errSplit, errWhole) {
			t.Fatalf("faults: %v in one piece, %v in single bytes", errWhole, errSplit)
		}
		// A refused frame's header is kept back only as far as it came at once.
		if !bytes.HasPrefix(split, whole) || len(split) > len(whole)+13 {
			t.Fatalf("passed on: %d bytes in one piece, %d in single bytes", len(whole), len(split))
		}
		if !bytes.HasPrefix(stream, split) {
			t.Fatal("what is passed on is not what came")
		}
	})
}

func readInbound(r io.Reader) ([]byte, error) {
	n := &inbound{Conn: &deadlines{r: r}, maxMessage: 1000, maxControls: 5, patience: time.Hour}
	n.since = time.Now().Add(time.Hour) // one window for the whole stream
	return io.ReadAll(n)
}
