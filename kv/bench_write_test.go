package kv

import "testing"

func BenchmarkIncr(b *testing.B) {
	for _, size := range sizes {
		b.Run("keys="+size.name, func(b *testing.B) {
			s := New(Config{})
			defer s.Close()
			b.ReportAllocs()
			keys := [][]byte{nil}
			for i := 0; b.Loop(); i += 7919 {
				keys[0] = benchKey(keys[0], i%size.keys)
				t := s.Begin(0, keys)
				if _, err := t.IncrBy(0, keys[0], 1); err != nil {
					b.Fatal(err)
				}
				t.End()
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	s := New(Config{})
	defer s.Close()
	b.ReportAllocs()
	keys, tail := keysOf("log"), []byte("0123456789")
	for i := 0; b.Loop(); i++ {
		t := s.Begin(0, keys)
		if i%1_000_000 == 0 {
			t.Delete(0, keys[0])
		}
		if _, err := t.Append(0, keys[0], tail); err != nil {
			b.Fatal(err)
		}
		t.End()
	}
}

func BenchmarkIncrByFloat(b *testing.B) {
	s := New(Config{})
	defer s.Close()
	b.ReportAllocs()
	keys, delta := keysOf("price"), []byte("0.1")
	for b.Loop() {
		t := s.Begin(0, keys)
		if _, err := t.IncrByFloat(0, keys[0], delta); err != nil {
			b.Fatal(err)
		}
		t.End()
	}
}

func BenchmarkScan(b *testing.B) {
	s := New(Config{})
	defer s.Close()
	fill(b, s, 1_000_000, 0)
	b.ReportAllocs()
	cursor := uint64(0)
	for b.Loop() {
		t := s.BeginAll()
		cursor = t.Scan(0, cursor, 10, func([]byte, Type) {})
		t.End()
	}
}
