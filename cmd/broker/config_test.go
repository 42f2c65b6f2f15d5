package main

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// write puts text into a new file and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "broker.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlagOverEnvironmentOverFileOverDefault(t *testing.T) {
	t.Parallel()
	file := write(t, "workers = 1\n[http]\npath = \"/file\"\n[limits]\nmax-clients = 1\nmax-name = 1\n")
	env := []string{"BROKER_MAX_CLIENTS=2", "BROKER_HTTP_PATH=/env", "HOME=/root"}
	cfg, err := load([]string{"--config", file, "--http-path=/flag"}, env)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.File = file
	want.Broker.Workers, want.WS.Path, want.RESP.MaxClients, want.Broker.MaxName = 1, "/flag", 2, 1
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
	}
}

func TestConfigFileMayBeNamedByEnvironment(t *testing.T) {
	t.Parallel()
	cfg, err := load(nil, []string{"BROKER_CONFIG=" + write(t, "workers = 3")})
	if err != nil || cfg.Broker.Workers != 3 {
		t.Errorf("got workers %d, error %v; want 3", cfg.Broker.Workers, err)
	}
}

// A row that reads what it cannot write, or writes what it cannot read, would
// show a default in the help that cannot be given back.
func TestEverySettingIsReachableFromAllSourcesAndReadsWhatItWrites(t *testing.T) {
	t.Parallel()
	for _, s := range settings {
		cfg := defaults()
		initial := s.value(&cfg).String()
		for _, name := range s.names() {
			if _, err := load([]string{"--" + name + "=" + initial}, nil); err != nil {
				t.Errorf("--%s=%s: %v", name, initial, err)
			}
			if _, err := load(nil, []string{envName(name) + "=" + initial}); err != nil {
				t.Errorf("%s=%s: %v", envName(name), initial, err)
			}
		}
		if err := applyTOML(&cfg, s.key+" = "+inTOML(s.value(&cfg))); err != nil {
			t.Errorf("%s in the file: %v", s.key, err)
		}
		if got := s.value(&cfg).String(); got != initial {
			t.Errorf("%s: got %q after setting it to its own text, want %q", s.key, got, initial)
		}
		if s.help == "" || strings.HasSuffix(s.help, ".") {
			t.Errorf("%s: help %q must be a phrase without a full stop", s.key, s.help)
		}
	}
}

func inTOML(v value) string {
	switch v.(type) {
	case boolValue, countValue[int], countValue[int64]:
		return v.String()
	case listValue:
		return "[]"
	default:
		return `"` + v.String() + `"`
	}
}

func TestRowsNameDistinctFields(t *testing.T) {
	t.Parallel()
	for _, s := range settings {
		cfg := defaults()
		before := map[string]string{}
		for _, o := range settings {
			before[o.key] = o.value(&cfg).String()
		}
		if !change(s.value(&cfg)) {
			continue
		}
		for _, o := range settings {
			if got := o.value(&cfg).String(); (got != before[o.key]) != (o.key == s.key) {
				t.Errorf("changing %s changed %s from %q to %q", s.key, o.key, before[o.key], got)
			}
		}
	}
}

// change gives a value another content; false if it has only one.
func change(v value) bool {
	for _, text := range []string{"debug", "console", "false", "/other", "7777", "7777b", "77s", "77"} {
		was := v.String()
		if v.Set(text) == nil && v.String() != was {
			return true
		}
	}
	return false
}

func TestWrongFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"an unknown key names the nearest and its line":     {"\nworker = 3", `2: unknown setting "worker": did you mean "workers"?`},
		"an unknown key in a table":                         {"[resp]\nlistne = \"x\"", `2: unknown setting "resp.listne": did you mean "resp.listen"?`},
		"an unknown table":                                  {"[limit]\nmax-name = 3", `1: unknown setting "limit": did you mean "limits"?`},
		"an unknown key written with dots":                  {"resp.x.y = 3", `1: unknown setting "resp.x.y"`},
		"an unknown key under a table that is only implied": {"[no.where]\na = 3", `1: unknown setting "no.where"`},
		"an unknown key in an inline table":                 {"http = { pth = 3 }", `1: unknown setting "http.pth": did you mean "http.path"?`},
		"a key in the wrong table names the right one":      {"max-clients = 3", `1: unknown setting "max-clients": did you mean max-clients in [limits]?`},
		"a quoted key with a dot is not the one in a table": {`"resp.unix" = "x"`, `1: unknown setting "resp.unix"`},
		"a key far from all others gets no guess":           {"zzzzzzzzzz = 1", `1: unknown setting "zzzzzzzzzz"`},
		"a setting that comes later is unknown":             {"console = \"on\"", `1: unknown setting "console"`},
		"case matters":                                      {"Workers = 1", `1: unknown setting "Workers": did you mean "workers"?`},
		"a table as a value":                                {"kv = 3", `1: kv must be a table, not a number`},
		"a list of tables":                                  {"[[kv]]\ndatabases = 3", `1: kv must be a table, not a list of tables`},
		"a value as a table":                                {"[workers]\nn = 3", `1: workers: must be a whole number, not a table`},
		"a text for a number":                               {`workers = "4"`, `1: workers: must be a whole number, not a text`},
		"a text for a switch":                               {`protected-mode = "false"`, `1: protected-mode: must be true or false, not a text`},
		"a number for a text":                               {"[resp]\nunix = 3", `2: resp.unix: must be a text in quotes, not a number`},
		"a number for a time":                               {"drain-timeout = 4", `1: drain-timeout: must be a text in quotes, not a number`},
		"a time without unit":                               {`drain-timeout = "4"`, `1: drain-timeout: "4" is not a duration such as "500ms", "4s" or "10m"`},
		"a time below its least":                            {`drain-timeout = "-4s"`, `1: drain-timeout: -4s is not between 0s and 1h`},
		"a text for a list":                                 {"[http]\norigins = \"a\"", `2: http.origins: must be a list of texts, not a text`},
		"a number in a list":                                {"[http]\norigins = [\"http://a\", 3]", `2: http.origins: must be a list of texts, but holds a number`},
		"a fraction for a count":                            {"workers = 1.5", `1: workers: must be a whole number, not a fraction`},
		"a fraction for a size":                             {"[limits]\nmax-message = 1.5", `2: limits.max-message: must be a size such as "64kb", not a fraction`},
		"a size with a wrong unit":                          {"[limits]\nmax-message = \"1qb\"", `2: limits.max-message: "1qb" is not a size such as "64kb", "1mb", "2gb" or a number of bytes`},
		"a size over its most":                              {"[limits]\nmax-message = \"1gb\"", `2: limits.max-message: 1gb is not between 1 and 512mb`},
		"a choice that does not exist":                      {"[kv]\nmaxmemory-policy = \"lru\"", `2: kv.maxmemory-policy: "lru" is not one of volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction`},
		"broken TOML":                                       {"a =\n", `1: expected value but found '\n' instead`},
		"all mistakes in the order of the file":             {"b = 1\n[kv]\nc = 2\ndatabases = 0", "1: unknown setting \"b\"\n3: unknown setting \"kv.c\"\n4: kv.databases: 0 is not between 1 and 1024"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, c.text)
			_, err := load([]string{"--config", path}, nil)
			want := path + ":" + strings.ReplaceAll(c.want, "\n", "\n"+path+":")
			if err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestWrongArguments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
		code bool // a mistake in the command line itself
	}{
		"an unknown flag names the nearest":  {[]string{"--pussh-queue=3"}, `unknown flag "--pussh-queue": did you mean "--push-queue"?`, true},
		"one dash is as good as two":         {[]string{"-htp", "x"}, `unknown flag "--htp": did you mean "--http"?`, true},
		"a word too much":                    {[]string{"--protected-mode", "false"}, `unexpected argument "false"`, true},
		"a flag without its value":           {[]string{"--workers"}, "flag needs an argument: -workers", true},
		"a wrong value":                      {[]string{"--workers=x"}, `--workers: "x" is not a whole number`, false},
		"a wrong value by the key's name":    {[]string{"--limits.max-clients=0"}, `--max-clients: 0 is not between 1 and 10000000`, false},
		"a switch that is neither":           {[]string{"--protected-mode=maybe"}, `--protected-mode: "maybe" is not true or false`, false},
		"a file that is not there":           {[]string{"--config=/does/not/exist"}, "read configuration: open /does/not/exist", false},
		"nothing to listen on":               {[]string{"--resp=", "--http="}, "nothing to listen on", false},
		"an address without port":            {[]string{"--resp=127.0.0.1"}, `resp.listen: "127.0.0.1" is not an address of the form host:port`, false},
		"an address with an impossible port": {[]string{"--http=127.0.0.1:99999"}, `http.listen: "127.0.0.1:99999" has no port between 0 and 65535`, false},
		"a path that is none":                {[]string{"--http-path=ws"}, `http.path: "ws" is not a path such as /ws`, false},
		"the page's own path":                {[]string{"--http-path=/"}, `http.path: "/" is not a path such as /ws`, false},
		"an origin with a path":              {[]string{"--http-origins=https://a.example/"}, `http.origins: "https://a.example/" is not an origin`, false},
		"an origin without scheme":           {[]string{"--http-origins=a.example"}, `http.origins: "a.example" is not an origin`, false},
		"the origin null":                    {[]string{"--http-origins=null"}, `http.origins: "null" is not an origin`, false},
		"RESP beyond loopback":               {[]string{"--resp=0.0.0.0:0"}, "set resp.requirepass (BROKER_RESP_REQUIREPASS) or resp.tls-client-ca, or allow it with --protected-mode=false", false},
		"RESP on all addresses":              {[]string{"--resp=:6379"}, "resp.listen: :6379 is reachable from other machines", false},
		"RESP on a name":                     {[]string{"--resp=example.org:6379"}, "resp.listen: example.org:6379 is reachable from other machines", false},
		"HTTP beyond loopback":               {[]string{"--http=[::]:0", "--resp-requirepass=x"}, "listen on 127.0.0.1:8080, set http.tls-client-ca, or allow it with --protected-mode=false", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := load(c.args, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			wrong := (*commandLineError)(nil)
			if got := errors.As(err, &wrong); got != c.code {
				t.Errorf("mistake in the command line itself: got %v, want %v", got, c.code)
			}
		})
	}
}

func TestGoodArguments(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"loopback addresses of all spellings": {"--resp=127.1.2.3:0", "--http=[::1]:0"},
		"localhost":                           {"--resp=localhost:0", "--http=LOCALHOST:0"},
		"IPv4 within IPv6":                    {"--resp=[::ffff:127.0.0.1]:0"},
		"beyond loopback with a password":     {"--resp=0.0.0.0:0", "--resp-requirepass=secret"},
		"beyond loopback when asked for":      {"--resp=:0", "--http=:0", "--protected-mode=false"},
		"a switch without value":              {"--protected-mode"},
		"origins":                             {"--http-origins=https://a.example, http://b.example:8080"},
		"only a Unix socket":                  {"--resp=", "--http=", "--resp-unix=/tmp/x"},
		"a repeated flag: the last one wins":  {"--resp=example.org:1", "--resp=127.0.0.1:0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := load(args, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUnknownEnvironmentVariable(t *testing.T) {
	t.Parallel()
	_, err := load(nil, []string{"BROKER_MAX_CLIENT=3", "BROKER_WORKERS=x", "OTHER=1"})
	want := `unknown environment variable "BROKER_MAX_CLIENT": did you mean "BROKER_MAX_CLIENTS"?` + "\n" +
		`BROKER_WORKERS: "x" is not a whole number`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestHelpIsAskedForInTheUsualWays(t *testing.T) {
	t.Parallel()
	for _, arg := range []string{"-h", "--help", "-help"} {
		if _, err := load([]string{arg}, nil); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%s: got %v, want flag.ErrHelp", arg, err)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "64kb": 64 << 10, "64KB": 64 << 10, "64k": 64 << 10, " 1 mb ": 1 << 20, "2g": 2 << 30, "3b": 3,
		"": -1, "kb": -1, "-1": -1, "1.5mb": -1, "1tb": -1, "9223372036854775807": 1<<63 - 1, "9223372036854775808": -1,
		"9007199254740992kb": -1, "8589934592gb": -1, "0x10": -1, "1_000": -1,
	} {
		got, err := parseSize(text)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("parseSize(%q): got %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestSizesAndDurationsAreWrittenShort(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 1: "1", 1024: "1kb", 1536: "1536", 1 << 20: "1mb", 3 << 30: "3gb"} {
		if got := formatSize(n); got != want {
			t.Errorf("formatSize(%d): got %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0s", time.Minute: "1m", time.Hour: "1h", 90 * time.Second: "1m30s", 20 * time.Second: "20s", 10 * time.Minute: "10m"} {
		if got := formatDuration(d); got != want {
			t.Errorf("formatDuration(%d): got %q, want %q", d, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"listen", "listen", 0}, {"listne", "listen", 1},
		{"kitten", "sitting", 3}, {"ca", "abc", 3}, {"äb", "ab", 1},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q): got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// FuzzFile holds that no file makes the reader panic or pass a wrong value.
func FuzzFile(f *testing.F) {
	f.Add("workers = 3\n[resp]\nlisten = \"127.0.0.1:0\"\n")
	f.Add("a.b = 1\n[limits]\nmax-message = \"64kb\"")
	f.Add("[[channel]]\nmatch = 'x'\nhistory = { size = 1 }")
	f.Add("[[channel]]\nmatch = 'x'\n[channel.history]\nsize = 0\n[[channel]]\nx = 1")
	f.Add("channel = [{match = 'x', retain = 'y'}, [1]]\n[channel.x]")
	f.Add("kv = [1, {a = 2}]\n[resp.x.y]\nz = 1979-05-27")
	f.Fuzz(func(t *testing.T, text string) {
		cfg := defaults()
		if err := applyTOML(&cfg, text); err != nil {
			return
		}
		for _, s := range settings {
			if err := s.value(&cfg).Set(s.value(&cfg).String()); err != nil && s.key != "http.origins" {
				t.Errorf("%s accepted a value it does not read itself: %v", s.key, err)
			}
		}
		for i := range cfg.Broker.Rules {
			if err := cfg.Broker.Rules[i].Validate(); err != nil {
				t.Errorf("a rule was accepted that the broker refuses: %v", err)
			}
		}
	})
}

func TestTheModeOfTheUnixSocketIsOctal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]fs.FileMode{"600": 0o600, "0660": 0o660, "777": 0o777} {
		cfg, err := load([]string{"--resp-unix-mode=" + text}, nil)
		if err != nil || cfg.RESPUnixMode != want {
			t.Errorf("%s: got %o, %v; want %o", text, cfg.RESPUnixMode, err, want)
		}
	}
	for _, text := range []string{"", "6", "060", "888", "1777", "-600", "rw-------", "0x1ff"} {
		if cfg, err := load([]string{"--resp-unix-mode=" + text}, nil); err == nil {
			t.Errorf("%q: got %o, want an error", text, cfg.RESPUnixMode)
		}
	}
	if _, err := load([]string{"--config=" + write(t, "[resp]\nunix-mode = 600\n")}, nil); err == nil || !strings.Contains(err.Error(), "text in quotes") {
		t.Errorf("a number in the file: got %v, want an error", err)
	}
}

func TestACertificateThatHasToBeShownIsACredential(t *testing.T) {
	t.Parallel()
	tls := []string{"--resp=:6379", "--http=:8080", "--resp-tls-cert=c", "--resp-tls-key=k", "--http-tls-cert=c", "--http-tls-key=k"}
	if _, err := load(tls, nil); err == nil {
		t.Error("TLS alone is taken for a credential")
	}
	if _, err := load(append(tls, "--resp-tls-client-ca=a", "--http-tls-client-ca=a"), nil); err != nil {
		t.Error(err)
	}
}

func TestWrongHostsAndProxiesNameTheSetting(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]string{
		"--http-hosts=a.example:80":  `http.hosts: host "a.example:80"`,
		"--http-proxies=localhost":   `http.proxies: proxy "localhost"`,
		"--http-proxies=10.0.0.0/99": `http.proxies: proxy "10.0.0.0/99"`,
	} {
		if _, err := load([]string{arg}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", arg, err, want)
		}
	}
}
