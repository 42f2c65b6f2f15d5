package main

import (
	"math"
	"runtime/debug"
	"testing"
)

// Not parallel: there is one limit in a process.
func TestTheCollectorFollowsMaxMemory(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	const budgets = 64<<20 + 16<<20 + 3*256<<20
	limit := func() int64 { return debug.SetMemoryLimit(-1) }
	cfg := defaults()
	cfg.KV.MaxMemory = 4 << 30
	followMaxMemory(&cfg, nil)
	if got, want := limit(), int64(5<<30+budgets); got != want {
		t.Errorf("at the start: got %d, want %d", got, want)
	}
	for _, tt := range []struct {
		rule      string
		maxMemory int64
		want      int64
	}{
		{"CONFIG SET moves it", 400, 500 + budgets},
		{"no maxmemory, no limit", 0, math.MaxInt64},
		{"a limit that nothing reaches is none", math.MaxInt64, math.MaxInt64},
	} {
		cfg.RESP.MaxMemoryChanged(tt.maxMemory)
		if got := limit(); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.rule, got, tt.want)
		}
	}
	for variable, followed := range map[string]bool{
		"GOMEMLIMIT=1GiB": false, "GOMEMLIMIT=off": false, "GOMEMLIMIT=": true, "MY_GOMEMLIMIT=1GiB": true, "GOMEMLIMITS=1GiB": true,
	} {
		debug.SetMemoryLimit(12345)
		cfg.RESP.MaxMemoryChanged = nil
		followMaxMemory(&cfg, []string{"HOME=/", variable})
		if got := limit(); (got != 12345) != followed || (cfg.RESP.MaxMemoryChanged != nil) != followed {
			t.Errorf("%s: got %d", variable, got)
		}
	}
}

// The largest settings there may be are no overflow, which the collector would take as no
// limit at all, or as one that stops everything.
func TestNoMemoryLimitIsAnOverflow(t *testing.T) {
	t.Parallel()
	for _, budgets := range []int64{0, baseMemory, baseMemory + 64<<30 + 1<<40 + 1<<42 + 1<<42} {
		for _, maxMemory := range []int64{1, 1 << 42, math.MaxInt64/2 - budgets, math.MaxInt64/2 - budgets + 1, math.MaxInt64 - 1} {
			if got := memoryLimit(maxMemory, budgets); got < maxMemory || got < budgets {
				t.Errorf("maxmemory %d, budgets %d: got %d", maxMemory, budgets, got)
			}
		}
	}
}
