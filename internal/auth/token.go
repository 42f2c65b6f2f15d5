package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"fanfare/broker"
)

// MaxToken is the longest token that is looked at, in bytes.
const MaxToken = 8 << 10

// maxKeyID is the longest name of a key, in bytes.
const maxKeyID = 256

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	keys       []*key
	endpoints  []*endpoint
	withoutExp bool
	anonymous  *Grants
	revoked    *Revoked
}

// NewVerifier reads the keys. It opens no connection: keys of endpoints come with
// Fetch and Run. The error has one line per mistake and names keys by their number,
// kid and file; it holds nothing secret.
func NewVerifier(cfg Config) (*Verifier, error) {
	v := &Verifier{withoutExp: cfg.WithoutExp, revoked: cfg.Revoked}
	if v.revoked == nil {
		v.revoked = NewRevoked(MaxRevoked)
	}
	var all []error
	for i, kc := range cfg.Keys {
		name := kc.name(i)
		if err := v.add(name, kc, cfg.Fetched); err != nil {
			all = append(all, fmt.Errorf("%s: %w", name, err))
		}
	}
	if cfg.Anonymous != nil {
		var err error
		if v.anonymous, err = ParseGrants(cfg.Anonymous, ""); err != nil {
			all = append(all, fmt.Errorf("anonymous: %w", err))
		}
	}
	if err := errors.Join(all...); err != nil {
		return nil, err
	}
	return v, nil
}

func (v *Verifier) add(name string, kc KeyConfig, fetched func(Fetch)) error {
	if err := kc.check(); err != nil {
		return err
	}
	if kc.JWKS != "" {
		v.endpoints = append(v.endpoints, newEndpoint(kc, fetched))
		return nil
	}
	if slices.ContainsFunc(v.keys, func(k *key) bool { return k.id == kc.ID }) {
		return errTwice
	}
	k, err := kc.load()
	if err != nil {
		return err
	}
	k.name = name
	v.keys = append(v.keys, k)
	return nil
}

// Configured says whether browsers have rights of their own: there are keys, or
// grants for those without a token. If not, everybody may do everything.
func (v *Verifier) Configured() bool {
	return len(v.keys)+len(v.endpoints) > 0 || v.anonymous != nil
}

// Anonymous returns who somebody without a token is; ok is false if a token is
// needed.
func (v *Verifier) Anonymous() (id broker.Identity, ok bool) {
	if v.anonymous == nil {
		return broker.Identity{}, false
	}
	return broker.Identity{Rights: v.anonymous}, true
}

// Revoked returns the set that tokens are checked against.
func (v *Verifier) Revoked() *Revoked { return v.revoked }

// Verify says who shows the token at that time. The Identity has the subject as its
// user and *Grants as its rights. An error is a *Refusal.
//
// Nothing is decoded of more than MaxToken bytes, of what has other bytes than a
// token may have, or not two dots; no claim is decoded before a signature was found
// good with the algorithm of the key that made it. A token whose key is unknown is
// refused at once, and makes endpoints be asked again in the background (see Run).
//
// Claims.Expires is when the session has to end: exp has no leeway. A caller asks
// Revoked again after it has made the Identity known to the broker, because the user
// may have been revoked between.
func (v *Verifier) Verify(token string, now time.Time) (broker.Identity, Claims, error) {
	t, err := split(token)
	if err != nil {
		return broker.Identity{}, Claims{}, err
	}
	k, err := v.signer(t)
	if err != nil {
		return broker.Identity{}, Claims{}, err
	}
	c, grants, err := v.claims(t, k, now)
	if err != nil {
		return broker.Identity{}, Claims{}, err
	}
	return broker.Identity{User: c.User, Rights: grants}, c, nil
}

// signed is a token in its parts.
type signed struct {
	text      string // what the signature is of
	algorithm string
	keyID     string
	payload   string // still encoded
	signature []byte
}

// decoder decodes the parts of tokens: without padding, and only as an encoder
// writes them.
var decoder = jwt.NewParser(jwt.WithStrictDecoding())

func split(token string) (*signed, error) {
	if len(token) > MaxToken {
		return nil, invalid("longer than %d bytes", MaxToken)
	}
	if n := strings.Count(token, "."); n != 2 {
		return nil, invalid("%d dots instead of 2", n)
	}
	if strings.ContainsFunc(token, foreign) {
		return nil, invalid("bytes that no token has")
	}
	parts := strings.Split(token, ".")
	t := &signed{text: token[:len(token)-len(parts[2])-1], payload: parts[1]}
	header, err := decoder.DecodeSegment(parts[0])
	if err != nil {
		return nil, invalid("header is not base64url")
	}
	if t.signature, err = decoder.DecodeSegment(parts[2]); err != nil {
		return nil, invalid("signature is not base64url")
	}
	return t, t.readHeader(header)
}

// foreign says that a byte is neither base64url nor a dot. The decoder would skip
// line ends.
func foreign(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
		return false
	}
	return true
}

// readHeader takes algorithm and key name from the header, which is not to be
// trusted: they only choose among what is configured. All else in it is ignored but
// crit (RFC 7515, 4.1.11), which asks for what we do not have.
func (t *signed) readHeader(text []byte) error {
	var header map[string]json.RawMessage
	if json.Unmarshal(text, &header) != nil {
		return invalid("header is not a JSON object")
	}
	if _, is := header["crit"]; is {
		return invalid("header has crit")
	}
	if json.Unmarshal(header["alg"], &t.algorithm) != nil {
		return invalid("header has no alg")
	}
	if id, is := header["kid"]; is && (json.Unmarshal(id, &t.keyID) != nil || len(t.keyID) > maxKeyID) {
		return invalid("kid is not a text of at most %d bytes", maxKeyID)
	}
	return nil
}

// signer returns the key that made the signature. Keys of different places may have
// the same name, so each is tried; what the token has to say besides is asked by the
// one that fits (see key).
func (v *Verifier) signer(t *signed) (*key, error) {
	named := v.named(t.keyID)
	if len(named) == 0 {
		v.refresh()
		return nil, invalid("no key with kid %s", quote(t.keyID))
	}
	tried := false
	for _, k := range named {
		if k.method.Alg() != t.algorithm {
			continue
		}
		tried = true
		if k.method.Verify(t.text, t.signature, k.material) == nil {
			return k, nil
		}
	}
	if !tried {
		return nil, invalid("alg %s is not that of the key", quote(t.algorithm))
	}
	return nil, invalid("wrong signature for kid %s", quote(t.keyID))
}

// named returns the keys of that name. The only key there is needs no name.
func (v *Verifier) named(id string) []*key {
	var found []*key
	only := len(v.keys) == 1 && len(v.endpoints) == 0 && v.keys[0].id == ""
	for _, k := range v.keys {
		if k.id == id || only {
			found = append(found, k)
		}
	}
	for _, e := range v.endpoints {
		for _, k := range *e.keys.Load() {
			if k.id == id {
				found = append(found, k)
			}
		}
	}
	return found
}
