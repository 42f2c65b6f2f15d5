package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

type webKeyText map[string]any

func number(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// webKeyOf is a public key as a set has it.
func webKeyOf(id string, public any) webKeyText {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return webKeyText{"kty": "RSA", "kid": id, "n": number(k.N.Bytes()), "e": number(big.NewInt(int64(k.E)).Bytes())}
	case *ecdsa.PublicKey:
		point := must(k.Bytes())
		half := (len(point) - 1) / 2
		return webKeyText{"kty": "EC", "kid": id, "crv": k.Curve.Params().Name, "x": number(point[1 : 1+half]), "y": number(point[1+half:])}
	case ed25519.PublicKey:
		return webKeyText{"kty": "OKP", "kid": id, "crv": "Ed25519", "x": number(k)}
	}
	panic("no such key")
}

// with is the key with other members.
func (w webKeyText) with(changes webKeyText) webKeyText {
	c := maps.Clone(w)
	for name, v := range changes {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return c
}

func setOf(keys ...webKeyText) []byte {
	return must(json.Marshal(map[string]any{"keys": keys}))
}

func TestWhichKeysOfASetAreOfUse(t *testing.T) {
	t.Parallel()
	rsaWeb, ecWeb, edWeb := webKeyOf("r", rsaKey().Public()), webKeyOf("e", ecdsaKey().Public()), webKeyOf("d", eddsaKey().Public())
	for name, c := range map[string]struct {
		key  webKeyText
		want string // algorithm; empty: none
	}{
		"RSA":                             {rsaWeb, RS256},
		"RSA for what we do":              {rsaWeb.with(webKeyText{"use": "sig", "alg": "RS256", "key_ops": []string{"verify"}}), RS256},
		"P-256":                           {ecWeb, ES256},
		"Ed25519":                         {edWeb, EdDSA},
		"a key without kid":               {edWeb.with(webKeyText{"kid": nil}), EdDSA},
		"URLs in it are not looked at":    {edWeb.with(webKeyText{"x5u": "http://127.0.0.1:1/"}), EdDSA},
		"a secret":                        {webKeyText{"kty": "oct", "kid": "s", "k": number([]byte(testSecret)), "alg": "HS256"}, ""},
		"RSA for another algorithm":       {rsaWeb.with(webKeyText{"alg": "PS256"}), ""},
		"RSA for a secret's":              {rsaWeb.with(webKeyText{"alg": "HS256"}), ""},
		"a key for encryption":            {rsaWeb.with(webKeyText{"use": "enc"}), ""},
		"a key for signing only":          {rsaWeb.with(webKeyText{"key_ops": []string{"sign"}}), ""},
		"RSA of few bits":                 {webKeyOf("w", weakRSA(2047, 65537)), ""},
		"RSA of too many bits":            {webKeyOf("w", weakRSA(8193, 65537)), ""},
		"RSA with exponent 1":             {webKeyOf("w", weakRSA(2048, 1)), ""},
		"RSA with a huge exponent":        {rsaWeb.with(webKeyText{"e": number([]byte{1, 0, 0, 0, 1})}), ""},
		"RSA without modulus":             {rsaWeb.with(webKeyText{"n": nil}), ""},
		"RSA with a number that is none":  {rsaWeb.with(webKeyText{"n": "a+b="}), ""},
		"another curve":                   {webKeyOf("p", must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)).Public()), ""},
		"a point beside the curve":        {ecWeb.with(webKeyText{"x": number(make([]byte, 32))}), ""},
		"a point that is too short":       {ecWeb.with(webKeyText{"x": number(make([]byte, 31))}), ""},
		"coordinates that are not halves": {ecWeb.with(webKeyText{"x": number(make([]byte, 31)), "y": number(make([]byte, 33))}), ""},
		"Ed25519 of too many bytes":       {edWeb.with(webKeyText{"x": number(make([]byte, 33))}), ""},
		"X25519":                          {edWeb.with(webKeyText{"crv": "X25519"}), ""},
		"a type that nobody knows":        {webKeyText{"kty": "LWE"}, ""},
		"a long kid":                      {edWeb.with(webKeyText{"kid": strings.Repeat("k", 257)}), ""},
		"a kid that is a number":          {edWeb.with(webKeyText{"kid": 1}), ""},
	} {
		keys, err := parseSet(setOf(c.key), &KeyConfig{})
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%s: it is of use", name)
		case c.want != "" && (err != nil || len(keys) != 1 || keys[0].method.Alg() != c.want):
			t.Errorf("%s: got %v, %v", name, keys, err)
		}
	}
}

func TestKeysOfASet(t *testing.T) {
	t.Parallel()
	rsaWeb, edWeb := webKeyOf("a", rsaKey().Public()), webKeyOf("a", eddsaKey().Public())
	many := make([]webKeyText, maxSetKeys+1)
	for i := range many {
		many[i] = edWeb.with(webKeyText{"kid": fmt.Sprint(i)})
	}
	for name, c := range map[string]struct {
		text      []byte
		algorithm string
		want      int
		err       string
	}{
		"the useless are left out":             {setOf(rsaWeb, webKeyText{"kty": "oct"}, edWeb), "", 2, ""},
		"only those of the algorithm":          {setOf(rsaWeb, edWeb), EdDSA, 1, ""},
		"none of the algorithm":                {setOf(rsaWeb, edWeb), ES256, 0, "none of the 2 keys in the answer is of use"},
		"one name, one algorithm, one key":     {setOf(edWeb, edWeb, edWeb), "", 1, ""},
		"many":                                 {setOf(many[:maxSetKeys]...), "", maxSetKeys, ""},
		"too many":                             {setOf(many...), "", 0, "the answer has more than 100 keys"},
		"no keys":                              {setOf(), "", 0, "none of the 0 keys in the answer is of use"},
		"nothing":                              {nil, "", 0, "the answer is not a set of keys"},
		"a page":                               {[]byte("<html>"), "", 0, "the answer is not a set of keys"},
		"keys that are no objects":             {[]byte(`{"keys":[1,"a",null]}`), "", 0, "none of the 3 keys in the answer is of use"},
		"keys that are no list":                {[]byte(`{"keys":{}}`), "", 0, "the answer is not a set of keys"},
		"a key's own mistakes are not others'": {append(append([]byte(`{"keys":[{"kty":7},`), setOf(edWeb)[len(`{"keys":[`):]...), '\n'), "", 1, ""},
	} {
		keys, err := parseSet(c.text, &KeyConfig{Algorithm: c.algorithm})
		if len(keys) != c.want || (c.err == "") != (err == nil) || err != nil && err.Error() != c.err {
			t.Errorf("%s: got %d keys, %v", name, len(keys), err)
		}
	}
}

// edToken is a token of the Ed25519 key of the tests.
func edToken(t testing.TB, kid string, changes map[string]any) string {
	t.Helper()
	return sign(t, jwt.SigningMethodEdDSA, eddsaKey(), `{"alg":"EdDSA","kid":"`+kid+`"}`, string(must(json.Marshal(claims(changes)))))
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestTokensOfAnEndpointsKeys(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(setOf(webKeyOf("r", rsaKey().Public()), webKeyOf("e", ecdsaKey().Public()), webKeyOf("d", eddsaKey().Public())))
	})
	var told []Fetch
	v := verifier(t, Config{Keys: []KeyConfig{{JWKS: url}}, Fetched: func(f Fetch) { told = append(told, f) }})
	if _, _, err := v.Verify(edToken(t, "d", nil), now); err == nil {
		t.Error("a key is known before it was fetched")
	}
	if err := v.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := (Fetch{URL: url, Keys: 3}); len(told) != 1 || told[0] != want {
		t.Errorf("got %+v, want %+v", told, want)
	}
	good := string(must(json.Marshal(claims(nil))))
	for header, k := range map[string]struct {
		method jwt.SigningMethod
		key    any
	}{
		`{"alg":"RS256","kid":"r"}`: {jwt.SigningMethodRS256, rsaKey()},
		`{"alg":"ES256","kid":"e"}`: {jwt.SigningMethodES256, ecdsaKey()},
		`{"alg":"EdDSA","kid":"d"}`: {jwt.SigningMethodEdDSA, eddsaKey()},
	} {
		if _, _, err := v.Verify(sign(t, k.method, k.key, header, good), now); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
	_, _, err := v.Verify(edToken(t, "r", nil), now)
	refused(t, err, ErrInvalid, `alg "EdDSA" is not that of the key`)
	if err := v.Fetch(t.Context()); err != nil || len(told) != 1 {
		t.Errorf("got %v and %d fetches; want no second one so soon", err, len(told))
	}
}

func TestAnswersThatAreNotTaken(t *testing.T) {
	t.Parallel()
	good := setOf(webKeyOf("d", eddsaKey().Public()))
	var strayed atomic.Int32
	elsewhere := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		strayed.Add(1)
		_, _ = w.Write(good)
	})
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string // the end of the error; empty: none
	}{
		"a redirect on the same host": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.Redirect(w, r, "/keys", http.StatusFound)
				return
			}
			_, _ = w.Write(good)
		}, ""},
		"a redirect to another host": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere, http.StatusFound)
		}, ": redirected to another host"},
		"redirects without end": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"a", http.StatusFound)
		}, ": more than 3 redirects"},
		"an answer of more than 1 MiB": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(append(good, strings.Repeat(" ", maxSet-len(good)+1)...))
		}, " answered more than 1048576 bytes"},
		"an answer of 1 MiB": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(append(slices.Clip(good), strings.Repeat(" ", maxSet-len(good))...))
		}, ""},
		"not found": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write(good)
		}, " answered 404"},
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>")
		}, ": the answer is not a set of keys"},
		"an answer that breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10000")
			_, _ = w.Write(good)
		}, ": unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			err := verifier(t, Config{Keys: []KeyConfig{{JWKS: serve(t, c.answer) + "/"}}}).Fetch(t.Context())
			if (c.want == "") != (err == nil) || err != nil && !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("got %v, want …%s", err, c.want)
			}
		})
	}
	if strayed.Load() != 0 {
		t.Error("the other host was asked")
	}
}

// remote is an endpoint without a network, for bubbles of time.
type remote struct {
	mu    sync.Mutex
	set   []byte // nil: it is down
	hangs bool
	asked []time.Time
}

func (r *remote) RoundTrip(q *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, time.Now())
	if r.hangs {
		<-q.Context().Done()
		return nil, q.Context().Err()
	}
	if r.set == nil {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(r.set))), Request: q}, nil
}

func (r *remote) answer(set []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set = set
}

func (r *remote) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asked)
}

// running is a Verifier with the endpoints, whose Run ends with the test.
func running(t *testing.T, keys []KeyConfig, remotes ...*remote) *Verifier {
	t.Helper()
	v := verifier(t, Config{Keys: keys})
	for i, e := range v.endpoints {
		e.client.Transport = remotes[i]
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		v.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	synctest.Wait()
	return v
}

// after waits for that long in a bubble, and for what happens then.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func oneEndpoint() []KeyConfig { return []KeyConfig{{JWKS: "https://id.example/jwks"}} }

func TestAFloodOfUnknownKeysCostsOneFetchIn30Seconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &remote{set: setOf(webKeyOf("d", eddsaKey().Public()))}
		v := running(t, oneEndpoint(), r)
		if r.count() != 1 {
			t.Fatalf("got %d fetches at the start", r.count())
		}
		token := edToken(t, "new", nil)
		for range 900 { // 90 seconds
			if _, _, err := v.Verify(token, now); err == nil {
				t.Fatal("the key is not known, yet it is")
			}
			after(time.Second / 10)
		}
		if got := r.count(); got != 4 {
			t.Errorf("got %d fetches, want 4: at 0, 30, 60 and 90 seconds", got)
		}
		for i := 1; i < len(r.asked); i++ {
			if d := r.asked[i].Sub(r.asked[i-1]); d < fetchPause {
				t.Errorf("fetch %d came %v after the one before", i, d)
			}
		}
	})
}

func TestANewKeyIsFetchedWhenATokenNamesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &remote{set: setOf(webKeyOf("old", eddsaKey().Public()))}
		v := running(t, oneEndpoint(), r)
		after(time.Minute)
		r.answer(setOf(webKeyOf("old", eddsaKey().Public()), webKeyOf("new", eddsaKey().Public())))
		_, _, err := v.Verify(edToken(t, "new", nil), now)
		refused(t, err, ErrInvalid, `no key with kid "new"`)
		synctest.Wait()
		if _, _, err := v.Verify(edToken(t, "new", nil), now); err != nil {
			t.Error(err)
		}
		if r.count() != 2 {
			t.Errorf("got %d fetches", r.count())
		}
	})
}

func TestKeysStayWhileTheirEndpointIsDownAndGoWhenItSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &remote{set: setOf(webKeyOf("d", eddsaKey().Public()))}
		v := running(t, oneEndpoint(), r)
		r.answer(nil)
		after(24 * time.Hour)
		if _, _, err := v.Verify(edToken(t, "d", nil), now); err != nil {
			t.Errorf("the endpoint is down: %v", err)
		}
		r.answer(setOf(webKeyOf("other", eddsaKey().Public())))
		after(fetchPause)
		_, _, err := v.Verify(edToken(t, "d", nil), now)
		refused(t, err, ErrInvalid, `no key with kid "d"`)
		before := r.count()
		after(fetchPause + fetchEvery) // The token above asked for one fetch.
		if got := r.count() - before; got != 2 {
			t.Errorf("got %d fetches, want one asked for and one after 10 minutes", got)
		}
	})
}

func TestAnEndpointThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := verifier(t, Config{Keys: oneEndpoint()})
		v.endpoints[0].client.Transport = &remote{hangs: true}
		began := time.Now()
		err := v.Fetch(t.Context())
		if took := time.Since(began); err == nil || took != fetchLimit {
			t.Errorf("got %v after %v", err, took)
		}
	})
}

func TestAnEndpointThatIsDownAtTheStartIsAskedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &remote{}
		v := running(t, oneEndpoint(), r)
		after(time.Second)
		r.answer(setOf(webKeyOf("d", eddsaKey().Public())))
		after(fetchPause)
		if _, _, err := v.Verify(edToken(t, "d", nil), now); err != nil {
			t.Error(err)
		}
	})
}

// Two endpoints may call their keys the same. Whoever has a key at one of them must
// not log in as somebody of the other.
func TestAKeyIsGoodForItsOwnEndpointOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, strangers, _ := ed25519.GenerateKey(rand.Reader)
		ours := &remote{set: setOf(webKeyOf("k", eddsaKey().Public()))}
		theirs := &remote{set: setOf(webKeyOf("k", strangers.Public()))}
		v := running(t, []KeyConfig{
			{JWKS: "https://theirs.example/", Issuer: "theirs"},
			{JWKS: "https://ours.example/", Issuer: "ours"},
		}, theirs, ours)
		token := func(key ed25519.PrivateKey, issuer string) string {
			return sign(t, jwt.SigningMethodEdDSA, key, `{"alg":"EdDSA","kid":"k","jku":"https://theirs.example/"}`,
				string(must(json.Marshal(claims(map[string]any{"iss": issuer})))))
		}
		for _, c := range []struct {
			key    ed25519.PrivateKey
			issuer string
			want   string // the key's name, or the reason
		}{
			{eddsaKey(), "ours", `kid "k" of https://ours.example/`},
			{strangers, "theirs", `kid "k" of https://theirs.example/`},
			{strangers, "ours", `iss is not the key's issuer (user "u1", kid "k" of https://theirs.example/)`},
			{eddsaKey(), "theirs", `iss is not the key's issuer (user "u1", kid "k" of https://ours.example/)`},
		} {
			_, got, err := v.Verify(token(c.key, c.issuer), now)
			if err != nil {
				refused(t, err, ErrInvalid, c.want)
			} else if got.Key != c.want {
				t.Errorf("got %s, want %s", got.Key, c.want)
			}
		}
	})
}
