package main

import (
	"math"
	"runtime/debug"
	"slices"
	"strings"
)

// baseMemory is what the process takes beside all that has a budget: code, stacks,
// the buffers of a few thousand connections.
const baseMemory = 64 << 20

// followMaxMemory has Go's collector work harder before the process outgrows
// maxmemory and the budgets of the broker, now and after each change of maxmemory. Who
// has set GOMEMLIMIT knows better. See docs/decisions/0023-memory-limit.md.
func followMaxMemory(cfg *Config, env []string) {
	if slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, "GOMEMLIMIT=") && v != "GOMEMLIMIT=" }) {
		return
	}
	b := &cfg.Broker
	budgets := baseMemory + b.Backlog + b.FanoutMemory + b.MaxHistory + b.MaxState
	limit := func(maxMemory int64) { debug.SetMemoryLimit(memoryLimit(maxMemory, budgets)) }
	limit(cfg.KV.MaxMemory)
	cfg.RESP.MaxMemoryChanged = limit
}

// memoryLimit is the limit for a maxmemory, 0 for none: a quarter of it more, because
// keys fill what they take of the heap only in part, and because a collector
// without room to work in does nothing but work.
func memoryLimit(maxMemory, budgets int64) int64 {
	if maxMemory == 0 || maxMemory > math.MaxInt64/2-budgets {
		return math.MaxInt64
	}
	return maxMemory + maxMemory/4 + budgets
}
