package resp

import "sync/atomic"

// counters are the server's own, written while it works.
type counters struct {
	connections         atomic.Int64
	rejectedConnections atomic.Int64
	acceptErrors        atomic.Int64
	commands            atomic.Int64
	rejectedCommands    atomic.Int64
	inputBytes          atomic.Int64
	replyBytes          atomic.Int64
	writtenBytes        atomic.Int64 // of connections that have closed
	panics              atomic.Int64
	authFailures        atomic.Int64
	refusedHandshakes   atomic.Int64
	conflated           atomic.Int64
	refusedWaits        atomic.Int64
	invalidations       atomic.Int64
	untracked           atomic.Int64
	refusedPrefixes     atomic.Int64
	violations          [violationKinds]atomic.Int64
}

// Snapshot is the server's counters at one moment. Totals only rise.
type Snapshot struct {
	Clients             int   // open connections
	Connections         int64 // accepted, those refused included
	RejectedConnections int64 // over max-clients
	AcceptErrors        int64 // accepts that failed and were tried again
	Commands            int64 // executed
	RejectedCommands    int64 // unknown, malformed or not allowed
	InputBytes          int64 // read from clients
	ReplyBytes          int64 // of replies; deliveries are counted by the broker
	Panics              int64 // commands that failed by a bug
	AuthFailures        int64 // wrong passwords
	RefusedHandshakes   int64 // TLS handshakes that did not succeed
	Conflated           int64 // messages left out because a newer one took their place
	RefusedWaits        int64 // blocking commands over the limit of keys waited for
	Invalidations       int64 // messages to clients that track
	Untracked           int64 // keys that were invalidated because too many were tracked
	RefusedPrefixes     int64 // CLIENT TRACKING with too many or too long ones
	// Violations counts how clients broke the protocol, by kind: "syntax",
	// "limit", "unauthenticated", "foreign" (HTTP), "stalled".
	Violations map[string]int64
}

// Stats returns the counters.
func (s *Server) Stats() Snapshot {
	n := Snapshot{
		Clients:             s.clients.len(),
		Connections:         s.stats.connections.Load(),
		RejectedConnections: s.stats.rejectedConnections.Load(),
		AcceptErrors:        s.stats.acceptErrors.Load(),
		Commands:            s.stats.commands.Load(),
		RejectedCommands:    s.stats.rejectedCommands.Load(),
		InputBytes:          s.stats.inputBytes.Load(),
		ReplyBytes:          s.stats.replyBytes.Load(),
		Panics:              s.stats.panics.Load(),
		AuthFailures:        s.stats.authFailures.Load(),
		RefusedHandshakes:   s.stats.refusedHandshakes.Load(),
		Conflated:           s.stats.conflated.Load(),
		RefusedWaits:        s.stats.refusedWaits.Load(),
		Invalidations:       s.stats.invalidations.Load(),
		Untracked:           s.stats.untracked.Load(),
		RefusedPrefixes:     s.stats.refusedPrefixes.Load(),
		Violations:          map[string]int64{},
	}
	for k := range violationKinds {
		n.Violations[k.String()] = s.stats.violations[k].Load()
	}
	return n
}
