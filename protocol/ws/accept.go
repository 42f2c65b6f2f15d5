package ws

import (
	"bufio"
	"context"
	"net"
	"net/http"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"fanfare/broker"
	"fanfare/protocol/outbound"
)

// subprotocol is the one we speak. A client need not offer it. Others that it
// offers, a token among them perhaps, are never echoed.
const subprotocol = "broker.v1"

// Sizes of the buffers that a connection keeps while it is open. The library
// needs the first for headers only, larger reads go past it; the second holds
// exactly one control frame, so that each arrives in the queue in one Write.
const (
	readBuffer  = 512
	writeBuffer = 160
)

// upgrade answers the handshake. The connection goes on in a goroutine of its
// own: net/http's would keep its stack and its buffers for as long as it lives.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, from source) {
	if err := s.origins.check(r, from); err != nil {
		s.stats.refusedOrigin.Add(1)
		s.refuse(w, from, refusal{"origin", r.Header.Get("Origin"), "http.origins", err})
		return
	}
	if s.cfg.Loading != nil && s.cfg.Loading() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the data is being loaded", http.StatusServiceUnavailable)
		return
	}
	if s.stats.open.Add(1) > int64(s.cfg.MaxClients) {
		s.stats.open.Add(-1)
		s.stats.refusedFull.Add(1)
		w.Header().Set("Connection", "close")
		http.Error(w, "max number of clients reached", http.StatusServiceUnavailable)
		return
	}
	c := &conn{s: s, remote: from.addr}
	// The library's own check knows other rules than ours, which has just been
	// passed. Taking the header away, rather than switching its check off, keeps
	// the check in place should ours ever not be reached.
	r.Header.Del("Origin")
	ws, err := websocket.Accept(&takeover{ResponseWriter: w, c: c}, r, &websocket.AcceptOptions{
		Subprotocols:    []string{subprotocol},
		CompressionMode: websocket.CompressionDisabled,
		OnPongReceived:  func(context.Context, []byte) { c.pulse.ponged() },
	})
	if err != nil {
		s.stats.open.Add(-1)
		s.stats.failedHandshakes.Add(1)
		s.log.Debug("handshake", zap.String("remote", from.text), zap.Error(err))
		return
	}
	ws.SetReadLimit(-1) // inbound has a limit, with a close code of ours
	c.ws = ws
	s.start(c, from.text)
}

// start makes the connection's session and lets it run.
func (s *Server) start(c *conn, remote string) {
	cfg := &s.cfg
	session, err := cfg.Broker.Connect(broker.SessionConfig{
		Outlet:           c.queue,
		Format:           cfg.Format,
		MaxSubscriptions: cfg.MaxSubscriptions,
		MaxComplex:       cfg.MaxComplex,
		MaxName:          cfg.MaxName,
		MaxMessage:       cfg.MaxMessage,
		Grace:            max(0, cfg.Grace),
	})
	if err != nil {
		c.queue.End(broker.ReasonShutdown)
		go c.abandon()
		return
	}
	c.session = session
	c.queue.Bind(session)
	if !s.remember(c) {
		session.End(broker.ReasonShutdown)
		session.Close()
		go c.abandon()
		return
	}
	s.stats.accepted.Add(1)
	s.log.Debug("connection", zap.String("session", session.ID()), zap.String("remote", remote))
	go c.serve()
}

// abandon ends a connection that came too late.
func (c *conn) abandon() {
	c.queue.Close()
	_ = c.ws.CloseNow() // it is closed already
	c.s.stats.open.Add(-1)
}

// takeover is the response writer of a handshake. Its Hijack gives the library
// a conn of ours.
type takeover struct {
	http.ResponseWriter
	c *conn
}

// Hijack is http.Hijacker's.
func (t *takeover) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	raw, buffered, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	c := t.c
	if secure, ok := raw.(*secureConn); ok {
		c.in, c.queue = secure.in, secure.Queue()
		c.queue.Own()
	} else {
		c.in = c.s.newInbound()
		c.queue = c.s.newQueue(raw, c.in, false)
	}
	in := c.in
	// What a client sent right behind its handshake is in net/http's buffer,
	// which goes with its goroutine.
	if n := buffered.Reader.Buffered(); n > 0 {
		rest, _ := buffered.Peek(n) // cannot fail for what is buffered
		in.rest = append([]byte(nil), rest...)
	}
	in.Conn = c.queue.Conn()
	return in, bufio.NewReadWriter(bufio.NewReaderSize(in, readBuffer), bufio.NewWriterSize(in, writeBuffer)), nil
}

func (s *Server) newInbound() *inbound {
	return &inbound{
		maxMessage: int64(s.cfg.MaxFrame), maxControls: s.cfg.MaxControls, patience: s.cfg.ReadTimeout,
	}
}

func (s *Server) newQueue(raw net.Conn, in *inbound, secure bool) *outbound.Queue {
	c := outbound.Config{
		Conn:       raw,
		Framed:     true,
		CloseFrame: in.closeFrame,
		Limits: outbound.Limits{
			PushHard:     s.cfg.PushHard,
			PushSoft:     s.cfg.PushSoft,
			PushSoftFor:  s.cfg.PushSoftFor,
			ReplyPause:   s.cfg.ReplyPause,
			WriteTimeout: s.cfg.WriteTimeout,
		},
	}
	if secure {
		c.TLS, c.Direct = s.cfg.TLS, true
	}
	return outbound.New(c)
}
