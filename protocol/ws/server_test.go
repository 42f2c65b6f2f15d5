package ws

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"fanfare/broker"
)

func TestShutdownDeliversWhatWasPublishedAndSays4503(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	p := r.dial()
	p.send(`{"sub":"a"}`)
	p.want(`{"subbed":"a"}`)
	for i := range 1000 {
		r.publish("a", fmt.Sprint(i))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if got := p.closed(); got != 4503 {
		t.Errorf("close code %d, want 4503", got)
	}
	for i := range 1000 {
		p.want(fmt.Sprintf(`{"msg":"a","data":"%d","time":0}`, i))
	}
	if len(p.lines) > 0 {
		t.Errorf("more came: %q", p.lines)
	}
	if p, _ := r.dialWith(nil); p != nil {
		t.Error("a connection was accepted after Shutdown")
	}
	if got := r.server.Stats().Open; got != 0 {
		t.Errorf("%d connections open, want 0", got)
	}
}

func TestPeerThatComesTooLateIsTold4503(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.broker.Refuse()
	if got := r.dialRaw().closed(); got != 4503 {
		t.Errorf("close code %d, want 4503", got)
	}
	eventually(t, "no connection is open", func() bool { return r.server.Stats().Open == 0 })
}

func TestShutdownDoesNotWaitForThoseWhoSayNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.ReadTimeout = time.Hour })
	silent, half := r.connect(), r.connect()
	half.write([]byte("GET /ws HTTP/1.1\r\n"))
	r.dial() // and so both have been accepted
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*rawConn{silent, half} {
		if _, err := io.ReadAll(c.r); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a connection is still open")
		}
	}
}

func TestPeerThatDoesNotReadItsAnswersIsNotRead(t *testing.T) {
	t.Parallel()
	const pause = 100_000
	r := newRig(t, func(c *Config) { c.ReplyPause = pause })
	c := r.upgraded()
	const frames, perFrame = 400, 250
	pings := text(strings.TrimSuffix(strings.Repeat(`{"ping":"`+strings.Repeat("x", 60)+`"}`+"\n", perFrame), "\n"))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range frames {
			if _, err := c.Write(pings); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	eventually(t, "the reader pauses", func() bool {
		_, replies := r.only().queue.Queued()
		return replies > pause
	})
	if _, replies := r.only().queue.Queued(); replies > pause+2*maxAnswers {
		t.Errorf("%d bytes of answers are queued, want no more than a frame's above %d", replies, pause)
	}
	want := `{"pong":"` + strings.Repeat("x", 60) + `"}`
	for pongs := 0; pongs < frames*perFrame; {
		_, payload, err := c.next()
		if err != nil {
			t.Fatalf("after %d pongs: %v", pongs, err)
		}
		for line := range strings.SplitSeq(string(payload), "\n") {
			if line != want {
				t.Fatalf("got %s", line)
			}
			pongs++
		}
	}
	<-sent
}

// only is the one connection of the server.
func (r *rig) only() *conn {
	r.t.Helper()
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	for c := range r.server.live {
		return c
	}
	r.t.Fatal("no connection")
	return nil
}

func TestQuiesceRunsNothingMoreButDelivers(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	p := r.dial()
	p.send(`{"sub":"a"}`)
	p.want(`{"subbed":"a"}`)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.server.Quiesce(ctx); err != nil {
		t.Fatal(err)
	}
	p.send(`{"pub":"a","data":"too late","id":1}`)
	r.publish("a", "in time")
	p.want(`{"msg":"a","data":"in time","time":0}`)
	if err := r.server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if got := p.closed(); got != 4503 || len(p.lines) != 0 {
		t.Errorf("close code %d after %q, want 4503 after nothing", got, p.lines)
	}
}

func TestSlowConsumerIsEndedWith4507AndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.PushHard, c.PushSoft = 200_000, 200_000 })
	slow, quick := r.upgraded(), r.dial()
	slow.write(text(`{"sub":"a"}`))
	if _, got, err := slow.next(); err != nil || string(got) != `{"subbed":"a"}` {
		t.Fatalf("got %s, %v", got, err)
	}
	body := strings.Repeat("x", 10_000)
	quick.send(`{"sub":"b"}`)
	quick.want(`{"subbed":"b"}`)
	ended := func() bool { s := r.broker.Stats(); return s.EndedBy(broker.ReasonSlow) == 1 }
	for range 10_000 {
		if r.publish("a", body); ended() {
			break
		}
	}
	eventually(t, "the slow one is ended", ended)
	r.publish("b", "still here")
	quick.want(`{"msg":"b","data":"still here","time":0}`)
	if got := slow.ending(); got != 4507 {
		t.Errorf("close code %d, want 4507", got)
	}
}

func TestKilledSessionIsTold(t *testing.T) {
	t.Parallel()
	for reason, want := range map[broker.Reason]websocket.StatusCode{
		broker.ReasonKilled: 4403, broker.ReasonExpired: 4401, broker.ReasonSlow: 4507, broker.ReasonInternal: 4500,
	} {
		r := newRig(t, nil)
		p := r.dial()
		r.server.mu.Lock()
		for c := range r.server.live {
			c.session.End(reason)
		}
		r.server.mu.Unlock()
		if got := p.closed(); got != want {
			t.Errorf("%v: close code %d, want %d", reason, got, want)
		}
	}
}

func TestPanicEndsOneConnectionOnly(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, broker.Config{Access: func(_ broker.Identity, _ broker.Action, name string) bool {
		if name == "boom" {
			panic("boom")
		}
		return true
	}}, nil)
	p, other := r.dial(), r.dial()
	p.send(`{"sub":"boom"}`)
	if got := p.closed(); got != 4500 {
		t.Errorf("close code %d, want 4500", got)
	}
	other.nothingMore()
}

// TestControlFramesComeWholeBetweenMessages: coder/websocket writes a pong
// through a buffer of its own, which has to reach the queue in one piece.
func TestControlFramesComeWholeBetweenMessages(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.MaxControls = 1_000_000; c.PushHard, c.PushSoft = 1<<30, 1<<30 })
	c := r.upgraded()
	c.write(text(`{"sub":"a"}`))
	if _, _, err := c.next(); err != nil {
		t.Fatal(err)
	}
	const rounds = 200
	go func() {
		for i := range rounds {
			_, _ = c.Write(masked(fin|opPing, []byte(strings.Repeat("p", 120)+fmt.Sprintf("%05d", i))))
			for range 20 {
				r.publish("a", strings.Repeat("m", 1000))
			}
		}
	}()
	pongs, messages := 0, 0
	want := `{"msg":"a","data":"` + strings.Repeat("m", 1000) + `","time":0}`
	for pongs < rounds || messages < 20*rounds {
		opcode, payload, err := c.next()
		if err != nil {
			t.Fatalf("after %d pongs and %d messages: %v", pongs, messages, err)
		}
		if opcode == opPong {
			if got := fmt.Sprintf("%s%05d", strings.Repeat("p", 120), pongs); string(payload) != got {
				t.Fatalf("pong %q, want %q", payload, got)
			}
			pongs++
			continue
		}
		for line := range strings.SplitSeq(times.ReplaceAllString(string(payload), `"time":0`), "\n") {
			if line != want {
				t.Fatalf("message %q", line)
			}
			messages++
		}
	}
}

func TestPublishersWaitForRoom(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, broker.Config{Backlog: 10_000}, func(c *Config) { c.PushHard, c.PushSoft = 1<<30, 1<<30 })
	p := r.dial()
	p.send(`{"sub":"a"}`)
	p.want(`{"subbed":"a"}`)
	lines := make([]string, 40)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"pub":"a","data":"%d%s","id":%d}`, i, strings.Repeat("x", 1000), i)
	}
	for range 20 {
		p.send(lines...)
	}
	oks, messages := 0, 0
	for oks+messages < 20*2*len(lines) {
		switch line := p.line(); {
		case strings.HasPrefix(line, fmt.Sprintf(`{"ok":%d,`, oks%len(lines))):
			oks++
		case strings.HasPrefix(line, fmt.Sprintf(`{"msg":"a","data":"%dx`, messages%len(lines))):
			messages++
		default:
			t.Fatalf("after %d answers and %d messages: %s", oks, messages, line[:40])
		}
	}
}

func TestThePage(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.RESP = "127.0.0.1:6380" })
	get := func(method, path, host string) (status int, body string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		q, err := http.NewRequestWithContext(ctx, method, "http://"+r.addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Host = host
		response, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		b, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(b)
	}
	status, body := get(http.MethodGet, "/", "localhost:8080")
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	body = html.UnescapeString(body)
	for _, want := range []string{
		`new WebSocket('ws://localhost:8080/ws')`, `redis-cli -p 6380 PUBLISH chat:lobby hi`, `prefers-color-scheme: dark`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(body, "src=") || strings.Contains(body, "@import") || strings.Contains(body, "http://") {
		t.Error("the page loads something")
	}
	for _, tt := range []struct {
		method, path, host string
		want               int
	}{
		{http.MethodHead, "/", "localhost", http.StatusOK},
		{http.MethodPost, "/", "localhost", http.StatusMethodNotAllowed},
		{http.MethodGet, "/other", "localhost", http.StatusNotFound},
		{http.MethodGet, "/", "evil.example", http.StatusForbidden},
		{http.MethodGet, "/ws", "localhost", http.StatusUpgradeRequired}, // no handshake
		{http.MethodPost, "/ws", "localhost", http.StatusUpgradeRequired},
	} {
		if got, _ := get(tt.method, tt.path, tt.host); got != tt.want {
			t.Errorf("%s %s at %s: status %d, want %d", tt.method, tt.path, tt.host, got, tt.want)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	bad := map[string]Config{
		"path":         {Path: "ws"},
		"page":         {Path: "/"},
		"origin":       {Origins: []string{"example.com"}},
		"null":         {Origins: []string{"null"}},
		"max-clients":  {MaxClients: -1},
		"ws-push":      {PushSoft: -1},
		"ws-ping":      {PingInterval: time.Millisecond},
		"ws-pong":      {PongTimeout: -1},
		"ws-pong long": {PingInterval: 5 * time.Second, PongTimeout: 6 * time.Second},
	}
	for name, c := range bad {
		if c.Validate() == nil {
			t.Errorf("%s: %+v is valid", name, c)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a server without a broker is made")
	}
	if err := (Config{}).Validate(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
}
