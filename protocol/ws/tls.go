package ws

import (
	"context"
	"net"

	"go.uber.org/zap"

	"fanfare/internal/audit"
	"fanfare/protocol/outbound"
)

// secureListener makes the queue of a TLS connection when it is accepted: the
// queue's own TLS can write without blocking, which one of net/http's making
// could not. Until the connection is taken over it writes as net/http expects.
type secureListener struct {
	net.Listener
	s *Server
}

// Accept is net.Listener's.
func (l *secureListener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	in := l.s.newInbound()
	return &secureConn{Conn: l.s.newQueue(raw, in, true).Conn(), in: in, s: l.s}, nil
}

// secureConn is a TLS connection that net/http serves.
type secureConn struct {
	*outbound.Conn
	in     *inbound // for when it is taken over
	s      *Server
	shaken bool // owned by the reader: a handshake was tried
}

// Read does the handshake before it reads anything, in the connection's own goroutine.
func (c *secureConn) Read(b []byte) (int, error) {
	if !c.shaken {
		c.shaken = true
		if err := c.Queue().Handshake(context.Background()); err != nil {
			c.s.refusedHandshake(c.RemoteAddr(), err)
			return 0, err
		}
	}
	return c.Conn.Read(b)
}

// refusedHandshake counts a TLS handshake that did not succeed, and logs why.
func (s *Server) refusedHandshake(peer net.Addr, err error) {
	if s.stopping() || !outbound.Refused(err) {
		return
	}
	s.stats.refusedTLS.Add(1)
	s.audit.Warn(audit.Address(peer), "TLS handshake refused", zap.Stringer("remote", peer), zap.Error(err))
}
