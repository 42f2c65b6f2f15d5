package resp

import (
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"

	"fanfare/kv"
)

// infoSections are the sections of INFO. They hold only fields that are true;
// clients find those they look for: redis_version, loading, role, cluster_enabled.
var infoSections = []infoSection{
	{"Server", infoServer},
	{"Clients", infoClients},
	{"Memory", infoMemory},
	{"Persistence", infoPersistence},
	{"Stats", infoStats},
	{"Replication", infoReplication},
	{"CPU", infoCPU},
	{"Cluster", infoCluster},
	{"Keyspace", infoKeyspace},
}

type infoSection struct {
	name  string
	lines func(x *call) [][2]string
}

func infoServer(x *call) [][2]string {
	s := x.conn.server
	up := time.Since(s.started)
	return [][2]string{
		{"redis_version", compatible},
		{"fanfare_version", s.cfg.Version},
		{"redis_mode", "standalone"},
		{"os", runtime.GOOS + " " + runtime.GOARCH},
		{"arch_bits", strconv.Itoa(strconv.IntSize)},
		{"go_version", runtime.Version()},
		{"process_id", strconv.Itoa(os.Getpid())},
		{"run_id", s.cfg.Broker.Node()},
		{"epoch", s.cfg.Broker.Epoch()},
		{"server_time_usec", itoa(time.Now().UnixMicro())},
		{"uptime_in_seconds", itoa(int64(up.Seconds()))},
		{"uptime_in_days", itoa(int64(up.Hours() / 24))},
	}
}

func infoClients(x *call) [][2]string {
	s := x.conn.server
	subscribers := int64(0)
	s.clients.each(func(c *conn) {
		if c.subscribed() {
			subscribers++
		}
	})
	return [][2]string{
		{"connected_clients", itoa(int64(s.clients.len()))},
		{"maxclients", itoa(int64(s.maxClients()))},
		{"blocked_clients", "0"},
		{"tracking_clients", "0"},
		{"pubsub_clients", itoa(subscribers)},
		{"sessions", itoa(int64(s.cfg.Broker.Stats().Sessions))},
	}
}

func infoMemory(x *call) [][2]string {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/total:bytes"},
	}
	metrics.Read(samples)
	used := samples[0].Value.Uint64()
	lines := [][2]string{
		{"used_memory", strconv.FormatUint(used, 10)},
		{"used_memory_human", humanBytes(used)},
	}
	if rss, ok := residentBytes(); ok {
		lines = append(lines, [2]string{"used_memory_rss", strconv.FormatUint(rss, 10)},
			[2]string{"used_memory_rss_human", humanBytes(rss)})
	}
	return append(lines,
		[2]string{"used_memory_runtime", strconv.FormatUint(samples[1].Value.Uint64(), 10)},
		[2]string{"used_memory_keyspace", itoa(x.conn.server.store().Bytes())},
		[2]string{"used_memory_fanout", itoa(x.conn.server.cfg.Broker.Stats().FanoutBytes)},
		[2]string{"maxmemory_policy", "noeviction"},
	)
}

// residentBytes returns what the kernel says the process occupies, where it
// says so.
func residentBytes() (uint64, bool) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	return pages * uint64(os.Getpagesize()), err == nil // #nosec G115 -- positive
}

func humanBytes(n uint64) string {
	const units = "KMGTP"
	if n < 1024 {
		return strconv.FormatUint(n, 10) + "B"
	}
	v, i := float64(n)/1024, 0
	for v >= 1024 && i < len(units)-1 {
		v /= 1024
		i++
	}
	return strconv.FormatFloat(v, 'f', 2, 64) + units[i:i+1]
}

// infoPersistence says that nothing is loading: ioredis waits for it.
func infoPersistence(*call) [][2]string {
	return [][2]string{{"loading", "0"}, {"async_loading", "0"}}
}

func infoStats(x *call) [][2]string {
	s := x.conn.server
	n, b, k := s.Stats(), s.cfg.Broker.Stats(), x.storeStats()
	lines := [][2]string{
		{"total_connections_received", itoa(n.Connections)},
		{"total_commands_processed", itoa(n.Commands)},
		{"total_net_input_bytes", itoa(n.InputBytes)},
		{"total_reply_bytes", itoa(n.ReplyBytes)},
		{"rejected_connections", itoa(n.RejectedConnections)},
		{"rejected_commands", itoa(n.RejectedCommands)},
		{"accept_errors", itoa(n.AcceptErrors)},
		{"acl_access_denied_auth", itoa(n.AuthFailures)},
		{"expired_keys", strconv.FormatUint(k.Expired, 10)},
		{"evicted_keys", "0"},
		{"keyspace_hits", strconv.FormatUint(k.Hits, 10)},
		{"keyspace_misses", strconv.FormatUint(k.Misses, 10)},
		{"pubsub_channels", itoa(int64(b.Channels))},
		{"pubsub_patterns", itoa(int64(b.Patterns))},
		{"pubsubshard_channels", itoa(int64(b.Shards))},
		{"published_messages", itoa(b.Published)},
		{"deliveries", itoa(b.Deliveries)},
		{"publish_stalls", itoa(b.Stalls)},
		{"undistributed_bytes", itoa(b.Backlog)},
	}
	for kind := range violationKinds {
		lines = append(lines, [2]string{"protocol_errors_" + kind.String(), itoa(n.Violations[kind.String()])})
	}
	return lines
}

func infoReplication(*call) [][2]string {
	return [][2]string{{"role", "master"}, {"connected_slaves", "0"}, {"master_repl_offset", "0"}}
}

func infoCPU(*call) [][2]string {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return nil
	}
	seconds := func(t syscall.Timeval) string {
		return strconv.FormatFloat(time.Duration(t.Nano()).Seconds(), 'f', 6, 64)
	}
	return [][2]string{{"used_cpu_sys", seconds(usage.Stime)}, {"used_cpu_user", seconds(usage.Utime)}}
}

func infoCluster(*call) [][2]string { return [][2]string{{"cluster_enabled", "0"}} }

func infoKeyspace(x *call) [][2]string {
	var lines [][2]string
	for db, n := range x.storeStats().Databases {
		if n.Keys > 0 {
			lines = append(lines, [2]string{
				"db" + strconv.Itoa(db),
				"keys=" + strconv.Itoa(n.Keys) + ",expires=" + strconv.Itoa(n.Expires) + ",avg_ttl=0",
			})
		}
	}
	return lines
}

// storeStats returns the store's statistics. Inside EXEC they are those of its
// beginning: asking takes locks that EXEC holds.
func (x *call) storeStats() kv.Stats {
	if s := x.conn.tx.storeStats; s != nil {
		return *s
	}
	return x.conn.server.store().Stats()
}
