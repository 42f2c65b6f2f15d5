package ws

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// TestABlockedReaderOfAConflatedChannelGetsTheNewest holds that who takes nothing
// for a while gets the newest message then, and is told how many were left out.
func TestABlockedReaderOfAConflatedChannelGetsTheNewest(t *testing.T) {
	const published = 1000
	inBubble(t, func(c *Config) { c.PushHard, c.PushSoft = 64<<10, 64<<10 }, func(b *bubble) {
		c := b.dial()
		c.write(text(`{"sub":"view:1"}`))
		c.expect(`{"subbed":"view:1"}`)
		c.write(text(`{"psub":"view:*"}`))
		c.expect(`{"psubbed":"view:*"}`)
		for i := range published {
			b.broker.PublishEvent("view:1", []byte(strings.Repeat("x", 1000)+fmt.Sprint(" ", i)))
			synctest.Wait() // the message is distributed, or in its slot
		}
		next := map[string]int{}
		skips := 0
		for next[""] < published || next["view:*"] < published {
			for line := range strings.SplitSeq(c.text(), "\n") {
				var m struct {
					Via, Msg, Data string
					Skipped        int
				}
				if err := json.Unmarshal([]byte(line), &m); err != nil || m.Msg != "view:1" {
					t.Fatalf("%s: %v", line, err)
				}
				if m.Skipped > 0 && !strings.HasPrefix(line, `{"skipped":`) {
					t.Errorf("skipped is not the first member of %.60s", line)
				}
				skips += min(m.Skipped, 1)
				want := next[m.Via] + m.Skipped
				if !strings.HasSuffix(m.Data, fmt.Sprint(" ", want)) {
					t.Fatalf("got %.60s… %s, want message %d of via %q", line, m.Data[1000:], want, m.Via)
				}
				next[m.Via] = want + 1
			}
		}
		if skips != 2 {
			t.Errorf("%d deliveries said that some were skipped, want one of each subscription", skips)
		}
		_ = c.Close()
	})
}
