package auth

import (
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
	"sync/atomic"
	"testing"

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
	point := must(ecdsaKey().PublicKey.Bytes())[1:]
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
		"coordinates that are not halves": {ecWeb.with(webKeyText{"x": number(point[:31]), "y": number(point[31:])}), ""},
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
