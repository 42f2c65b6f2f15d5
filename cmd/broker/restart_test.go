package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const remembers = `
[[channel]]
match = "chat:*"
history = { size = 100 }
presence = true
`

// restartable is a directory of snapshots and what brokers with it are started with.
type restartable struct {
	t    *testing.T
	dir  string
	args []string
}

func newRestartable(t *testing.T, args ...string) *restartable {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	return &restartable{t, dir, append([]string{"--dir", dir, "--config", write(t, remembers), "--save-every", "0"}, args...)}
}

// start starts a broker and waits until it has loaded what there is.
func (r *restartable) start(args ...string) *process {
	r.t.Helper()
	p := start(r.t, append(slices.Clone(r.args), args...)...)
	p.info("loading")
	return p
}

// stop ends a broker in order.
func (r *restartable) stop(p *process) {
	r.t.Helper()
	p.signal(syscall.SIGTERM)
	if got := p.exit(); got != exitOK {
		r.t.Fatalf("exit code: got %d, want %d", got, exitOK)
	}
}

func (r *restartable) kill(p *process) {
	r.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		r.t.Fatal(err)
	}
	p.exit()
}

func (r *restartable) files() (names []string) {
	r.t.Helper()
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// info returns a field of INFO once the broker has loaded everything.
func (p *process) info(field string) string {
	p.t.Helper()
	for {
		text := p.dial().call("INFO")
		value := func(field string) string {
			_, rest, _ := strings.Cut(text, "\r\n"+field+":")
			value, _, _ := strings.Cut(rest, "\r\n")
			return value
		}
		if value("loading") == "0" {
			return value(field)
		}
	}
}

// call sends a command and returns its reply as it is on the wire.
func (p *peer) call(format string, args ...any) string {
	p.t.Helper()
	p.send(format+"\r\n", args...)
	return p.reply()
}

func (p *peer) reply() string {
	p.t.Helper()
	line, err := p.in.ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	var n int
	switch line[0] {
	case '$':
		if _, err := fmt.Sscanf(line[1:], "%d", &n); err != nil || n < 0 {
			return line
		}
		text := make([]byte, n+2)
		if _, err := io.ReadFull(p.in, text); err != nil {
			p.t.Fatal(err)
		}
		line += string(text)
	case '*':
		_, _ = fmt.Sscanf(line[1:], "%d", &n)
		for range n {
			line += p.reply()
		}
	}
	return line
}

// asked is what a broker answers about everything that the tests put into it.
func asked(p *process) string {
	p.t.Helper()
	c := p.dial()
	var b strings.Builder
	for _, command := range []string{
		"GET k", "GET none", "PEXPIRETIME soon", "EXISTS gone", "DBSIZE", "HISTORY chat:1", "PRESENCE LIST chat:1", "CHANNEL INFO chat:1",
		"SELECT 3", "GET k", "DBSIZE",
	} {
		b.WriteString(command + "\n" + c.call("%s", command))
	}
	retained := c.call("RETAINED chat:1 chat:2")
	b.WriteString(strings.Join(slices.DeleteFunc(strings.Split(retained, "\r\n"), func(line string) bool {
		return strings.HasPrefix(line, ":") // times, of which that to live passes
	}), "\n"))
	return b.String()
}

func fill(p *process) {
	p.t.Helper()
	c := p.dial()
	for _, command := range []string{
		"SET k v", "SET soon x EX 1000", "SET gone x PX 1", "SELECT 3", "SET k \"\\x00\\xff\"",
		"PUBLISH chat:1 one", "RETAIN chat:1 two", "PUBLISH chat:1 three", "RETAIN chat:2 four EX 1000",
		"PRESENCE JOIN chat:1 ann DATA x EX 1000", "PRESENCE JOIN chat:1 bob EX 1000",
	} {
		if got := c.call("%s", command); got[0] == '-' {
			p.t.Fatalf("%s: %s", command, got)
		}
	}
	c.call("SELECT 0")
	for c.call("DBSIZE") != ":2\r\n" { // what has expired counts until it is deleted
	}
}

func TestAStopAndAStartKeepEverything(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	p := r.start()
	if got := p.info("last_stop"); got != "unknown" {
		t.Errorf("the first start: got last_stop:%s", got)
	}
	fill(p)
	want := asked(p)
	for range 2 {
		r.stop(p)
		p = r.start()
		if got := asked(p); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if stop, lost := p.info("last_stop"), p.info("lost_since"); stop != "clean" || lost != "0" {
			t.Errorf("got last_stop:%s, lost_since:%s", stop, lost)
		}
	}
}

// The mark of the stop is gone before anybody is served: a node that is killed right
// after the start has an epoch of its own, and the next one too.
func TestAfterAKillTheEpochIsNew(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	p := r.start()
	fill(p)
	epochs := []string{p.info("epoch")}
	r.stop(p)
	stopped := time.Now()
	r.kill(start(t, r.args...)) // whatever it has loaded by now
	p = r.start()
	epochs = append(epochs, p.info("epoch"))
	var since int64
	if _, err := fmt.Sscan(p.info("lost_since"), &since); err != nil || p.info("last_stop") != "unclean" ||
		since > stopped.Unix() || since < stopped.Add(-time.Minute).Unix() {
		t.Errorf("got last_stop:%s, lost_since:%d, %v; the stop was at %d", p.info("last_stop"), since, err, stopped.Unix())
	}
	if entry := p.await("the broker was not stopped in order: what was changed after the snapshot was begun is lost, and the epoch is new"); entry["level"] != "warn" {
		t.Errorf("got %v", entry)
	}
	c := p.dial()
	if got := c.call("GET k"); got != "$1\r\nv\r\n" {
		t.Errorf("the key: got %q", got)
	}
	if got := c.call("HISTORY chat:1 SINCE %s 1", epochs[0]); !strings.Contains(got, "recovered\r\n:0\r\n") {
		t.Errorf("a cursor of the epoch before: got %q", got)
	}
	if epochs[0] == epochs[1] {
		t.Error("the epoch goes on")
	}
}

// Whatever moment the broker is killed at, the next start loads the snapshot that
// was being written or the one before it, and the former if SAVE was answered.
func TestAKillDuringSaveLeavesTheOldOrTheNewSnapshot(t *testing.T) {
	t.Parallel()
	const keys = 2000
	padding := strings.Repeat("x", 2000)
	kills := 100
	if testing.Short() {
		kills = 10
	}
	r := newRestartable(t)
	saved, attempted, took, finished := 0, 0, 20*time.Millisecond, 0
	for i := range kills + 1 {
		p := r.start()
		c := p.dial()
		generation := -1
		for k := range keys {
			var n int
			if got := c.call("GET k%d", k); i > 0 {
				if _, err := fmt.Sscanf(got, "$2004\r\n%d", &n); err != nil {
					t.Fatalf("kill %d: key %d is %q", i, k, got)
				}
			}
			if generation >= 0 && n != generation {
				t.Fatalf("kill %d: key %d is of snapshot %d, others of %d", i, k, n, generation)
			}
			generation = n
		}
		if i > 0 && generation != saved+1000 && generation != attempted+1000 {
			t.Fatalf("kill %d: snapshot %d was loaded; %d was answered, %d was begun", i, generation-1000, saved, attempted)
		}
		if i > 0 {
			saved = generation - 1000
		}
		attempted = i
		for k := range keys {
			c.send("SET k%d %d%s\r\n", k, 1000+i, padding)
		}
		for range keys {
			c.expect("+OK")
		}
		began := time.Now()
		c.send("SAVE\r\n")
		if i == 0 { // The first one is finished, to see how long it takes.
			c.expect("+OK")
			saved, took = i, time.Since(began)
			r.kill(p)
			continue
		}
		<-time.After(rand.N(took + took/4))
		r.kill(p)
		if line, err := c.line(); err == nil && line == "+OK" {
			saved = i
			finished++
		}
	}
	t.Logf("%d kills, %d of them after the answer; a save takes %s", kills, finished, took)
}

// A file that comes slowly, through a pipe: until it is there nobody is served, and
// a stop meanwhile changes nothing.
func TestWhileItLoadsNothingIsServed(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	p := r.start()
	c := p.dial()
	for i := range 20_000 {
		c.send("SET k%d v\r\n", i)
	}
	for range 20_000 {
		c.expect("+OK")
	}
	epoch := p.info("epoch")
	r.stop(p)
	file := filepath.Join(r.dir, "fanfare-00000001.snapshot")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	slow := func() (*process, *os.File) {
		if err := errors.Join(os.Remove(file), syscall.Mkfifo(file, 0o600)); err != nil {
			t.Fatal(err)
		}
		p := start(t, r.args...)
		pipe, err := os.OpenFile(file, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pipe.Write(text[:100]); err != nil {
			t.Fatal(err)
		}
		return p, pipe
	}

	p, pipe := slow()
	c = p.dial()
	for _, command := range []string{"GET k1", "PUBLISH chat:1 x", "SAVE", "PING"} {
		if got, want := c.call("%s", command), "-LOADING Redis is loading the dataset in memory\r\n"; got != want {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
	if got := c.call("INFO persistence"); !strings.Contains(got, "\r\nloading:1\r\n") {
		t.Errorf("got %q", got)
	}
	response, err := http.Get("http://" + p.http + "/ws")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("WebSocket: got %s, Retry-After %q", response.Status, response.Header.Get("Retry-After"))
	}
	p.signal(syscall.SIGTERM)
	_, _ = io.Copy(pipe, bytes.NewReader(text[100:len(text)/2])) // It may stop reading at any moment.
	_ = pipe.Close()
	if got := p.exit(); got != exitOK && got != exitFailed { // The end of the file may be seen before the signal.
		t.Errorf("exit code: got %d", got)
	}

	p, pipe = slow()
	if _, err := pipe.Write(text[100:]); err != nil {
		t.Fatal(err)
	}
	_ = pipe.Close()
	if stop, now := p.info("last_stop"), p.info("epoch"); stop != "clean" || now != epoch {
		t.Errorf("got last_stop:%s, epoch %s, want %s", stop, now, epoch)
	}
	if got := p.dial().call("DBSIZE"); got != ":20000\r\n" {
		t.Errorf("got %q", got)
	}
}

func TestSaveEverySavesWhatHasChanged(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	p := r.start("--save-every=50ms")
	c := p.dial()
	for _, command := range []string{"SET k v", "PUBLISH chat:1 x", "RETAIN chat:1 x", "PRESENCE JOIN chat:1 ann EX 100"} {
		c.call("%s", command)
		p.await("snapshot written")
	}
	r.kill(p)
	p = r.start()
	if got := p.dial().call("PRESENCE COUNT chat:1"); got != ":1\r\n" {
		t.Errorf("got %q", got)
	}
}
