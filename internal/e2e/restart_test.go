package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/redis/go-redis/v9"
)

// front is a browser's end: it keeps the cursor and returns with it.
type front struct {
	epoch   string
	offset  uint64
	got     []int
	resumes int
}

// listen reads messages until the connection ends; that of nobody's fault is nil.
func (f *front) listen(s *service, last int) (finished bool, err error) {
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
		case m.Subbed != "":
			if !*m.Recovered {
				return false, fmt.Errorf("not recovered: %s", line)
			}
			f.resumes++
		case m.Msg != "":
			n, err := strconv.Atoi(m.Data)
			if err != nil {
				return false, fmt.Errorf("%s: %w", line, err)
			}
			f.got, f.offset = append(f.got, n), m.Offset
			if n == last {
				return true, nil
			}
		}
	}
}

// dialWS is connectWS without the welcome.
func dialWS(n *node) (*wsConn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	ws, _, err := websocket.Dial(ctx, "ws://"+n.HTTP+"/ws", nil)
	if err != nil {
		cancel()
		return nil, err
	}
	ws.SetReadLimit(16 << 20)
	return &wsConn{ws: ws, ctx: ctx, end: cancel}, nil
}

// back is a back end's end: HISTORY SINCE its cursor, whenever it looks.
func back(ctx context.Context, c *redis.Client, last int) (got []int, err error) {
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
			continue // between two nodes, or it is loading
		}
		page, _ := reply.(map[any]any)
		if now, _ := page["epoch"].(string); epoch != "" && (now != epoch || page["recovered"] != int64(1)) {
			return got, fmt.Errorf("epoch %s, and it was %s; recovered %v", now, epoch, page["recovered"])
		}
		epoch, _ = page["epoch"].(string)
		messages, _ := page["messages"].([]any)
		for _, m := range messages {
			fields, _ := m.([]any)
			text, _ := fields[3].(string)
			n, err := strconv.Atoi(text)
			if err != nil {
				return got, err
			}
			got = append(got, n)
			offset, _ = fields[0].(int64)
			if n == last {
				return got, nil
			}
		}
	}
}

// Browsers and a back end that use a broker while it is upgraded again and again see
// every message that was answered, once and in order, and are told that they do.
func TestBrowsersAndBackEndsResumeOverARestart(t *testing.T) {
	t.Parallel()
	const (
		restarts = 4
		between  = 500 // messages
		last     = -1
	)
	s := startService(t, "[[channel]]\nmatch = \"chat:*\"\nhistory = { size = 100000 }\npresence = true\n")
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()

	fronts := make([]front, 3)
	var readers sync.WaitGroup
	for i := range fronts {
		readers.Go(func() {
			for finished := false; !finished && ctx.Err() == nil; {
				var err error
				if finished, err = fronts[i].listen(s, last); err != nil {
					t.Errorf("browser %d: %v", i, err)
					return
				}
			}
		})
	}
	var seen []int
	readers.Go(func() {
		var err error
		if seen, err = back(ctx, s.client(), last); err != nil {
			t.Errorf("back end: %v", err)
		}
	})

	var answered []int
	var published atomic.Int64
	publisher, stop := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(publisher)
		c := s.client()
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if c.Publish(ctx, "chat:1", n).Err() == nil {
				answered = append(answered, n)
				published.Add(1)
			}
		}
	}()
	for i := range restarts {
		eventually(t, "messages between two restarts", func() bool { return published.Load() >= int64(between*(i+1)) })
		s.restart()
	}
	before := published.Load()
	eventually(t, "messages after the last restart", func() bool { return published.Load() >= before+between })
	close(stop)
	<-publisher
	c := s.client()
	eventually(t, "the last message", func() bool { return c.Publish(ctx, "chat:1", last).Err() == nil })
	readers.Wait()

	check := func(who string, got, answered []int) {
		at := 0
		for i, n := range got {
			if i > 0 && n != last && n <= got[i-1] {
				t.Errorf("%s: %d after %d", who, n, got[i-1])
			}
			if at < len(answered) && n == answered[at] {
				at++
			}
		}
		if at < len(answered) {
			t.Errorf("%s: message %d was answered and is not there", who, answered[at])
		}
	}
	check("back end", seen, answered)
	for i := range fronts {
		// What was published before the browser first came is not its.
		first := append(fronts[i].got, last)[0]
		from, _ := slices.BinarySearch(answered, first)
		check(fmt.Sprint("browser ", i), fronts[i].got, answered[from:])
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
