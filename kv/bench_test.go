package kv

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

var sizes = []struct {
	name string
	keys int
}{{"1k", 1_000}, {"1M", 1_000_000}}

// benchValue is as large as in the comparison with Redis' memory.
var benchValue = bytes.Repeat([]byte("v"), 64)

func benchKey(dst []byte, i int) []byte {
	dst = append(dst[:0], "key:"...)
	return strconv.AppendInt(dst, int64(1_000_000_000_000+i), 10)
}

// fill stores n keys with a deadline (0: none).
func fill(b *testing.B, s *Store, n int, deadline int64) {
	b.Helper()
	var key []byte
	for i := range n {
		key = benchKey(key, i)
		t := s.Begin(0, [][]byte{key})
		if _, err := t.Set(0, key, benchValue, SetOptions{Deadline: deadline}); err != nil {
			b.Fatal(err)
		}
		t.End()
	}
}

func BenchmarkGet(b *testing.B) {
	for _, size := range sizes {
		b.Run("keys="+size.name, func(b *testing.B) {
			s := New(Config{})
			defer s.Close()
			fill(b, s, size.keys, 0)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				keys := [][]byte{nil}
				for i := 0; pb.Next(); i += 7919 {
					keys[0] = benchKey(keys[0], i%size.keys)
					t := s.Begin(0, keys)
					if v, ok, _ := t.Get(0, keys[0]); !ok || len(v) != 64 {
						b.Error("missing key")
					}
					t.End()
				}
			})
		})
	}
}

func BenchmarkSet(b *testing.B) {
	for _, size := range sizes {
		b.Run("keys="+size.name, func(b *testing.B) {
			s := New(Config{})
			defer s.Close()
			fill(b, s, size.keys, 0)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				keys := [][]byte{nil}
				for i := 0; pb.Next(); i += 7919 {
					keys[0] = benchKey(keys[0], i%size.keys)
					t := s.Begin(0, keys)
					if _, err := t.Set(0, keys[0], benchValue, SetOptions{}); err != nil {
						b.Error(err)
					}
					t.End()
				}
			})
		})
	}
}

// BenchmarkMemory reports what a key of 17 bytes with 64 bytes of value costs:
// by the account, and by the heap of the process.
func BenchmarkMemory(b *testing.B) {
	for _, ttl := range []bool{false, true} {
		b.Run(fmt.Sprint("keys=1M/ttl=", ttl), func(b *testing.B) {
			const n = 1_000_000
			for b.Loop() {
				s := newStore(Config{})
				var deadline int64
				if ttl {
					deadline = time.Now().UnixMilli() + time.Hour.Milliseconds()
				}
				before := heap()
				fill(b, s, n, deadline)
				b.ReportMetric(float64(heap()-before)/n, "heap-B/key")
				b.ReportMetric(float64(s.Bytes())/n, "account-B/key")
				runtime.KeepAlive(s)
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkExpire deletes keys that expire all at once and reports the time per
// key and how long the steps held a lock.
func BenchmarkExpire(b *testing.B) {
	for _, size := range sizes {
		b.Run("keys="+size.name, func(b *testing.B) {
			var held []time.Duration
			b.StopTimer()
			for range b.N {
				s := newStore(Config{})
				fill(b, s, size.keys, 1)
				b.StartTimer()
				for i := range s.shards {
					for sh := &s.shards[i]; sh.next.Load() <= 2; {
						start := time.Now()
						s.expireStep(sh, 2, nil)
						held = append(held, time.Since(start))
					}
				}
				b.StopTimer()
				if s.Stats().Databases[0].Keys != 0 {
					b.Fatal("keys left")
				}
			}
			slices.Sort(held)
			b.ReportMetric(float64(held[len(held)-1].Microseconds()), "longest-lock-µs")
			b.ReportMetric(float64(held[len(held)*999/1000].Microseconds()), "p99.9-lock-µs")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size.keys), "ns/key")
		})
	}
}

func TestAllocationBudgets(t *testing.T) {
	s := newStore(Config{})
	put(s, 0, "k", 0)
	put(s, 0, "ttl", time.Hour.Milliseconds())
	keys, ttl, none := keysOf("k"), keysOf("ttl"), keysOf("none")
	several := []Key{{0, keys[0]}, {1, ttl[0]}}
	tests := []struct {
		name  string
		want  float64
		keys  [][]byte
		again func(tx *Tx, key []byte)
	}{
		{"get", 0, keys, func(tx *Tx, k []byte) { _, _, _ = tx.Get(0, k) }},
		{"get with a deadline", 0, ttl, func(tx *Tx, k []byte) { _, _, _ = tx.Get(0, k) }},
		{"get of no key", 0, none, func(tx *Tx, k []byte) { _, _, _ = tx.Get(0, k) }},
		{"set overwrites", 1, keys, func(tx *Tx, k []byte) { _, _ = tx.Set(0, k, benchValue, SetOptions{}) }},
		{"set and delete", 2, none, func(tx *Tx, k []byte) {
			_, _ = tx.Set(0, k, benchValue, SetOptions{})
			tx.Delete(0, k)
		}},
		{"expire", 0, ttl, func(tx *Tx, k []byte) { tx.Expire(0, k, 1<<50, 0) }},
		{"dirty of nothing", 0, keys, func(tx *Tx, _ []byte) { tx.Dirty(new(Watcher)) }},
		{"exec of several keys", 0, nil, func(*Tx, []byte) { s.BeginKeys(nil, several).End() }},
	}
	for _, tt := range tests {
		got := testing.AllocsPerRun(200, func() {
			tx := s.Begin(0, tt.keys)
			var key []byte
			if tt.keys != nil {
				key = tt.keys[0]
			}
			tt.again(tx, key)
			tx.End()
		})
		if got > tt.want && !raceEnabled {
			t.Errorf("%s: got %v allocations, want at most %v", tt.name, got, tt.want)
		}
	}
}

// BenchmarkGetWhileExpiring measures single GETs of one key while the expiry
// goroutine deletes a million others, with events.
func BenchmarkGetWhileExpiring(b *testing.B) {
	const n = 1_000_000
	var now atomic.Int64
	var expired atomic.Int64
	s := New(Config{
		Now:   now.Load,
		Event: func(int, EventClass, string, string) { expired.Add(1) },
	})
	defer s.Close()
	s.SetEventMask(EventExpired | EventKeyevent)
	keys := keysOf("other")
	put(s, 0, "other", 0)
	var took []time.Duration
	for b.Loop() {
		b.StopTimer()
		now.Store(1)
		expired.Store(0)
		fill(b, s, n, 10)
		b.StartTimer()
		now.Store(20)
		put(s, 0, "wake", -19) // the clock has jumped; a deadline earlier than all has it looked at
		for expired.Load() < n {
			start := time.Now()
			t := s.Begin(0, keys)
			_, _, _ = t.Get(0, keys[0])
			t.End()
			took = append(took, time.Since(start))
			runtime.Gosched()
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-get-µs")
	b.ReportMetric(float64(took[len(took)*999/1000].Microseconds()), "p99.9-get-µs")
	b.ReportMetric(float64(took[len(took)-1].Microseconds()), "longest-get-µs")
}
