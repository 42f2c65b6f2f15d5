package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// maxSetKeys is how many keys of an endpoint are kept, and maxSet how long its answer
// may be, in bytes.
const (
	maxSetKeys = 100
	maxSet     = 1 << 20
)

// parseSet reads a set of keys (RFC 7517, 5) for the tokens that kc is about. Keys of
// other kinds, for other purposes and with mistakes are left out, as the RFC says, but
// a set must have one that is of use. The key's type says which algorithm it has.
func parseSet(text []byte, kc *KeyConfig) ([]*key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(text, &set) != nil {
		return nil, errors.New("the answer is not a set of keys")
	}
	var keys []*key
	for _, raw := range set.Keys {
		k := parseWebKey(raw)
		switch {
		case k == nil || kc.Algorithm != "" && k.method.Alg() != kc.Algorithm:
			continue
		case slices.ContainsFunc(keys, func(o *key) bool { return o.id == k.id && o.method == k.method }):
			continue // The first one holds: many of one name would make each token dear.
		case len(keys) == maxSetKeys:
			return nil, fmt.Errorf("the answer has more than %d keys", maxSetKeys)
		}
		k.issuer, k.audience = kc.Issuer, kc.Audience
		k.name = fmt.Sprintf("kid %s of %s", quote(k.id), kc.JWKS)
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("none of the %d keys in the answer is of use", len(set.Keys))
	}
	return keys, nil
}

// webKey is a key of a set (RFC 7517, 4; RFC 7518, 6; RFC 8037, 2). URLs in it are
// not looked at.
type webKey struct {
	Type      string   `json:"kty"`
	Use       string   `json:"use"`
	Ops       []string `json:"key_ops"`
	Algorithm string   `json:"alg"`
	ID        string   `json:"kid"`
	Curve     string   `json:"crv"`
	N         string   `json:"n"`
	E         string   `json:"e"`
	X         string   `json:"x"`
	Y         string   `json:"y"`
}

// parseWebKey returns nil for a key that is of no use.
func parseWebKey(raw json.RawMessage) *key {
	var w webKey
	if json.Unmarshal(raw, &w) != nil || len(w.ID) > maxKeyID {
		return nil
	}
	if w.Use != "" && w.Use != "sig" || len(w.Ops) > 0 && !slices.Contains(w.Ops, "verify") {
		return nil
	}
	algorithm, public := w.public()
	if public == nil || w.Algorithm != "" && w.Algorithm != algorithm || fits(algorithm, public) != nil {
		return nil
	}
	return &key{id: w.ID, method: jwt.GetSigningMethod(algorithm), material: public}
}

// public returns the key and its algorithm; nil for a type that we do not take.
func (w *webKey) public() (algorithm string, public any) {
	switch {
	case w.Type == "RSA":
		if k := w.rsa(); k != nil {
			return RS256, k
		}
	case w.Type == "EC" && w.Curve == "P-256":
		if k := w.ecdsa(); k != nil {
			return ES256, k
		}
	case w.Type == "OKP" && w.Curve == "Ed25519":
		if x := decodeNumber(w.X); len(x) == ed25519.PublicKeySize {
			return EdDSA, ed25519.PublicKey(x)
		}
	}
	return "", nil
}

func (w *webKey) rsa() *rsa.PublicKey {
	e := new(big.Int).SetBytes(decodeNumber(w.E))
	if e.BitLen() > 31 {
		return nil
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(decodeNumber(w.N)), E: int(e.Int64())}
}

// ecdsa returns nil for what is no point of the curve.
func (w *webKey) ecdsa() *ecdsa.PublicKey {
	x, y := decodeNumber(w.X), decodeNumber(w.Y)
	if len(x) != 32 { // RFC 7518, 6.2.1.2: as long as the curve's field.
		return nil
	}
	k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil
	}
	return k
}

// decodeNumber returns nil for what is not base64url.
func decodeNumber(text string) []byte {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil
	}
	return b
}

// Run keeps the keys of all endpoints fresh until ctx ends, and returns then. Each is
// asked once when it was not yet, every 10 minutes, 30 seconds after a failure, and
// when a token has a kid that is not known, but never twice within 30 seconds. Keys
// that are there are used until others have come: an endpoint that is down ends no
// session. A key that is no longer in the set is no longer good.
func (v *Verifier) Run(ctx context.Context) {
	done := make(chan struct{})
	for _, e := range v.endpoints {
		go func() {
			e.run(ctx)
			done <- struct{}{}
		}()
	}
	for range v.endpoints {
		<-done
	}
}

// Fetch asks each endpoint that was not asked within 30 seconds, all at the same time,
// and waits for them: 5 seconds at most. It is for the start, so that the first tokens
// find their keys; after an error the broker may start all the same, as Run goes on.
func (v *Verifier) Fetch(ctx context.Context) error {
	errs := make(chan error)
	for _, e := range v.endpoints {
		go func() { errs <- e.fetch(ctx) }()
	}
	all := make([]error, 0, len(v.endpoints))
	for range v.endpoints {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// refresh asks all endpoints again, in the background and as soon as they may be.
func (v *Verifier) refresh() {
	for _, e := range v.endpoints {
		select {
		case e.wanted <- struct{}{}:
		default: // Already asked for.
		}
	}
}
