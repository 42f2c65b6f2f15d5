package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// pushes is a connection on which go-redis asks while it is subscribed: messages are kept here, because it would
// take one for the reply to its command. Of each it is known whether it came before the latest reply.
type pushes struct {
	net.Conn
	replies *io.PipeReader
	news    chan struct{} // another message; closed at the end of the connection

	mu       sync.Mutex
	messages []string
	before   int // how many of them came before the reply before the latest
	covered  int // and before the latest
}

func dialPushes(ctx context.Context, address string) (*pushes, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	p := &pushes{Conn: c, replies: r, news: make(chan struct{}, 1)}
	go func() {
		defer close(p.news)
		_ = w.CloseWithError(p.sort(w))
	}()
	return p, nil
}

func (p *pushes) Read(b []byte) (int, error) { return p.replies.Read(b) }

// The limits that go-redis sets for a reply are not those of a message.
func (p *pushes) SetDeadline(time.Time) error     { return nil }
func (p *pushes) SetReadDeadline(time.Time) error { return nil }

func (p *pushes) Close() error {
	_ = p.replies.Close()
	return p.Conn.Close()
}

// sort passes replies on and keeps messages, until the connection ends.
func (p *pushes) sort(replies io.Writer) error {
	in := bufio.NewReader(p.Conn)
	for {
		var frame bytes.Buffer
		texts, err := readFrame(in, &frame)
		if err != nil {
			return err
		}
		if frame.Bytes()[0] == '>' && texts[0] == "message" {
			p.keep(texts[2])
			continue
		}
		p.mu.Lock()
		p.before, p.covered = p.covered, len(p.messages)
		p.mu.Unlock()
		if _, err := replies.Write(frame.Bytes()); err != nil {
			return err
		}
	}
}

func (p *pushes) keep(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages = append(p.messages, text)
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// readFrame copies a frame of RESP3 and returns its texts.
func readFrame(in *bufio.Reader, raw *bytes.Buffer) (texts []string, err error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	raw.WriteString(line)
	kind, rest := line[0], strings.TrimSuffix(line[1:], "\r\n")
	if !strings.ContainsRune("$*>~%", rune(kind)) {
		return []string{rest}, nil
	}
	n, err := strconv.Atoi(rest)
	if kind == '$' && err == nil && n >= 0 {
		text := make([]byte, n+len("\r\n"))
		_, err = io.ReadFull(in, text)
		raw.Write(text)
		return []string{string(text[:n])}, err
	}
	if kind == '%' {
		n *= 2
	}
	for i := 0; i < n && err == nil; i++ {
		var more []string
		more, err = readFrame(in, raw)
		texts = append(texts, more...)
	}
	return texts, err
}

// split returns the messages that came between the latest two replies, and those behind them.
func (p *pushes) split() (covered, newer []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.messages[p.before:p.covered]), slices.Clone(p.messages[p.covered:])
}

// follower is a back end that sees each message once and in order: on one connection it subscribes, asks for the
// history since its cursor, and drops what was pushed before the reply. So it does again after some messages, which
// moves the cursor on.
type follower struct {
	epoch       string
	offset      int64 // of the last message of the latest page
	got         []string
	live        int // how many at the end of got were pushed behind that page
	pages       int
	connections atomic.Int64 // on which there was a page; counted while others look
}

// follow stays on one connection until it ends, or the last message has come.
func (f *follower) follow(ctx context.Context, address string) (finished bool, err error) {
	p, err := dialPushes(ctx, address)
	if err != nil {
		return false, nil //nolint:nilerr // between two nodes
	}
	client := redis.NewClient(&redis.Options{
		Protocol: 3, MaxRetries: -1, DisableIdentity: true,
		Dialer: func(context.Context, string, string) (net.Conn, error) { return p, nil },
	})
	defer func() { _ = client.Close() }()
	c := client.Conn()
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, func() { _ = p.Close() })()
	if c.Do(ctx, "SUBSCRIBE", "chat:1").Err() != nil {
		return false, nil // it is loading, or stops
	}
	for first := true; ; first = false {
		ask := []any{"HISTORY", "chat:1"}
		if f.epoch != "" {
			ask = append(ask, "SINCE", f.epoch, f.offset)
		}
		reply, err := c.Do(ctx, ask...).Result()
		if err != nil {
			return false, nil //nolint:nilerr // cut off
		}
		covered, _ := p.split()
		if err := f.take(reply, covered); err != nil {
			return false, err
		}
		if first {
			f.connections.Add(1)
		}
		if finished, open := f.listen(p, 20); finished || !open {
			return finished, nil
		}
	}
}

// take adds a page. It begins with what was pushed behind the page before it, and ends with what was pushed before
// it on its own connection.
func (f *follower) take(reply any, covered []string) error {
	page, err := readPage(reply)
	if err != nil {
		return err
	}
	live := f.got[len(f.got)-f.live:]
	switch known := f.epoch != ""; {
	case known && (page.epoch != f.epoch || !page.recovered):
		return fmt.Errorf("epoch %s, and it was %s; recovered %v", page.epoch, f.epoch, page.recovered)
	case len(page.texts) < len(live) || !slices.Equal(page.texts[:len(live)], live):
		return fmt.Errorf("pushed behind the page before, and now in the history: %s", difference(live, page.texts))
	case len(page.texts) < len(covered) || !slices.Equal(page.texts[len(page.texts)-len(covered):], covered):
		return fmt.Errorf("pushed before the page, and not the end of it: %.100q; %.100q", covered, page.texts)
	}
	f.epoch, f.offset = page.epoch, max(f.offset, page.last)
	f.got = append(f.got, page.texts[len(live):]...)
	f.live = 0
	f.pages++
	return nil
}

// listen adds what is pushed, until it is so many messages or the connection ends.
func (f *follower) listen(p *pushes, messages int) (finished, open bool) {
	for open = true; ; _, open = <-p.news {
		_, newer := p.split()
		f.got = append(f.got, newer[f.live:]...)
		f.live = len(newer)
		finished = slices.Contains(f.got[max(0, len(f.got)-1):], lastOne)
		if finished || !open || f.live >= messages {
			return finished, open
		}
	}
}

// A back end that is subscribed on the one connection it asks on loses and repeats nothing while the broker is
// upgraded under the load of several publishers.
func TestABackEndFollowsOnOneConnectionOverARestart(t *testing.T) {
	t.Parallel()
	const restarts = 4
	s := startService(t, "[[channel]]\nmatch = \"chat:*\"\nhistory = { size = 1_000_000 }\n")
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	var f follower
	ended := make(chan error, 1)
	go func() {
		for {
			finished, err := f.follow(ctx, s.now.Load().RESP)
			if finished || err != nil || ctx.Err() != nil {
				ended <- err
				return
			}
			<-time.After(betweenNodes)
		}
	}()
	publishers := []*steady{s.publish("chat:1", 0), s.publish("chat:1", 0), s.publish("chat:1", 0)}
	for n := range int64(restarts + 1) {
		if n > 0 {
			s.restart()
		}
		eventually(t, "a page of this node", func() bool { return f.connections.Load() > n || len(ended) > 0 })
		publishers[0].more(t, 300)
	}
	all := s.end("chat:1", publishers...)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.got, all) {
		t.Error(difference(f.got, all))
	}
	connections := f.connections.Load()
	if connections <= restarts || int64(f.pages) <= connections {
		t.Errorf("got %d pages on %d connections, want one more connection than %d restarts, and more pages", f.pages, connections, restarts)
	}
	t.Logf("%d messages over %d restarts: %d pages on %d connections", len(f.got), restarts, f.pages, connections)
}
