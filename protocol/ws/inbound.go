package ws

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"fanfare/broker"
)

// Opcodes of RFC 6455 section 5.2 that are looked at here.
const (
	opContinuation = 0x0
	opText         = 0x1
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
	opControl      = 0x8 // set in every control frame
)

// Faults of the byte stream, each of which ends the session.
var (
	errTooBig = errors.New("frame is larger than the limit")
	errFlood  = errors.New("too many control frames")
)

// inbound is the conn that coder/websocket reads from. It watches the frames
// go by, because the library has no limit that fits: its own size limit closes
// with 1009, it knows no deadline for a frame that does not end, and it lets a
// peer send pings and empty fragments for ever, each of which costs us an
// answer or a turn of its loop.
//
// It keeps no copy of what passes, and believes nothing it has not yet seen: a
// frame of 2^40 announced bytes is refused at its header.
type inbound struct {
	net.Conn // the queue's; its Write enqueues, its Close ends the connection

	// set at construction
	maxMessage  int64
	maxControls int
	patience    time.Duration

	stopped atomic.Bool // reads fail from now on
	closing atomic.Bool // the library has written a close frame

	// owned by the reader
	rest     []byte // what net/http had read already
	fault    error  // what the stream has been refused for
	head     header
	left     int64     // bytes of the frame's payload still to come
	message  int64     // bytes of the message so far, announced ones included
	open     bool      // the message has fragments still to come
	whole    bool      // a message has ended since the last Read began
	armed    bool      // a read deadline is set
	controls int       // control frames and empty fragments since
	since    time.Time // this moment
}

// Read is net.Conn's. A read that waits in the middle of a message ends when
// the message has not become whole within the patience.
func (n *inbound) Read(b []byte) (int, error) {
	if n.fault != nil {
		return 0, n.fault
	}
	if err := n.limitWait(); err != nil {
		return 0, err
	}
	k, err := n.receive(b)
	k, n.fault = n.watch(b[:k])
	if k == 0 && n.fault != nil {
		return 0, n.fault
	}
	return k, err
}

func (n *inbound) receive(b []byte) (int, error) {
	if len(n.rest) == 0 {
		return n.Conn.Read(b)
	}
	k := copy(b, n.rest)
	if n.rest = n.rest[k:]; len(n.rest) == 0 {
		n.rest = nil // idle connections keep no buffer
	}
	return k, nil
}

// limitWait sets or clears the read deadline where that has to change, which
// it does not as long as messages come whole. Each message has a deadline of
// its own: a peer that sends without a pause is not to be cut for it.
func (n *inbound) limitWait() error {
	waiting, fresh := n.inMessage(), n.whole || !n.armed
	n.whole = false
	switch {
	case waiting && fresh:
		n.armed = true
		return n.setDeadline(time.Now().Add(n.patience))
	case !waiting && n.armed:
		n.armed = false
		return n.setDeadline(time.Time{})
	case n.stopped.Load():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// setDeadline is SetReadDeadline, except that it cannot undo stop.
func (n *inbound) setDeadline(t time.Time) error {
	err := n.SetReadDeadline(t)
	if n.stopped.Load() {
		return os.ErrDeadlineExceeded
	}
	return err
}

// stop ends the read that waits, and those to come. Any goroutine may call it.
func (n *inbound) stop() {
	n.stopped.Store(true)
	_ = n.SetReadDeadline(time.Unix(1, 0)) // where it fails, reads do too
}

// Write is net.Conn's. Only control frames pass here.
func (n *inbound) Write(b []byte) (int, error) {
	if len(b) > 0 && b[0]&0x0f == opClose {
		n.closing.Store(true)
	}
	return n.Conn.Write(b)
}

// closeFrame is the frame that the session's end sends: none behind one that
// the library has sent.
func (n *inbound) closeFrame(r broker.Reason) []byte {
	if n.closing.Load() {
		return nil
	}
	return closeFrames[r]
}

// inMessage says whether a frame or a message has begun and not ended.
func (n *inbound) inMessage() bool {
	return n.head.have > 0 || n.left > 0 || n.open
}

// watch follows the frames in b. It returns how many bytes may be passed on,
// and why the rest may not: the frames before a refused one still count.
func (n *inbound) watch(b []byte) (passed int, err error) {
	for i := 0; i < len(b); {
		if n.left > 0 {
			k := min(int64(len(b)-i), n.left)
			n.left -= k
			i += int(k)
			passed = i
			n.whole = n.whole || !n.inMessage()
			continue
		}
		whole := n.head.add(b[i])
		i++
		if !whole {
			continue
		}
		if err := n.frame(); err != nil {
			return passed, err
		}
		n.head.have = 0
		passed = i
		n.whole = n.whole || !n.inMessage()
	}
	return len(b), nil
}

// frame takes note of the header that has just become whole.
func (n *inbound) frame() error {
	fin, opcode, size := n.head.parse()
	n.left = size
	if opcode&opControl != 0 || size == 0 {
		if err := n.countControl(); err != nil {
			return err
		}
	}
	if opcode&opControl != 0 {
		if size > maxControlPayload {
			return errTooBig
		}
		return nil
	}
	if opcode != opContinuation {
		n.message = 0
	}
	if n.message += size; n.message > n.maxMessage {
		return errTooBig
	}
	n.open = !fin
	return nil
}

func (n *inbound) countControl() error {
	if now := time.Now(); now.Sub(n.since) >= time.Second {
		n.since, n.controls = now, 0
	}
	n.controls++
	if n.controls > n.maxControls {
		return errFlood
	}
	return nil
}

// header collects the bytes of a frame's header (RFC 6455 section 5.2).
type header struct {
	bytes [14]byte
	have  int
}

// add takes the next byte and says whether the header is whole.
func (h *header) add(c byte) bool {
	h.bytes[h.have] = c
	h.have++
	return h.have >= 2 && h.have == h.size()
}

// size is the header's length, once its second byte is known.
func (h *header) size() int {
	size := 2
	switch h.bytes[1] & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if h.bytes[1]&0x80 != 0 {
		size += 4
	}
	return size
}

func (h *header) parse() (fin bool, opcode byte, payload int64) {
	fin, opcode = h.bytes[0]&0x80 != 0, h.bytes[0]&0x0f
	switch length := h.bytes[1] & 0x7f; length {
	case 126:
		payload = int64(binary.BigEndian.Uint16(h.bytes[2:]))
	case 127:
		// What is above 2^62 is too big in any case, and must not overflow a sum.
		payload = int64(min(binary.BigEndian.Uint64(h.bytes[2:]), 1<<62)) // #nosec G115 -- bounded
	default:
		payload = int64(length)
	}
	return fin, opcode, payload
}
