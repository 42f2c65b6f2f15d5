package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"fanfare/internal/auth"
)

const testSecret = "0123456789abcdef0123456789abcdef"

// secretFile is a file with that text.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAccessInAllTheFormsOfTOML(t *testing.T) {
	t.Parallel()
	want := accessConfig{
		Anonymous:  map[string][]string{"news:*": {"sub", "history"}, "a.b": {}},
		Revoked:    []string{"mallory", "a,b"},
		WithoutExp: true,
		Keys:       []auth.KeyConfig{{Algorithm: "HS256", ID: "a", Secret: testSecret, Issuer: "i", Audience: "u"}, {JWKS: "https://id.example/"}},
	}
	for name, text := range map[string]string{
		"tables": "[access]\nanonymous = { \"news:*\" = [\"sub\", \"history\"], \"a.b\" = [] }\nrevoked = [\"mallory\", \"a,b\"]\ntoken-without-exp = true\n" +
			"[[token-key]]\nalgorithm = \"HS256\"\nkid = \"a\"\nsecret = \"" + testSecret + "\"\nissuer = \"i\"\naudience = \"u\"\n[[token-key]]\njwks = \"https://id.example/\"\n",
		"a table below": "[access]\nrevoked = [\"mallory\", \"a,b\"]\ntoken-without-exp = true\n[access.anonymous]\n\"news:*\" = [\"sub\", \"history\"]\n\"a.b\" = []\n" +
			"[[token-key]]\nalgorithm = \"HS256\"\nkid = \"a\"\nsecret = \"" + testSecret + "\"\nissuer = \"i\"\naudience = \"u\"\n[[token-key]]\njwks = \"https://id.example/\"\n",
		"keys with dots and one list": "access.anonymous.\"news:*\" = [\"sub\", \"history\"]\naccess.anonymous.\"a.b\" = []\naccess.revoked = [\"mallory\", \"a,b\"]\naccess.token-without-exp = true\n" +
			"token-key = [{ algorithm = \"HS256\", kid = \"a\", secret = \"" + testSecret + "\", issuer = \"i\", audience = \"u\" }, { jwks = \"https://id.example/\" }]\n",
	} {
		cfg, err := load([]string{"--config", write(t, text)}, nil)
		if err != nil || !reflect.DeepEqual(cfg.Access, want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", name, cfg.Access, err, want)
		}
	}
}

func TestNobodyHasRightsOfItsOwnByDefault(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "token-key = []", "[access]", "[access]\nrevoked = []"} {
		cfg, err := load([]string{"--config", write(t, text)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := cfg.Access.verifier(nil, nil); err != nil || v.Configured() {
			t.Errorf("%q: got %v, configured %v", text, err, v.Configured())
		}
	}
}

func TestWrongAccess(t *testing.T) {
	t.Parallel()
	short := secretFile(t, "hush")
	const good = "[[token-key]]\nalgorithm = \"HS256\"\nsecret = \"" + testSecret + "\"\n"
	for name, c := range map[string]struct{ text, want string }{
		"an unknown key names the nearest":   {"[access]\nrevokd = []", `2: access: unknown key "revokd": did you mean "revoked"?`},
		"two pairs of brackets":              {"[[access]]", `1: access must be a table, not a list of tables`},
		"a number":                           {"\naccess = 3", `2: access must be a table, not a number`},
		"grants that are a list":             {"[access]\nanonymous = [\"news:*\"]", `2: access: anonymous: must be grants such as { "news:*" = ["sub"] }, not a list`},
		"words that are a text":              {"[access]\nanonymous = { \"news:*\" = \"sub\" }", `2: access: anonymous: "news:*" must be a list of texts, not a text`},
		"an unknown word":                    {"[access]\n\nanonymous = { \"news:*\" = [\"read\"] }", `3: access: anonymous: grant "news:*": "read" is not one of sub, pub, history, presence`},
		"a user for those who have none":     {"[access]\nanonymous = { \"user:{sub}\" = [\"sub\"] }", `2: access: anonymous: grant "user:{sub}": {sub} needs a user, and there is none`},
		"a user that no token can name":      {"[access]\nrevoked = [\"a\\nb\"]", `2: access: revoked: "a\nb": the name of the user has control characters`},
		"users in a text":                    {"[access]\nrevoked = \"a\"", `2: access: revoked: must be a list of texts, not a text`},
		"a switch as a text":                 {"[access]\ntoken-without-exp = \"no\"", `2: access: token-without-exp: must be true or false, not a text`},
		"a key without a key":                {"\n[[token-key]]\nkid = \"a\"", `2: token-key 1: secret, secret-file, public-key-file or jwks is missing`},
		"an algorithm of no key":             {"[[token-key]]\nalgorithm = \"none\"", `2: token-key 1: algorithm: "none" is not one of HS256, RS256, ES256, EdDSA`},
		"a short secret":                     {"[[token-key]]\nalgorithm = \"HS256\"\nsecret = \"hush\"", `3: token-key 1: secret: 4 bytes, fewer than 32`},
		"a secret that is a number":          {"[[token-key]]\nalgorithm = \"HS256\"\nsecret = 3", `3: token-key 1: secret: must be a text in quotes, not a number`},
		"a short secret in a file":           {"[[token-key]]\nsecret-file = '" + short + "'\nalgorithm = \"HS256\"", `2: token-key 1: secret-file ` + short + `: 4 bytes, fewer than 32`},
		"a file that is no key":              {"[[token-key]]\nalgorithm = \"RS256\"\npublic-key-file = '" + short + "'", `3: token-key 1: public-key-file ` + short + `: it is not PEM`},
		"the second key has its own line":    {good + "\n[resp]\n" + "[[token-key]]\njwks = \"http://example.org/\"", `7: token-key 2: jwks: only https, or http on loopback`},
		"a kid twice":                        {good + "kid = \"a\"\n" + good + "kid = \"a\"\n", `8: token-key 2: kid: another token-key has the same; each needs a kid of its own`},
		"two keys without kid":               {good + good, `4: token-key 2: kid: another token-key has the same; each needs a kid of its own`},
		"an unknown key of a key":            {good + "aud = \"a\"", `4: token-key 1: unknown key "aud": did you mean "kid"?`},
		"one pair of brackets":               {"[token-key]\nkid = \"a\"", `1: token-key is a list of tables: each is headed [[token-key]], with two brackets`},
		"a table misspelt":                   {"[[token-keys]]\nkid = \"a\"", `1: unknown setting "token-keys": did you mean "token-key"?`},
		"an access misspelt":                 {"[acess]\nrevoked = []", `1: unknown setting "acess": did you mean "access"?`},
		"channels beside have their own":     {good + "[[channel]]\nmatch = 3", `5: channel 1: match: must be a text in quotes, not a number`},
		"a setting of access is none at top": {"revoked = []", `1: unknown setting "revoked"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, c.text)
			_, err := load([]string{"--config", path}, nil)
			if want := path + ":" + c.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestAccessStandsInTheFileOnly(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--access-revoked=a"}, {"--token-key=a"}} {
		if _, err := load(args, nil); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
	for _, env := range []string{"BROKER_ACCESS_REVOKED=a", "BROKER_TOKEN_KEY=a"} {
		if _, err := load(nil, []string{env}); err == nil {
			t.Errorf("%s is accepted", env)
		}
	}
}

func TestCheckConfigListsAccessWithoutSecrets(t *testing.T) {
	t.Parallel()
	file := secretFile(t, testSecret+"!")
	path := write(t, "[access]\nanonymous = { \"news:*\" = [\"sub\"] }\nrevoked = [\"a,b\"]\n"+
		"[[token-key]]\nalgorithm = \"HS256\"\nkid = \"a\\nb\"\nsecret = \""+testSecret+"\"\n"+
		"[[token-key]]\nalgorithm = \"HS256\"\nsecret-file = '"+file+"'\n[[token-key]]\njwks = \"https://id.example/\"\nissuer = \"id\"\n[[channel]]\nmatch = \"*\"\n")
	var b strings.Builder
	if err := checkConfig([]string{path}, nil, &b); err != nil {
		t.Fatal(err)
	}
	want := `The configuration is good.
  access: anonymous = { "news:*" = ["sub"] }, revoked = ["a,b"]
  token-key 1: algorithm = HS256, kid = "a\nb", secret is set
  token-key 2: algorithm = HS256, secret-file = "` + file + `"
  token-key 3: jwks = "https://id.example/", issuer = "id"
  channel 1: match = "*"
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What goes wrong with a secret is said without the secret, whatever else is wrong.
func TestNoErrorShowsASecret(t *testing.T) {
	t.Parallel()
	const secret = "sesame sesame"
	file := secretFile(t, secret)
	for _, text := range []string{
		"[[token-key]]\nsecret = \"" + secret + "\"",
		"[[token-key]]\nalgorithm = \"HS256\"\nsecret = \"" + secret + "\"",
		"[[token-key]]\nalgorithm = \"RS256\"\nsecret = \"" + secret + "\"\njwks = \"https://a/\"",
		"[[token-key]]\nalgorithm = \"HS256\"\nsecret-file = '" + file + "'",
		"[[token-key]]\nalgorithm = \"RS256\"\npublic-key-file = '" + file + "'",
		"[[token-key]]\nsecret = [\"" + secret + "\"]",
		"[token-key]\nsecret = \"" + secret + "\"",
		"[[token-key]]\nsecrt = \"" + secret + "\"",
		"[[token-key]]\njwks = \"https://u:" + secret + "@example.org/\"",
	} {
		_, err := load([]string{"--config", write(t, text)}, nil)
		if err == nil || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s\n%v", text, err)
		}
	}
}

func TestEveryKeyOfAccessReadsWhatItWrites(t *testing.T) {
	t.Parallel()
	access := accessConfig{Anonymous: map[string][]string{`a\*`: {"pub"}, "b": {}}, Revoked: []string{"a,b", `"`}, WithoutExp: true}
	key := auth.KeyConfig{Algorithm: "ES256", ID: "k", SecretFile: "s", PublicKeyFile: "p", JWKS: "j", Issuer: "i", Audience: "a"}
	readsWhatItWrites(t, &access, accessSettings)
	readsWhatItWrites(t, &key, tokenKeySettings)
	if err := (grantsValue{new(map[string][]string)}).Set("{"); err == nil {
		t.Error("grants that are cut are accepted")
	}
	if err := (usersValue{listValue{new([]string)}}).Set("ann"); err == nil {
		t.Error("users that are no list are accepted")
	}
}

func readsWhatItWrites[T any](t *testing.T, v *T, rows []tableSetting[T]) {
	t.Helper()
	for _, s := range rows {
		text := s.value(v).String()
		if err := s.value(v).Set(text); err != nil || s.value(v).String() != text {
			t.Errorf("%s: %q became %q, %v", s.key, text, s.value(v).String(), err)
		}
		if s.help == "" || strings.HasSuffix(s.help, ".") {
			t.Errorf("%s: help %q must be a phrase without a full stop", s.key, s.help)
		}
	}
}

func TestUsersOfTheFileAreRefused(t *testing.T) {
	t.Parallel()
	access := accessConfig{Revoked: []string{"u1"}}
	revoked := auth.NewRevoked(1)
	v, err := access.verifier(revoked, func(auth.Fetch) {})
	if err != nil || v.Revoked() != revoked || !revoked.Refuses("u1", time.Now()) || revoked.Refuses("u2", time.Now()) {
		t.Errorf("got %v", err)
	}
}
