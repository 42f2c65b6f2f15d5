package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"fanfare/internal/auth"
)

// accessConfig is what the file says about the rights of browsers: [access] and
// [[token-key]]. Users and keys come and go in a running system, and lists cannot be
// written as flags, so it stands in the file only.
type accessConfig struct {
	Anonymous  map[string][]string // grants of those without a token; nil: none were given
	Revoked    []string            // users whose tokens are refused
	WithoutExp bool                // tokens may have no end
	Keys       []auth.KeyConfig
}

// verifier makes what checks tokens as configured, and gives revoked the users of the
// file. The keys of URLs come with its Fetch and Run, which report to fetched.
func (a *accessConfig) verifier(revoked *auth.Revoked, fetched func(auth.Fetch)) (*auth.Verifier, error) {
	v, err := auth.NewVerifier(auth.Config{
		Keys: a.Keys, Anonymous: a.Anonymous, WithoutExp: a.WithoutExp, Revoked: revoked, Fetched: fetched,
	})
	if err == nil {
		v.Revoked().List(a.Revoked)
	}
	return v, err
}

// tableSetting is one key of a table that stands in the file only.
type tableSetting[T any] struct {
	key   string
	arg   string // placeholder of its value in the help
	help  string // one line; the default is added to it
	value func(*T) value
}

const (
	accessKey    = "access"
	tokenKeysKey = "token-key"
)

// accessSettings are the keys of [access].
var accessSettings = []tableSetting[accessConfig]{
	{"anonymous", "GRANTS", "what those without a token may do; without it a token is needed", func(a *accessConfig) value {
		return grantsValue{&a.Anonymous}
	}},
	{"revoked", "USERS", "users whose tokens are refused", func(a *accessConfig) value {
		return usersValue{listValue{&a.Revoked}}
	}},
	{"token-without-exp", "BOOL", "accept tokens that never expire", func(a *accessConfig) value {
		return boolValue{&a.WithoutExp}
	}},
}

// tokenKeySettings are the keys of [[token-key]].
var tokenKeySettings = []tableSetting[auth.KeyConfig]{
	{"algorithm", "NAME", "HS256, RS256, ES256 or EdDSA; with jwks it may be left out", func(k *auth.KeyConfig) value {
		return choiceValue[string]{&k.Algorithm, auth.Algorithms()}
	}},
	{"kid", "NAME", "its name in tokens; without: for tokens that name none, or all if it is the only key", func(k *auth.KeyConfig) value {
		return textValue{&k.ID}
	}},
	{"secret", "SECRET", "secret of HS256, at least 32 bytes", func(k *auth.KeyConfig) value {
		return secretValue{&k.Secret}
	}},
	{"secret-file", "FILE", "a file with that secret", func(k *auth.KeyConfig) value {
		return textValue{&k.SecretFile}
	}},
	{"public-key-file", "FILE", "a file with the public key, PEM: RSA from 2048 bits, P-256 or Ed25519", func(k *auth.KeyConfig) value {
		return textValue{&k.PublicKeyFile}
	}},
	{"jwks", "URL", "where keys are published, in the place of a key: https, or http on loopback", func(k *auth.KeyConfig) value {
		return textValue{&k.JWKS}
	}},
	{"issuer", "TEXT", "what iss has to be in a token of this key", func(k *auth.KeyConfig) value {
		return textValue{&k.Issuer}
	}},
	{"audience", "TEXT", "what aud has to have in a token of this key", func(k *auth.KeyConfig) value {
		return textValue{&k.Audience}
	}},
}

// readAccess reads [access].
func (f *file) readAccess(raw toml.Primitive) {
	var table map[string]any
	at := place{f.md, raw}
	err := f.md.PrimitiveDecode(raw, decodeFunc(func(v any) error {
		var is bool
		if table, is = v.(map[string]any); !is {
			return fmt.Errorf("%s must be a table, not %s", accessKey, typeName(v))
		}
		return nil
	}))
	if err != nil {
		f.mistakes = append(f.mistakes, fileMistake{at.line(nil), mistake(err).text})
		return
	}
	var r tableReader
	readTable(&r, &f.cfg.Access, table, accessSettings)
	for _, m := range r.mistakes {
		f.mistakes = append(f.mistakes, fileMistake{at.line(m.key), fmt.Sprintf("%s: %v", accessKey, m.err)})
	}
}

// readTokenKeys reads the tables of [[token-key]]; files they name are looked into.
func readTokenKeys(cfg *Config, tables []map[string]any) [][]keyMistake {
	keys, all := make([]auth.KeyConfig, len(tables)), make([][]keyMistake, len(tables))
	for i, table := range tables {
		var r tableReader
		readTable(&r, &keys[i], table, tokenKeySettings)
		if len(r.mistakes) == 0 {
			if err := keys[i].Validate(keys[:i]); err != nil {
				key, _, _ := strings.Cut(err.Error(), " ") // It names the key first.
				r.wrong([]string{strings.TrimRight(key, ":,")}, err)
			}
		}
		all[i] = r.mistakes
	}
	cfg.Access.Keys = keys
	return all
}

// describeAccess lists what the file says about the rights of browsers, without
// secrets.
func describeAccess(a *accessConfig) string {
	var b strings.Builder
	var none accessConfig
	if text := describeTable(a, &none, accessSettings); text != "" {
		fmt.Fprintf(&b, "  %s: %s\n", accessKey, text)
	}
	for i := range a.Keys {
		fmt.Fprintf(&b, "  %s %d: %s\n", tokenKeysKey, i+1, describeTable(&a.Keys[i], new(auth.KeyConfig), tokenKeySettings))
	}
	return b.String()
}

// describeTable lists what differs from the defaults.
func describeTable[T any](is, initial *T, rows []tableSetting[T]) string {
	var parts []string
	for _, s := range rows {
		switch v := s.value(is); v := v.(type) {
		case secretValue:
			if *v.p != "" {
				parts = append(parts, s.key+" is set")
			}
		case textValue:
			if *v.p != "" {
				parts = append(parts, s.key+" = "+strconv.Quote(*v.p))
			}
		default:
			if text := v.String(); text != s.value(initial).String() {
				parts = append(parts, s.key+" = "+text)
			}
		}
	}
	return strings.Join(parts, ", ")
}

// writeAccessHelp is the part of broker --help about the rights of browsers.
func writeAccessHelp(b *strings.Builder) {
	b.WriteString("\nWho may do what in browsers: [access] in the file\n")
	writeTableHelp(b, accessSettings)
	b.WriteString("\nKeys of their tokens: [[token-key]] in the file, one for each key\n")
	writeTableHelp(b, tokenKeySettings)
}

func writeTableHelp[T any](b *strings.Builder, rows []tableSetting[T]) {
	for _, s := range rows {
		fmt.Fprintf(b, "  %-32s %s\n", s.key+" = "+s.arg, s.help)
	}
}
