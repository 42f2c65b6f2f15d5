package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// digest is what a broker answers about every key and channel that randomly uses.
func digest(p *process) string {
	p.t.Helper()
	c := p.dial()
	var b strings.Builder
	for db := range 4 {
		c.call("SELECT %d", db)
		b.WriteString(c.call("DBSIZE"))
		for k := range 200 {
			b.WriteString(c.call("GET k%d", k) + c.call("PEXPIRETIME k%d", k))
		}
		for i := range 10 {
			b.WriteString(collections(c, i))
		}
	}
	for i := range 10 {
		b.WriteString(c.call("HISTORY chat:%d", i) + c.call("PRESENCE LIST chat:%d", i) + c.call("CHANNEL INFO chat:%d", i))
		retained := strings.Split(c.call("RETAINED chat:%d", i), "\r\n")
		if len(retained) > 5 {
			retained[5] = "" // the time to live, which passes
		}
		b.WriteString(strings.Join(retained, "\n"))
	}
	return b.String()
}

// collections is what a broker answers about one collection of each type, in the order
// of their elements where a type has none.
func collections(c *peer, i int) string {
	var b strings.Builder
	for _, kind := range []string{"hash", "list", "set", "sorted"} {
		b.WriteString(c.call("TYPE %s%d", kind, i) + c.call("PEXPIRETIME %s%d", kind, i))
	}
	unordered := func(answer string, lines int) {
		head, rest, _ := strings.Cut(answer, "\r\n")
		elements := slices.Collect(slices.Chunk(strings.Split(rest, "\r\n"), lines))
		slices.SortFunc(elements, slices.Compare)
		b.WriteString(fmt.Sprintf("%s %q\n", head, elements))
	}
	unordered(c.call("HGETALL hash%d", i), 4)
	unordered(c.call("SMEMBERS set%d", i), 2)
	b.WriteString(c.call("LRANGE list%d 0 -1", i) + c.call("ZRANGE sorted%d 0 -1 WITHSCORES", i))
	return b.String()
}

// collect is a random command that changes a collection, which is a large one for some
// keys.
func collect(r *rand.Rand) string {
	i, n := r.IntN(10), r.IntN(1_000_000)
	many := func(format string) string {
		var b strings.Builder
		for range []int{1, 1, 1, 5, 400}[i/2] {
			n := r.IntN(100_000)
			b.WriteString(strings.ReplaceAll(format, "N", strconv.Itoa(n)))
		}
		return b.String()
	}
	switch r.IntN(16) {
	case 0:
		return fmt.Sprintf("DEL %s%d", []string{"hash", "list", "set", "sorted"}[r.IntN(4)], r.IntN(6))
	case 1:
		return fmt.Sprintf("EXPIRE %s%d %d", []string{"hash", "list", "set", "sorted"}[r.IntN(4)], i, 1000+n)
	case 2:
		return fmt.Sprintf("HDEL hash%d%s", i, many(" fieldN"))
	case 3:
		return fmt.Sprintf("LTRIM list%d %d -2", i, r.IntN(3))
	case 4:
		return fmt.Sprintf("LSET list%d 0 \"%s\"", i, strings.Repeat("\\x00", n%3000))
	case 5:
		return fmt.Sprintf("SREM set%d%s", i, many(" N"))
	case 6:
		return fmt.Sprintf("ZREM sorted%d%s", i, many(" memberN"))
	case 7:
		return fmt.Sprintf("SADD set%d \"%s\"", i, strings.Repeat("long", n%100))
	case 8, 9:
		return fmt.Sprintf("HSET hash%d%s", i, many(" fieldN valueN"))
	case 10, 11:
		return fmt.Sprintf("RPUSH list%d%s", i, many(" \"N\\xff\""))
	case 12, 13:
		return fmt.Sprintf("SADD set%d%s", i, many(" N"))
	}
	return fmt.Sprintf("ZADD sorted%d%s", i, many(fmt.Sprintf(" N.%d memberN", r.IntN(9))))
}

// randomly is a random command that changes something.
func randomly(r *rand.Rand) string {
	key, channel, n := r.IntN(200), r.IntN(10), r.IntN(1_000_000)
	switch r.IntN(24) {
	case 0:
		return fmt.Sprintf("SELECT %d", r.IntN(4))
	case 1:
		return fmt.Sprintf("DEL k%d", key)
	case 2:
		return fmt.Sprintf("EXPIRE k%d %d", key, 1000+n)
	case 3:
		return fmt.Sprintf("SET k%d \"%s\" EX %d", key, strings.Repeat("long", n%3000), 1000+n)
	case 4:
		return fmt.Sprintf("APPEND k%d \"\\x00\\xff\\r\\n%d\"", key, n)
	case 5:
		return fmt.Sprintf("RETAIN chat:%d %d", channel, n)
	case 6:
		return fmt.Sprintf("RETAIN chat:%d %d EX %d", channel, n, 1000+n)
	case 7:
		return fmt.Sprintf("UNRETAIN chat:%d", channel)
	case 8:
		return fmt.Sprintf("PRESENCE JOIN chat:%d u%d DATA %d EX %d", channel, key, n, 1000+n)
	case 9:
		return fmt.Sprintf("PRESENCE LEAVE chat:%d u%d", channel, key)
	case 10:
		return fmt.Sprintf("PUBLISH chat:%d \"\\x00%d\"", channel, n)
	}
	if n%2 == 0 {
		return collect(r)
	}
	return fmt.Sprintf("SET k%d %d", key, n)
}

func TestARandomDatasetOutlivesARestart(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	r := newRestartable(t)
	p := r.start()
	for range 3 {
		c := p.dial()
		for range 1500 {
			command := randomly(random)
			if got := c.call("%s", command); got[0] == '-' && !strings.HasPrefix(command, "LSET") { // which may have nothing to set
				t.Fatalf("%.1000s: %s", command, got)
			}
		}
		want := digest(p)
		r.stop(p)
		p = r.start()
		if got := digest(p); got != want {
			t.Fatalf("got\n%.3000s\nwant\n%.3000s", got, want)
		}
	}
}

// A snapshot that is written while everybody writes has, of each channel and each
// value, one moment.
func TestASnapshotUnderLoadIsExactPerChannelAndKey(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	p := r.start()
	ended := make(chan struct{})
	const writers = 3
	for w := range writers {
		c := p.dial()
		go func() {
			defer func() { ended <- struct{}{} }()
			for n := 0; ; n++ {
				command := fmt.Sprintf("PUBLISH chat:%d %d\r\nSET k%d:%d %s\r\n", w, n, w, n%100, strings.Repeat(string(rune('a'+n%26)), 1000))
				if _, err := fmt.Fprint(c.conn, command); err != nil {
					return
				}
				for range 2 {
					if _, err := c.line(); err != nil {
						return
					}
				}
			}
		}()
	}
	c := p.dial()
	for w := range writers {
		for !strings.Contains(c.call("HISTORY chat:%d", w), "*100\r\n") { // until it is full
			continue
		}
	}
	for range 5 {
		if got := c.call("SAVE"); got != "+OK\r\n" {
			t.Fatalf("got %q", got)
		}
	}
	p.signal(syscall.SIGKILL)
	for range writers {
		<-ended
	}
	p.exit()
	p = r.start()
	c = p.dial()
	for w := range writers {
		messages := strings.Split(c.call("HISTORY chat:%d", w), "\r\n")
		last, found := -1, 0
		for i, line := range messages {
			if line != "*4" || i+6 >= len(messages) {
				continue
			}
			var n int
			if _, err := fmt.Sscan(messages[i+5], &n); err != nil {
				t.Fatalf("%q: %v", messages[i:i+7], err)
			}
			if last >= 0 && n != last+1 {
				t.Errorf("channel %d: %d follows %d", w, n, last)
			}
			last = n
			found++
		}
		if found != 100 {
			t.Errorf("channel %d: %d messages", w, found)
		}
		for k := range 100 {
			value := c.call("GET k%d:%d", w, k)
			if _, text, _ := strings.Cut(strings.TrimSuffix(value, "\r\n"), "\r\n"); value[0] == '$' && value[1] != '-' && strings.Count(text, text[:1]) != 1000 {
				t.Errorf("a torn value: %q", value)
			}
		}
	}
}
