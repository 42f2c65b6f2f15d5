package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"fanfare/broker"
)

// now is the time in these tests.
var now = time.Unix(1_800_000_000, 0)

// claims are good ones, changed.
func claims(changes map[string]any) map[string]any {
	c := map[string]any{"sub": "u1", "exp": now.Unix() + 60, "can": map[string]any{"chat:*": []string{"sub"}}}
	for name, v := range changes {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return c
}

// sign makes a token of any header and claims, texts of JSON.
func sign(t testing.TB, method jwt.SigningMethod, material any, header, claims string) string {
	t.Helper()
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	signature, err := method.Sign(text, material)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// hs256 makes a token with the secret of the tests.
func hs256(t testing.TB, header string, c map[string]any) string {
	t.Helper()
	return sign(t, jwt.SigningMethodHS256, []byte(testSecret), header, string(must(json.Marshal(c))))
}

func verifier(t testing.TB, cfg Config) *Verifier {
	t.Helper()
	v, err := NewVerifier(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func withSecret() Config {
	return Config{Keys: []KeyConfig{{Algorithm: HS256, Secret: testSecret}}}
}

// refused checks that a token is, with that text for the log.
func refused(t *testing.T, err, class error, want string) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) || !errors.Is(err, class) {
		t.Errorf("got %v, want a refusal as %v", err, class)
		return
	}
	if r.Reason() != want {
		t.Errorf("got  %s\nwant %s", r.Reason(), want)
	}
	if r.Public() != class.Error() || r.Error() != r.Public()+": "+r.Reason() {
		t.Errorf("got %q for the peer and %q for the log", r.Public(), r.Error())
	}
}

const plainHeader = `{"alg":"HS256","typ":"JWT"}`

func TestAGoodToken(t *testing.T) {
	t.Parallel()
	v := verifier(t, withSecret())
	token := hs256(t, plainHeader, claims(map[string]any{
		"iat": now.Unix() - 5, "nbf": now.Unix() - 5, "iss": "anybody", "aud": "anything", "jti": "x",
		"info": json.RawMessage(`{"name": "Ann",  "n": 1.0}`),
		"can":  map[string]any{"user:{sub}": []string{"sub", "pub"}},
	}))
	id, c, err := v.Verify(token, now)
	if err != nil {
		t.Fatal(err)
	}
	if id.User != "u1" || c.User != "u1" || c.Key != "token-key 1" || string(c.Info) != `{"name":"Ann","n":1.0}` {
		t.Errorf("got %+v, %+v", id, c)
	}
	if !c.Expires.Equal(now.Add(time.Minute)) || !c.Issued.Equal(now.Add(-5*time.Second)) {
		t.Errorf("got %v and %v", c.Expires, c.Issued)
	}
	if !Access(id, broker.ActionPublish, "user:u1") || Access(id, broker.ActionPublish, "user:u2") {
		t.Errorf("got the rights %v", id.Rights)
	}
}

func TestClaimsOfAToken(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 128)
	for name, c := range map[string]struct {
		changes map[string]any
		class   error  // nil: the token is good
		want    string // the reason
	}{
		"no rights":                     {map[string]any{"can": nil}, nil, ""},
		"rights of null":                {map[string]any{"can": json.RawMessage("null")}, nil, ""},
		"no user":                       {map[string]any{"sub": nil}, ErrInvalid, "sub is missing or no text (token-key 1)"},
		"a user in another case":        {map[string]any{"sub": nil, "SUB": "u1"}, ErrInvalid, "sub is missing or no text (token-key 1)"},
		"a user that is a number":       {map[string]any{"sub": 1}, ErrInvalid, "sub is missing or no text (token-key 1)"},
		"an empty user":                 {map[string]any{"sub": ""}, ErrInvalid, "sub: the name of the user is empty (token-key 1)"},
		"the longest user":              {map[string]any{"sub": long}, nil, ""},
		"a longer user":                 {map[string]any{"sub": long + "x"}, ErrInvalid, "sub: the name of the user is longer than 256 bytes (token-key 1)"},
		"a user with a line end":        {map[string]any{"sub": "a\nb"}, ErrInvalid, "sub: the name of the user has control characters (token-key 1)"},
		"a user with half a surrogate":  {map[string]any{"sub": json.RawMessage(`"a\ud800"`)}, ErrInvalid, "sub: the name of the user is not UTF-8 (token-key 1)"},
		"no end":                        {map[string]any{"exp": nil}, ErrInvalid, `exp is missing (user "u1", token-key 1)`},
		"an end that is a text":         {map[string]any{"exp": "1900000000"}, ErrInvalid, `exp is not a date (user "u1", token-key 1)`},
		"an end before all time":        {map[string]any{"exp": -1}, ErrInvalid, `exp is not a date (user "u1", token-key 1)`},
		"an end beyond all time":        {map[string]any{"exp": 1e300}, ErrInvalid, `exp is not a date (user "u1", token-key 1)`},
		"the last second before":        {map[string]any{"exp": now.Unix() + 1}, nil, ""},
		"the end itself":                {map[string]any{"exp": now.Unix()}, ErrExpired, `at 2027-01-15T08:00:00Z (user "u1")`},
		"an end within a second":        {map[string]any{"exp": float64(now.Unix()) + .5}, nil, ""},
		"made in the future":            {map[string]any{"iat": now.Unix() + 31}, ErrInvalid, `iat is in the future (user "u1", token-key 1)`},
		"made by a clock ahead":         {map[string]any{"iat": now.Unix() + 30}, nil, ""},
		"not good yet":                  {map[string]any{"nbf": now.Unix() + 31}, ErrInvalid, `nbf is in the future (user "u1", token-key 1)`},
		"not good yet by a clock ahead": {map[string]any{"nbf": now.Unix() + 30}, nil, ""},
		"a wrong date of making":        {map[string]any{"iat": true}, ErrInvalid, `iat is not a date (user "u1", token-key 1)`},
		"the longest info":              {map[string]any{"info": strings.Repeat("i", MaxInfo-2)}, nil, ""},
		"a longer info":                 {map[string]any{"info": strings.Repeat("i", MaxInfo-1)}, ErrInvalid, `info is longer than 1024 bytes (user "u1", token-key 1)`},
		"rights in a list":              {map[string]any{"can": []string{"chat:*"}}, ErrInvalid, `can is not an object of lists of texts (user "u1", token-key 1)`},
		"rights that are texts":         {map[string]any{"can": map[string]string{"chat:*": "sub"}}, ErrInvalid, `can is not an object of lists of texts (user "u1", token-key 1)`},
		"an unknown right":              {map[string]any{"can": map[string][]string{"chat:*": {"all"}}}, ErrInvalid, `grant "chat:*": "all" is not one of sub, pub, history, presence (user "u1", token-key 1)`},
		"a right on nothing":            {map[string]any{"can": map[string][]string{"": {"sub"}}}, ErrInvalid, `grant "": it is empty (user "u1", token-key 1)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, _, err := verifier(t, withSecret()).Verify(hs256(t, plainHeader, claims(c.changes)), now)
			if c.class != nil {
				refused(t, err, c.class, c.want)
			} else if err != nil {
				t.Error(err)
			}
			if (id != broker.Identity{}) != (c.class == nil) {
				t.Errorf("got the identity %+v with %v", id, err)
			}
		})
	}
}

func TestATokenWithoutEndIsAcceptedWhereTheConfigurationSaysSo(t *testing.T) {
	t.Parallel()
	cfg := withSecret()
	cfg.WithoutExp = true
	_, c, err := verifier(t, cfg).Verify(hs256(t, plainHeader, claims(map[string]any{"exp": nil})), now)
	if err != nil || !c.Expires.IsZero() {
		t.Errorf("got %v, %v", c.Expires, err)
	}
	_, _, err = verifier(t, cfg).Verify(hs256(t, plainHeader, claims(map[string]any{"exp": now.Unix() - 1})), now)
	refused(t, err, ErrExpired, `at 2027-01-15T07:59:59Z (user "u1")`)
}

func TestIssuerAndAudienceOfTheKey(t *testing.T) {
	t.Parallel()
	cfg := withSecret()
	cfg.Keys[0].Issuer, cfg.Keys[0].Audience = "https://id.example", "fanfare"
	v := verifier(t, cfg)
	for name, c := range map[string]struct {
		iss, aud any
		want     string
	}{
		"both":                      {"https://id.example", "fanfare", ""},
		"an audience among others":  {"https://id.example", []string{"x", "fanfare"}, ""},
		"no issuer":                 {nil, "fanfare", `iss is not the key's issuer (user "u1", token-key 1)`},
		"another issuer":            {"https://id.example/", "fanfare", `iss is not the key's issuer (user "u1", token-key 1)`},
		"an issuer in a list":       {[]string{"https://id.example"}, "fanfare", `iss is not the key's issuer (user "u1", token-key 1)`},
		"no audience":               {"https://id.example", nil, `aud does not have the key's audience (user "u1", token-key 1)`},
		"another audience":          {"https://id.example", "fan", `aud does not have the key's audience (user "u1", token-key 1)`},
		"an audience of something":  {"https://id.example", 3, `aud does not have the key's audience (user "u1", token-key 1)`},
		"an audience in one object": {"https://id.example", map[string]any{"fanfare": 1}, `aud does not have the key's audience (user "u1", token-key 1)`},
	} {
		_, _, err := v.Verify(hs256(t, plainHeader, claims(map[string]any{"iss": c.iss, "aud": c.aud})), now)
		if c.want != "" {
			refused(t, err, ErrInvalid, c.want)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What stands before the claims: nothing of it may be decoded that is too long, and
// nothing in it may choose how the token is checked.
func TestTokensThatAreNone(t *testing.T) {
	t.Parallel()
	v := verifier(t, withSecret())
	good := hs256(t, plainHeader, claims(nil))
	parts := strings.Split(good, ".")
	header := func(text string) string { return hs256(t, text, claims(nil)) }
	for name, c := range map[string]struct{ token, want string }{
		"nothing":                       {"", "0 dots instead of 2"},
		"one dot":                       {parts[0] + "." + parts[1], "1 dots instead of 2"},
		"three dots":                    {good + ".", "3 dots instead of 2"},
		"thousands of dots":             {strings.Repeat(".", MaxToken), "8192 dots instead of 2"},
		"too long":                      {good + strings.Repeat("A", MaxToken), "longer than 8192 bytes"},
		"a line end":                    {good + "\n", "bytes that no token has"},
		"padding":                       {good + "=", "bytes that no token has"},
		"a blank before":                {" " + good, "bytes that no token has"},
		"plain base64":                  {strings.Replace(good, ".", "+.", 1), "bytes that no token has"},
		"a header cut":                  {"e." + parts[1] + "." + parts[2], "header is not base64url"},
		"a signature with bits over":    {good[:len(good)-1] + string(good[len(good)-1]+1), "signature is not base64url"},
		"only dots":                     {"..", "header is not a JSON object"},
		"a header that is a list":       {header(`["HS256"]`), "header is not a JSON object"},
		"a header of null":              {header(`null`), "header has no alg"},
		"no alg":                        {header(`{}`), "header has no alg"},
		"alg in another case":           {header(`{"ALG":"HS256"}`), "header has no alg"},
		"alg that is a number":          {header(`{"alg":256}`), "header has no alg"},
		"the signature cut":             {good[:len(good)-2], "signature is not base64url"},
		"another signature":             {parts[0] + "." + parts[1] + "." + strings.Repeat("A", 43), `wrong signature for kid ""`},
		"no signature":                  {parts[0] + "." + parts[1] + ".", `wrong signature for kid ""`},
		"other claims":                  {parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"admin"}`)) + "." + parts[2], `wrong signature for kid ""`},
		"none":                          {sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, `{"alg":"none"}`, `{"sub":"u1"}`), `alg "none" is not that of the key`},
		"none in another case":          {header(`{"alg":"None"}`), `alg "None" is not that of the key`},
		"a longer hash of the secret":   {sign(t, jwt.SigningMethodHS512, []byte(testSecret), `{"alg":"HS512"}`, `{"sub":"u1"}`), `alg "HS512" is not that of the key`},
		"alg of another kind":           {header(`{"alg":"RS256"}`), `alg "RS256" is not that of the key`},
		"critical extensions":           {header(`{"alg":"HS256","crit":["b64"],"b64":false}`), "header has crit"},
		"a kid that is a number":        {header(`{"alg":"HS256","kid":1}`), "kid is not a text of at most 256 bytes"},
		"a long kid":                    {header(`{"alg":"HS256","kid":"` + strings.Repeat("k", 257) + `"}`), "kid is not a text of at most 256 bytes"},
		"claims that are no object":     {sign(t, jwt.SigningMethodHS256, []byte(testSecret), plainHeader, `"x"`), "claims are not a JSON object (token-key 1)"},
		"claims of null":                {sign(t, jwt.SigningMethodHS256, []byte(testSecret), plainHeader, `null`), "claims are not a JSON object (token-key 1)"},
		"claims that are not UTF-8":     {sign(t, jwt.SigningMethodHS256, []byte(testSecret), plainHeader, "{\"sub\":\"\xff\"}"), "claims are not UTF-8 (token-key 1)"},
		"claims that are not base64url": {signText(t, parts[0]+".e"), "claims are not base64url (token-key 1)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := v.Verify(c.token, now)
			refused(t, err, ErrInvalid, c.want)
		})
	}
}

// signText signs what is no token.
func signText(t *testing.T, text string) string {
	t.Helper()
	return text + "." + base64.RawURLEncoding.EncodeToString(must(jwt.SigningMethodHS256.Sign(text, []byte(testSecret))))
}

// A longest token is read: the limit is on what comes in, not on what is in it.
func TestTheLongestTokenIsAccepted(t *testing.T) {
	t.Parallel()
	v := verifier(t, withSecret())
	fill := 0
	for {
		token := hs256(t, plainHeader, claims(map[string]any{"x": strings.Repeat("x", fill)}))
		if len(token) >= MaxToken-3 {
			if _, _, err := v.Verify(token, now); err != nil || len(token) > MaxToken {
				t.Errorf("%d bytes: %v", len(token), err)
			}
			return
		}
		fill += max(1, (MaxToken-3-len(token))*3/4)
	}
}

func TestEachAlgorithmAndNoOtherForItsKey(t *testing.T) {
	t.Parallel()
	rsaPEM := pemOf(rsaKey().Public())
	keys := map[string]struct {
		kc       KeyConfig
		method   jwt.SigningMethod
		material any
	}{
		HS256: {KeyConfig{Algorithm: HS256, Secret: testSecret}, jwt.SigningMethodHS256, []byte(testSecret)},
		RS256: {KeyConfig{Algorithm: RS256, PublicKeyFile: writeFile(t, rsaPEM)}, jwt.SigningMethodRS256, rsaKey()},
		ES256: {KeyConfig{Algorithm: ES256, PublicKeyFile: writeFile(t, pemOf(ecdsaKey().Public()))}, jwt.SigningMethodES256, ecdsaKey()},
		EdDSA: {KeyConfig{Algorithm: EdDSA, PublicKeyFile: writeFile(t, pemOf(eddsaKey().Public()))}, jwt.SigningMethodEdDSA, eddsaKey()},
	}
	good := string(must(json.Marshal(claims(nil))))
	for name, k := range keys {
		v := verifier(t, Config{Keys: []KeyConfig{k.kc}})
		for other, o := range keys {
			_, _, err := v.Verify(sign(t, o.method, o.material, `{"alg":"`+other+`"}`, good), now)
			if (err == nil) != (name == other) {
				t.Errorf("key of %s, token of %s: %v", name, other, err)
			}
			// The header names the key's algorithm, the signature is another's.
			_, _, err = v.Verify(sign(t, o.method, o.material, `{"alg":"`+name+`"}`, good), now)
			if (err == nil) != (name == other) {
				t.Errorf("key of %s, signature of %s: %v", name, other, err)
			}
		}
		// The public key, which everybody has, is no secret.
		_, _, err := v.Verify(sign(t, jwt.SigningMethodHS256, []byte(rsaPEM), `{"alg":"HS256"}`, good), now)
		if err == nil {
			t.Errorf("key of %s: a token made with a public key as the secret is accepted", name)
		}
		if name == RS256 {
			_, _, err = v.Verify(sign(t, jwt.SigningMethodPS256, rsaKey(), `{"alg":"PS256"}`, good), now)
			refused(t, err, ErrInvalid, `alg "PS256" is not that of the key`)
		}
	}
}

func TestWhichKeyATokenIsCheckedWith(t *testing.T) {
	t.Parallel()
	secret := func(n int) string { return fmt.Sprintf("%032d", n) }
	key := func(n int, id string) KeyConfig {
		return KeyConfig{Algorithm: HS256, Secret: Secret(secret(n)), ID: id}
	}
	token := func(n int, header string) string {
		return sign(t, jwt.SigningMethodHS256, []byte(secret(n)), header, string(must(json.Marshal(claims(nil)))))
	}
	const plain, named = `{"alg":"HS256"}`, `{"alg":"HS256","kid":"a"}`
	for name, c := range map[string]struct {
		keys  []KeyConfig
		token string
		want  string // the key or the reason
	}{
		"the only key has no name, the token neither": {[]KeyConfig{key(1, "")}, token(1, plain), "token-key 1"},
		"the only key has no name, the token one":     {[]KeyConfig{key(1, "")}, token(1, named), "token-key 1"},
		"the only key has a name, the token not":      {[]KeyConfig{key(1, "a")}, token(1, plain), `no key with kid ""`},
		"the only key has another name":               {[]KeyConfig{key(1, "b")}, token(1, named), `no key with kid "a"`},
		"the key of that name":                        {[]KeyConfig{key(1, "b"), key(2, "a")}, token(2, named), `token-key 2 (kid "a")`},
		"the name of another key":                     {[]KeyConfig{key(1, "b"), key(2, "a")}, token(1, named), `wrong signature for kid "a"`},
		"among several, no name is for those without": {[]KeyConfig{key(1, ""), key(2, "a")}, token(1, plain), "token-key 1"},
		"and not for those with a name":               {[]KeyConfig{key(1, ""), key(2, "b")}, token(1, named), `no key with kid "a"`},
		"beside an endpoint the key is not the only":  {[]KeyConfig{key(1, ""), {JWKS: "https://example.org/"}}, token(1, named), `no key with kid "a"`},
		"no keys":                  {nil, token(1, plain), `no key with kid ""`},
		"a URL in the header":      {[]KeyConfig{key(1, "b")}, token(1, `{"alg":"HS256","kid":"http://127.0.0.1/","jku":"http://127.0.0.1/","x5u":"http://127.0.0.1/"}`), `no key with kid "http://127.0.0.1/"`},
		"a key in the header":      {[]KeyConfig{key(1, "")}, token(2, `{"alg":"HS256","jwk":{"kty":"oct","k":"`+base64.RawURLEncoding.EncodeToString([]byte(secret(2)))+`"}}`), `wrong signature for kid ""`},
		"a name is shown escaped":  {[]KeyConfig{key(1, "b")}, token(1, `{"alg":"HS256","kid":"a\n\u001b[31m"}`), `no key with kid "a\n\x1b[31m"`},
		"a long name is shown cut": {[]KeyConfig{key(1, "b")}, token(1, `{"alg":"HS256","kid":"`+strings.Repeat("k", 256)+`"}`), `no key with kid "` + strings.Repeat("k", 64) + `"…`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, got, err := verifier(t, Config{Keys: c.keys}).Verify(c.token, now)
			if err != nil {
				refused(t, err, ErrInvalid, c.want)
			} else if got.Key != c.want {
				t.Errorf("got %s, want %s", got.Key, c.want)
			}
		})
	}
}

// Whatever is refused, nothing of the token comes back but names, quoted.
func TestARefusalDoesNotEchoTheToken(t *testing.T) {
	t.Parallel()
	v := verifier(t, withSecret())
	for _, token := range []string{
		hs256(t, plainHeader, claims(map[string]any{"info": "sesame", "exp": 0})),
		hs256(t, `{"alg":"HS256","crit":"sesame"}`, claims(nil)),
		hs256(t, plainHeader, claims(map[string]any{"iss": "sesame", "exp": "sesame", "sub": "u1"})),
		"sesame", "sesame.sesame.sesame", "sesame..",
	} {
		_, _, err := v.Verify(token, now)
		if err == nil || strings.Contains(err.Error(), "sesame") || strings.Contains(err.Error(), token[:6]) {
			t.Errorf("got %v", err)
		}
	}
}

func TestAnonymous(t *testing.T) {
	t.Parallel()
	v := verifier(t, withSecret())
	if id, ok := v.Anonymous(); ok || id.Rights != nil || !v.Configured() {
		t.Errorf("got %+v, %v with keys only", id, ok)
	}
	v = verifier(t, Config{Anonymous: map[string][]string{"news:*": {"sub"}}})
	id, ok := v.Anonymous()
	if !ok || id.User != "" || !Access(id, broker.ActionPattern, "news:*") || Access(id, broker.ActionPublish, "news:1") || !v.Configured() {
		t.Errorf("got %+v, %v with grants", id, ok)
	}
	if verifier(t, Config{}).Configured() {
		t.Error("nothing is configured, yet it is")
	}
}

func TestWhatSignMakesIsVerified(t *testing.T) {
	t.Parallel()
	kc := KeyConfig{Algorithm: HS256, Secret: testSecret, ID: "dev", Issuer: "me", Audience: "you"}
	token, err := kc.Sign(claims(map[string]any{"iss": "other", "aud": "other"}))
	if err != nil {
		t.Fatal(err)
	}
	if _, c, err := verifier(t, Config{Keys: []KeyConfig{kc}}).Verify(token, now); err != nil || c.Key != `token-key 1 (kid "dev")` {
		t.Errorf("got %+v, %v", c, err)
	}
	for want, kc := range map[string]KeyConfig{
		"only a key of HS256 makes tokens: of the others the broker has the public part": {Algorithm: EdDSA, PublicKeyFile: "x"},
		"secret: 3 bytes, fewer than 32":                                                 {Algorithm: HS256, Secret: "abc"},
		"algorithm is missing: one of HS256, RS256, ES256, EdDSA":                        {Secret: testSecret},
	} {
		if token, err := kc.Sign(claims(nil)); err == nil || err.Error() != want {
			t.Errorf("got %q, %v\nwant %s", token, err, want)
		}
	}
}
