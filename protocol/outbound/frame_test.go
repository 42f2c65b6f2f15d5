package outbound

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"fanfare/broker"
)

// wireFrame is a frame as the peer reads it.
type wireFrame struct {
	opcode  byte
	payload []byte
}

func (r *rig) frame() wireFrame {
	r.t.Helper()
	var h [10]byte
	r.full(h[:2])
	n := uint64(h[1])
	switch {
	case h[1] == 126:
		r.full(h[2:4])
		n = uint64(binary.BigEndian.Uint16(h[2:]))
	case h[1] == 127:
		r.full(h[2:10])
		n = binary.BigEndian.Uint64(h[2:])
	}
	if h[0]&0xF0 != 0x80 {
		r.t.Fatalf("first byte %#x: not a final frame without extensions", h[0])
	}
	if n > 1<<22 {
		r.t.Fatalf("a frame of %d bytes", n)
	}
	f := wireFrame{h[0] & 0x0F, make([]byte, n)}
	r.full(f.payload)
	return f
}

func (r *rig) full(b []byte) {
	r.t.Helper()
	if _, err := io.ReadFull(r.in, b); err != nil {
		r.t.Fatal(err)
	}
}

func framed(c *Config) {
	c.Framed = true
	c.CloseFrame = func(r broker.Reason) []byte { return append([]byte{0x88, 3, 0x11, 0x9b}, byte(r)) }
}

var pingFrame = []byte{0x89, 2, 'h', 'i'}

// Pushes, replies and control frames from several goroutines through small
// buffers: the peer sees legal frames of whole messages, in order, and control
// frames only between them.
func TestFramesHoldWholeMessages(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		const messages, replies, pings = 2500, 200, 60
		b := newBroker(t)
		r := connect(t, b, n, framed)
		r.sub(broker.KindChannel, "c")
		s := publisher(t, b)
		go func() {
			rnd := rand.New(rand.NewPCG(3, 4))
			for i := range messages {
				size := rnd.IntN(200)
				if i%400 == 399 {
					size = 70_000 + rnd.IntN(100_000)
				}
				publish(t, s, "c", text(i, size))
			}
		}()
		go func() {
			for i := range replies {
				r.queue.Cork()
				r.queue.Uncork([]byte(fmt.Sprintf("reply %d a\nreply %d b\n", i, i)))
			}
		}()
		go func() {
			for range pings {
				r.queue.Frame(pingFrame)
			}
		}()
		checkFrames(t, r, messages, replies, pings)
	})
}

func checkFrames(t *testing.T, r *rig, messages, replies, pings int) {
	t.Helper()
	nextMessage, nextReply := 0, 0
	for nextMessage < messages || nextReply < 2*replies || pings > 0 {
		f := r.frame()
		if f.opcode == 9 {
			pings--
			continue
		}
		if f.opcode != 1 || len(f.payload) == 0 || f.payload[len(f.payload)-1] == '\n' {
			t.Fatalf("opcode %d, payload ends with %q", f.opcode, f.payload[max(0, len(f.payload)-5):])
		}
		lines := bytes.Split(f.payload, []byte("\n"))
		if n := bytes.Count(f.payload, []byte("c=")); n > frameMessages || len(f.payload) > frameBytes && len(lines) > 1 {
			t.Fatalf("a frame of %d messages and %d bytes", n, len(f.payload))
		}
		for _, line := range lines {
			var i int
			if _, err := fmt.Sscanf(string(line), "c=%d", &i); err == nil {
				if want := "c=" + fmt.Sprint(nextMessage) + " "; i != nextMessage || !bytes.HasPrefix(line, []byte(want)) {
					t.Fatalf("got %.30q, want message %d", line, nextMessage)
				}
				nextMessage++
				continue
			}
			want := fmt.Sprintf("reply %d %c", nextReply/2, 'a'+nextReply%2)
			if string(line) != want {
				t.Fatalf("got %.30q, want %q", line, want)
			}
			nextReply++
		}
	}
}

// A slow peer that begins to read again gets the frame that was begun, whole,
// then the close frame that says why, and nothing else.
func TestTheEndFinishesTheFrameThatWasBegun(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		r := waiting(t, n, 100, 60_000, framed)
		r.unhurried()
		r.session.End(broker.ReasonSlow)
		messages := 0
		for {
			f := r.frame()
			if f.opcode == 8 {
				if got := broker.Reason(f.payload[2]); got != broker.ReasonSlow {
					t.Errorf("close frame of %v", got)
				}
				break
			}
			if want := "c=" + string(text(messages, 60_000)); string(f.payload) != want {
				t.Fatalf("message %d is damaged", messages)
			}
			messages++
		}
		if messages > 98 {
			t.Errorf("%d of 100 messages arrived: they were to be dropped", messages)
		}
		if rest := r.wantEnd(); len(rest) != 0 {
			t.Errorf("%d bytes follow the close frame", len(rest))
		}
	})
}

func TestTheCloseFrameOfAShutdownFollowsEverything(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		r := waiting(t, n, 300, 1000, framed)
		r.unhurried()
		r.session.End(broker.ReasonShutdown)
		lines := 0
		for {
			f := r.frame()
			if f.opcode == 8 {
				break
			}
			lines += bytes.Count(f.payload, []byte("\n")) + 1
		}
		if lines != 300 {
			t.Errorf("%d messages before the close frame, want 300", lines)
		}
	})
}

func TestTextHeadersAreThoseOfRFC6455(t *testing.T) {
	t.Parallel()
	for payload, want := range map[int][]byte{
		0:     {0x81, 0},
		125:   {0x81, 125},
		126:   {0x81, 126, 0, 126},
		65535: {0x81, 126, 0xFF, 0xFF},
		65536: {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0},
	} {
		var h [maxHeader]byte
		if n := textHeader(&h, payload); !bytes.Equal(h[:n], want) {
			t.Errorf("%d: got % x, want % x", payload, h[:n], want)
		}
	}
}

// A liveness check learns when its ping has left, whatever is queued around it.
func TestFrameTellsWhenItWasWritten(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		r := waiting(t, n, 200, 30_000, framed)
		end := r.queue.Frame(pingFrame)
		if r.queue.Written() >= end {
			t.Error("six megabytes are said to be written, and nobody has read")
		}
		for r.frame().opcode != 9 {
		}
		eventually(t, "the ping is written", func() bool { return r.queue.Written() >= end })
		if got := r.queue.Written(); got != end {
			t.Errorf("written: got %d, want %d", got, end)
		}
	})
}

// The wrapper that a WebSocket library holds never blocks it, and its Close
// writes out what is queued.
func TestConnQueuesFramesAndClosesAfterThem(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		b := newBroker(t)
		r := connect(t, b, n, framed)
		c := r.queue.Conn()
		big := append([]byte{0x82, 127, 0, 0, 0, 0, 0, 0x10, 0, 0}, make([]byte, 1<<20)...)
		for _, f := range [][]byte{big, pingFrame} {
			if _, err := c.Write(f); err != nil {
				t.Fatal(err)
			}
		}
		r.unhurried()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(pingFrame); err != nil {
			t.Errorf("write after close: %v", err)
		}
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a read after close succeeds")
		}
		if got := r.frame(); got.opcode != 2 || len(got.payload) != 1<<20 {
			t.Errorf("opcode %d, %d bytes", got.opcode, len(got.payload))
		}
		if got := r.frame(); got.opcode != 9 {
			t.Errorf("opcode %d, want the ping", got.opcode)
		}
		r.wantEnd()
	})
}
