//go:build linux

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
)

// The opcodes of RFC 6455, section 5.2, that a server may send here.
const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// frames splits the bytes of a WebSocket server into frames (RFC 6455, section
// 5.2) and these into lines.
type frames struct {
	line func(b []byte) error     // each JSON object; valid during the call
	pong func(frame []byte) error // a pong frame that must be sent
	rest []byte                   // of an incomplete frame
}

func (f *frames) take(b []byte) error {
	if len(f.rest) > 0 {
		f.rest = append(f.rest, b...)
		b = f.rest
	}
	for {
		op, payload, size, err := splitFrame(b)
		if err != nil {
			return err
		}
		if size == 0 {
			break
		}
		if err := f.frame(op, payload); err != nil {
			return err
		}
		b = b[size:]
	}
	f.rest = append(f.rest[:0], b...)
	return nil
}

// splitFrame returns the first frame of b; size 0: it is not complete yet.
func splitFrame(b []byte) (op byte, payload []byte, size int, err error) {
	if len(b) < 2 {
		return 0, nil, 0, nil
	}
	if b[0]&0xf0 != 0x80 || b[1]&0x80 != 0 {
		return 0, nil, 0, fmt.Errorf("VOID: frame header % x: fragmented, with reserved bits, or masked by the server", b[:2])
	}
	n, head := uint64(b[1]), 2
	switch n {
	case 126:
		head = 4
	case 127:
		head = 10
	}
	if len(b) < head {
		return 0, nil, 0, nil
	}
	switch head {
	case 4:
		n = uint64(binary.BigEndian.Uint16(b[2:]))
	case 10:
		n = binary.BigEndian.Uint64(b[2:])
	}
	if n > 16<<20 {
		return 0, nil, 0, fmt.Errorf("VOID: a frame of %d bytes", n)
	}
	if size = head + int(n); len(b) < size { //nolint:gosec // at most 16 MiB
		return 0, nil, 0, nil
	}
	return b[0] & 0x0f, b[head:size], size, nil
}

func (f *frames) frame(op byte, payload []byte) error {
	switch op {
	case opText:
		for line := range bytes.SplitSeq(payload, []byte("\n")) {
			if err := f.line(line); err != nil {
				return err
			}
		}
		return nil
	case opPing:
		return f.pong(clientFrame(opPong, payload))
	case opClose:
		return fmt.Errorf("VOID: the server closed a WebSocket: % x", payload)
	}
	return fmt.Errorf("VOID: a frame with opcode %d", op)
}

// clientFrame returns one frame of at most 65,535 bytes as a client must send it:
// masked. The mask is zero, which the protocol allows and the server cannot gain
// from.
func clientFrame(op byte, payload []byte) []byte {
	frame := []byte{0x80 | op}
	if len(payload) < 126 {
		frame = append(frame, 0x80|byte(len(payload)))
	} else {
		frame = append(frame, 0x80|126)
		frame = binary.BigEndian.AppendUint16(frame, uint16(len(payload))) //nolint:gosec // see the limit above
	}
	frame = append(frame, 0, 0, 0, 0)
	return append(frame, payload...)
}

// upgrade makes a WebSocket of a fresh connection and subscribes it to channel.
// Bytes that follow the acknowledgement are left in f.
func upgrade(w wire, addr, channel string, f *frames) error {
	rest, err := shake(w, addr)
	if err != nil {
		return err
	}
	sub := fmt.Sprintf(`{"sub":%q}`, channel)
	if err := w.write(clientFrame(opText, []byte(sub))); err != nil {
		return err
	}
	return awaitSubbed(w, f, rest)
}

// shake makes a WebSocket of a fresh connection, and returns what follows the
// server's answer.
func shake(w wire, addr string) (rest []byte, err error) {
	key := base64.StdEncoding.EncodeToString([]byte("fanfare loadgen "))
	request := "GET /ws HTTP/1.1\r\nHost: " + addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n\r\n"
	if err := w.write([]byte(request)); err != nil {
		return nil, err
	}
	return readHead(w)
}

// readHead reads the answer to the upgrade and returns what follows it.
func readHead(w wire) ([]byte, error) {
	var got []byte
	buf := make([]byte, 4096)
	for {
		n, err := w.Read(buf)
		if err != nil {
			return nil, fmt.Errorf("answer to the upgrade: %w", err)
		}
		got = append(got, buf[:n]...)
		head, rest, done := bytes.Cut(got, []byte("\r\n\r\n"))
		if !done {
			continue
		}
		if !strings.HasPrefix(string(head), "HTTP/1.1 101 ") {
			return nil, fmt.Errorf("answer to the upgrade: %.100q", head)
		}
		return rest, nil
	}
}

// awaitSubbed reads frames until the subscription is acknowledged.
func awaitSubbed(w wire, f *frames, first []byte) error {
	live := f.line
	subbed := false
	f.line = func(b []byte) error {
		if subbed {
			return live(b)
		}
		if bytes.HasPrefix(b, []byte(`{"err":`)) {
			return fmt.Errorf("subscribe: %.200q", b)
		}
		subbed = bytes.HasPrefix(b, []byte(`{"subbed":`))
		return nil
	}
	if err := f.take(first); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	for !subbed {
		n, err := w.Read(buf)
		if err != nil {
			return fmt.Errorf("answer to sub: %w", err)
		}
		if err := f.take(buf[:n]); err != nil {
			return err
		}
	}
	f.line = live
	return nil
}
