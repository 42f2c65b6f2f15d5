package main

import (
	"math"
	"time"

	"fanfare/broker"
	"fanfare/kv"
	"fanfare/protocol/resp"
	"fanfare/protocol/ws"
)

const forever = time.Duration(math.MaxInt64)

// settings is the table from which flags, environment variables, keys of the
// file, defaults shown and help are all derived. Its order is the help's.
var settings = []setting{
	{"log-level", "LEVEL", "debug, info, warn or error", func(c *Config) value {
		return choiceValue[string]{&c.LogLevel, []string{"debug", "info", "warn", "error"}}
	}},
	{"log-format", "FORMAT", "json, or console for people", func(c *Config) value {
		return choiceValue[string]{&c.LogFormat, []string{"json", "console"}}
	}},
	{"drain-timeout", "TIME", "how long a stop may take to deliver what was acknowledged", func(c *Config) value {
		return durationValue{&c.DrainTimeout, 0, time.Hour}
	}},
	{"workers", "N", "fan-out workers; 0: as many as processors, at most 4", func(c *Config) value {
		return countValue[int]{&c.Broker.Workers, 0, 64}
	}},
	{"dir", "DIR", "directory of the snapshots that outlive the process; empty: memory only", func(c *Config) value {
		return textValue{&c.Dir}
	}},
	{"save-every", "TIME", "between snapshots while something changes; 0: at a stop and on SAVE only", func(c *Config) value {
		return durationValue{&c.SaveEvery, 0, forever}
	}},
	{"discard-snapshot", "", "put a snapshot aside that cannot be loaded; go on with the one before", func(c *Config) value {
		return boolValue{&c.DiscardSnapshot}
	}},
	{"protected-mode", "", "refuse to listen beyond loopback without credentials", func(c *Config) value {
		return boolValue{&c.ProtectedMode}
	}},
	{"tls-min-version", "VERSION", "oldest version of TLS to accept: 1.2 or 1.3", func(c *Config) value {
		return choiceValue[string]{&c.TLSMinVersion, []string{"1.2", "1.3"}}
	}},

	{"resp.listen", "ADDR", "address for Redis clients; by default [::1] too", func(c *Config) value {
		return textValue{&c.RESPListen}
	}},
	{"resp.unix", "PATH", "Unix socket for Redis clients", func(c *Config) value {
		return textValue{&c.RESPUnix}
	}},
	{"resp.unix-mode", "MODE", "permissions of the Unix socket, such as 660; 600: the broker's own user only", func(c *Config) value {
		return modeValue{&c.RESPUnixMode}
	}},
	{"resp.tls-cert", "FILE", "certificate (PEM, with its chain) that makes resp.listen speak TLS", func(c *Config) value {
		return textValue{&c.RESPTLS.Cert}
	}},
	{"resp.tls-key", "FILE", "its private key (PEM)", func(c *Config) value {
		return textValue{&c.RESPTLS.Key}
	}},
	{"resp.tls-client-ca", "FILE", "authorities (PEM) by one of which a Redis client needs a certificate", func(c *Config) value {
		return textValue{&c.RESPTLS.ClientCA}
	}},
	{"resp.requirepass", "SECRET", "password for Redis clients; better in the file or the environment", func(c *Config) value {
		return textValue{&c.RESP.RequirePass}
	}},
	{"resp.timeout", "TIME", "end a Redis connection that is silent and subscribed to nothing; 0: never", func(c *Config) value {
		return durationValue{&c.RESP.Timeout, 0, forever}
	}},
	{"resp.tcp-keepalive", "TIME", "silence after which TCP looks for a dead peer", func(c *Config) value {
		return durationValue{&c.RESP.KeepAlive, time.Second, forever}
	}},

	{"http.listen", "ADDR", "address for browsers: HTTP and WebSocket; by default [::1] too", func(c *Config) value {
		return textValue{&c.HTTPListen}
	}},
	{"http.path", "PATH", "path of the WebSocket endpoint", func(c *Config) value {
		return textValue{&c.WS.Path}
	}},
	{"http.origins", "LIST", "further web origins whose pages may connect, such as https://example.org", func(c *Config) value {
		return listValue{&c.WS.Origins}
	}},
	{"http.hosts", "LIST", "the only names in Host headers; empty: on loopback those of this machine, else any", func(c *Config) value {
		return listValue{&c.WS.Hosts}
	}},
	{"http.proxies", "LIST", "addresses and networks of proxies whose X-Forwarded-For and -Proto are believed", func(c *Config) value {
		return listValue{&c.WS.Proxies}
	}},
	{"http.tls-cert", "FILE", "certificate (PEM, with its chain) that makes http.listen speak TLS", func(c *Config) value {
		return textValue{&c.HTTPTLS.Cert}
	}},
	{"http.tls-key", "FILE", "its private key (PEM)", func(c *Config) value {
		return textValue{&c.HTTPTLS.Key}
	}},
	{"http.tls-client-ca", "FILE", "authorities (PEM) by one of which a browser needs a certificate", func(c *Config) value {
		return textValue{&c.HTTPTLS.ClientCA}
	}},
	{"http.presence-grace", "TIME", "how long a member stays after its connection was cut", func(c *Config) value {
		return durationValue{&c.WS.Grace, 0, time.Hour}
	}},

	{"limits.max-clients", "N", "Redis connections", func(c *Config) value {
		return countValue[int]{&c.RESP.MaxClients, 1, 10_000_000}
	}},
	{"limits.max-message", "SIZE", "longest message", func(c *Config) value {
		return sizeValue[int]{&c.Broker.MaxMessage, 1, 512 << 20}
	}},
	{"limits.max-name", "SIZE", "longest channel or pattern", func(c *Config) value {
		return sizeValue[int]{&c.Broker.MaxName, 1, 64 << 10}
	}},
	{"limits.max-subscriptions", "N", "subscriptions of one connection", func(c *Config) value {
		return countValue[int]{&c.Broker.MaxSubscriptions, 1, 100_000_000}
	}},
	{"limits.max-complex-patterns", "N", "patterns with three or more stars of one connection", func(c *Config) value {
		return countValue[int]{&c.Broker.MaxComplexPatterns, 1, 1_000_000}
	}},
	{"limits.node-complex-patterns", "N", "patterns with three or more stars of all connections", func(c *Config) value {
		return countValue[int]{&c.Broker.MaxComplexNode, 1, 1_000_000}
	}},
	{"limits.push-queue", "SIZE", "messages queued for a connection; beyond it the connection is ended as slow", func(c *Config) value {
		return sizeValue[int64]{&c.RESP.PushHard, 1 << 10, 64 << 30}
	}},
	{"limits.push-queue-soft", "SIZE", "the same, if it lasts for push-queue-soft-for", func(c *Config) value {
		return sizeValue[int64]{&c.RESP.PushSoft, 1 << 10, 64 << 30}
	}},
	{"limits.push-queue-soft-for", "TIME", "how long push-queue-soft may be exceeded", func(c *Config) value {
		return durationValue{&c.RESP.PushSoftFor, time.Millisecond, 24 * time.Hour}
	}},
	{"limits.reply-queue", "SIZE", "replies queued for a connection; beyond it its further commands wait", func(c *Config) value {
		return sizeValue[int64]{&c.RESP.ReplyPause, 1 << 10, 64 << 30}
	}},
	{"limits.max-reply", "SIZE", "longest single reply", func(c *Config) value {
		return sizeValue[int]{&c.RESP.MaxReply, 1 << 20, 4 << 30}
	}},
	{"limits.proto-max-bulk-len", "SIZE", "longest argument of a command", func(c *Config) value {
		return sizeValue[int]{&c.RESP.MaxBulk, 1 << 10, 512 << 20}
	}},
	{"limits.max-args", "N", "arguments of a command", func(c *Config) value {
		return countValue[int]{&c.RESP.MaxArgs, 16, 1 << 30}
	}},
	{"limits.max-command", "SIZE", "longest command, and what MULTI may queue", func(c *Config) value {
		return sizeValue[int]{&c.RESP.MaxCommand, 1 << 10, 1 << 30}
	}},
	{"limits.max-inline", "SIZE", "longest command typed as a line", func(c *Config) value {
		return sizeValue[int]{&c.RESP.MaxInline, 64, 64 << 20}
	}},
	{"limits.command-timeout", "TIME", "time for each 64 KiB of a command that has begun", func(c *Config) value {
		return durationValue{&c.RESP.CommandTimeout, time.Millisecond, forever}
	}},
	{"limits.auth-timeout", "TIME", "time to authenticate", func(c *Config) value {
		return durationValue{&c.RESP.AuthTimeout, time.Millisecond, forever}
	}},
	{"limits.write-timeout", "TIME", "end a connection that takes no byte for so long while some are queued", func(c *Config) value {
		return durationValue{&c.RESP.WriteTimeout, time.Millisecond, forever}
	}},
	{"limits.fanout-backlog", "SIZE", "messages published and not yet distributed; beyond it publishers wait", func(c *Config) value {
		return sizeValue[int64]{&c.Broker.Backlog, 64 << 10, 64 << 30}
	}},
	{"limits.fanout-memory", "SIZE", "messages still to be written; beyond it the slowest connections are ended", func(c *Config) value {
		return sizeValue[int64]{&c.Broker.FanoutMemory, 1 << 20, 1 << 40}
	}},
	{"limits.max-history-bytes", "SIZE", "histories of all channels; beyond it the one silent for longest loses its own", func(c *Config) value {
		return sizeValue[int64]{&c.Broker.MaxHistory, 64 << 10, 1 << 42}
	}},
	{"limits.max-state-bytes", "SIZE", "retained messages and members; beyond it further ones are refused", func(c *Config) value {
		return sizeValue[int64]{&c.Broker.MaxState, 64 << 10, 1 << 42}
	}},

	{"limits.ws-max-clients", "N", "browser connections", func(c *Config) value {
		return countValue[int]{&c.WS.MaxClients, 1, 10_000_000}
	}},
	{"limits.ws-frame", "SIZE", "longest frame from a browser", func(c *Config) value {
		return sizeValue[int]{&c.WS.MaxFrame, 1 << 10, 64 << 20}
	}},
	{"limits.ws-max-message", "SIZE", "longest message from a browser", func(c *Config) value {
		return sizeValue[int]{&c.WS.MaxMessage, 1, 64 << 20}
	}},
	{"limits.ws-max-name", "SIZE", "longest channel or pattern of a browser", func(c *Config) value {
		return sizeValue[int]{&c.WS.MaxName, 1, 64 << 10}
	}},
	{"limits.ws-max-subscriptions", "N", "subscriptions of one browser connection", func(c *Config) value {
		return countValue[int]{&c.WS.MaxSubscriptions, 1, 1_000_000}
	}},
	{"limits.ws-max-complex-patterns", "N", "patterns with three or more stars of one browser connection", func(c *Config) value {
		return countValue[int]{&c.WS.MaxComplex, 1, 1_000_000}
	}},
	{"limits.ws-control-frames", "N", "control and empty frames a browser may send per second", func(c *Config) value {
		return countValue[int]{&c.WS.MaxControls, 1, 1_000_000}
	}},
	{"limits.ws-max-member", "SIZE", "longest data of a member in a channel", func(c *Config) value {
		return sizeValue[int]{&c.WS.MaxMemberData, 1, 1 << 20}
	}},
	{"limits.ws-rate", "N", "requests a browser may make per second; 0: no limit", func(c *Config) value {
		return countValue[int]{&c.WS.Rate, 0, 1_000_000}
	}},
	{"limits.ws-burst", "N", "requests a browser may make at once", func(c *Config) value {
		return countValue[int]{&c.WS.Burst, 1, 1_000_000}
	}},
	{"limits.ws-push-queue", "SIZE", "as push-queue, for browsers", func(c *Config) value {
		return sizeValue[int64]{&c.WS.PushHard, 1 << 10, 64 << 30}
	}},
	{"limits.ws-push-queue-soft", "SIZE", "as push-queue-soft, for browsers", func(c *Config) value {
		return sizeValue[int64]{&c.WS.PushSoft, 1 << 10, 64 << 30}
	}},
	{"limits.ws-push-queue-soft-for", "TIME", "as push-queue-soft-for, for browsers", func(c *Config) value {
		return durationValue{&c.WS.PushSoftFor, time.Millisecond, 24 * time.Hour}
	}},
	{"limits.ws-reply-queue", "SIZE", "as reply-queue, for browsers", func(c *Config) value {
		return sizeValue[int64]{&c.WS.ReplyPause, 1 << 10, 64 << 30}
	}},
	{"limits.ws-read-timeout", "TIME", "time for a handshake or frame that has begun", func(c *Config) value {
		return durationValue{&c.WS.ReadTimeout, time.Millisecond, forever}
	}},
	{"limits.ws-write-timeout", "TIME", "as write-timeout, for browsers", func(c *Config) value {
		return durationValue{&c.WS.WriteTimeout, time.Millisecond, forever}
	}},
	{"limits.ws-ping", "TIME", "between pings to a browser", func(c *Config) value {
		return durationValue{&c.WS.PingInterval, time.Second, forever}
	}},
	{"limits.ws-pong", "TIME", "time a browser has to answer a ping", func(c *Config) value {
		return durationValue{&c.WS.PongTimeout, time.Millisecond, forever}
	}},

	{"kv.databases", "N", "databases for SELECT", func(c *Config) value {
		return countValue[int]{&c.KV.Databases, 1, 1024}
	}},
	{"kv.maxmemory", "SIZE", "memory for keys and values; 0: no limit", func(c *Config) value {
		return sizeValue[int64]{&c.KV.MaxMemory, 0, 1 << 42}
	}},
	{"kv.maxmemory-policy", "POLICY", "what happens at maxmemory; noeviction: writes are refused", func(c *Config) value {
		return choiceValue[kv.Policy]{&c.KV.Eviction.Policy, policyNames()}
	}},
	{"kv.maxmemory-samples", "N", "keys looked at for each that an LRU or LFU policy deletes", func(c *Config) value {
		return countValue[int]{&c.KV.Eviction.Samples, 1, kv.MaxSamples}
	}},
	{"kv.lfu-log-factor", "N", "how slowly the LFU policies' counter of uses grows; 0: by one with each use", func(c *Config) value {
		return countValue[int]{&c.KV.Eviction.LogFactor, 0, math.MaxInt32}
	}},
	{"kv.lfu-decay-time", "N", "minutes after which that counter falls by one; 0: never", func(c *Config) value {
		return countValue[int]{&c.KV.Eviction.DecayTime, 0, math.MaxInt32}
	}},
	{"kv.notify-keyspace-events", "CLASSES", "key-space events to publish, in Redis' letters; KEA: all usual ones", func(c *Config) value {
		return eventsValue{&c.RESP.Events}
	}},
	{"kv.hash-max-listpack-entries", "N", "fields up to which a hash is kept compact", func(c *Config) value {
		return countValue[int]{&c.KV.Compact.HashEntries, 0, math.MaxInt32}
	}},
	{"kv.hash-max-listpack-value", "SIZE", "longest field or value of a compact hash", func(c *Config) value {
		return sizeValue[int]{&c.KV.Compact.HashValue, 0, 512 << 20}
	}},
	{"kv.set-max-intset-entries", "N", "members up to which a set of whole numbers is kept compact", func(c *Config) value {
		return countValue[int]{&c.KV.Compact.SetIntegers, 0, math.MaxInt32}
	}},
	{"kv.set-max-listpack-entries", "N", "members up to which any other set is kept compact", func(c *Config) value {
		return countValue[int]{&c.KV.Compact.SetEntries, 0, math.MaxInt32}
	}},
	{"kv.set-max-listpack-value", "SIZE", "longest member of such a set", func(c *Config) value {
		return sizeValue[int]{&c.KV.Compact.SetValue, 0, 512 << 20}
	}},
	{"kv.zset-max-listpack-entries", "N", "members up to which a sorted set is kept compact", func(c *Config) value {
		return countValue[int]{&c.KV.Compact.SortedEntries, 0, math.MaxInt32}
	}},
	{"kv.zset-max-listpack-value", "SIZE", "longest member of a compact sorted set", func(c *Config) value {
		return sizeValue[int]{&c.KV.Compact.SortedValue, 0, 512 << 20}
	}},
	{"kv.list-max-listpack-size", "N", "elements in one node of a list; -1 to -5: 4, 8, 16, 32 or 64 KiB", func(c *Config) value {
		return countValue[int]{&c.KV.Compact.ListSize, math.MinInt32, math.MaxInt32}
	}},
}

func policyNames() []string {
	names := make([]string, len(kv.Policies))
	for i, p := range kv.Policies {
		names[i] = string(p)
	}
	return names
}

// The addresses of a broker that was told none.
const (
	defaultRESP = "127.0.0.1:6379"
	defaultHTTP = "127.0.0.1:8080"
)

// defaults is the configuration of a broker that was told nothing.
func defaults() Config {
	return Config{
		LogLevel: "info", LogFormat: "json", DrainTimeout: 4 * time.Second, ProtectedMode: true,
		SaveEvery:  5 * time.Minute,
		RESPListen: defaultRESP, HTTPListen: defaultHTTP, RESPUnixMode: 0o600, TLSMinVersion: "1.2",
		Broker: broker.Config{
			MaxMessage: 1 << 20, MaxName: 1024, MaxSubscriptions: 100_000,
			MaxComplexPatterns: 1000, MaxComplexNode: 10_000,
			Backlog: 16 << 20, FanoutMemory: 256 << 20, MaxHistory: 256 << 20, MaxState: 256 << 20,
		},
		RESP: resp.Config{
			MaxClients: 10_000, MaxArgs: 1 << 20, MaxBulk: 64 << 20, MaxCommand: 64 << 20, MaxInline: 64 << 10,
			PushHard: 32 << 20, PushSoft: 8 << 20, PushSoftFor: time.Minute, ReplyPause: 8 << 20, MaxReply: 256 << 20,
			CommandTimeout: 10 * time.Second, AuthTimeout: 10 * time.Second, WriteTimeout: time.Minute,
			KeepAlive: 300 * time.Second,
		},
		WS: ws.Config{
			Path: "/ws", MaxClients: 10_000, MaxFrame: 64 << 10, MaxMessage: 64 << 10, MaxName: 512,
			MaxSubscriptions: 128, MaxComplex: 10, MaxControls: 50, MaxMemberData: 4 << 10, Rate: 50, Burst: 100,
			PushHard: 1 << 20, PushSoft: 256 << 10, PushSoftFor: 10 * time.Second, ReplyPause: 256 << 10,
			ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
			PingInterval: 25 * time.Second, PongTimeout: 10 * time.Second, Grace: 10 * time.Second,
		},
		KV: kv.Config{Databases: kv.DefaultDatabases, Eviction: kv.DefaultEviction, Compact: kv.DefaultCompact},
	}
}
