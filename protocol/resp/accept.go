package resp

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"
	"time"

	"github.com/tidwall/redcon"
	"go.uber.org/zap"

	"fanfare/broker"
	"fanfare/protocol/outbound"
)

// Pauses after a failed accept: at the descriptor limit it fails at once, again
// and again.
const (
	firstPause = 5 * time.Millisecond
	longPause  = time.Second
)

// Serve accepts connections until the listener fails for good or the server is
// quiesced; then it returns ErrServerClosed. The listener is closed on return.
func (s *Server) Serve(l net.Listener) error {
	if !s.listen(l) {
		_ = l.Close() // nobody was served on it
		return ErrServerClosed
	}
	defer s.unlisten(l)
	pause := time.Duration(0)
	for {
		socket, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.admit(socket)
		case s.quiescing():
			return ErrServerClosed
		case !temporary(err):
			return err
		default:
			pause = min(max(2*pause, firstPause), longPause)
			s.stats.acceptErrors.Add(1)
			s.cfg.Log.Warn("cannot accept a connection, trying again", zap.Error(err), zap.Duration("pause", pause))
			if !s.sleep(pause) {
				return ErrServerClosed
			}
		}
	}
}

func (s *Server) listen(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) unlisten(l net.Listener) {
	_ = l.Close() // again, if Quiesce did
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// sleep waits, and reports false if the server was quiesced meanwhile.
func (s *Server) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.stopping:
		return false
	}
}

// temporary says whether accepting may work again later: descriptors or memory
// ran out, or the peer left before it was accepted.
func temporary(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EINTR, syscall.EAGAIN,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// admit starts a connection, or refuses it where there are too many.
func (s *Server) admit(socket net.Conn) {
	s.stats.connections.Add(1)
	if !s.clients.reserve(s.settings().maxClients) {
		s.stats.rejectedConnections.Add(1)
		s.refuse(socket, textMaxClients)
		return
	}
	if tcp, ok := socket.(*net.TCPConn); ok {
		// Without keepalive a connection whose peer vanished would stay for ever;
		// the error is that of a connection that is gone already.
		idle := s.settings().keepAlive
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: idle > 0, Idle: idle, Interval: idle / 3, Count: 3})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		s.clients.unreserve()
		_ = socket.Close() // the server stops
		return
	}
	s.connections.Add(1)
	s.readers.Add(1)
	go s.run(socket)
}

// refuse answers with an error that fits any socket buffer, and closes. A peer
// that expects TLS could not read it.
func (s *Server) refuse(socket net.Conn, text string) {
	if s.tls(socket) == nil {
		_ = socket.SetWriteDeadline(time.Now().Add(firstPause)) // the peer is refused either way
		_, _ = socket.Write(redcon.AppendError(nil, text))
	}
	_ = socket.Close()
}

// tls is how a connection is encrypted; nil: not at all. Nobody can listen in on a Unix
// socket, and who may use it is said by its permissions.
func (s *Server) tls(socket net.Conn) *tls.Config {
	if _, unix := socket.(*net.UnixConn); unix {
		return nil
	}
	return s.cfg.TLS
}

// run is the goroutine of a connection.
func (s *Server) run(socket net.Conn) {
	defer s.connections.Done()
	defer s.clients.unreserve()
	c, err := s.open(socket)
	if errors.Is(err, broker.ErrTooManySessions) {
		s.readers.Done()
		s.stats.rejectedConnections.Add(1)
		s.refuse(socket, textMaxClients)
		return
	}
	if err != nil {
		s.readers.Done()
		_ = socket.Close() // the node stops
		return
	}
	c.serve()
}

// open makes the conn of a socket, with its queue and session.
func (s *Server) open(socket net.Conn) (*conn, error) {
	c := &conn{
		server:    s,
		since:     time.Now(),
		authSince: time.Now(),
		stop:      stopper{stopped: make(chan struct{})},
		settings:  s.settings(),
		w:         Writer{proto: proto2},
	}
	c.authenticated = c.settings.password == ""
	c.guard = guard{limits: s.cfg.input(c.authenticated, c.settings.maxBulk), bulk: -1}
	c.queue = outbound.New(outbound.Config{Conn: socket, TLS: s.tls(socket), Limits: outbound.Limits{
		PushHard: c.settings.pushes.hard, PushSoft: c.settings.pushes.soft, PushSoftFor: c.settings.pushes.softFor,
		ReplyPause: s.cfg.ReplyPause, WriteTimeout: s.cfg.WriteTimeout,
	}, Skipped: &s.stats.conflated})
	session, err := s.cfg.Broker.Connect(broker.SessionConfig{
		Outlet: c.queue,
		Format: s.cfg.RESP2,
		Ended:  func(broker.Reason) { c.stop.stop() },
	})
	if err != nil {
		return nil, err
	}
	c.session = session
	c.queue.Bind(session)
	c.info.init(socket, c.since)
	s.clients.add(c)
	c.limitPushes(s.settings()) // they may have changed before it was found there
	s.cfg.Log.Debug("connection opened", zap.String("session", session.ID()), zap.String("remote", c.info.remote))
	return c, nil
}
