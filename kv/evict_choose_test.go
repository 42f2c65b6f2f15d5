package kv

import (
	linked "container/list"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestKeysThatAreNeverUsedGoFirst(t *testing.T) {
	t.Parallel()
	for _, p := range []Policy{PolicyAllKeysLRU, PolicyVolatileLRU, PolicyAllKeysLFU, PolicyVolatileLFU} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			const n = 4000
			s, c := evicting(p, 0)
			for i := range n {
				put(s, i%2, fmt.Sprint("k", i), 1e9)
			}
			for range 5 {
				c.pass(s, 10)
				for i := 0; i < n; i += 4 { // a quarter of the keys
					tx := s.BeginAll()
					tx.Get(i%2, fmt.Append(nil, "k", i)) //nolint:errcheck // strings
					tx.End()
				}
			}
			s.SetMaxMemory(s.Bytes() * 6 / 10)
			for !s.roomy() {
				if !s.MakeRoom() {
					t.Fatal("nothing left to evict")
				}
			}
			evicted := int(s.Stats().Evicted)
			tx := s.BeginAll()
			defer tx.End()
			used := 0
			for i := 0; i < n; i += 4 {
				if tx.Exists(i%2, fmt.Append(nil, "k", i)) {
					used++
				}
			}
			if evicted < n/4 || used < n/4*95/100 {
				t.Errorf("got %d evicted, %d of %d used keys left", evicted, used, n/4)
			}
		})
	}
}

func TestACandidateThatWasUsedSinceStays(t *testing.T) {
	t.Parallel()
	for _, p := range []Policy{PolicyAllKeysLRU, PolicyAllKeysLFU, PolicyVolatileLRU} {
		s, c := evicting(p, 0)
		put(s, 0, "k", 1e9)
		c.pass(s, 100)
		v := s.eviction.Load()
		find := func() candidate {
			var to pool
			for i := range s.shards {
				s.shards[i].sample(v, &to)
			}
			got, _ := to.worst()
			return *got
		}
		old := find()
		for range 10 {
			use(s, "k")
		}
		if s.evictCandidate(v, &old) || !has(s, "k") {
			t.Errorf("%s: evicted after it was used", p)
		}
		now := find()
		if p.volatile() {
			tx := s.BeginAll()
			tx.Persist(0, []byte("k"))
			tx.End()
			now.score = 0
			if s.evictCandidate(v, &now) {
				t.Errorf("%s: evicted without a time to live", p)
			}
			continue
		}
		if !s.evictCandidate(v, &now) || has(s, "k") {
			t.Errorf("%s: got the key left", p)
		}
		if s.evictCandidate(v, &now) {
			t.Errorf("%s: evicted twice", p)
		}
	}
}

func TestThePoolKeepsTheWorstOfAll(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test
		var p pool
		var want []uint32
		for i := range 200 {
			score := rnd.Uint32N(100)
			p.add(score, 0, fmt.Append(nil, i, " ", score))
			want = append(want, score)
			slices.Sort(want)
			want = want[max(0, len(want)-poolSize):]
			if rnd.IntN(4) == 0 {
				c, ok := p.worst()
				if last := len(want) - 1; !ok || c.score != want[last] {
					t.Fatalf("seed %d: got %v, want %d", seed, c, want[last])
				}
				want = want[:len(want)-1]
			}
			for j := range p.n {
				var n int
				var score uint32
				if _, err := fmt.Sscan(string(p.list[j].key), &n, &score); err != nil || score != p.list[j].score || score != want[j] {
					t.Fatalf("seed %d: entry %d: got %q with %d, want %d", seed, j, p.list[j].key, p.list[j].score, want[j])
				}
			}
		}
	}
}

// Keys are drawn as often from a full database as there are keys in it, and from
// shards alike.
func TestEveryKeyIsAsLikelyToGo(t *testing.T) {
	t.Parallel()
	gone := 0
	const rounds = 60
	for range rounds {
		s, _ := evicting(PolicyAllKeysRandom, 0)
		for i := range 300 {
			put(s, 0, fmt.Sprint("k", i), 0)
		}
		for i := range 100 {
			put(s, 1, fmt.Sprint("k", i), 0)
		}
		for range 40 {
			s.evictOne()
		}
		gone += 100 - s.Stats().Databases[1].Keys
	}
	// 10 of each round are expected, with a deviation of 2.6.
	if got := float64(gone) / rounds; math.Abs(got-10) > 2 {
		t.Errorf("got %.1f keys of the smaller database gone, want about 10", got)
	}
}

// zipf asks for keys of which few are popular, and returns how often they were
// there; what is not there is stored, as a cache does.
func zipf(s *Store, c *seconds, keys uint64, asks int) float64 {
	z := rand.NewZipf(rand.New(rand.NewPCG(7, 7)), 1.1, 10, keys-1) //nolint:gosec // a test
	hits := 0
	for i := range asks {
		if i%400 == 0 {
			c.pass(s, 1)
		}
		key := fmt.Sprint("key", z.Uint64())
		if use(s, key) {
			hits++
			continue
		}
		if err := write(s, key, 16, 0); err != nil {
			panic(err)
		}
	}
	return float64(hits) / float64(asks)
}

// exactLRU is the same with the exact order of use, and room for a number of keys.
func exactLRU(room int, keys uint64, asks int) float64 {
	z := rand.NewZipf(rand.New(rand.NewPCG(7, 7)), 1.1, 10, keys-1) //nolint:gosec // a test
	order, at := linked.New(), map[uint64]*linked.Element{}
	hits := 0
	for range asks {
		key := z.Uint64()
		if e, ok := at[key]; ok {
			hits++
			order.MoveToFront(e)
			continue
		}
		at[key] = order.PushFront(key)
		if order.Len() > room {
			delete(at, order.Remove(order.Back()).(uint64)) //nolint:errcheck // what was put in
		}
	}
	return float64(hits) / float64(asks)
}

func TestTheHitRateIsNearThatOfTheExactOrder(t *testing.T) {
	t.Parallel()
	const keys, asks, limit = 20_000, 80_000, 300_000
	rates := map[Policy]float64{}
	room := 0
	for _, p := range []Policy{PolicyAllKeysLRU, PolicyAllKeysLFU, PolicyAllKeysRandom} {
		s, c := evicting(p, limit)
		rates[p] = zipf(s, c, keys, asks)
		room = max(room, s.Stats().Databases[0].Keys)
	}
	exact := exactLRU(room, keys, asks)
	t.Logf("room for %d of %d keys: exact LRU %.4f, lru %.4f, lfu %.4f, random %.4f", room, keys, exact,
		rates[PolicyAllKeysLRU], rates[PolicyAllKeysLFU], rates[PolicyAllKeysRandom])
	if rates[PolicyAllKeysLRU] < exact-.01 {
		t.Errorf("lru: got %.4f, want at least %.4f", rates[PolicyAllKeysLRU], exact-.01)
	}
	if rates[PolicyAllKeysLFU] < exact {
		t.Errorf("lfu: got %.4f, want at least that of LRU, %.4f", rates[PolicyAllKeysLFU], exact)
	}
	if rates[PolicyAllKeysRandom] > exact-.02 {
		t.Errorf("random: got %.4f: the test tells nothing", rates[PolicyAllKeysRandom])
	}
}
