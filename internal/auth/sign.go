package auth

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// Sign makes a token with the secret of an HS256 key and its kid, iss and aud. The
// claims are as in the package documentation; iss and aud are replaced. It is for
// development and tests: whoever logs users in makes their tokens.
func (c *KeyConfig) Sign(claims map[string]any) (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	if c.Algorithm != HS256 {
		return "", errors.New("only a key of HS256 makes tokens: of the others the broker has the public part")
	}
	secret, err := c.secret()
	if err != nil {
		return "", err
	}
	for name, value := range map[string]string{"iss": c.Issuer, "aud": c.Audience} {
		if delete(claims, name); value != "" {
			claims[name] = value
		}
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(claims))
	if c.ID != "" {
		t.Header["kid"] = c.ID
	}
	return t.SignedString(secret)
}
