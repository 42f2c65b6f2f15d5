package ws

import "sync/atomic"

// counters are the server's own. Why sessions ended is counted by the broker.
type counters struct {
	open               atomic.Int64
	accepted           atomic.Int64
	failedHandshakes   atomic.Int64
	refusedOrigin      atomic.Int64
	refusedHost        atomic.Int64
	refusedFull        atomic.Int64
	refusedTLS         atomic.Int64
	malformedForwarded atomic.Int64
	errors             atomic.Int64
	late               atomic.Int64
	limited            atomic.Int64
}

// Stats is the server's counters at one moment. Totals only rise.
type Stats struct {
	Open               int64 // WebSocket connections now
	Accepted           int64 // handshakes that succeeded
	FailedHandshakes   int64 // requests to the endpoint that were no handshake
	RefusedOrigin      int64 // handshakes of pages that may not connect
	RefusedHost        int64 // requests under a foreign name
	RefusedFull        int64 // connections over the limit
	RefusedTLS         int64 // TLS handshakes that did not succeed
	MalformedForwarded int64 // requests with a proxy's header that was ignored as malformed
	Errors             int64 // requests answered by an error
	Late               int64 // connections that ended because a pong did not come
	Limited            int64 // requests that came too fast and were not run
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	return Stats{
		Open:               s.stats.open.Load(),
		Accepted:           s.stats.accepted.Load(),
		FailedHandshakes:   s.stats.failedHandshakes.Load(),
		RefusedOrigin:      s.stats.refusedOrigin.Load(),
		RefusedHost:        s.stats.refusedHost.Load(),
		RefusedFull:        s.stats.refusedFull.Load(),
		RefusedTLS:         s.stats.refusedTLS.Load(),
		MalformedForwarded: s.stats.malformedForwarded.Load(),
		Errors:             s.stats.errors.Load(),
		Late:               s.stats.late.Load(),
		Limited:            s.stats.limited.Load(),
	}
}
