package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStartsListensAndSaysWhatToTypeNext(t *testing.T) {
	t.Parallel()
	p := start(t)
	c := p.dial()
	c.send("PING\r\n")
	c.expect("+PONG")
	c.send("INFO server\r\n")
	for found := false; !found; {
		line, err := c.line()
		if err != nil {
			t.Fatalf("INFO has no fanfare_version: %v", err)
		}
		found = line == "fanfare_version:v9.8.7"
	}

	response, err := http.Get("http://" + p.http + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(page), "<html") {
		t.Errorf("GET /: got %s, %v, %.100q", response.Status, err, page)
	}

	_, port, _ := net.SplitHostPort(p.resp)
	_, webPort, _ := net.SplitHostPort(p.http)
	for _, want := range []string{
		"v9.8.7", "in memory", p.resp, p.http,
		"redis-cli -p " + port + " PSUBSCRIBE 'chat:*'", "redis-cli -p " + port + " PUBLISH chat:lobby hi",
		"http://localhost:" + webPort + "/",
	} {
		if !strings.Contains(p.stdout.String(), want) {
			t.Errorf("%q is missing in\n%s", want, p.stdout.String())
		}
	}
}

func TestTakenPortIsOneLineWithAddressAndFlag(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for flag, other := range map[string]string{"--resp": "--http", "--http": "--resp"} {
		got := invoke(t, nil, flag, taken.Addr().String(), other, "127.0.0.1:0")
		if got.code != exitFailed || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 ||
			!strings.Contains(got.stderr, taken.Addr().String()) || !strings.Contains(got.stderr, flag) {
			t.Errorf("%s: got code %d, output %q, errors %q", flag, got.code, got.stdout, got.stderr)
		}
	}
}

func TestWrongInvocations(t *testing.T) {
	t.Parallel()
	file := write(t, "[resp]\nlistne = \"127.0.0.1:0\"")
	for name, c := range map[string]struct {
		env, args []string
		code      int
		want      string
	}{
		"an unknown key":         {nil, []string{"--config", file}, exitFailed, file + `:2: unknown setting "resp.listne": did you mean "resp.listen"?`},
		"an unknown variable":    {[]string{"BROKER_WORKER=1"}, nil, exitFailed, `did you mean "BROKER_WORKERS"?`},
		"an unknown flag":        {nil, []string{"--worker=1"}, exitUsage, `did you mean "--workers"? (see broker --help)`},
		"an unknown command":     {nil, []string{"check-confg"}, exitUsage, `unknown command "check-confg": did you mean "check-config"?`},
		"version with more":      {nil, []string{"version", "x"}, exitUsage, "version takes no argument"},
		"protected mode":         {nil, []string{"--resp", "0.0.0.0:0", "--http", "127.0.0.1:0"}, exitFailed, "--protected-mode=false"},
		"check-config of a file": {nil, []string{"check-config", file}, exitFailed, file + ":2: unknown setting"},
		"a socket path in use":   {nil, []string{"--resp", "", "--http", "", "--resp-unix", file}, exitFailed, "listen on " + file + " (--resp-unix): exists and is not a socket"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := invoke(t, c.env, c.args...)
			if got.code != c.code || got.stdout != "" || !strings.Contains(got.stderr, c.want) {
				t.Errorf("got code %d, output %q, errors %q; want code %d, errors with %q", got.code, got.stdout, got.stderr, c.code, c.want)
			}
		})
	}
}

func TestListensBeyondLoopbackWhenProtectedModeIsOff(t *testing.T) {
	t.Parallel()
	p := start(t, "--resp=0.0.0.0:0", "--protected-mode=false")
	_, port, err := net.SplitHostPort(p.resp)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	c := newPeer(t, conn)
	c.send("PING\r\n")
	c.expect("+PONG")
}

func TestVersionHelpAndCheckConfig(t *testing.T) {
	t.Parallel()
	good := write(t, "[resp]\nrequirepass = \"s3cret\"\n[limits]\nmax-message = \"64kb\"")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"version":                  {[]string{"version"}, "broker v9.8.7 (commit abc1234 of 2030-01-02, go"},
		"help":                     {[]string{"--help"}, "Usage:\n  broker [flags]"},
		"help as a word":           {[]string{"help"}, "--push-queue SIZE"},
		"check-config of nothing":  {[]string{"check-config"}, "The configuration is good.\n"},
		"check-config of a file":   {[]string{"check-config", good}, "  resp.requirepass is set\n  limits.max-message = 64kb (default 1mb)\n"},
		"check-config with --help": {[]string{"check-config", "-h"}, "Usage:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := invoke(t, nil, c.args...)
			if got.code != exitOK || got.stderr != "" || !strings.Contains(got.stdout, c.want) || strings.Contains(got.stdout, "s3cret") {
				t.Errorf("got code %d, errors %q, output %q; want %q", got.code, got.stderr, got.stdout, c.want)
			}
		})
	}
}

func TestUnixSocketIsTheUsersOwn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	p := start(t, "--resp-unix", path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), os.FileMode(0o600); got != want {
		t.Errorf("permissions: got %v, want %v", got, want)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c := newPeer(t, conn)
	c.send("PING\r\n")
	c.expect("+PONG")

	second := invoke(t, nil, "--resp", "", "--http", "", "--resp-unix", path)
	if second.code != exitFailed || !strings.Contains(second.stderr, path+" (--resp-unix): taken") {
		t.Errorf("a second broker: got code %d, errors %q", second.code, second.stderr)
	}

	_ = p.cmd.Process.Kill()
	p.exit()
	start(t, "--resp-unix", path) // The file that a killed broker left behind is in nobody's way.
}
