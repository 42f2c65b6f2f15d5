package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// together is how many elements of a collection one command writes: more than there is
// room for in one record of a snapshot.
const together = 600

// writeTogether returns commands each of which gives a collection elements that say the
// same, and how many answers there are.
func writeTogether(w, n int) (commands string, answers int) {
	var fields, scores, elements strings.Builder
	for i := range together {
		fmt.Fprintf(&fields, " field%d %032d", i, n)
		fmt.Fprintf(&scores, " %d member:of:a:sorted:set:%d", n, i)
		fmt.Fprintf(&elements, " %d:%d:%032d", n, i, i)
	}
	return fmt.Sprintf("HSET hash%d%s\r\nZADD sorted%d%s\r\nRPUSH list%d%s\r\nSADD set%d%s\r\nLTRIM list%d -%d -1\r\n",
		w, &fields, w, &scores, w, &elements, w, &elements, w, 5*together), 5
}

// A snapshot that is written while everybody writes has, of a collection of many
// records, one moment.
func TestASnapshotUnderLoadIsExactPerCollection(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	p := r.start()
	ended := make(chan struct{})
	const writers = 3
	begun := make(chan struct{}, writers)
	for w := range writers {
		c := p.dial()
		go func() {
			defer func() { ended <- struct{}{} }()
			for n := 0; ; n++ {
				commands, answers := writeTogether(w, n)
				if _, err := fmt.Fprint(c.conn, commands); err != nil {
					return
				}
				for range answers {
					if _, err := c.line(); err != nil {
						return
					}
				}
				if n == 10 {
					begun <- struct{}{}
				}
			}
		}()
	}
	for range writers {
		<-begun
	}
	c := p.dial()
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
	c = r.start().dial()
	for w := range writers {
		isTogether(t, c, w)
	}
}

// isTogether says what is torn of the collections of a writer.
func isTogether(t *testing.T, c *peer, w int) {
	t.Helper()
	texts := map[string]bool{}
	for i, line := range strings.Split(c.call("HVALS hash%d", w), "\r\n") {
		if i > 0 && i%2 == 0 {
			texts[line] = true
		}
	}
	if len(texts) != 1 {
		t.Errorf("a torn hash: %v", texts)
	}
	if got, want := c.call("ZCARD sorted%d", w), fmt.Sprintf(":%d\r\n", together); got != want {
		t.Errorf("a torn sorted set: got %q members, want %q", got, want)
	}
	if first, last := c.call("ZRANGE sorted%d 0 0 WITHSCORES", w), c.call("ZRANGE sorted%d -1 -1 WITHSCORES", w); first[strings.LastIndex(first, "$"):] != last[strings.LastIndex(last, "$"):] {
		t.Errorf("a torn sorted set: %q to %q", first, last)
	}
	for _, command := range []string{"LLEN list", "SCARD set"} {
		var n int
		if _, err := fmt.Sscanf(c.call("%s%d", command, w), ":%d", &n); err != nil || n == 0 || n%together != 0 {
			t.Errorf("torn: %s%d: %d, %v", command, w, n, err)
		}
	}
}
