package kv

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// sortedSizes are sets of the packed form and of the other one.
var sortedSizes = []int{10, 100, 10_000}

// benchSorted makes a set of members with scores 0, 1, 2 …
func benchSorted(b *testing.B, size int) (s *Store, keys, members [][]byte) {
	b.Helper()
	s = New(Config{})
	b.Cleanup(s.Close)
	keys = keysOf("board")
	t := s.Begin(0, keys)
	defer t.End()
	for i := range size {
		members = append(members, fmt.Append(nil, "member:", i))
		if _, _, err := t.ZAdd(0, keys[0], []Scored{{members[i], float64(i)}}, 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	return s, keys, members
}

func BenchmarkZAdd(b *testing.B) {
	for _, size := range sortedSizes {
		b.Run(fmt.Sprint("members=", size), func(b *testing.B) {
			s, keys, members := benchSorted(b, size)
			one := make([]Scored, 1)
			for i := 0; b.Loop(); i += 7919 {
				one[0] = Scored{members[i%size], float64(rand.IntN(size))}
				t := s.Begin(0, keys)
				if _, _, err := t.ZAdd(0, keys[0], one, 0); err != nil {
					b.Fatal(err)
				}
				t.End()
			}
		})
	}
}

func BenchmarkZRank(b *testing.B) {
	for _, size := range sortedSizes {
		b.Run(fmt.Sprint("members=", size), func(b *testing.B) {
			s, keys, members := benchSorted(b, size)
			for i := 0; b.Loop(); i += 7919 {
				t := s.Begin(0, keys)
				if _, _, ok, _ := t.ZRank(0, keys[0], members[i%size], false); !ok {
					b.Fatal("no rank")
				}
				t.End()
			}
		})
	}
}

func BenchmarkZRange(b *testing.B) {
	for _, size := range sortedSizes {
		b.Run(fmt.Sprint("members=", size, "/range=10"), func(b *testing.B) {
			s, keys, _ := benchSorted(b, size)
			r := &SortedRange{Stop: 9, Reverse: true}
			for b.Loop() {
				t := s.Begin(0, keys)
				n, members, _ := t.ZRange(0, keys[0], r)
				for range members {
					n--
				}
				if t.End(); n != 0 {
					b.Fatal(n)
				}
			}
		})
	}
}

func BenchmarkAppendScore(b *testing.B) {
	for name, score := range map[string]float64{"whole": 12345, "fraction": 0.1, "large": 1.5e300} {
		b.Run("score="+name, func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]byte, 0, 32)
			for b.Loop() {
				dst = AppendScore(dst[:0], score)
			}
		})
	}
}
