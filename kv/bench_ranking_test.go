package kv

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

var rankingSizes = []struct {
	name    string
	members int
}{{"1k", 1_000}, {"100k", 100_000}}

// benchRanked makes members with random scores; equal: with few different ones.
func benchRanked(n int, equal bool) []ranked {
	all := make([]ranked, n)
	for i := range all {
		score := rand.Float64()
		if equal {
			score = float64(rand.IntN(10))
		}
		all[i] = ranked{score, newEntry(fmt.Sprintf("member:%012d", i), 0)}
	}
	return all
}

// benchRanking runs a benchmark for each size of a ranking of random scores.
func benchRanking(b *testing.B, run func(b *testing.B, r *ranking, all []ranked)) {
	b.Helper()
	for _, size := range rankingSizes {
		for _, equal := range []bool{false, true} {
			b.Run(fmt.Sprintf("members=%s/equal=%v", size.name, equal), func(b *testing.B) {
				all := benchRanked(size.members, equal)
				var r ranking
				for _, x := range all {
					r.insert(x.score, x.e)
				}
				b.ReportAllocs()
				b.ResetTimer()
				run(b, &r, all)
			})
		}
	}
}

// BenchmarkRankingInsert fills rankings, one after the other.
func BenchmarkRankingInsert(b *testing.B) {
	for _, size := range rankingSizes {
		for _, order := range []string{"random", "rising"} {
			b.Run(fmt.Sprintf("members=%s/order=%s", size.name, order), func(b *testing.B) {
				all := benchRanked(size.members, false)
				if order == "rising" {
					for i := range all {
						all[i].score = float64(i)
					}
				}
				var r ranking
				b.ReportAllocs()
				b.ResetTimer()
				for i := range b.N {
					x := &all[i%len(all)]
					if r.count == len(all) {
						r = ranking{}
					}
					r.insert(x.score, x.e)
				}
				b.StopTimer()
				r = ranking{}
				for _, x := range all {
					r.insert(x.score, x.e)
				}
				b.ReportMetric(float64(r.bytes)/float64(r.count), "bytes/element")
			})
		}
	}
}

// BenchmarkRankingMove gives a member another score, as ZADD and ZINCRBY do.
func BenchmarkRankingMove(b *testing.B) {
	benchRanking(b, func(b *testing.B, r *ranking, all []ranked) {
		scores := slices.Clone(all)
		for i := range b.N {
			x := &all[i*7919%len(all)]
			r.remove(x.score, x.e)
			x.score = scores[(i*104729+1)%len(all)].score
			r.insert(x.score, x.e)
		}
		b.ReportMetric(float64(r.bytes)/float64(r.count), "bytes/element")
	})
}

func BenchmarkRankingRank(b *testing.B) {
	benchRanking(b, func(b *testing.B, r *ranking, all []ranked) {
		for i := range b.N {
			x := &all[i*7919%len(all)]
			r.rank(x.score, x.e.key())
		}
	})
}

func BenchmarkRankingAt(b *testing.B) {
	benchRanking(b, func(b *testing.B, r *ranking, all []ranked) {
		for i := range b.N {
			r.at(i * 7919 % len(all))
		}
	})
}

// BenchmarkRankingWalk visits a hundred elements from a random rank on; the time
// is for each of them.
func BenchmarkRankingWalk(b *testing.B) {
	for _, down := range []bool{false, true} {
		b.Run(fmt.Sprintf("down=%v", down), func(b *testing.B) {
			benchRanking(b, func(b *testing.B, r *ranking, all []ranked) {
				walk := r.ascend
				if down {
					walk = r.descend
				}
				var sum float64
				for i := 0; i < b.N; {
					left := 100
					walk(i*7919%len(all), func(x ranked) bool {
						sum += x.score
						i++
						left--
						return left > 0
					})
				}
			})
		})
	}
}
