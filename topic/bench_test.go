package topic

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
)

// shapes are the sets of patterns that are measured: what programs subscribe to,
// and what somebody who means harm would.
var shapes = []struct {
	name    string
	pattern func(r *rand.Rand, id int) string
	channel func(r *rand.Rand, id int) string
}{
	{"user", format("user:%d:*"), format("user:%d:inbox")},
	{"room", format("room.%d.*"), format("room.%d.message")},
	{"suffix", func(_ *rand.Rand, id int) string { return "*:" + words[id%len(words)] + fmt.Sprint(id) },
		func(_ *rand.Rand, id int) string { return "event:" + words[id%len(words)] + fmt.Sprint(id) }},
	{"typing", format("chat.*.%d.typing"), format("chat.eu.%d.typing")},
	{"infix", format("*:id%d:*"), format("shop:id%d:paid")},
	{"mixed", mixedPattern, mixedChannel},
	{"classes", func(_ *rand.Rand, id int) string { return fmt.Sprintf("dev[%c%c]%d.[0-9]*", 'a'+id%8, 'i'+id/8%8, id) },
		func(_ *rand.Rand, id int) string { return fmt.Sprintf("dev%c%d.5", 'a'+id%8, id) }},
	{"random", func(r *rand.Rand, _ int) string { return randomText(r, "abcdefghijklmnopqrstuvwxyz0123*?", 12) + "x" },
		func(r *rand.Rand, _ int) string { return randomText(r, "abcdefghijklmnopqrstuvwxyz0123", 16) + "y" }},
	{"adversarial", format("a*b*c*d*e*f*g*h*%dz"), format("abcdefghabcdefgh%dy")},
	{"late-miss", format("news:*:%d:archive"), format("news:de:x%d:archive")},
}

var words = []string{"alpha", "beta", "gamma", "delta", "order", "invoice"}

var sizes = []struct {
	name string
	n    int
}{{"100", 100}, {"1k", 1_000}, {"10k", 10_000}, {"100k", 100_000}, {"1M", 1_000_000}}

func format(f string) func(*rand.Rand, int) string {
	return func(_ *rand.Rand, id int) string { return fmt.Sprintf(f, id) }
}

var mixedForms = [][2]string{
	{"user:%d:*", "user:%d:x"}, {"user:%d:*", "user:%d:y"}, {"user:%d:*", "user:%d:z"},
	{"room.%d.*", "room.%d.x"}, {"room.%d.*", "room.%d.y"}, {"*:alpha%d", "q:alpha%d"},
	{"chat.*.%d.typing", "chat.us.%d.typing"}, {"news?%d", "news:%d"},
	{"__keyspace@0__:cart%d*", "__keyspace@0__:cart%d"}, {"*:id%d:*", "q:id%d:x"},
}

func mixedPattern(_ *rand.Rand, id int) string {
	return fmt.Sprintf(mixedForms[id%len(mixedForms)][0], id)
}

func mixedChannel(_ *rand.Rand, id int) string {
	return fmt.Sprintf(mixedForms[id%len(mixedForms)][1], id)
}

// built is an index of one shape and size with what it took.
type built struct {
	index    *Index[int]
	snapshot *Snapshot[int]
	channels [][]byte
	bytes    float64 // per pattern, its text included
}

// The last index built stays for the next benchmark that asks for it: a million
// patterns are made once, and at no time two million.
var cache struct {
	sync.Mutex
	shape string
	n     int
	set   *built
}

func build(b *testing.B, shape, n int) *built {
	b.Helper()
	cache.Lock()
	defer cache.Unlock()
	if cache.set != nil && cache.shape == shapes[shape].name && cache.n == n {
		return cache.set
	}
	cache.set = nil
	set := &built{index: NewIndex[int]()}
	r := newRand(3)
	before := heap()
	for id := range n {
		set.index.Add(Compile(shapes[shape].pattern(r, id)), id)
		if id%1000 == 999 {
			set.index.Commit()
		}
	}
	set.snapshot = set.index.Commit()
	set.bytes = float64(heap()-before) / float64(n)
	for range 4096 { // a quarter of the ids has no pattern
		set.channels = append(set.channels, []byte(shapes[shape].channel(r, r.IntN(n+n/3))))
	}
	cache.shape, cache.n, cache.set = shapes[shape].name, n, set
	return set
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkMatch(b *testing.B) {
	for shape := range shapes {
		for _, size := range sizes {
			b.Run("shape="+shapes[shape].name+"/patterns="+size.name, func(b *testing.B) {
				set := build(b, shape, size.n)
				dst := make([]int, 0, 1024)
				hits, i := 0, 0
				b.ReportAllocs()
				for b.Loop() {
					dst = set.snapshot.Match(dst[:0], set.channels[i%len(set.channels)])
					hits += len(dst)
					i++
				}
				b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
				b.ReportMetric(set.bytes, "B/pattern")
			})
		}
	}
}

// One client subscribes and unsubscribes a pattern nobody else has: two
// transactions per op, compilation included.
func BenchmarkSubscribe(b *testing.B) {
	for shape := range shapes {
		for _, size := range sizes {
			b.Run("shape="+shapes[shape].name+"/patterns="+size.name, func(b *testing.B) {
				set := build(b, shape, size.n)
				r := newRand(5)
				i := 0
				b.ReportAllocs()
				for b.Loop() {
					p := Compile(shapes[shape].pattern(r, size.n+i%1000))
					set.index.Add(p, -1)
					set.index.Commit()
					set.index.Remove(p, -1)
					set.index.Commit()
					i++
				}
			})
		}
	}
}

// A client arrives with a thousand patterns in one transaction and leaves.
func BenchmarkSubscribeBatch(b *testing.B) {
	const batch = 1000
	set := build(b, 0, 100_000)
	patterns := make([]*Pattern, batch)
	for i := range patterns {
		patterns[i] = Compile(fmt.Sprintf("user:%d:*", 500_000+i))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range patterns {
			set.index.Add(p, -1)
		}
		set.index.Commit()
		for _, p := range patterns {
			set.index.Remove(p, -1)
		}
		set.index.Commit()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(2*batch), "ns/change")
}

// What publishing would cost without the index, with the same compiled patterns.
func BenchmarkLinearScan(b *testing.B) {
	r := newRand(3)
	patterns := make([]*Pattern, 10_000)
	for i := range patterns {
		patterns[i] = Compile(mixedPattern(r, i))
	}
	channel := []byte("user:77770:x")
	for b.Loop() {
		for _, p := range patterns {
			p.Match(channel)
		}
	}
}

var sinkPattern *Pattern

func BenchmarkCompile(b *testing.B) {
	for _, glob := range []string{"user:12345:*", "dev[xy]12.[0-9]*"} {
		b.Run(glob, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkPattern = Compile(glob)
			}
		})
	}
}

// Finding what matches takes no memory, for the shapes that programs use.
func TestMatchDoesNotAllocate(t *testing.T) {
	for _, shape := range shapes {
		x := NewIndex[int]()
		r := newRand(9)
		for id := range 500 {
			x.Add(Compile(shape.pattern(r, id)), id)
		}
		s := x.Commit()
		dst := make([]int, 0, 1024)
		channel := []byte(shape.channel(r, 123))
		if got := testing.AllocsPerRun(100, func() { dst = s.Match(dst[:0], channel) }); got != 0 {
			t.Errorf("shape %s: got %v allocations, want 0", shape.name, got)
		}
	}
}
