package resp

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"fanfare/broker"
	"fanfare/kv"
)

// totals are the counters that CONFIG RESETSTAT makes INFO begin anew. The zero
// value is where the server began.
type totals struct {
	server  Snapshot
	broker  broker.Snapshot
	store   kv.Stats
	written int64            // bytes to connections
	others  map[string]int64 // Config.Totals
}

// totals returns the counters since the server began.
func (x *call) totals() totals {
	s := x.conn.server
	t := totals{server: s.Stats(), broker: s.cfg.Broker.Stats(), store: x.storeStats(), written: s.stats.writtenBytes.Load()}
	s.clients.each(func(c *conn) { t.written += c.queue.Written() })
	if s.cfg.Totals != nil {
		t.others = s.cfg.Totals()
	}
	return t
}

func infoStats(x *call) [][2]string {
	var since totals
	if base := x.conn.server.baseline.Load(); base != nil {
		since = *base
	}
	now := x.totals()
	n, n0, b, b0 := &now.server, &since.server, &now.broker, &since.broker
	lines := [][2]string{
		{"total_connections_received", itoa(n.Connections - n0.Connections)},
		{"total_commands_processed", itoa(n.Commands - n0.Commands)},
		{"total_net_input_bytes", itoa(n.InputBytes - n0.InputBytes)},
		{"total_net_output_bytes", itoa(now.written - since.written)},
		{"total_reply_bytes", itoa(n.ReplyBytes - n0.ReplyBytes)},
		{"total_error_replies", itoa(x.conn.server.calls.errorCount())},
		{"rejected_connections", itoa(n.RejectedConnections - n0.RejectedConnections)},
		{"rejected_commands", itoa(n.RejectedCommands - n0.RejectedCommands)},
		{"accept_errors", itoa(n.AcceptErrors - n0.AcceptErrors)},
		{"acl_access_denied_auth", itoa(n.AuthFailures - n0.AuthFailures)},
		{"refused_tls_handshakes", itoa(n.RefusedHandshakes - n0.RefusedHandshakes)},
		{"client_output_buffer_limit_disconnections", itoa(b.EndedBy(broker.ReasonSlow) - b0.EndedBy(broker.ReasonSlow))},
		{"expired_keys", strconv.FormatUint(now.store.Expired-since.store.Expired, 10)},
		{"evicted_keys", strconv.FormatUint(now.store.Evicted-since.store.Evicted, 10)},
		{"keyspace_hits", strconv.FormatUint(now.store.Hits-since.store.Hits, 10)},
		{"keyspace_misses", strconv.FormatUint(now.store.Misses-since.store.Misses, 10)},
		{"pubsub_channels", itoa(int64(b.Channels))},
		{"pubsub_patterns", itoa(int64(b.Patterns))},
		{"pubsubshard_channels", itoa(int64(b.Shards))},
		{"published_messages", itoa(b.Published - b0.Published)},
		{"deliveries", itoa(b.Deliveries - b0.Deliveries)},
		{"conflated_deliveries", itoa(n.Conflated - n0.Conflated)},
		{"publish_stalls", itoa(b.Stalls - b0.Stalls)},
		{"undistributed_bytes", itoa(b.Backlog)},
		{"remembered_channels", itoa(int64(b.Remembered))},
		{"evicted_histories", itoa(b.Evicted - b0.Evicted)},
	}
	lines = append(lines, infoConstant("Stats")...)
	lines = append(lines, x.infoTracking(n, n0)...)
	lines = append(lines, [2]string{"inexpressible_deliveries", itoa(b.Unspeakable - b0.Unspeakable)})
	for _, name := range slices.Sorted(maps.Keys(b.Refused)) {
		lines = append(lines, [2]string{"refused_" + infoName(name), itoa(b.Refused[name] - b0.Refused[name])})
	}
	for r := broker.ReasonClosed; int(r) < len(b.Ended); r++ {
		lines = append(lines, [2]string{"ended_sessions_" + infoName(r.String()), itoa(b.EndedBy(r) - b0.EndedBy(r))})
	}
	for kind := range violationKinds {
		name := kind.String()
		lines = append(lines, [2]string{"protocol_errors_" + name, itoa(n.Violations[name] - n0.Violations[name])})
	}
	for _, name := range slices.Sorted(maps.Keys(now.others)) {
		lines = append(lines, [2]string{name, itoa(now.others[name] - since.others[name])})
	}
	return lines
}

// infoTracking shows what clients may have kept.
func (x *call) infoTracking(n, n0 *Snapshot) [][2]string {
	s := &x.conn.server.tracking
	return [][2]string{
		{"tracking_total_keys", itoa(s.table.keys.Load())},
		{"tracking_total_items", itoa(s.table.items.Load())},
		{"tracking_total_prefixes", itoa(int64(s.prefixes.distinct()))},
		{"tracking_invalidations", itoa(n.Invalidations - n0.Invalidations)},
		{"tracking_forgotten_keys", itoa(n.Untracked - n0.Untracked)},
		{"refused_tracking_prefixes", itoa(n.RefusedPrefixes - n0.RefusedPrefixes)},
	}
}

// infoName is a name as INFO's fields have them.
func infoName(name string) string { return strings.ReplaceAll(name, "-", "_") }

// infoCommandStats shows the commands that were called or refused. The time of a
// run of PUBLISH is that of the whole run.
func infoCommandStats(x *call) [][2]string {
	x.conn.settle()
	var lines [][2]string
	add := func(row *command) {
		n := &x.conn.server.calls.rows[row.number]
		calls, rejected := n.calls.Load(), n.rejected.Load()
		if calls+rejected == 0 {
			return
		}
		micros := float64(n.nanos.Load()) / 1e3
		lines = append(lines, [2]string{"cmdstat_" + row.full, fmt.Sprintf(
			"calls=%d,usec=%.0f,usec_per_call=%.2f,rejected_calls=%d,failed_calls=%d",
			calls, micros, micros/float64(max(calls, 1)), rejected, n.failed.Load())})
	}
	for _, row := range sortedTable() {
		add(row)
		for _, sub := range row.subcommands {
			add(sub)
		}
	}
	return lines
}

func infoErrorStats(x *call) [][2]string {
	var lines [][2]string
	for code, n := range x.conn.server.calls.errorCodes() {
		lines = append(lines, [2]string{"errorstat_" + code, "count=" + itoa(n)})
	}
	slices.SortFunc(lines, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	return lines
}

// errorCodes returns how often each code was answered.
func (s *callCounters) errorCodes() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.errors)
}

func (s *callCounters) errorCount() (n int64) {
	for _, count := range s.errorCodes() {
		n += count
	}
	return n
}
