package auth

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"fanfare/broker"
)

// FuzzToken gives a Verifier any bytes: nothing of them is a token, because nobody
// signed it, and nothing of them is in the error but a quoted name.
func FuzzToken(f *testing.F) {
	v := verifier(f, withSecret())
	good := hs256(f, plainHeader, claims(nil))
	f.Add(good[:len(good)-1])
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add("e30.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		id, _, err := v.Verify(token, now)
		var r *Refusal
		if token == good || errors.As(err, &r) && id == (broker.Identity{}) {
			return
		}
		t.Errorf("got %+v, %v", id, err)
	})
}

// FuzzClaims signs any claims under any header: what is accepted keeps all limits.
func FuzzClaims(f *testing.F) {
	v := verifier(f, withSecret())
	f.Add(plainHeader, `{"sub":"u1","exp":1900000000,"can":{"user:{sub}":["sub","pub"]},"info":{"a":[1]}}`)
	f.Add(`{"alg":"HS256","kid":"x"}`, `{"sub":"*","exp":1.9e9,"can":{"{sub}":["history"]},"info":null,"iat":1,"nbf":0.5}`)
	f.Add(`{"alg":"none"}`, `{"sub":"\ud800","exp":true,"can":[],"aud":[]}`)
	f.Fuzz(func(t *testing.T, header, claims string) {
		text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
		signature, err := jwt.SigningMethodHS256.Sign(text, []byte(testSecret))
		if err != nil {
			t.Fatal(err)
		}
		token := text + "." + base64.RawURLEncoding.EncodeToString(signature)
		id, c, err := v.Verify(token, now)
		if err != nil {
			var r *Refusal
			if !errors.As(err, &r) || id != (broker.Identity{}) {
				t.Errorf("got %+v, %v", id, err)
			}
			return
		}
		grants, is := id.Rights.(*Grants)
		switch {
		case !is || grants.Len() > MaxGrants, grants.Allows(broker.ActionSubscribe, ""), grants.Allows(broker.ActionPattern, ""):
			t.Errorf("got the rights %v", id.Rights)
		case CheckUser(id.User) != nil || id.User != c.User:
			t.Errorf("got the user %q", id.User)
		case !now.Before(c.Expires) || c.Issued.After(now.Add(Leeway)):
			t.Errorf("got the times %v and %v", c.Expires, c.Issued)
		case len(c.Info) > MaxInfo || !utf8.Valid(c.Info) || len(token) > MaxToken:
			t.Errorf("got %d bytes of info in a token of %d", len(c.Info), len(token))
		}
	})
}

// FuzzSet reads any text as a set of keys: what is of use fits its algorithm.
func FuzzSet(f *testing.F) {
	f.Add(string(setOf(webKeyOf("r", rsaKey().Public()), webKeyOf("e", ecdsaKey().Public()), webKeyOf("d", eddsaKey().Public()))))
	f.Add(`{"keys":[{"kty":"EC","crv":"P-256","x":"","y":""},{"kty":"oct","k":""}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := parseSet([]byte(text), &KeyConfig{})
		if (len(keys) == 0) != (err != nil) || len(keys) > maxSetKeys {
			t.Errorf("got %d keys, %v", len(keys), err)
		}
		for _, k := range keys {
			if k.method.Alg() == HS256 || fits(k.method.Alg(), k.material) != nil {
				t.Errorf("got %+v", k)
			}
		}
	})
}
