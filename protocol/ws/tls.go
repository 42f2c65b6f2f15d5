package ws

import (
	"net"

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
	return &secureConn{Conn: l.s.newQueue(raw, in, true).Conn(), in: in}, nil
}

// secureConn is a TLS connection that net/http serves.
type secureConn struct {
	*outbound.Conn
	in *inbound // for when it is taken over
}
