package resp

import (
	"bytes"
	"io"
	"testing"

	"fanfare/protocol/outbound"
)

// publishes is what one read of a publisher that pipelines brings.
var publishes = bytes.Repeat([]byte("*3\r\n$7\r\nPUBLISH\r\n$4\r\nchat\r\n$5\r\nhello\r\n"), 100)

// turnOn lets a connection execute one read, as serve does.
func (c *conn) turnOn(input []byte) bool {
	b := outbound.Buffer()
	*b = append(*b, input...)
	c.guard.feed(b)
	more := c.execute()
	c.guard.release()
	return more
}

func TestPublishAllocatesNothing(t *testing.T) {
	n := start(t, nil)
	c, p := n.open()
	go func() { _, _ = io.Copy(io.Discard, p.conn) }()
	got := testing.AllocsPerRun(100, func() {
		if !c.turnOn(publishes) {
			t.Fatal("the connection has ended")
		}
	})
	// A turn may allocate (the queue's entry and the copy of the replies for a
	// socket that is busy), its messages may not.
	if got > 20 {
		t.Errorf("got %v allocations per 100 messages, want at most 20", got)
	}
}

func BenchmarkPublish(b *testing.B) {
	b.Run("subscribers=0/pipeline=100", func(b *testing.B) {
		n := start(b, nil)
		c, p := n.open()
		go func() { _, _ = io.Copy(io.Discard, p.conn) }()
		b.ReportAllocs()
		for i := 0; i < b.N; i += 100 {
			if !c.turnOn(publishes) {
				b.Fatal("the connection has ended")
			}
		}
	})
}
