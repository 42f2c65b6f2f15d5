package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// front is a browser's end: it keeps the cursor and returns with it.
type front struct {
	epoch   string
	offset  uint64
	got     []string
	resumes int

	subscribed atomic.Int64 // how often; counted while others look
}

// listen reads messages until the connection ends; that of nobody's fault is nil.
func (f *front) listen(s *service) (finished bool, err error) {
	c, err := dialWS(s.now.Load())
	if err != nil {
		return false, nil //nolint:nilerr // between two nodes
	}
	defer c.close()
	ask := `{"sub":"chat:1"}`
	if f.epoch != "" {
		ask = fmt.Sprintf(`{"sub":"chat:1","epoch":%q,"offset":%d}`, f.epoch, f.offset)
	}
	if err := c.send(ask); err != nil {
		return false, nil //nolint:nilerr // cut
	}
	for {
		line, err := c.line()
		if err != nil {
			return false, nil //nolint:nilerr // cut
		}
		var m struct {
			Welcome, Subbed, Msg, Epoch, Data string
			Offset                            uint64
			Recovered                         *bool
			Error                             json.RawMessage
		}
		if err := json.Unmarshal(line, &m); err != nil {
			return false, fmt.Errorf("%s: %w", line, err)
		}
		switch {
		case m.Error != nil:
			return false, fmt.Errorf("got %s", line)
		case m.Welcome != "" && f.epoch == "":
			f.epoch = m.Epoch
		case m.Welcome != "" && m.Epoch != f.epoch:
			return false, fmt.Errorf("epoch %s, and it was %s", m.Epoch, f.epoch)
		case m.Subbed != "" && m.Recovered == nil:
			f.offset = m.Offset
			f.subscribed.Add(1)
		case m.Subbed != "":
			if !*m.Recovered {
				return false, fmt.Errorf("not recovered: %s", line)
			}
			f.resumes++
			f.subscribed.Add(1)
		case m.Msg != "":
			f.got, f.offset = append(f.got, m.Data), m.Offset
			if m.Data == lastOne {
				return true, nil
			}
		}
	}
}

// back is a back end's end: HISTORY SINCE its cursor, whenever it looks.
func back(ctx context.Context, c *redis.Client) (got []string, err error) {
	epoch, offset := "", int64(0)
	for {
		args := []any{"HISTORY", "chat:1"}
		if epoch != "" {
			args = append(args, "SINCE", epoch, offset)
		}
		reply, err := c.Do(ctx, args...).Result()
		if ctx.Err() != nil {
			return got, ctx.Err()
		}
		if err != nil {
			<-time.After(betweenNodes) // or it is loading
			continue
		}
		p, err := readPage(reply)
		if err != nil {
			return got, err
		}
		if epoch != "" && (p.epoch != epoch || !p.recovered) {
			return got, fmt.Errorf("epoch %s, and it was %s; recovered %v", p.epoch, epoch, p.recovered)
		}
		epoch, offset = p.epoch, max(offset, p.last)
		if got = append(got, p.texts...); slices.Contains(p.texts, lastOne) {
			return got, nil
		}
	}
}

// lastOne is the message after which there is none.
const lastOne = "the last one"

// Browsers and a back end that use a broker while it is upgraded again and again see
// every message of it, once and in order, and are told that they do.
func TestBrowsersAndBackEndsResumeOverARestart(t *testing.T) {
	t.Parallel()
	const restarts = 4
	s := startService(t, "[[channel]]\nmatch = \"chat:*\"\nhistory = { size = 1_000_000 }\n")
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()

	fronts := make([]front, 3)
	var readers sync.WaitGroup
	for i := range fronts {
		readers.Go(func() {
			for finished := false; !finished && ctx.Err() == nil; {
				var err error
				if finished, err = fronts[i].listen(s); err != nil {
					t.Errorf("browser %d: %v", i, err)
					return
				}
				<-time.After(betweenNodes)
			}
		})
	}
	var seen []string
	readers.Go(func() {
		var err error
		if seen, err = back(ctx, s.client()); err != nil {
			t.Errorf("back end: %v", err)
		}
	})

	publisher := s.publish("chat:1", 0)
	for n := range int64(restarts + 1) {
		if n > 0 {
			s.restart()
		}
		for i := range fronts {
			eventually(t, fmt.Sprintf("browser %d is with this node", i), func() bool { return fronts[i].subscribed.Load() > n || t.Failed() })
		}
		publisher.more(t, 500)
	}
	all := s.end("chat:1", publisher)
	readers.Wait()

	if !slices.Equal(seen, all) {
		t.Errorf("back end: %s", difference(seen, all))
	}
	for i := range fronts {
		// What was published before the browser first came is not its.
		first := append(slices.Clone(fronts[i].got), lastOne)[0]
		if want := all[slices.Index(all, first):]; !slices.Equal(fronts[i].got, want) {
			t.Errorf("browser %d: %s", i, difference(fronts[i].got, want))
		}
		if fronts[i].resumes < restarts {
			t.Errorf("browser %d resumed %d times, want %d", i, fronts[i].resumes, restarts)
		}
	}
	t.Logf("%d messages over %d restarts", len(seen), restarts)
}

// Who was connected when the broker was stopped is there after the start, for the
// grace; who had a lease for its time.
func TestMembersStayOverARestart(t *testing.T) {
	t.Parallel()
	s := startService(t, "[[channel]]\nmatch = \"chat:*\"\npresence = true\n")
	browser, err := connectWS(s.now.Load())
	if err != nil {
		t.Fatal(err)
	}
	defer browser.close()
	if err := errors.Join(browser.send(`{"join":"chat:1","id":1}`), browser.expect(`{"ok":1`)); err != nil {
		t.Fatal(err)
	}
	ctx, c := t.Context(), s.client()
	if err := c.Do(ctx, "PRESENCE", "JOIN", "chat:1", "leased", "EX", "1000").Err(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.restart()
	var n int
	eventually(t, "a count of members", func() (ok bool) {
		n, err = c.Do(ctx, "PRESENCE", "COUNT", "chat:1").Int()
		return err == nil
	})
	if n != 2 && time.Since(began) < 9*time.Second {
		t.Errorf("%d members after the restart, want 2", n)
	}
}
