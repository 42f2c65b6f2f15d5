package ws

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"time"

	"fanfare/broker"
)

// turn is what a connection needs while it executes the requests of one frame.
// Between frames a connection has none, so that idle ones keep no buffers.
type turn struct {
	frame    []byte
	request  request
	out      []byte    // answers, newline-ended
	corked   time.Time // since when deliveries are held
	batch    *broker.Batch
	tickets  []ticket         // of the publishes in the batch
	receipts []broker.Receipt // what became of them
	scratch  []byte           // payloads that are not as they were sent
	names    []string
	counts   []int
}

const (
	// maxKept bounds what a turn keeps for its next use.
	maxKept = 64 << 10
	// minRead is the free space a frame is read into.
	minRead = 4 << 10
)

var turns sync.Pool

func newTurn() *turn {
	if t, ok := turns.Get().(*turn); ok {
		return t
	}
	return new(turn)
}

// release gives the turn back. It must not be used any more.
func (t *turn) release() {
	if t.batch != nil {
		t.batch.Release()
		t.batch = nil
	}
	t.request = request{}
	clear(t.tickets)
	clear(t.names)
	t.tickets, t.names, t.counts = t.tickets[:0], t.names[:0], t.counts[:0]
	t.frame, t.out, t.scratch = kept(t.frame), kept(t.out), kept(t.scratch)
	turns.Put(t)
}

func kept(b []byte) []byte {
	if cap(b) > maxKept {
		return nil
	}
	return b[:0]
}

// receive reads one message. Its size is limited by inbound; memory grows with
// what has arrived, whatever the header announces.
func (t *turn) receive(r io.Reader) error {
	buf := bytes.NewBuffer(t.frame[:0])
	for {
		buf.Grow(minRead)
		free := buf.AvailableBuffer()
		n, err := r.Read(free[:cap(free)])
		_, _ = buf.Write(free[:n]) // never fails
		if err != nil {
			t.frame = buf.Bytes()
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
