package outbound

import (
	"net"
	"syscall"
	"unsafe"
)

// newSink returns the way into the socket: without blocking where it has a
// descriptor.
func newSink(c net.Conn) sink {
	if rc := rawConn(c); rc != nil {
		return &fdSink{rc}
	}
	return connSink{c}
}

func rawConn(c net.Conn) syscall.RawConn {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return rc
}

// longWrite is from how many bytes on a write may take longer than others should
// wait for the processor it runs on.
const longWrite = 128 << 10

// fdSink writes to a descriptor with write and writev.
type fdSink struct{ conn syscall.RawConn }

func (s *fdSink) pending() bool { return false }

func (s *fdSink) write(b *batch, wait bool) (int, error) {
	y := &b.system
	y.wait, y.long = wait, b.bytes > longWrite
	y.n, y.err, y.single, y.used = 0, nil, nil, 0
	switch {
	case b.bytes == 0:
		return 0, nil
	case b.n == 1:
		y.single = b.pieces[0]
	case b.small():
		y.single = b.join()
	default:
		y.vector(b)
	}
	if err := s.conn.Write(y.fn); err != nil {
		return y.n, err
	}
	return y.n, y.err
}

// systemBatch is a batch as the system call takes it. Its memory is on the heap
// once, and not on the stack of each goroutine that flushes.
type systemBatch struct {
	fn     func(fd uintptr) bool // what RawConn calls; made once
	single []byte                // what to write, or:
	iovecs [maxPieces]syscall.Iovec
	used   int
	wait   bool
	long   bool // there is much to copy
	n      int
	err    error
}

func newBatch() *batch {
	b := new(batch)
	b.system.fn = b.system.write
	return b
}

func (y *systemBatch) vector(b *batch) {
	for i, p := range b.pieces[:b.n] {
		y.iovecs[i].Base = unsafe.SliceData(p) // #nosec G103 -- b keeps the bytes alive
		y.iovecs[i].SetLen(len(p))
	}
	y.used = b.n
}

// write makes one system call; it answers false to be called again once the
// socket takes more.
func (y *systemBatch) write(fd uintptr) bool {
	for {
		n, errno := y.once(fd)
		switch errno {
		case 0:
			y.n = n
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			if y.wait {
				return false
			}
			y.err = errAgain
			return true
		default:
			y.err = errno
			return true
		}
	}
}

func (y *systemBatch) once(fd uintptr) (int, syscall.Errno) {
	trap, base, n := uintptr(syscall.SYS_WRITEV), unsafe.Pointer(&y.iovecs[0]), y.used // #nosec G103 -- as writev takes it
	if y.single != nil {
		trap, base, n = syscall.SYS_WRITE, unsafe.Pointer(unsafe.SliceData(y.single)), len(y.single) // #nosec G103 -- as write takes it
	}
	if !y.long {
		return shortCall(trap, fd, base, n)
	}
	written, _, errno := syscall.Syscall(trap, fd, uintptr(base), uintptr(n))
	return int(written), errno
}
