package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"fanfare/broker"
	"fanfare/internal/auth"
)

// runToken runs "broker token" and returns what it writes to both streams.
func runToken(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = command(context.Background(), nil, append([]string{"token"}, args...), env, &out, &errs)
	return code, out.String(), errs.String()
}

// keyFile is a configuration with two HS256 keys and one that signs nothing.
func keyFile(t *testing.T) string {
	t.Helper()
	return write(t, "[[token-key]]\nalgorithm = \"HS256\"\nkid = \"one\"\nsecret = \""+testSecret+"\"\nissuer = \"me\"\n"+
		"[[token-key]]\nalgorithm = \"HS256\"\nkid = \"two\"\nsecret-file = '"+secretFile(t, testSecret+"2\n")+"'\n"+
		"[[token-key]]\njwks = \"https://id.example/\"\n")
}

func TestTokensForDevelopment(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	cfg, err := load([]string{"--config", path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := cfg.Access.verifier(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args, env []string
		key       string
	}{
		"a key by its name":              {[]string{"--config", path, "--key", "one"}, nil, `token-key 1 (kid "one")`},
		"another, whose secret is apart": {[]string{"--config=" + path, "--key=two"}, nil, `token-key 2 (kid "two")`},
		"a configuration by a variable":  {[]string{"--key", "one"}, []string{"BROKER_CONFIG=" + path}, `token-key 1 (kid "one")`},
	} {
		began := time.Now()
		args := append(c.args, "--user", "u=1", "--can", "a=b=sub", "--can", "a=b=pub", "--can", "user:{sub}=sub,history", "--info", `{"n": 1}`, "--expires", "90m")
		code, out, errs := runToken(t, c.env, args...)
		if code != exitOK || errs != "" || strings.Count(out, "\n") != 1 {
			t.Errorf("%s: got %d, %q, %s", name, code, out, errs)
			continue
		}
		id, claims, err := v.Verify(strings.TrimSpace(out), time.Now())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if id.User != "u=1" || claims.Key != c.key || string(claims.Info) != `{"n":1}` {
			t.Errorf("%s: got %+v, %+v", name, id, claims)
		}
		if d := claims.Expires.Sub(began); d < 89*time.Minute || d > 91*time.Minute {
			t.Errorf("%s: it is good for %v", name, d)
		}
		if got, want := id.Rights.(*auth.Grants).String(), `{ "a=b" = ["sub", "pub"], "user:u=1" = ["sub", "history"] }`; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestATokenWithASecretOfItsOwn(t *testing.T) {
	t.Parallel()
	file := secretFile(t, testSecret)
	code, out, errs := runToken(t, nil, "--secret-file", file, "--user", "u1", "--key", "dev")
	if code != exitOK {
		t.Fatal(errs)
	}
	v, err := auth.NewVerifier(auth.Config{Keys: []auth.KeyConfig{{Algorithm: auth.HS256, ID: "dev", Secret: testSecret}}})
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := v.Verify(strings.TrimSpace(out), time.Now())
	if err != nil || auth.Access(id, broker.ActionSubscribe, "u1") {
		t.Errorf("got %+v, %v; want no rights", id, err)
	}
}

func TestTokensThatAreNotMade(t *testing.T) {
	t.Parallel()
	path, secret := keyFile(t), secretFile(t, testSecret)
	none := write(t, "[[token-key]]\njwks = \"https://id.example/\"\n")
	unnamed := write(t, "[[token-key]]\nalgorithm = \"HS256\"\nsecret = \""+testSecret+"\"\n")
	missing := path + ".missing"
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"nobody":                      {nil, exitUsage, "--user is missing: whom the token is for (see broker --help)"},
		"a name that no user has":     {[]string{"--user", "a\nb"}, exitFailed, "--user: the name of the user has control characters"},
		"no key":                      {[]string{"--user", "u1"}, exitUsage, "no key to sign with: --config names a configuration with a [[token-key]], --secret-file a secret (see broker --help)"},
		"two places for a key":        {[]string{"--user", "u1", "--config", path, "--secret-file", secret}, exitUsage, "--config and --secret-file: only one of them has the key (see broker --help)"},
		"which of the keys":           {[]string{"--user", "u1", "--config", path}, exitFailed, `--key is missing: ` + path + ` has the HS256 keys "one", "two"`},
		"a key that is not there":     {[]string{"--user", "u1", "--config", path, "--key", "three"}, exitFailed, `--key: "three" is no HS256 key of ` + path + `, which has "one", "two"`},
		"a key without a name":        {[]string{"--user", "u1", "--config", unnamed, "--key", "a"}, exitFailed, `--key: "a" is no HS256 key of ` + unnamed + `, which has ""`},
		"keys that sign nothing":      {[]string{"--user", "u1", "--config", none}, exitFailed, none + " has no [[token-key]] of HS256; of the others the broker has the public part, which signs nothing"},
		"no configuration":            {[]string{"--user", "u1", "--config", missing}, exitFailed, "read configuration: open " + missing + ": no such file or directory"},
		"no secret":                   {[]string{"--user", "u1", "--secret-file", missing}, exitFailed, "secret-file: open " + missing + ": no such file or directory"},
		"a grant without an action":   {[]string{"--user", "u1", "--can", "chat:*"}, exitUsage, `invalid value "chat:*" for flag -can: must be GLOB=ACTIONS, such as 'chat:*=sub,pub' (see broker --help)`},
		"an unknown action":           {[]string{"--user", "u1", "--can", "chat:*=read"}, exitFailed, `--can: grant "chat:*": "read" is not one of sub, pub, history, presence`},
		"a grant on nothing":          {[]string{"--user", "u1", "--can", "=sub"}, exitFailed, `--can: grant "": it is empty`},
		"no time":                     {[]string{"--user", "u1", "--expires", "0s"}, exitFailed, "--expires: 0s is less than a second"},
		"a time without unit":         {[]string{"--user", "u1", "--expires", "10"}, exitUsage, `invalid value "10" for flag -expires: parse error (see broker --help)`},
		"info that is no JSON":        {[]string{"--user", "u1", "--info", "Ann"}, exitFailed, `--info: it is not JSON such as {"name":"Ann"}`},
		"more info than a token has":  {[]string{"--user", "u1", "--secret-file", secret, "--info", `"` + strings.Repeat("i", 1023) + `"`}, exitFailed, `a broker would refuse it: info is longer than 1024 bytes (user "u1", token-key 1)`},
		"an unknown flag":             {[]string{"--uesr", "u1"}, exitUsage, `unknown flag "--uesr": did you mean "--user"? (see broker --help)`},
		"a secret has no flag":        {[]string{"--secret", testSecret}, exitUsage, `unknown flag "--secret"`},
		"more than flags":             {[]string{"--user", "u1", "x"}, exitUsage, `token takes no argument "x", only flags (see broker --help)`},
		"a configuration with faults": {[]string{"--user", "u1", "--config", write(t, "")}, exitFailed, ` has no [[token-key]] of HS256`},
	} {
		code, out, errs := runToken(t, nil, c.args...)
		if code != c.code || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%s: got %d, %q, %swant %d, %s", name, code, out, errs, c.code, c.want)
		}
		if strings.Contains(errs, testSecret) {
			t.Errorf("%s: the secret is shown: %s", name, errs)
		}
	}
}

func TestHelpOfTheTokenCommandNamesEveryFlag(t *testing.T) {
	t.Parallel()
	code, out, errs := runToken(t, nil, "--help")
	if code != exitOK || errs != "" || out != tokenHelp {
		t.Errorf("got %d, %q, %q", code, out, errs)
	}
	for _, flag := range []string{"user", "can", "expires", "info", "key", "config", "secret-file"} {
		if !strings.Contains(out, "\n  --"+flag+" ") {
			t.Errorf("--%s is missing", flag)
		}
	}
	for line := range strings.Lines(out) {
		if len(line) > 121 {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
}
