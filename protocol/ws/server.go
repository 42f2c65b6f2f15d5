package ws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"fanfare/internal/audit"
)

const (
	// maxHeaderBytes is for all headers of a request together.
	maxHeaderBytes = 16 << 10
	// keepAlive is how long an HTTP connection may be idle.
	keepAlive = time.Minute
	// lastPage is how long a page may take that is being served at the end.
	lastPage = 250 * time.Millisecond
)

// Server answers HTTP on its listeners: WebSocket at the configured path, a
// small page at /, and the JavaScript client beside it. It is an http.Handler too. Its methods may be called from
// any goroutine.
type Server struct {
	// set at construction
	cfg     Config
	began   time.Time
	log     *zap.Logger
	origins *origins
	proxies proxies
	http    *http.Server
	wheel   *wheel
	stats   counters
	audit   *audit.Log
	plain   plainConns

	quiet   chan struct{}  // closed by Quiesce: readers run nothing more
	drained chan struct{}  // closed by Shutdown: sessions end
	readers sync.WaitGroup // connections that may still run requests
	conns   sync.WaitGroup // connections

	mu      sync.Mutex
	live    map[*conn]struct{}
	quieted bool
	ended   bool
	until   time.Time // for queues to be written; zero: a second
}

// New makes a server. It accepts nothing before Serve.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Broker == nil {
		return nil, errors.New("a server needs a broker")
	}
	cfg.setDefaults()
	o, err := newOrigins(&cfg)
	if err != nil {
		return nil, err
	}
	trusted, err := newProxies(cfg.Proxies)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, began: time.Now(), log: cfg.Log, audit: audit.New(cfg.Log), origins: o, proxies: trusted,
		quiet: make(chan struct{}), drained: make(chan struct{}),
		live: make(map[*conn]struct{}),
	}
	s.plain.limit, s.plain.refused = cfg.MaxClients, &s.stats.refusedFull
	s.wheel = newWheel(s)
	s.http = &http.Server{
		Handler:        s,
		ReadTimeout:    cfg.ReadTimeout, // of a body nobody asked for too
		WriteTimeout:   cfg.WriteTimeout,
		IdleTimeout:    keepAlive,
		MaxHeaderBytes: maxHeaderBytes,
		ConnState:      s.plain.changed,
	}
	if errorLog, err := zap.NewStdLogAt(cfg.Log, zap.DebugLevel); err == nil {
		s.http.ErrorLog = errorLog // what peers do wrong, and accept's back-off
	}
	return s, nil
}

// Serve accepts connections until Shutdown, after which it returns nil. It may
// be called for several listeners at once, and closes them.
func (s *Server) Serve(l net.Listener) error {
	if s.cfg.TLS != nil {
		l = &secureListener{l, s}
	}
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}

// ServeHTTP is http.Handler's.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from, err := s.source(r)
	if err != nil {
		s.stats.malformedForwarded.Add(1)
		s.audit.Warn(from.addr, "proxy header ignored", zap.String("remote", from.text),
			zap.String("forwarded_for", audit.Shorten(strings.Join(r.Header.Values("X-Forwarded-For"), ", "))),
			zap.String("forwarded_proto", audit.Shorten(strings.Join(r.Header.Values("X-Forwarded-Proto"), ", "))), zap.Error(err))
	}
	if err := s.origins.checkHost(r); err != nil {
		s.stats.refusedHost.Add(1)
		s.refuse(w, from, refusal{"host", r.Host, "http.hosts", err})
		return
	}
	if r.URL.Path == s.cfg.Path {
		s.upgrade(w, r, from)
		return
	}
	if f := clientFiles[r.URL.Path]; f != nil {
		f.serve(w, r)
		return
	}
	s.servePage(w, r, from)
}

// refusal is a request that came with a wrong header, and the setting that would have
// let it in.
type refusal struct {
	header, value, setting string
	err                    error
}

// refuse answers 403 and writes the one line from which an operator learns
// which setting would have let the request in.
func (s *Server) refuse(w http.ResponseWriter, from source, f refusal) {
	value := audit.Shorten(f.value)
	s.audit.Warn(from.addr, "request refused", zap.String(f.header, value), zap.String("setting", f.setting),
		zap.String("remote", from.text), zap.Error(f.err))
	http.Error(w, fmt.Sprintf("%q: %v. The setting is %s.", value, f.err, f.setting), http.StatusForbidden)
}

// remember registers a connection that is about to run; false: it may not.
func (s *Server) remember(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quieted {
		return false
	}
	s.live[c] = struct{}{}
	s.readers.Add(1)
	s.conns.Add(1)
	s.wheel.add(c, s.cfg.PingInterval)
	return true
}

// forget is the last thing a connection does.
func (s *Server) forget(c *conn) {
	s.wheel.remove(c)
	s.mu.Lock()
	delete(s.live, c)
	s.mu.Unlock()
	s.stats.open.Add(-1)
	s.conns.Done()
}

func (s *Server) stopping() bool {
	select {
	case <-s.quiet:
		return true
	default:
		return false
	}
}

// Quiesce closes the listeners and lets every connection finish the frame that
// it has read; what a peer sends from now on is not read. It returns when no
// request runs any more, or with ctx. Deliveries go on. With several transports
// on one broker all of them are quiesced before any is shut down, so that what
// the last request of one published reaches the subscribers of the others.
func (s *Server) Quiesce(ctx context.Context) error {
	s.mu.Lock()
	if !s.quieted {
		s.quieted = true
		close(s.quiet)
		for c := range s.live {
			c.in.stop()
		}
	}
	s.mu.Unlock()
	s.closeHTTP(ctx)
	return await(ctx, &s.readers)
}

// closeHTTP closes the listeners and the connections on which no WebSocket has
// begun. They are not waited for: net/http would give a connection that has
// sent nothing, which browsers open to be quick later, five seconds.
func (s *Server) closeHTTP(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastPage)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // the listeners are closed, which is all that can fail
	}
}

// Shutdown quiesces the server, waits until the broker has distributed what was
// published, and ends every connection with close code 4503 behind what is
// queued for it. It returns when all are closed, or with ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.Quiesce(ctx)
	err = errors.Join(err, s.cfg.Broker.Drain(ctx))
	s.mu.Lock()
	if !s.ended {
		s.ended = true
		s.until, _ = ctx.Deadline()
		close(s.drained)
	}
	s.mu.Unlock()
	err = errors.Join(err, await(ctx, &s.conns))
	s.wheel.stop()
	s.audit.Close()
	return err
}

// finishBy is the time until which queues may be written after drained.
func (s *Server) finishBy() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.until
}

// await waits for the group, but not longer than ctx.
func await(ctx context.Context, group *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// logFault reports an error that the peer is not told.
func (s *Server) logFault(c *conn, err error) {
	s.log.Error("request", zap.String("session", c.session.ID()), zap.Error(err))
}

// plainConns bounds the connections on which no WebSocket has begun yet.
type plainConns struct {
	limit   int
	refused *atomic.Int64

	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// changed is http.Server's ConnState. A connection over the limit is closed
// without an answer: it has not asked for anything yet.
func (p *plainConns) changed(c net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch state {
	case http.StateNew:
		if len(p.open) >= p.limit {
			_ = c.Close() // its error changes nothing
			p.refused.Add(1)
			return
		}
		if p.open == nil {
			p.open = make(map[net.Conn]struct{})
		}
		p.open[c] = struct{}{}
	case http.StateHijacked, http.StateClosed:
		delete(p.open, c)
	}
}
