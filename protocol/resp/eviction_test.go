package resp

import (
	"slices"
	"testing"

	"fanfare/broker"
	"fanfare/kv"
)

func TestAnEvictionIsTold(t *testing.T) {
	t.Parallel()
	p, events := startWithEvents(t)
	p.send("SET k v|CONFIG SET notify-keyspace-events Ee maxmemory-policy allkeys-lru maxmemory 1|SET other v").want(
		"+OK", "+OK", `-"`+kv.ErrOOM.Error()+`"`)
	if want := []string{"evicted", "k"}; !slices.Equal(*events, want) {
		t.Errorf("got %q, want %q", *events, want)
	}
}

func TestAChangeOfMaxMemoryIsTold(t *testing.T) {
	t.Parallel()
	var told []int64
	n := start(t, func(c *Config, _ *broker.Config) {
		c.MaxMemoryChanged = func(bytes int64) { told = append(told, bytes) }
	})
	n.dial().send("CONFIG SET maxmemory 5mb|CONFIG SET timeout 3|CONFIG SET maxmemory 5mb|CONFIG SET maxmemory 0").want("+OK", "+OK", "+OK", "+OK")
	if want := []int64{5 << 20, 0}; !slices.Equal(told, want) {
		t.Errorf("got %d, want %d", told, want)
	}
}
