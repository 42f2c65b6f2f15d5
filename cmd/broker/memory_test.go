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
	debug.SetMemoryLimit(12345)
	cfg.RESP.MaxMemoryChanged = nil
	followMaxMemory(&cfg, []string{"GOMEMLIMIT=1GiB"})
	if got := limit(); got != 12345 || cfg.RESP.MaxMemoryChanged != nil {
		t.Errorf("with GOMEMLIMIT: got %d", got)
	}
}
