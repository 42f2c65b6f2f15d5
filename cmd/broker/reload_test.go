package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// hosted is a broker in the test's own process, which is told to reload by a
// channel instead of a signal.
type hosted struct {
	*process
	file    string
	hangups chan os.Signal
	stop    func() error // ends it; its error
}

// host runs serve with a file of that text.
func host(t *testing.T, text string, args ...string) *hosted {
	t.Helper()
	h := &hosted{file: write(t, text), hangups: make(chan os.Signal)}
	h.process = &process{t: t, cmd: &exec.Cmd{}, stdout: &lockedBuffer{}, log: make(chan map[string]any, 10_000), ended: make(chan struct{})}
	args = append([]string{"--resp=127.0.0.1:0", "--http=127.0.0.1:0", "--config", h.file}, args...)
	stderr, log := io.Pipe()
	go h.read(stderr)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		result <- serve(ctx, h.hangups, args, nil, h.stdout, log)
		_ = log.Close()
	}()
	h.stop = sync.OnceValue(func() error {
		cancel()
		<-h.ended
		return <-result
	})
	t.Cleanup(func() { _ = h.stop() })
	h.listening()
	return h
}

// reload writes the file anew and asks the broker to read it.
func (h *hosted) reload(text string) {
	h.t.Helper()
	if err := os.WriteFile(h.file, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.hangups <- syscall.SIGHUP
}

const (
	keepsPrices   = "[[channel]]\nmatch = \"price:*\"\nretain = \"flagged\"\n"
	keepsNoPrices = "[[channel]]\nmatch = \"news:*\"\n"
	notRetained   = "-ERR retained messages are disabled for this channel"
)

// expectRetain holds whether the rule for prices is in force.
func (h *hosted) expectRetain(want string) {
	h.t.Helper()
	c := h.dial()
	c.send("RETAIN price:1 42\r\n")
	c.expect(want)
}

func TestReloadPutsTheRulesOfTheFileInForce(t *testing.T) {
	t.Parallel()
	h := host(t, "")
	h.expectRetain(notRetained)
	for _, step := range []struct {
		text  string
		rules float64
		want  string
	}{{keepsPrices + keepsNoPrices, 2, ":0"}, {keepsNoPrices, 1, notRetained}, {keepsPrices, 1, ":0"}, {"", 0, notRetained}} {
		h.reload(step.text)
		if got := h.await("configuration reloaded")["rules"]; got != step.rules {
			t.Errorf("rules: got %v, want %v", got, step.rules)
		}
		h.expectRetain(step.want)
	}
	if err := h.stop(); err != nil {
		t.Error(err)
	}
}

func TestReloadOfAWrongConfigurationChangesNothing(t *testing.T) {
	t.Parallel()
	h := host(t, keepsPrices)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"an unknown setting and a wrong rule": {keepsNoPrices + "retain = 3\n[kv]\ndatabase = 3",
			[]string{h.file + ":3: channel 1: retain: must be a text", h.file + `:5: unknown setting "kv.database"`}},
		"broken TOML":         {keepsNoPrices + "x", []string{h.file + ":3: "}},
		"a path that is none": {keepsNoPrices + "[resp]\nlisten = \"127.0.0.1\"\n[http]\npath = \"ws\"", []string{`http.path: "ws"`}},
	} {
		h.reload(c.text)
		entry := h.await("configuration not reloaded: nothing has changed")
		for _, want := range c.want {
			if text, _ := entry["error"].(string); entry["level"] != "error" || !strings.Contains(text, want) {
				t.Errorf("%s: got %v, want an error with %q", name, entry, want)
			}
		}
		h.expectRetain(":0")
	}
	if err := os.Remove(h.file); err != nil {
		t.Fatal(err)
	}
	h.hangups <- syscall.SIGHUP
	h.await("configuration not reloaded: nothing has changed")
	h.expectRetain(":0")
}

func TestReloadNamesTheSettingsThatNeedARestart(t *testing.T) {
	t.Parallel()
	h := host(t, "[limits]\nmax-name = 100\n", "--ws-rate=7")
	changed := "[limits]\nmax-message = \"64kb\"\nws-rate = 9\n[resp]\nrequirepass = \"s3cret\"\n"
	for range 2 { // Until the restart it stays true.
		h.reload(changed)
		entry := fmt.Sprint(h.await("changed settings need a restart"))
		if !strings.Contains(entry, "settings:[resp.requirepass limits.max-message limits.max-name]") || strings.Contains(entry, "s3cret") {
			t.Errorf("got %s", entry)
		}
		h.await("configuration reloaded")
	}
	c := h.dial()
	c.send("PING\r\n")
	c.expect("+PONG") // No password is asked for.
}

// The stop may begin while the configuration is read, or just before.
func TestReloadsUntilTheStop(t *testing.T) {
	t.Parallel()
	h := host(t, keepsPrices)
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		for {
			select {
			case h.hangups <- syscall.SIGHUP:
			case <-h.ended:
				return
			}
		}
	}()
	for range 20 {
		h.await("configuration reloaded")
	}
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	<-asked
}

func TestSIGHUPReadsTheRulesAgain(t *testing.T) {
	t.Parallel()
	file := write(t, keepsNoPrices)
	p := start(t, "--config", file)
	c := p.dial()
	c.send("RETAIN price:1 42\r\n")
	c.expect(notRetained)
	if err := os.WriteFile(file, []byte(keepsPrices), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.await("configuration reloaded")
	c.send("RETAIN price:1 42\r\n")
	c.expect(":0")
	p.signal(syscall.SIGTERM)
	if got := p.exit(); got != exitOK {
		t.Errorf("exit code: got %d, want %d", got, exitOK)
	}
}

func TestSIGHUPDoesNotEndABrokerWithoutAFile(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.signal(syscall.SIGHUP)
	if entry := p.await("nothing to reload: the broker was started without a configuration file"); entry["level"] != "info" {
		t.Errorf("got %v, want it at level info", entry)
	}
	c := p.dial()
	c.send("PING\r\n")
	c.expect("+PONG")
	p.signal(syscall.SIGTERM)
	if got := p.exit(); got != exitOK {
		t.Errorf("exit code: got %d, want %d", got, exitOK)
	}
}

// The drain ends because the subscriber reads at last.
func TestSIGHUPDoesNotEndTheDrain(t *testing.T) {
	t.Parallel()
	p := start(t, "--drain-timeout=1h")
	sub := stuck(t, p)
	p.signal(syscall.SIGTERM)
	p.await("stopping")
	p.signal(syscall.SIGHUP)
	if _, err := io.Copy(io.Discard, sub.in); err != nil {
		t.Error(err)
	}
	if got := p.exit(); got != exitOK {
		t.Errorf("exit code: got %d, want %d", got, exitOK)
	}
}
