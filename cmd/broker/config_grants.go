package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"fanfare/internal/auth"
)

// grantsValue is a table of globs to lists of words: { "news:*" = ["sub"] }. Without
// a user there is no {sub} in it.
type grantsValue struct{ p *map[string][]string }

func (v grantsValue) Set(text string) error {
	var top struct{ Grants any }
	if _, err := toml.Decode("grants = "+text, &top); err != nil {
		return errors.New("must be grants such as " + grantsExample)
	}
	return v.fromTOML(top.Grants)
}

const grantsExample = `{ "news:*" = ["sub"] }`

func (v grantsValue) String() string {
	if *v.p == nil {
		return ""
	}
	g, err := auth.ParseGrants(*v.p, "")
	if err != nil {
		return "" // Set and fromTOML let no such thing in.
	}
	return g.String()
}

func (v grantsValue) fromTOML(t any) error {
	table, is := t.(map[string]any)
	if !is {
		return fmt.Errorf("must be grants such as %s, not %s", grantsExample, typeName(t))
	}
	can := map[string][]string{}
	for _, glob := range slices.Sorted(maps.Keys(table)) {
		var words []string
		if err := (listValue{&words}).fromTOML(table[glob]); err != nil {
			return fmt.Errorf("%q %w", shorten(glob), err)
		}
		can[glob] = words
	}
	if _, err := auth.ParseGrants(can, ""); err != nil {
		return err
	}
	*v.p = can
	return nil
}

// usersValue is a list of the names of users.
type usersValue struct{ listValue }

// Set reads a list as the file has it: a name may have a comma.
func (v usersValue) Set(text string) error {
	var top struct{ Users any }
	if _, err := toml.Decode("users = "+text, &top); err != nil {
		return errors.New(`must be a list such as ["ann", "bob"]`)
	}
	return v.fromTOML(top.Users)
}

func (v usersValue) fromTOML(t any) error { return v.checked(v.listValue.fromTOML(t)) }

func (v usersValue) checked(err error) error {
	for _, name := range *v.p {
		if wrong := auth.CheckUser(name); err == nil && wrong != nil {
			err = fmt.Errorf("%q: %w", shorten(name), wrong)
		}
	}
	return err
}

func (v usersValue) String() string {
	quoted := make([]string, len(*v.p))
	for i, name := range *v.p {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// secretValue is a text that is never shown.
type secretValue struct{ p *auth.Secret }

func (v secretValue) Set(text string) error { *v.p = auth.Secret(text); return nil }
func (v secretValue) String() string        { return v.p.String() }
func (v secretValue) fromTOML(t any) error  { return textOf(t, v.Set) }
