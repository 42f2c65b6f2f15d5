package memnet

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// errLocalClosed is what a stream tells the side that closed it; Conn turns it into net.ErrClosed.
var errLocalClosed = errors.New("closed by this side")

// stream is one direction of a connection: a ring of bytes with a fixed size between one writing and one
// reading side.
//
// Invariant: length <= len(ring). Every change that can end somebody's wait broadcasts on changed.
type stream struct {
	mu      sync.Mutex
	changed *sync.Cond

	// guarded by mu
	ring       []byte
	start      int  // of the oldest byte
	length     int  // bytes stored
	writing    bool // a Write is in progress; another one waits, so that two never interleave
	ended      bool // the writing side will send no more: Read drains, then answers io.EOF
	writerGone bool // the writing side was closed as a whole
	readerGone bool // the reading side was closed: what is stored is lost, Write answers EPIPE
	readBy     deadline
	writeBy    deadline
}

func newStream(size int) *stream {
	s := &stream{ring: make([]byte, size)}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// read waits for at least one byte, the end of the stream or the deadline.
func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.readerGone:
			return 0, errLocalClosed
		case s.readBy.passed:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case s.length > 0:
			n := s.take(p)
			s.changed.Broadcast()
			return n, nil
		case s.ended:
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

// write stores all of p, waiting for room as often as needed; on error n says how much was stored.
func (s *stream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.writing && s.refusal() == nil {
		s.changed.Wait()
	}
	if err := s.refusal(); err != nil {
		return 0, err
	}
	s.writing = true
	defer func() {
		s.writing = false
		s.changed.Broadcast()
	}()
	for len(p) > 0 {
		stored := s.put(p)
		p, n = p[stored:], n+stored
		if stored > 0 {
			s.changed.Broadcast()
		}
		if len(p) > 0 {
			s.changed.Wait()
			if err := s.refusal(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// refusal is why nothing may be written now, nil if it may. Called with mu held.
func (s *stream) refusal() error {
	switch {
	case s.writerGone:
		return errLocalClosed
	case s.ended, s.readerGone:
		return syscall.EPIPE
	case s.writeBy.passed:
		return os.ErrDeadlineExceeded
	}
	return nil
}

// take moves the oldest bytes into p. Called with mu held.
func (s *stream) take(p []byte) int {
	want := min(len(p), s.length)
	n := copy(p[:want], s.ring[s.start:])
	n += copy(p[n:want], s.ring)
	s.start = (s.start + n) % len(s.ring)
	s.length -= n
	return n
}

// put appends as much of p as there is room for. Called with mu held.
func (s *stream) put(p []byte) int {
	p = p[:min(len(p), len(s.ring)-s.length)]
	end := (s.start + s.length) % len(s.ring)
	n := copy(s.ring[end:], p)
	n += copy(s.ring, p[n:])
	s.length += n
	return n
}

// end is the writing side's half-close: what is stored can still be read. It answers false once that
// side is closed as a whole.
func (s *stream) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.changed.Broadcast()
	return !s.writerGone
}

// closeWriter ends the stream for good on its writing side; false: it was already.
func (s *stream) closeWriter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.writerGone
	s.ended, s.writerGone = true, true
	s.writeBy.clear()
	s.changed.Broadcast()
	return first
}

// closeReader drops what is stored and refuses what would come.
func (s *stream) closeReader() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readerGone = true
	s.length = 0
	s.readBy.clear()
	s.changed.Broadcast()
}

// setReadDeadline answers false once the reading side is closed.
func (s *stream) setReadDeadline(t time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readerGone {
		return false
	}
	s.readBy.set(s, t)
	return true
}

// setWriteDeadline answers false once the writing side is closed.
func (s *stream) setWriteDeadline(t time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writerGone {
		return false
	}
	s.writeBy.set(s, t)
	return true
}

// deadline is a moment after which a kind of operation fails; it can be moved while somebody waits.
// passed is a flag set by a timer instead of a comparison with the clock: a time without a monotonic
// reading could still lie ahead when its timer fires, and the wake-up would be lost.
type deadline struct {
	timer  *time.Timer
	passed bool
	turn   uint64 // of the current setting; a timer of an older one that fires late does nothing
}

// set moves the deadline; the zero time takes it away. Called with s.mu held.
func (d *deadline) set(s *stream, t time.Time) {
	d.clear()
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.passed = true
		s.changed.Broadcast()
		return
	}
	turn := d.turn
	d.timer = time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d.turn == turn {
			d.passed = true
			s.changed.Broadcast()
		}
	})
}

func (d *deadline) clear() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.passed = false
	d.turn++
}
