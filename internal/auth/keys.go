package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// The algorithms of tokens. RFC 7518 and RFC 8037 name them.
const (
	HS256 = "HS256"
	RS256 = "RS256"
	ES256 = "ES256"
	EdDSA = "EdDSA"
)

// Algorithms returns the algorithms of tokens, in the order of the documents.
func Algorithms() []string { return []string{HS256, RS256, ES256, EdDSA} }

const (
	// MinSecret is the shortest secret of HS256 (RFC 7518, 3.2), in bytes.
	MinSecret = 32

	minRSA, maxRSA = 2048, 8192 // bits
	maxKeyFile     = 64 << 10
)

// Secret is a text that is never shown: printed, logged or encoded it is "(secret)".
type Secret string

const hidden = "(secret)"

// Format implements fmt.Formatter, for every verb.
func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, s.String()) }

// String returns "(secret)", or nothing of an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// MarshalText implements encoding.TextMarshaler, so JSON does not show it either.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Config is what a Verifier is made from.
type Config struct {
	Keys       []KeyConfig
	Anonymous  map[string][]string // grants of those without a token; nil: a token is needed
	WithoutExp bool                // accept tokens without exp, which never end
	Revoked    *Revoked            // nil: an empty one of its own

	// Fetched is told of each fetch of an endpoint, from the goroutine that made it;
	// nil: nobody is.
	Fetched func(Fetch)
}

// KeyConfig is a [[token-key]] of the configuration: one secret, one public key or
// the URL of a set of keys.
type KeyConfig struct {
	Algorithm     string // one of Algorithms; with JWKS empty means: as each key's type says
	ID            string // kid; empty: for tokens without, or for all if it is the only key
	Secret        Secret // of HS256, MinSecret bytes or more
	SecretFile    string // its place; line ends behind it do not count
	PublicKeyFile string // PEM, for the other algorithms
	JWKS          string // https, or http on loopback
	Issuer        string // what iss has to be; empty: anything
	Audience      string // what aud has to have; empty: anything
}

// key is one key with which a token may be signed.
type key struct {
	name     string // for people: token-key 2 (kid "a")
	id       string
	method   jwt.SigningMethod
	material any
	issuer   string
	audience string
}

var errTwice = errors.New("kid: another token-key has the same; each needs a kid of its own")

// name is how errors name the entry with index i.
func (c *KeyConfig) name(i int) string {
	if c.ID == "" {
		return fmt.Sprintf("token-key %d", i+1)
	}
	return fmt.Sprintf("token-key %d (kid %s)", i+1, quote(c.ID))
}

// Validate says what is wrong with the entry, reading the file it names, and with its
// kid beside the entries before it. Errors begin with the name of a setting and never
// show a secret.
func (c *KeyConfig) Validate(before []KeyConfig) error {
	if err := c.check(); err != nil || c.JWKS != "" {
		return err
	}
	if slices.ContainsFunc(before, func(o KeyConfig) bool { return o.JWKS == "" && o.ID == c.ID }) {
		return errTwice
	}
	_, err := c.load()
	return err
}

// check looks at what stands in the entry itself.
func (c *KeyConfig) check() error {
	places := 0
	for _, place := range []string{string(c.Secret), c.SecretFile, c.PublicKeyFile, c.JWKS} {
		if place != "" {
			places++
		}
	}
	switch {
	case places == 0:
		return errors.New("secret, secret-file, public-key-file or jwks is missing")
	case places > 1:
		return errors.New("secret, secret-file, public-key-file and jwks: only one of them makes a key")
	case len(c.ID) > maxKeyID:
		return fmt.Errorf("kid has %d bytes, more than %d", len(c.ID), maxKeyID)
	case c.JWKS != "":
		return c.checkEndpoint()
	case c.Algorithm == "":
		return errors.New("algorithm is missing: one of " + strings.Join(Algorithms(), ", "))
	case !slices.Contains(Algorithms(), c.Algorithm):
		return c.unknownAlgorithm()
	case c.Algorithm == HS256 && c.PublicKeyFile != "":
		return errors.New("public-key-file: HS256 has a secret, which secret or secret-file gives")
	case c.Algorithm != HS256 && c.PublicKeyFile == "":
		return fmt.Errorf("public-key-file is missing: %s has no secret", c.Algorithm)
	}
	return nil
}

func (c *KeyConfig) unknownAlgorithm() error {
	return fmt.Errorf("algorithm: %s is not one of %s", quote(c.Algorithm), strings.Join(Algorithms(), ", "))
}

func (c *KeyConfig) checkEndpoint() error {
	switch {
	case c.ID != "":
		return errors.New("kid: the keys of jwks have names of their own")
	case c.Algorithm == HS256:
		return errors.New("algorithm: HS256 has a secret, which is not got from jwks")
	case c.Algorithm != "" && !slices.Contains(Algorithms(), c.Algorithm):
		return c.unknownAlgorithm()
	}
	return checkURL(c.JWKS)
}

// load makes the key of an entry that check has nothing against.
func (c *KeyConfig) load() (*key, error) {
	k := &key{id: c.ID, method: jwt.GetSigningMethod(c.Algorithm), issuer: c.Issuer, audience: c.Audience}
	var err error
	if c.Algorithm == HS256 {
		k.material, err = c.secret()
	} else {
		k.material, err = c.publicKey()
	}
	return k, err
}

func (c *KeyConfig) secret() ([]byte, error) {
	text, from := []byte(c.Secret), "secret"
	if c.SecretFile != "" {
		var err error
		if text, err = readKeyFile(c.SecretFile); err != nil {
			return nil, fmt.Errorf("secret-file: %w", err)
		}
		text, from = bytes.TrimRight(text, "\r\n"), "secret-file "+c.SecretFile
	}
	if len(text) < MinSecret {
		return nil, fmt.Errorf("%s: %d bytes, fewer than %d", from, len(text), MinSecret)
	}
	return text, nil
}

func (c *KeyConfig) publicKey() (any, error) {
	text, err := readKeyFile(c.PublicKeyFile)
	if err != nil {
		return nil, fmt.Errorf("public-key-file: %w", err)
	}
	public, err := parsePEM(text)
	if err == nil {
		err = fits(c.Algorithm, public)
	}
	if err != nil {
		return nil, fmt.Errorf("public-key-file %s: %w", c.PublicKeyFile, err)
	}
	return public, nil
}

// readKeyFile reads a small file; whatever is as large as a disk is no key.
func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(text) > maxKeyFile {
		err = fmt.Errorf("read %s: longer than %d bytes", path, maxKeyFile)
	}
	return text, err
}

// parsePEM returns the public key in the first block of the text. Errors of the
// x509 package are left out: they may cite what they read.
func parsePEM(text []byte) (any, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it is not PEM")
	}
	var public any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = cert.PublicKey
		}
	default:
		if strings.Contains(block.Type, "PRIVATE") {
			return nil, errors.New("it is a private key: the broker needs the public one only")
		}
		return nil, fmt.Errorf("it has a block %s, not PUBLIC KEY", quote(block.Type))
	}
	if err != nil {
		return nil, errors.New("it is not a public key that can be read")
	}
	return public, nil
}

// fits says what is wrong with a public key for the algorithm.
func fits(algorithm string, public any) error {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if algorithm != RS256 {
			break
		}
		if n := k.N.BitLen(); n < minRSA || n > maxRSA {
			return fmt.Errorf("RSA key of %d bits: %d to %d are accepted", n, minRSA, maxRSA)
		}
		if k.E < 3 || k.E%2 == 0 {
			return errors.New("RSA key with a wrong exponent")
		}
		return nil
	case *ecdsa.PublicKey:
		if algorithm != ES256 {
			break
		}
		if k.Curve != elliptic.P256() {
			return errors.New("the curve is not P-256")
		}
		return nil
	case ed25519.PublicKey:
		if algorithm == EdDSA {
			return nil
		}
	}
	return fmt.Errorf("it is not a key of %s", algorithm)
}
