package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// Leeway is how far the clock of whoever makes tokens may be ahead of ours, for
	// nbf and iat. There is none for exp.
	Leeway = 30 * time.Second

	// MaxUser is the longest name of a user, in bytes.
	MaxUser = 256

	// MaxInfo is the longest info of a token, compacted, in bytes.
	MaxInfo = 1 << 10
)

// Claims is what a verified token says. Times that it does not have are zero.
type Claims struct {
	User    string          // sub
	Info    json.RawMessage // compacted; nil if there is none
	Expires time.Time       // exp
	Issued  time.Time       // iat
	Key     string          // which key signed, as errors name it
}

// claims decodes and checks what a token with a good signature says.
func (v *Verifier) claims(t *signed, k *key, now time.Time) (Claims, *Grants, error) {
	c := Claims{Key: k.name}
	all, err := decodeClaims(t.payload)
	if err != nil {
		return c, nil, invalid("%v (%s)", err, k.name)
	}
	if c.User, err = all.user(); err != nil {
		return c, nil, invalid("%v (%s)", err, k.name)
	}
	if err := all.meant(k); err != nil {
		return c, nil, invalid("%v (user %s, %s)", err, quote(c.User), k.name)
	}
	if err := v.checkTimes(all, &c, now); err != nil {
		return c, nil, err
	}
	if c.Info, err = all.info(); err != nil {
		return c, nil, invalid("%v (user %s, %s)", err, quote(c.User), k.name)
	}
	grants, err := all.grants(c.User)
	if err != nil {
		return c, nil, invalid("%v (user %s, %s)", err, quote(c.User), k.name)
	}
	if v.revoked.Refuses(c.User, c.Issued) {
		return c, nil, &Refusal{ErrRevoked, "user " + quote(c.User)}
	}
	return c, grants, nil
}

func (v *Verifier) checkTimes(all claimSet, c *Claims, now time.Time) error {
	var times [3]time.Time
	for i, name := range []string{"exp", "iat", "nbf"} {
		at, err := all.time(name)
		if err != nil {
			return invalid("%v (user %s, %s)", err, quote(c.User), c.Key)
		}
		times[i] = at
	}
	c.Expires, c.Issued = times[0], times[1]
	switch {
	case c.Expires.IsZero() && !v.withoutExp:
		return invalid("exp is missing (user %s, %s)", quote(c.User), c.Key)
	case !c.Expires.IsZero() && !now.Before(c.Expires): // RFC 7519, 4.1.4: on or after.
		return &Refusal{ErrExpired, fmt.Sprintf("at %s (user %s)", c.Expires.UTC().Format(time.RFC3339), quote(c.User))}
	case c.Issued.After(now.Add(Leeway)):
		return invalid("iat is in the future (user %s, %s)", quote(c.User), c.Key)
	case times[2].After(now.Add(Leeway)):
		return invalid("nbf is in the future (user %s, %s)", quote(c.User), c.Key)
	}
	return nil
}

// claimSet are claims by their exact names: encoding/json would take "SUB" for "sub"
// in a struct.
type claimSet map[string]json.RawMessage

func decodeClaims(payload string) (claimSet, error) {
	text, err := decoder.DecodeSegment(payload)
	if err != nil {
		return nil, errors.New("claims are not base64url")
	}
	if !utf8.Valid(text) {
		return nil, errors.New("claims are not UTF-8")
	}
	var all claimSet
	if json.Unmarshal(text, &all) != nil || all == nil {
		return nil, errors.New("claims are not a JSON object")
	}
	return all, nil
}

// has says whether the claim is there; null is the same as nothing.
func (s claimSet) has(name string) bool {
	raw, is := s[name]
	return is && string(raw) != "null"
}

func (s claimSet) user() (string, error) {
	var user string
	if json.Unmarshal(s["sub"], &user) != nil {
		return "", errors.New("sub is missing or no text")
	}
	if err := CheckUser(user); err != nil {
		return "", fmt.Errorf("sub: %w", err)
	}
	return user, nil
}

// CheckUser says whether a text can be the name of a user of tokens: 1 to MaxUser
// bytes of UTF-8 without control characters and without U+FFFD, which is what
// decoding makes of anything that is no character: two names would become one.
func CheckUser(name string) error {
	switch {
	case name == "":
		return errors.New("the name of the user is empty")
	case len(name) > MaxUser:
		return fmt.Errorf("the name of the user is longer than %d bytes", MaxUser)
	case !utf8.ValidString(name) || strings.ContainsRune(name, utf8.RuneError):
		return errors.New("the name of the user is not UTF-8")
	case strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("the name of the user has control characters")
	}
	return nil
}

// meant says whether the token was made by whom and for whom its key demands.
func (s claimSet) meant(k *key) error {
	var issuer string
	if k.issuer != "" && (json.Unmarshal(s["iss"], &issuer) != nil || issuer != k.issuer) {
		return errors.New("iss is not the key's issuer")
	}
	if k.audience != "" && !slices.Contains(s.audience(), k.audience) {
		return errors.New("aud does not have the key's audience")
	}
	return nil
}

// audience is one text or a list of them (RFC 7519, 4.1.3).
func (s claimSet) audience() []string {
	var one string
	var list []string
	if json.Unmarshal(s["aud"], &one) == nil {
		return []string{one}
	}
	if json.Unmarshal(s["aud"], &list) != nil {
		return nil
	}
	return list
}

// lastDate is the end of the year 9999, beyond which dates have no text.
const lastDate = 253402300799

// time reads seconds since 1970, whole or not.
func (s claimSet) time(name string) (time.Time, error) {
	if !s.has(name) {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseFloat(string(s[name]), 64)
	if err != nil || seconds < 0 || seconds > lastDate {
		return time.Time{}, fmt.Errorf("%s is not a date", name)
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*float64(time.Second))), nil
}

func (s claimSet) info() (json.RawMessage, error) {
	if !s.has("info") {
		return nil, nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, s["info"]); err != nil || b.Len() > MaxInfo {
		return nil, fmt.Errorf("info is longer than %d bytes", MaxInfo)
	}
	return b.Bytes(), nil
}

func (s claimSet) grants(user string) (*Grants, error) {
	if !s.has("can") {
		return &Grants{}, nil
	}
	var can map[string][]string
	if json.Unmarshal(s["can"], &can) != nil {
		return nil, errors.New("can is not an object of lists of texts")
	}
	return ParseGrants(can, user)
}
