package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"fanfare/internal/auth"
)

const tokenHelp = `broker token makes a token for a browser, signed with a HS256 key of the configuration.
It is for development: in production whoever logs users in makes their tokens.

  broker token --config broker.toml --user u1 --can 'chat:*=sub,pub' --can 'user:{sub}=sub'

  --user NAME          whom it is for (sub)
  --can GLOB=ACTIONS   grant: sub, pub, history and presence, separated by commas; any number of times
  --expires TIME       how long it is good, such as 15m (1h)
  --info JSON          what others may see of the user
  --key KID            the key to sign with; not needed if there is one only
  --config FILE        the configuration with the key, as for the broker (BROKER_CONFIG too)
  --secret-file FILE   sign with the secret in this file, without a configuration

The token goes to standard output. It is good for whoever has it, until it expires.
`

// tokenOrder is what "broker token" is asked for.
type tokenOrder struct {
	user, info, key, config, secretFile string
	can                                 map[string][]string
	expires                             time.Duration
}

// printToken is the command "broker token".
func printToken(args, env []string, w io.Writer) error {
	o, err := parseTokenOrder(args)
	if errors.Is(err, flag.ErrHelp) {
		_, err = io.WriteString(w, tokenHelp)
		return err
	}
	if err != nil {
		return err
	}
	key, err := o.signer(env)
	if err != nil {
		return err
	}
	token, err := o.sign(key, time.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, token)
	return err
}

func parseTokenOrder(args []string) (*tokenOrder, error) {
	o := &tokenOrder{can: map[string][]string{}}
	fs := flag.NewFlagSet("token", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	texts := map[string]*string{"user": &o.user, "info": &o.info, "key": &o.key, "config": &o.config, "secret-file": &o.secretFile}
	known := []string{"can", "expires", "help"}
	for name, p := range texts {
		fs.StringVar(p, name, "", "")
		known = append(known, name)
	}
	fs.DurationVar(&o.expires, "expires", time.Hour, "")
	fs.Func("can", "", o.grant)
	if err := fs.Parse(args); err != nil {
		return nil, flagError(err, known)
	}
	if fs.NArg() > 0 {
		return nil, usageError(fmt.Errorf("token takes no argument %q, only flags", shorten(fs.Arg(0))))
	}
	return o, o.check()
}

// grant reads GLOB=ACTIONS. No action has an equals sign in it, but a glob may.
func (o *tokenOrder) grant(text string) error {
	i := strings.LastIndexByte(text, '=')
	if i < 0 {
		return errors.New("must be GLOB=ACTIONS, such as 'chat:*=sub,pub'")
	}
	var words []string
	if err := (listValue{&words}).Set(text[i+1:]); err != nil {
		return err
	}
	o.can[text[:i]] = append(o.can[text[:i]], words...)
	return nil
}

// check says what is wrong with the order itself, in the words of the flags.
func (o *tokenOrder) check() error {
	if o.user == "" {
		return usageError(errors.New("--user is missing: whom the token is for"))
	}
	if err := auth.CheckUser(o.user); err != nil {
		return fmt.Errorf("--user: %w", err)
	}
	if _, err := auth.ParseGrants(o.can, o.user); err != nil {
		return fmt.Errorf("--can: %w", err)
	}
	if o.expires < time.Second {
		return fmt.Errorf("--expires: %s is less than a second", formatDuration(o.expires))
	}
	if o.info != "" && !json.Valid([]byte(o.info)) {
		return errors.New(`--info: it is not JSON such as {"name":"Ann"}`)
	}
	if o.config != "" && o.secretFile != "" {
		return usageError(errors.New("--config and --secret-file: only one of them has the key"))
	}
	return nil
}

// signer finds the key that signs.
func (o *tokenOrder) signer(env []string) (*auth.KeyConfig, error) {
	if o.secretFile != "" {
		return &auth.KeyConfig{Algorithm: auth.HS256, ID: o.key, SecretFile: o.secretFile}, nil
	}
	var args []string
	if o.config != "" {
		args = []string{"--config", o.config}
	}
	cfg, err := load(args, env)
	if err != nil {
		return nil, err
	}
	if cfg.File == "" {
		return nil, usageError(errors.New("no key to sign with: --config names a configuration with a [[token-key]], --secret-file a secret"))
	}
	return o.choose(&cfg)
}

// choose returns the HS256 key that was asked for, or the only one.
func (o *tokenOrder) choose(cfg *Config) (*auth.KeyConfig, error) {
	var named []string
	var found []*auth.KeyConfig
	for i := range cfg.Access.Keys {
		k := &cfg.Access.Keys[i]
		if k.Algorithm != auth.HS256 {
			continue
		}
		named = append(named, fmt.Sprintf("%q", k.ID))
		if o.key == "" || k.ID == o.key {
			found = append(found, k)
		}
	}
	switch {
	case len(named) == 0:
		return nil, fmt.Errorf("%s has no [[token-key]] of HS256; of the others the broker has the public part, which signs nothing", cfg.File)
	case len(found) == 0:
		return nil, fmt.Errorf("--key: %q is no HS256 key of %s, which has %s", shorten(o.key), cfg.File, strings.Join(named, ", "))
	case len(found) > 1:
		return nil, fmt.Errorf("--key is missing: %s has the HS256 keys %s", cfg.File, strings.Join(named, ", "))
	}
	return found[0], nil
}

// sign makes the token, and verifies it as a broker would: what it would refuse is
// not handed out.
func (o *tokenOrder) sign(key *auth.KeyConfig, now time.Time) (string, error) {
	claims := map[string]any{"sub": o.user, "iat": now.Unix(), "exp": now.Add(o.expires).Unix()}
	if len(o.can) > 0 {
		claims["can"] = o.can
	}
	if o.info != "" {
		claims["info"] = json.RawMessage(o.info)
	}
	token, err := key.Sign(claims)
	if err != nil {
		return "", err
	}
	access := accessConfig{Keys: []auth.KeyConfig{*key}}
	v, err := access.verifier(nil, nil)
	if err != nil {
		return "", err
	}
	var refusal *auth.Refusal
	if _, _, err := v.Verify(token, now); errors.As(err, &refusal) {
		return "", fmt.Errorf("a broker would refuse it: %s", refusal.Reason())
	}
	return token, nil
}
