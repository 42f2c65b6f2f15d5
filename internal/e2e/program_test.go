package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// program is a client of another language: a process in js/ or py/ that does what the rules ask. Rejected:
// the rules once more in each language, which says three times what has to hold and drifts apart.
//
// Both directions are JSON, one object per line:
//
//	{"id":1,"call":"publish","args":["news","aGk="]}
//	{"id":1,"result":1}  or  {"id":1,"error":"ERR unknown command …"}
//	{"delivery":{"pattern":"","channel":"news","text":"aGk="}}
//
// Payloads are base64, because they are any bytes. "dial" leaves the client before and makes a new one.
type program struct {
	name string
	in   io.WriteCloser

	mu      sync.Mutex
	err     error // set once the process is gone
	lastID  int
	waiting map[int]chan programLine
	sink    chan delivery // where the client dialled last delivers
}

type programLine struct {
	ID       int             `json:"id"`
	Result   json.RawMessage `json:"result"`
	Error    *string         `json:"error"`
	Delivery *struct {
		Pattern, Channel string
		Text             []byte
	} `json:"delivery"`
}

// unsupported begins the error of a client that lacks what a rule needs.
const unsupported = "unsupported: "

// runProgram runs path with args until the test ends, as a client of the server at addr.
func runProgram(t *testing.T, addr string, protocol int, path string, args ...string) *program {
	t.Helper()
	p := &program{name: strings.Join(args, " "), waiting: make(map[int]chan programLine)}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "BROKER="+addr, fmt.Sprint("PROTOCOL=", protocol), "CLIENT_NAME="+clientName)
	complaints := &transcript{}
	cmd.Stderr = complaints
	var err error
	if p.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.read(out)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("standard error of %s:\n%s", p.name, complaints)
		}
	})
	p.must(t, "dial") // a client without this protocol skips the whole test
	return p
}

// read hands on what the process says, until it ends.
func (p *program) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20) // the reply to ten thousand publishes is one line
	for lines.Scan() {
		var line programLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			p.fail(fmt.Errorf("%s said %q: %w", p.name, lines.Bytes(), err))
			return
		}
		p.take(line)
	}
	p.fail(errors.Join(fmt.Errorf("%s has ended", p.name), lines.Err()))
}

func (p *program) take(line programLine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := line.Delivery; d != nil {
		p.sink <- delivery{d.Pattern, d.Channel, string(d.Text)} // holds more than any rule publishes
		return
	}
	if c, waits := p.waiting[line.ID]; waits {
		delete(p.waiting, line.ID)
		c <- line
	}
}

func (p *program) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
	for id, c := range p.waiting {
		delete(p.waiting, id)
		close(c)
	}
}

// call asks the process and decodes its result into result, unless that is nil.
func (p *program) call(ctx context.Context, result any, name string, args ...any) error {
	p.mu.Lock()
	if p.err != nil {
		p.mu.Unlock()
		return p.err
	}
	p.lastID++
	id, answered := p.lastID, make(chan programLine, 1)
	p.waiting[id] = answered
	p.mu.Unlock()

	request, err := json.Marshal(map[string]any{"id": id, "call": name, "args": append([]any{}, args...)}) // never null
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(request, '\n')); err != nil {
		return fmt.Errorf("ask %s: %w", p.name, err)
	}
	select {
	case line, ok := <-answered:
		switch {
		case !ok:
			return fmt.Errorf("%s: %w", name, p.err)
		case line.Error != nil:
			return errors.New(*line.Error)
		case result == nil:
			return nil
		}
		return json.Unmarshal(line.Result, result)
	case <-ctx.Done():
		return fmt.Errorf("%s of %s: %w", name, p.name, ctx.Err())
	}
}

// dial makes the process start over with a new client.
func (p *program) dial(t *testing.T) client {
	t.Helper()
	p.must(t, "dial")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sink = make(chan delivery, 20_000) // nothing of the client before
	return p
}

// must calls; a client that lacks what is asked skips the test.
func (p *program) must(t *testing.T, name string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.call(ctx, nil, name, args...); err != nil {
		if what, lacks := strings.CutPrefix(err.Error(), unsupported); lacks {
			t.Skip(what)
		}
		t.Fatalf("%s: %v", name, err)
	}
}

func (p *program) subscribe(t *testing.T, k kind, names ...string) <-chan delivery {
	t.Helper()
	p.must(t, "subscribe", map[kind]string{channels: "channels", patterns: "patterns", shards: "shards"}[k], names)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sink
}

func (p *program) publish(ctx context.Context, channel, text string) (receivers int64, err error) {
	err = p.call(ctx, &receivers, "publish", channel, []byte(text))
	return receivers, err
}

func (p *program) shardPublish(ctx context.Context, channel, text string) (receivers int64, err error) {
	err = p.call(ctx, &receivers, "shardPublish", channel, []byte(text))
	return receivers, err
}

func (p *program) pipeline(ctx context.Context, channel string, texts []string) (counts []int64, err error) {
	payloads := make([][]byte, len(texts))
	for i, text := range texts {
		payloads[i] = []byte(text)
	}
	err = p.call(ctx, &counts, "pipeline", channel, payloads)
	return counts, err
}

func (p *program) transaction(ctx context.Context, key, value, channel string) (got string, receivers int64, err error) {
	err = p.call(ctx, &[]any{&got, &receivers}, "transaction", key, value, channel)
	return got, receivers, err
}

func (p *program) watched(ctx context.Context, key string, between func()) (done bool, err error) {
	if err := p.call(ctx, nil, "watch", key); err != nil {
		return false, err
	}
	between()
	err = p.call(ctx, &done, "commit", key)
	return done, err
}

func (p *program) scan(ctx context.Context, match, kind string, count int64) (keys []string, err error) {
	err = p.call(ctx, &keys, "scan", match, count, kind)
	return keys, err
}

func (p *program) lastError(ctx context.Context) error { return p.call(ctx, nil, "unknown") }
