package kv

import (
	"fmt"
	"testing"
)

// BenchmarkEvict stores new keys in a store that is full, so that each has to make
// room for itself.
func BenchmarkEvict(b *testing.B) {
	for _, p := range []Policy{PolicyAllKeysLRU, PolicyAllKeysLFU, PolicyAllKeysRandom, PolicyVolatileTTL} {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("policy=%s/keys=%s", p, size.name), func(b *testing.B) {
				s := newStore(Config{Eviction: Eviction{Policy: p, LogFactor: 10, DecayTime: 1}})
				fill(b, s, size.keys, 1<<50)
				s.SetMaxMemory(s.Bytes())
				value := make([]byte, 64)
				var key []byte
				b.ResetTimer()
				for i := range b.N {
					key = benchKey(key[:0], size.keys+i)
					if !s.MakeRoom() {
						b.Fatal("no room")
					}
					tx := s.Begin(0, [][]byte{key})
					if _, err := tx.Set(0, key, value, SetOptions{Deadline: 1<<50 + int64(i)}); err != nil {
						b.Fatal(err)
					}
					tx.End()
				}
			})
		}
	}
}

// BenchmarkUse is what a read pays for what eviction knows of a key.
func BenchmarkUse(b *testing.B) {
	for _, p := range []Policy{PolicyNoEviction, PolicyAllKeysLRU, PolicyAllKeysLFU} {
		b.Run(fmt.Sprintf("policy=%s", p), func(b *testing.B) {
			s := newStore(Config{Eviction: Eviction{Policy: p, LogFactor: 10, DecayTime: 1}})
			put(s, 0, "k", 0)
			tx := s.BeginAll()
			defer tx.End()
			e := tx.find(0, []byte("k")).e
			for b.Loop() {
				tx.used(e)
			}
		})
	}
}
