package resp

import (
	"runtime"
	"strings"
	"testing"

	"fanfare/kv"
)

// SORT with STORE makes as many elements of each as there are patterns, none of which may be in memory
// before it is known that there is room.
//
//nolint:paralleltest // measures what the process allocates
func TestWhatSortStoresIsMadeWithinTheLimit(t *testing.T) {
	const most = 64 << 20
	p := start(t, nil).dial()
	p.send("RPUSH l"+strings.Repeat(" 1", 3000)+"|CONFIG SET maxmemory 4mb").want(":3000", "+OK")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p.send("SORT l BY nosort" + strings.Repeat(" GET #", 3000) + " STORE d").want(`-"` + kv.ErrOOM.Error() + `"`)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("%d bytes were allocated, want at most %d", got, most)
	}
	p.send("EXISTS d").want(":0")
}
