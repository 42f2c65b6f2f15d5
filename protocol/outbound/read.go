package outbound

import "net"

// reader is the way in. It is here because TLS has one state for both ways.
type reader interface {
	// read waits for input and returns it in a pooled buffer.
	read() (*[]byte, error)
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
