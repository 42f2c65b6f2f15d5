package outbound

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// reader is the way in. It is here because TLS has one state for both ways.
type reader interface {
	// read waits for input and returns it in a pooled buffer.
	read() (*[]byte, error)
}

func newReader(c net.Conn) reader {
	if rc := rawConn(c); rc != nil {
		return &fdReader{conn: rc}
	}
	return connReader{c}
}

// Read reads into b; with TLS, plain text.
func (q *Queue) Read(b []byte) (int, error) { return q.plain.Read(b) }

// ReadPooled waits for input and returns it in a buffer that the caller gives
// back with Recycle. A connection that waits holds no buffer.
func (q *Queue) ReadPooled() (*[]byte, error) { return q.read.read() }

// Recycle takes back a buffer that ReadPooled or Buffer returned. Nobody may use
// it, or what it held, any more.
func Recycle(b *[]byte) { putBuffer(b) }

// Buffer returns an empty buffer from the same pool.
func Buffer() *[]byte { return getBuffer() }

// connReader reads where a read cannot be tried without a buffer.
type connReader struct{ conn net.Conn }

func (r connReader) read() (*[]byte, error) {
	b := getBuffer()
	n, err := r.conn.Read((*b)[:cap(*b)])
	if n == 0 && err != nil {
		putBuffer(b)
		return nil, err
	}
	*b = (*b)[:n]
	return b, nil
}

// fdReader takes a buffer only for the moment in which there is input.
type fdReader struct {
	conn syscall.RawConn
	fn   func(fd uintptr) bool // made at the first read
	buf  *[]byte
	n    int
	err  error
}

func (r *fdReader) read() (*[]byte, error) {
	if r.fn == nil {
		r.fn = r.try
	}
	r.n, r.err = 0, nil
	err := r.conn.Read(r.fn)
	if err == nil {
		err = r.err
	}
	if err == nil && r.n == 0 {
		err = io.EOF
	}
	b := r.buf
	r.buf = nil
	if err != nil {
		if b != nil {
			putBuffer(b)
		}
		return nil, err
	}
	*b = (*b)[:r.n]
	return b, nil
}

// try reads once; it answers false to be called again once there is input.
func (r *fdReader) try(fd uintptr) bool {
	b := getBuffer()
	for {
		n, err := syscall.Read(int(fd), (*b)[:cap(*b)])
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if errors.Is(err, syscall.EAGAIN) {
			putBuffer(b)
			return false
		}
		r.buf, r.n, r.err = b, n, err
		return true
	}
}
