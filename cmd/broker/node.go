package main

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/zap"

	"fanfare/broker"
	"fanfare/internal/snapshot"
	"fanfare/kv"
	"fanfare/protocol/resp"
	"fanfare/protocol/ws"
)

// The places of the wire formats in the broker's list of codecs.
const (
	formatRESP2 broker.Format = iota
	formatRESP3
	formatJSON
)

// server is one transport. Stopping has two steps, and all transports take the
// first before any takes the second: what the last command of one published
// must still reach the subscribers of the others.
type server interface {
	Serve(l net.Listener) error
	Quiesce(ctx context.Context) error  // no new connections, no further commands
	Shutdown(ctx context.Context) error // deliver what is queued, then close
}

// node is a running broker with its store and its transports.
type node struct {
	log       *zap.Logger
	broker    *broker.Broker
	store     *kv.Store
	resp      server
	ws        server
	snapshots *snapshots // nil: memory only
	loading   atomic.Bool
}

// newNode wires the parts of a broker together. Nothing is accepted yet; the
// sockets are asked for their addresses only. d is nil without snapshots.
func newNode(cfg Config, s *sockets, d *snapshot.Dir, log *zap.Logger) (*node, error) {
	n := &node{log: log}
	var err error
	if n.broker, n.store, err = newMemory(&cfg, &n.loading, log); err != nil {
		return nil, err
	}
	if d != nil {
		n.loading.Store(true)
		n.snapshots = newSnapshots(&cfg, d, n, log)
		cfg.RESP.Snapshots, cfg.WS.Loading = n.snapshots.commands(), n.loading.Load
	}
	if err := n.newServers(&cfg, s); err != nil {
		n.store.Close()
		n.broker.Close()
		return nil, err
	}
	return n, nil
}

// newMemory makes what a node remembers: channels and keys. What happens to keys
// while they are loaded is no event.
func newMemory(cfg *Config, loading *atomic.Bool, log *zap.Logger) (*broker.Broker, *kv.Store, error) {
	cfg.Broker.Log = log
	cfg.Broker.MaxSessions = maxSessions()
	cfg.Broker.Codecs = []broker.Codec{formatRESP2: resp.Codec2(), formatRESP3: resp.Codec3(), formatJSON: ws.Codec()}
	b, err := broker.New(cfg.Broker)
	if err != nil {
		return nil, nil, err
	}
	// Expiry produces events that cannot wait for room in the log, so it rests
	// while the log is half full.
	cfg.KV.Pause = b.Strained
	events := resp.KeyspaceEvents(b)
	cfg.KV.Event = func(db int, class kv.EventClass, event, key string) {
		if !loading.Load() {
			events(db, class, event, key)
		}
	}
	cfg.RESP.Changes = new(resp.Changes)
	cfg.KV.Touched = cfg.RESP.Changes.Touched
	cfg.KV.MaxString = cfg.RESP.MaxBulk
	return b, kv.New(cfg.KV), nil
}

// reserve is how many descriptors the process keeps for itself: for listeners,
// for files, and for telling those who are too many.
const reserve = 32

// maxSessions is what the limit of descriptors leaves to connections of all
// kinds; 0 where there is none.
func maxSessions() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || limit.Cur > 1<<31 {
		return 0
	}
	return max(1, int(limit.Cur)-reserve)
}

func (n *node) newServers(cfg *Config, s *sockets) error {
	cfg.RESP.Broker, cfg.RESP.Store, cfg.RESP.Log = n.broker, n.store, n.log
	cfg.RESP.RESP2, cfg.RESP.RESP3 = formatRESP2, formatRESP3
	cfg.RESP.Version = buildVersion()
	web := new(atomic.Pointer[ws.Server]) // Set below: each of the two knows something of the other.
	cfg.RESP.Totals = func() map[string]int64 { return webTotals(web.Load()) }
	r, err := resp.New(cfg.RESP)
	if err != nil {
		return err
	}
	cfg.WS.Broker, cfg.WS.Format, cfg.WS.Log = n.broker, formatJSON, n.log
	cfg.WS.Loopback, cfg.WS.Credentials = loopback(cfg.HTTPListen), cfg.HTTPTLS.ClientCA != ""
	cfg.WS.Rate, cfg.WS.Grace = chosen(cfg.WS.Rate), chosen(cfg.WS.Grace)
	if len(s.resp) > 0 {
		cfg.WS.RESP, cfg.WS.RESPTLS = s.resp[0].Addr().String(), cfg.RESPTLS.Cert != ""
	}
	w, err := ws.New(cfg.WS)
	if err != nil {
		return err
	}
	web.Store(w)
	n.resp, n.ws = r, w
	return nil
}

// webTotals are the counters of the HTTP port that INFO shows.
func webTotals(w *ws.Server) map[string]int64 {
	if w == nil {
		return nil // The port is not open yet.
	}
	n := w.Stats()
	return map[string]int64{
		"http_connections":             n.Accepted,
		"http_failed_handshakes":       n.FailedHandshakes,
		"http_refused_tls_handshakes":  n.RefusedTLS,
		"http_refused_hosts":           n.RefusedHost,
		"http_refused_origins":         n.RefusedOrigin,
		"http_rejected_connections":    n.RefusedFull,
		"http_malformed_proxy_headers": n.MalformedForwarded,
		"http_error_answers":           n.Errors,
		"http_limited_requests":        n.Limited,
		"http_missing_pongs":           n.Late,
	}
}

// chosen writes the 0 of a setting, "none", as the transports do, whose 0 is the
// default.
func chosen[T int | time.Duration](v T) T {
	if v == 0 {
		return -1
	}
	return v
}

// start accepts connections on all sockets. The channel gets the first error
// of a listener that ended by itself.
func (n *node) start(s *sockets) (<-chan error, error) {
	if n.snapshots != nil {
		if err := n.snapshots.begin(); err != nil {
			return nil, err
		}
	}
	n.log.Info("starting", zap.String("version", buildVersion()),
		zap.String("node", n.broker.Node()), zap.String("epoch", n.broker.Epoch()))
	failed := make(chan error, len(s.resp)+len(s.http))
	accept := func(srv server, protocol string, listeners []net.Listener) {
		for _, l := range listeners {
			n.log.Info("listening", zap.String("protocol", protocol), zap.Stringer("address", l.Addr()))
			go func() {
				err := srv.Serve(l)
				if err != nil && !errors.Is(err, resp.ErrServerClosed) {
					failed <- err
				}
			}()
		}
	}
	accept(n.resp, "resp", s.resp)
	accept(n.ws, "http", s.http)
	return failed, nil
}

// load makes the node know what the one before it knew.
func (n *node) load(ctx context.Context) error {
	if n.snapshots == nil {
		return nil
	}
	return n.snapshots.load(ctx)
}

// stop ends the node in order: listeners close; readers finish what they have
// read; the log is distributed; queues are written and connections closed; what is
// remembered is saved. With the end of ctx it stops waiting for peers, and late
// says for what.
func (n *node) stop(ctx context.Context) (late, err error) {
	n.broker.Refuse()
	busy := all(n.resp.Quiesce, n.ws.Quiesce)(ctx)
	late = errors.Join(busy, all(n.resp.Shutdown, n.ws.Shutdown)(ctx))
	if n.snapshots != nil {
		err = n.snapshots.finish(busy == nil)
	}
	n.store.Close()
	if late == nil {
		n.broker.Close() // Waits for its workers: only where they have come to the end.
	}
	return late, err
}

// all makes one step out of steps that run at the same time.
func all(steps ...func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		errs := make([]error, len(steps))
		var group sync.WaitGroup
		for i, step := range steps {
			group.Go(func() { errs[i] = step(ctx) })
		}
		group.Wait()
		return errors.Join(errs...)
	}
}
