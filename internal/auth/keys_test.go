package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The private keys of the tests, made once: an RSA key takes a while.
var (
	rsaKey   = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	ecdsaKey = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	eddsaKey = sync.OnceValue(func() ed25519.PrivateKey {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return must(k, err)
	})
)

const testSecret = "0123456789abcdef0123456789abcdef"

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func writeFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pemOf is a public key as a file has it.
func pemOf(public crypto.PublicKey) string {
	return pemBlock("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(public)))
}

func pemBlock(kind string, text []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: text}))
}

func certificate() string {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	return pemBlock("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, template, template, eddsaKey().Public(), eddsaKey())))
}

// weakRSA is a public key of few bits, which crypto/rsa makes no more.
func weakRSA(bits uint, e int) crypto.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: e}
}

func TestKeysThatAreAccepted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]KeyConfig{
		"a secret":                         {Algorithm: HS256, Secret: testSecret},
		"a secret in a file":               {Algorithm: HS256, SecretFile: writeFile(t, testSecret)},
		"a line end behind it":             {Algorithm: HS256, SecretFile: writeFile(t, testSecret+"\r\n")},
		"RSA":                              {Algorithm: RS256, PublicKeyFile: writeFile(t, pemOf(rsaKey().Public()))},
		"RSA in the form of PKCS 1":        {Algorithm: RS256, PublicKeyFile: writeFile(t, pemBlock("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)))},
		"P-256":                            {Algorithm: ES256, PublicKeyFile: writeFile(t, pemOf(ecdsaKey().Public()))},
		"Ed25519":                          {Algorithm: EdDSA, PublicKeyFile: writeFile(t, pemOf(eddsaKey().Public()))},
		"a certificate":                    {Algorithm: EdDSA, PublicKeyFile: writeFile(t, certificate())},
		"a set of keys":                    {JWKS: "https://example.org/jwks.json"},
		"a set of keys with one algorithm": {JWKS: "https://example.org/jwks.json", Algorithm: ES256},
		"a set of keys on loopback":        {JWKS: "http://127.0.0.1:9/jwks"},
		"and on localhost":                 {JWKS: "http://localhost/jwks"},
		"and on loopback of IPv6":          {JWKS: "http://[::1]:9/jwks"},
	} {
		if err := c.Validate(nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	file := func(text string) string { return writeFile(t, text) }
	for name, c := range map[string]struct {
		kc   KeyConfig
		want string // FILE is the path of the file
	}{
		"nothing":                      {KeyConfig{}, "secret, secret-file, public-key-file or jwks is missing"},
		"two places":                   {KeyConfig{Secret: testSecret, JWKS: "https://a/"}, "secret, secret-file, public-key-file and jwks: only one of them makes a key"},
		"no algorithm":                 {KeyConfig{Secret: testSecret}, "algorithm is missing: one of HS256, RS256, ES256, EdDSA"},
		"none":                         {KeyConfig{Algorithm: "none", Secret: testSecret}, `algorithm: "none" is not one of HS256, RS256, ES256, EdDSA`},
		"an algorithm we do not have":  {KeyConfig{Algorithm: "PS256", PublicKeyFile: missing}, `algorithm: "PS256" is not one of HS256, RS256, ES256, EdDSA`},
		"a long kid":                   {KeyConfig{Algorithm: HS256, Secret: testSecret, ID: strings.Repeat("a", 257)}, "kid has 257 bytes, more than 256"},
		"a short secret":               {KeyConfig{Algorithm: HS256, Secret: Secret(testSecret[1:])}, "secret: 31 bytes, fewer than 32"},
		"a short secret in a file":     {KeyConfig{Algorithm: HS256, SecretFile: file(testSecret[1:] + "\n")}, "secret-file FILE: 31 bytes, fewer than 32"},
		"a missing secret":             {KeyConfig{Algorithm: HS256, SecretFile: missing}, "secret-file: open FILE: no such file or directory"},
		"a public key as secret":       {KeyConfig{Algorithm: HS256, PublicKeyFile: file(pemOf(eddsaKey().Public()))}, "public-key-file: HS256 has a secret, which secret or secret-file gives"},
		"a secret for a public key":    {KeyConfig{Algorithm: RS256, Secret: testSecret}, "public-key-file is missing: RS256 has no secret"},
		"a missing public key":         {KeyConfig{Algorithm: RS256, PublicKeyFile: missing}, "public-key-file: open FILE: no such file or directory"},
		"a file as large as a disk":    {KeyConfig{Algorithm: RS256, PublicKeyFile: "/dev/zero"}, "public-key-file: read FILE: longer than 65536 bytes"},
		"no PEM":                       {KeyConfig{Algorithm: RS256, PublicKeyFile: file("ssh-rsa " + testSecret)}, "public-key-file FILE: it is not PEM"},
		"a private key":                {KeyConfig{Algorithm: EdDSA, PublicKeyFile: file(pemBlock("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(eddsaKey()))))}, "public-key-file FILE: it is a private key: the broker needs the public one only"},
		"another block":                {KeyConfig{Algorithm: EdDSA, PublicKeyFile: file(pemBlock("SECRET", []byte(testSecret)))}, `public-key-file FILE: it has a block "SECRET", not PUBLIC KEY`},
		"a block of rubbish":           {KeyConfig{Algorithm: EdDSA, PublicKeyFile: file(pemBlock("PUBLIC KEY", []byte(testSecret)))}, "public-key-file FILE: it is not a public key that can be read"},
		"a certificate of rubbish":     {KeyConfig{Algorithm: EdDSA, PublicKeyFile: file(pemBlock("CERTIFICATE", []byte(testSecret)))}, "public-key-file FILE: it is not a public key that can be read"},
		"RSA for ES256":                {KeyConfig{Algorithm: ES256, PublicKeyFile: file(pemOf(rsaKey().Public()))}, "public-key-file FILE: it is not a key of ES256"},
		"P-256 for EdDSA":              {KeyConfig{Algorithm: EdDSA, PublicKeyFile: file(pemOf(ecdsaKey().Public()))}, "public-key-file FILE: it is not a key of EdDSA"},
		"Ed25519 for RS256":            {KeyConfig{Algorithm: RS256, PublicKeyFile: file(pemOf(eddsaKey().Public()))}, "public-key-file FILE: it is not a key of RS256"},
		"RSA of few bits":              {KeyConfig{Algorithm: RS256, PublicKeyFile: file(pemOf(weakRSA(2047, 65537)))}, "public-key-file FILE: RSA key of 2047 bits: 2048 to 8192 are accepted"},
		"RSA of too many bits":         {KeyConfig{Algorithm: RS256, PublicKeyFile: file(pemOf(weakRSA(8193, 65537)))}, "public-key-file FILE: RSA key of 8193 bits: 2048 to 8192 are accepted"},
		"RSA with exponent 1":          {KeyConfig{Algorithm: RS256, PublicKeyFile: file(pemOf(weakRSA(2048, 1)))}, "public-key-file FILE: RSA key with a wrong exponent"},
		"another curve":                {KeyConfig{Algorithm: ES256, PublicKeyFile: file(pemOf(must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)).Public()))}, "public-key-file FILE: the curve is not P-256"},
		"a set with a kid":             {KeyConfig{JWKS: "https://a/", ID: "a"}, "kid: the keys of jwks have names of their own"},
		"a set of secrets":             {KeyConfig{JWKS: "https://a/", Algorithm: HS256}, "algorithm: HS256 has a secret, which is not got from jwks"},
		"a set with another algorithm": {KeyConfig{JWKS: "https://a/", Algorithm: "RS512"}, `algorithm: "RS512" is not one of HS256, RS256, ES256, EdDSA`},
		"a set where all can listen":   {KeyConfig{JWKS: "http://example.org/jwks"}, "jwks: only https, or http on loopback"},
		"a name that looks local":      {KeyConfig{JWKS: "http://localhost.example.org/"}, "jwks: only https, or http on loopback"},
		"an address that looks local":  {KeyConfig{JWKS: "http://127.0.0.1.example.org/"}, "jwks: only https, or http on loopback"},
		"a file as URL":                {KeyConfig{JWKS: "file://localhost/etc/passwd"}, "jwks: only https, or http on loopback"},
		"no host":                      {KeyConfig{JWKS: "https:///jwks"}, "jwks: it is not a URL such as https://example.org/jwks.json"},
		"no URL":                       {KeyConfig{JWKS: "https://a\x00/"}, "jwks: it is not a URL such as https://example.org/jwks.json"},
		"a URL with a password":        {KeyConfig{JWKS: "https://u:" + testSecret + "@example.org/"}, "jwks: a URL with a user or password is not accepted"},
	} {
		err := c.kc.Validate(nil)
		want := strings.ReplaceAll(c.want, "FILE", c.kc.SecretFile+c.kc.PublicKeyFile)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v\nwant %s", name, err, want)
		}
	}
}

func TestErrorsNameTheKeyAndNeverWhatIsInIt(t *testing.T) {
	t.Parallel()
	const content = "tell nobody: abcdefghijklmnop"
	path := writeFile(t, content)
	_, err := NewVerifier(Config{Keys: []KeyConfig{
		{Algorithm: HS256, Secret: testSecret, ID: "a"},
		{Algorithm: HS256, SecretFile: path},
		{Algorithm: RS256, PublicKeyFile: path, ID: "r\n"},
		{Algorithm: HS256, Secret: Secret(content)},
		{Algorithm: HS256, Secret: testSecret, ID: "a"},
	}, Anonymous: map[string][]string{"user:{sub}": {"sub"}}})
	want := `token-key 2: secret-file ` + path + `: 29 bytes, fewer than 32
token-key 3 (kid "r\n"): public-key-file ` + path + `: it is not PEM
token-key 4: secret: 29 bytes, fewer than 32
token-key 5 (kid "a"): kid: another token-key has the same; each needs a kid of its own
anonymous: grant "user:{sub}": {sub} needs a user, and there is none`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestASecretIsNotShownByAnyVerb(t *testing.T) {
	t.Parallel()
	kc := KeyConfig{Algorithm: HS256, Secret: "hush-hush"}
	shown := string(must(json.Marshal(kc)))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		shown += fmt.Sprintf(verb+verb+verb, kc, &kc, kc.Secret)
	}
	for _, leak := range []string{"hush", fmt.Sprintf("%x", "hush"), fmt.Sprintf("%X", "hush")} {
		if strings.Contains(shown, leak) {
			t.Errorf("%q is in %s", leak, shown)
		}
	}
	if got := fmt.Sprint(Secret("")); got != "" {
		t.Errorf("got %q for none", got)
	}
}
