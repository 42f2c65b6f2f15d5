package outbound

import (
	"io"
	"net"
	"syscall"
	"unsafe"
)

func newReader(c net.Conn) reader {
	if rc := rawConn(c); rc != nil {
		return &fdReader{conn: rc}
	}
	return connReader{c}
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
		n, errno := shortCall(syscall.SYS_READ, fd, unsafe.Pointer(unsafe.SliceData(*b)), cap(*b)) // #nosec G103 -- as read takes it
		switch errno {
		case 0:
			r.buf, r.n = b, n
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			putBuffer(b)
			return false
		default:
			r.buf, r.err = b, errno
		}
		return true
	}
}

// shortCall makes a system call that neither waits nor takes long: Go's scheduler is
// not told of it. Of a call that it knows, it takes the processor away after 20 µs,
// for which it wakes a thread, and the goroutine comes back behind all others.
func shortCall(trap, fd uintptr, p unsafe.Pointer, n int) (int, syscall.Errno) {
	done, _, errno := syscall.RawSyscall(trap, fd, uintptr(p), uintptr(n))
	return int(done), errno
}
