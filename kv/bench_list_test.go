package kv

import (
	"fmt"
	"testing"
)

func benchmarkList(b *testing.B, elements, size int, run func(t *Tx, key []byte, item []byte)) {
	b.Helper()
	s := newStore(Config{})
	key, item := []byte("list"), make([]byte, size)
	tx := s.BeginAll()
	for range elements {
		if _, err := tx.Push(0, key, Right, [][]byte{item}, false); err != nil {
			b.Fatal(err)
		}
	}
	tx.End()
	keys := [][]byte{key}
	b.ReportAllocs()
	for b.Loop() {
		tx := s.Begin(0, keys)
		run(tx, key, item)
		tx.End()
	}
}

// BenchmarkListQueue pushes at one end and pops at the other.
func BenchmarkListQueue(b *testing.B) {
	for _, elements := range []int{1, 1000, 100_000} {
		for _, size := range []int{10, 1000} {
			b.Run(fmt.Sprintf("elements=%d/bytes=%d", elements, size), func(b *testing.B) {
				benchmarkList(b, elements, size, func(t *Tx, key, item []byte) {
					_, _ = t.Push(0, key, Left, [][]byte{item}, false)
					_, _, _ = t.Pop(0, key, Right, 1)
				})
			})
		}
	}
}

func BenchmarkListIndexMiddle(b *testing.B) {
	for _, elements := range []int{100, 100_000} {
		b.Run(fmt.Sprintf("elements=%d", elements), func(b *testing.B) {
			benchmarkList(b, elements, 10, func(t *Tx, key, _ []byte) { _, _, _ = t.LIndex(0, key, int64(elements/2)) })
		})
	}
}

func BenchmarkListRange(b *testing.B) {
	for _, n := range []int64{10, 1000} {
		b.Run(fmt.Sprintf("returned=%d", n), func(b *testing.B) {
			benchmarkList(b, 10_000, 10, func(t *Tx, key, _ []byte) {
				e, _ := t.LRange(0, key, 0, n-1)
				e.Each(func([]byte) bool { return true })
			})
		})
	}
}
