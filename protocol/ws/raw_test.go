package ws

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// rawConn is a client that writes whatever bytes it likes.
type rawConn struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (r *rig) connect() *rawConn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return newRawConn(r.t, c)
}

func newRawConn(t *testing.T, c net.Conn) *rawConn {
	_ = c.SetDeadline(time.Now().Add(patience))
	return &rawConn{t: t, Conn: c, r: bufio.NewReader(c)}
}

const upgradeRequest = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// handshake upgrades the connection, with more headers and with what is sent
// right behind the request. It returns the headers of the answer.
func (c *rawConn) handshake(headers string, behind ...byte) http.Header {
	c.t.Helper()
	c.write(append([]byte(upgradeRequest+headers+"\r\n"), behind...))
	status, header := c.response()
	if status != http.StatusSwitchingProtocols {
		c.t.Fatalf("status %d, want 101", status)
	}
	return header
}

// response reads the answer to a request.
func (c *rawConn) response() (status int, header http.Header) {
	c.t.Helper()
	response, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode, response.Header
}

// upgraded is a connection that has got its welcome.
func (r *rig) upgraded() *rawConn {
	r.t.Helper()
	c := r.connect()
	c.handshake("")
	if _, _, err := c.next(); err != nil {
		r.t.Fatal(err)
	}
	return c
}

func (c *rawConn) write(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// next reads a frame; an error is the end of the connection.
func (c *rawConn) next() (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err = io.ReadFull(c.r, head[:]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1])
	switch size {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(c.r, b[:])
		size = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(c.r, b[:])
		size = binary.BigEndian.Uint64(b[:])
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(c.r, payload)
	return head[0] & 0x0f, payload, err
}

// text reads the next text frame and answers the pings before it.
func (c *rawConn) text() string {
	c.t.Helper()
	for {
		opcode, payload, err := c.next()
		if err != nil {
			c.t.Fatal(err)
		}
		switch {
		case opcode == opPing:
			c.write(masked(fin|opPong, payload))
		case !strings.HasPrefix(string(payload), `{"ping":`):
			return string(payload)
		}
	}
}

// lines reads until so many lines have come. Which of them share a frame depends on when the fan-out looks.
func (c *rawConn) lines(n int) (lines []string) {
	c.t.Helper()
	for len(lines) < n {
		lines = append(lines, strings.Split(c.text(), "\n")...)
	}
	return lines
}

// expect reads one frame of these lines.
func (c *rawConn) expect(lines ...string) {
	c.t.Helper()
	if got, want := c.text(), strings.Join(lines, "\n"); got != want {
		c.t.Fatalf("got  %s\nwant %s", got, want)
	}
}

// ending reads to the end of the connection, closes it too, and returns the
// close code, 0 if there was none.
func (c *rawConn) ending() int {
	c.t.Helper()
	defer func() { _ = c.Close() }()
	code := 0
	for {
		opcode, payload, err := c.next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.t.Fatal("the connection was not closed")
		}
		if err != nil {
			return code
		}
		if opcode == opClose {
			if code != 0 {
				c.t.Error("a second close frame")
			}
			code = 1005
			if len(payload) >= 2 {
				code = int(binary.BigEndian.Uint16(payload))
			}
		}
	}
}

const fin = 0x80

// masked makes a client's frame. The key is not zero, so that unmasking shows.
func masked(first byte, payload []byte) []byte {
	frame := appendSize([]byte{first}, 0x80, uint64(len(payload)))
	key := [4]byte{1, 2, 3, 4}
	frame = append(frame, key[:]...)
	for i, b := range payload {
		frame = append(frame, b^key[i%4])
	}
	return frame
}

func appendSize(frame []byte, mask byte, size uint64) []byte {
	switch {
	case size < 126:
		return append(frame, mask|byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(frame, mask|126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(frame, mask|127), size)
}

func text(s string) []byte { return masked(fin|opText, []byte(s)) }
