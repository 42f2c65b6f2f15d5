package outbound

import "net"

// connSink writes to a connection that has no descriptor: it cannot write
// without waiting, so every flush is left to a goroutine.
type connSink struct{ conn net.Conn }

func (s connSink) write(b *batch, wait bool) (int, error) {
	if !wait {
		return 0, errAgain
	}
	if b.small() {
		return s.conn.Write(b.join())
	}
	total := 0
	for _, p := range b.pieces[:b.n] {
		n, err := s.conn.Write(p)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (connSink) pending() bool { return false }
