package kv

import (
	"fmt"
	"strconv"
	"testing"
)

// forms are sizes of collections: one of the compact form, one of the table.
var forms = []struct {
	name string
	size int
}{{"10", 10}, {"100", 100}, {"10k", 10_000}}

// benchElements is the text of numbers from 0 on behind a prefix.
func benchElements(prefix string, n int) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		list[i] = strconv.AppendInt([]byte(prefix), int64(i), 10)
	}
	return list
}

func benchHash(b *testing.B, s *Store, fields [][]byte) {
	b.Helper()
	t := s.BeginAll()
	defer t.End()
	for _, f := range fields {
		if _, err := t.HSet(0, []byte("h"), [][]byte{f, []byte("value")}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHSet(b *testing.B) {
	for _, form := range forms {
		b.Run("fields="+form.name, func(b *testing.B) {
			s := New(Config{})
			defer s.Close()
			fields := benchElements("field:", form.size)
			benchHash(b, s, fields)
			keys, pair := keysOf("h"), [][]byte{nil, []byte("other")}
			b.ReportAllocs()
			for i := 0; b.Loop(); i += 7919 {
				pair[0] = fields[i%len(fields)]
				t := s.Begin(0, keys)
				if _, err := t.HSet(0, keys[0], pair); err != nil {
					b.Fatal(err)
				}
				t.End()
			}
		})
	}
}

func BenchmarkHGet(b *testing.B) {
	for _, form := range forms {
		b.Run("fields="+form.name, func(b *testing.B) {
			s := New(Config{})
			defer s.Close()
			fields := benchElements("field:", form.size)
			benchHash(b, s, fields)
			keys := keysOf("h")
			b.ReportAllocs()
			for i := 0; b.Loop(); i += 7919 {
				t := s.Begin(0, keys)
				if _, ok, err := t.HGet(0, keys[0], fields[i%len(fields)]); !ok || err != nil {
					b.Fatal(ok, err)
				}
				t.End()
			}
		})
	}
}

func BenchmarkHGetAll(b *testing.B) {
	for _, form := range forms {
		b.Run("fields="+form.name, func(b *testing.B) {
			s := New(Config{})
			defer s.Close()
			benchHash(b, s, benchElements("field:", form.size))
			keys := keysOf("h")
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				t := s.Begin(0, keys)
				err := t.HGetAll(0, keys[0], func(int) {}, func(_, _ []byte) bool {
					n++
					return true
				})
				t.End()
				if n != form.size || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func BenchmarkHIncrBy(b *testing.B) {
	s := New(Config{})
	defer s.Close()
	keys := keysOf("h")
	b.ReportAllocs()
	for b.Loop() {
		t := s.Begin(0, keys)
		if _, err := t.HIncrBy(0, keys[0], []byte("views"), 1); err != nil {
			b.Fatal(err)
		}
		t.End()
	}
}

// What a key with a hash of ten fields takes.
func BenchmarkHashMemory(b *testing.B) {
	s := New(Config{})
	defer s.Close()
	pairs := make([][]byte, 0, 20)
	for _, f := range benchElements("field:", 10) {
		pairs = append(pairs, f, []byte("0123456789"))
	}
	n := 0
	for b.Loop() {
		n++
		key := fmt.Appendf(nil, "key:%d", n)
		t := s.Begin(0, [][]byte{key})
		if _, err := t.HSet(0, key, pairs); err != nil {
			b.Fatal(err)
		}
		t.End()
	}
	b.ReportMetric(float64(s.Bytes())/float64(n), "B/key")
}
