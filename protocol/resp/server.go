package resp

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/internal/audit"
	"fanfare/kv"
)

// Server speaks the Redis protocol. Its methods may be called from any
// goroutine.
type Server struct {
	cfg     Config
	clients registry
	stats   counters
	started time.Time
	audit   *audit.Log

	live     atomic.Pointer[settings]
	changing sync.Mutex // held by whoever changes the settings

	pause    pause
	blocked  blocked
	monitors monitors
	slowlog  slowlog
	tracking tracking
	calls    callCounters
	baseline atomic.Pointer[totals] // where INFO counts from

	following following

	connections sync.WaitGroup // their goroutines
	readers     sync.WaitGroup // their readers

	stopping chan struct{} // closed: no command is read any more
	drained  chan struct{} // closed: the queues may be finished

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	stopped   bool      // stopping is closed
	deadline  time.Time // for the queues; set before drained is closed
	finished  bool      // drained is closed
}

// ErrServerClosed is what Serve returns after Quiesce or Shutdown.
var ErrServerClosed = errors.New("the server is closed")

// New makes a server that is not listening yet. An invalid configuration is an
// error.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg:       cfg.withDefaults(),
		started:   time.Now(),
		stopping:  make(chan struct{}),
		drained:   make(chan struct{}),
		listeners: map[net.Listener]struct{}{},
	}
	s.audit = audit.New(s.cfg.Log)
	s.live.Store(s.cfg.settings())
	if s.cfg.Events != 0 {
		s.cfg.Store.SetEventMask(s.cfg.Events)
	}
	s.calls.init()
	s.tracking.server = s
	s.clients.byNumber = map[int64]*conn{}
	if s.cfg.Changes != nil {
		s.cfg.Changes.server.Store(s)
	}
	return s, nil
}

func (s *Server) store() *kv.Store { return s.cfg.Store }

func (s *Server) quiescing() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// Quiesce closes the listeners and lets every connection finish the commands
// that it has read; no more are read, but messages are still delivered. It
// returns when no command runs any more, or ctx has ended.
//
// A node with several transports calls Quiesce of all before Shutdown of any,
// so that what the last command published still reaches every subscriber.
func (s *Server) Quiesce(ctx context.Context) error {
	s.mu.Lock()
	if !s.stopped {
		s.stopped = true
		close(s.stopping)
	}
	for l := range s.listeners {
		_ = l.Close() // Serve returns; a listener has nothing to lose
	}
	s.mu.Unlock()
	s.clients.each(func(c *conn) {
		c.stop.stop()
		_ = c.queue.SetReadDeadline(time.Unix(1, 0)) // an error: it is closed
	})
	return wait(ctx, &s.readers)
}

// Shutdown quiesces the server, waits until the broker has distributed what was
// published, and lets every connection write what is queued for it, all within
// the deadline of ctx. What is left then is closed hard, and reported.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.Quiesce(ctx)
	if err == nil {
		err = s.cfg.Broker.Drain(ctx)
	}
	s.mu.Lock()
	if !s.finished {
		s.finished = true
		deadline, ok := ctx.Deadline()
		if !ok {
			deadline = time.Now().Add(s.cfg.WriteTimeout)
		}
		s.deadline = deadline
		close(s.drained)
	}
	s.mu.Unlock()
	err = errors.Join(err, wait(ctx, &s.connections))
	s.audit.Close()
	return err
}

// awaitDrain waits until the queues may be finished, or the session has ended,
// and returns until when that may take.
func (s *Server) awaitDrain(ended <-chan struct{}) time.Time {
	select {
	case <-s.drained:
		return s.deadline
	case <-ended:
		return time.Now().Add(closeWait)
	}
}

// wait waits for a group, at most as long as ctx allows.
func wait(ctx context.Context, group *sync.WaitGroup) error {
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
