package resp

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"

	"fanfare/kv"
)

// infoSections are the sections of INFO, with Redis' names and fields where the
// meaning is the same. They hold only what is true; a field that cannot be filled
// is left out. What is constant here because the server has no such thing, and is
// there because clients look for it, stands in infoConstants.
var infoSections = []infoSection{
	{"Server", infoServer, true},
	{"Clients", infoClients, true},
	{"Memory", infoMemory, true},
	{"Persistence", infoPersistence, true},
	{"Stats", infoStats, true},
	{"Replication", infoReplication, true},
	{"CPU", infoCPU, true},
	{"Commandstats", infoCommandStats, false},
	{"Errorstats", infoErrorStats, true},
	{"Cluster", infoCluster, true},
	{"Keyspace", infoKeyspace, true},
}

type infoSection struct {
	name  string
	lines func(x *call) [][2]string
	// usual: part of INFO without arguments.
	usual bool
}

// infoConstants are the fields that never change, by section, and who needs them.
var infoConstants = []struct{ section, field, value, reason string }{
	{"Server", "redis_version", compatible, "clients choose their commands by it"},
	{"Server", "redis_mode", "standalone", "clients and exporters tell a cluster by it"},
	{"Persistence", "async_loading", "0", "clients of Redis 7 wait for it"},
	{"Persistence", "aof_enabled", "0", "exporters read it"},
	{"Persistence", "aof_rewrite_in_progress", "0", "exporters read it"},
	{"Replication", "role", "master", "sentinel-aware clients and exporters read it"},
	{"Replication", "connected_slaves", "0", "exporters read it"},
	{"Replication", "master_failover_state", "no-failover", "redis-py and exporters read it"},
	{"Replication", "master_repl_offset", "0", "exporters compute replication lag from it"},
	{"Cluster", "cluster_enabled", "0", "clients choose their topology by it"},
}

// infoConstant returns the constant fields of a section.
func infoConstant(section string) [][2]string {
	var lines [][2]string
	for _, c := range infoConstants {
		if c.section == section {
			lines = append(lines, [2]string{c.field, c.value})
		}
	}
	return lines
}

func infoServer(x *call) [][2]string {
	s := x.conn.server
	up := time.Since(s.started)
	return append(infoConstant("Server"), [][2]string{
		{"fanfare_version", s.cfg.Version},
		{"os", runtime.GOOS + " " + runtime.GOARCH},
		{"arch_bits", strconv.Itoa(strconv.IntSize)},
		{"go_version", runtime.Version()},
		{"goroutines", strconv.Itoa(runtime.NumGoroutine())},
		{"process_id", strconv.Itoa(os.Getpid())},
		{"run_id", s.cfg.Broker.Node()},
		{"tcp_port", s.boundPort(nil)},
		{"epoch", s.cfg.Broker.Epoch()},
		{"server_time_usec", itoa(time.Now().UnixMicro())},
		{"uptime_in_seconds", itoa(int64(up.Seconds()))},
		{"uptime_in_days", itoa(int64(up.Hours() / 24))},
		{"executable", executable()},
		{"config_file", ""}, // CONFIG REWRITE has none to write to
	}...)
}

func executable() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return path
}

func infoClients(x *call) [][2]string {
	s := x.conn.server
	subscribers := int64(0)
	s.clients.each(func(c *conn) {
		if c.subscribed() {
			subscribers++
		}
	})
	return append([][2]string{
		{"connected_clients", itoa(int64(s.clients.len()))},
		{"maxclients", itoa(int64(s.settings().maxClients))},
		{"blocked_clients", itoa(s.pause.waiting.Load() + s.blocked.waiters.Load())},
		{"total_blocking_keys", itoa(int64(s.blocked.len()))},
		{"refused_waits", itoa(s.stats.refusedWaits.Load())},
		{"pubsub_clients", itoa(subscribers)},
		{"tracking_clients", itoa(s.tracking.clients.Load())},
		{"monitor_clients", itoa(int64(s.monitors.len()))},
		{"sessions", itoa(int64(s.cfg.Broker.Stats().Sessions))},
	}, infoConstant("Clients")...)
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
			[2]string{"used_memory_rss_human", humanBytes(rss)},
			[2]string{"mem_fragmentation_ratio", strconv.FormatFloat(float64(rss)/float64(used), 'f', 2, 64)})
	}
	if total, ok := machineBytes(); ok {
		lines = append(lines, [2]string{"total_system_memory", strconv.FormatUint(total, 10)},
			[2]string{"total_system_memory_human", humanBytes(total)})
	}
	store, b := x.conn.server.store(), x.conn.server.cfg.Broker.Stats()
	limit := store.MaxMemory()
	lines = append(lines,
		[2]string{"used_memory_runtime", strconv.FormatUint(samples[1].Value.Uint64(), 10)},
		[2]string{"used_memory_dataset", itoa(store.Bytes())},
		[2]string{"used_memory_keyspace", itoa(store.Bytes())},
		[2]string{"used_memory_fanout", itoa(b.FanoutBytes)},
		[2]string{"used_memory_history", itoa(b.HistoryBytes)},
		[2]string{"used_memory_state", itoa(b.StateBytes)},
		[2]string{"maxmemory", itoa(limit)},
		[2]string{"maxmemory_human", humanBytes(uint64(limit))}, // #nosec G115 -- not negative
		[2]string{"maxmemory_policy", string(store.Eviction().Policy)},
		[2]string{"go_memory_limit", itoa(memoryLimit())},
		[2]string{"mem_allocator", "go"},
	)
	return lines
}

// memoryLimit returns the size at which Go's collector does all it can; 0: none.
func memoryLimit() int64 {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		return 0
	}
	return limit
}

// machineBytes returns the machine's memory, where the kernel says it.
func machineBytes() (uint64, bool) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(text)) // "MemTotal:", kilobytes, "kB"
	if len(fields) < 2 || fields[0] != "MemTotal:" {
		return 0, false
	}
	kilobytes, err := strconv.ParseUint(fields[1], 10, 54)
	return kilobytes << 10, err == nil
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

func infoReplication(*call) [][2]string { return infoConstant("Replication") }

func infoCPU(*call) [][2]string {
	var lines [][2]string
	for _, of := range []struct {
		who    int
		suffix string
	}{{syscall.RUSAGE_SELF, ""}, {syscall.RUSAGE_CHILDREN, "_children"}} {
		var usage syscall.Rusage
		if syscall.Getrusage(of.who, &usage) == nil {
			lines = append(lines, [2]string{"used_cpu_sys" + of.suffix, cpuSeconds(usage.Stime)},
				[2]string{"used_cpu_user" + of.suffix, cpuSeconds(usage.Utime)})
		}
	}
	return lines
}

func cpuSeconds(t syscall.Timeval) string {
	return strconv.FormatFloat(time.Duration(t.Nano()).Seconds(), 'f', 6, 64)
}

func infoCluster(*call) [][2]string { return infoConstant("Cluster") }

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
	// Retained messages and members, which the databases do not hold.
	if keys, expires := x.conn.server.cfg.Broker.StateKeys(); keys > 0 {
		lines = append(lines, [2]string{"broker", "keys=" + strconv.Itoa(keys) + ",expires=" + strconv.Itoa(expires)})
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
