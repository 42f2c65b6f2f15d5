package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// applyTOML sets what the text of a configuration file says. Keys that are no
// settings are errors. Each line of the error begins with the number of the
// line it is about.
func applyTOML(cfg *Config, text string) error {
	var top map[string]toml.Primitive
	md, err := toml.Decode(text, &top)
	if err != nil {
		return mistake(err)
	}
	f := &file{cfg: cfg, md: &md, text: text}
	f.read(nil, top)
	slices.SortFunc(f.mistakes, func(a, b fileMistake) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.text, b.text))
	})
	all := make([]error, len(f.mistakes))
	for i, m := range f.mistakes {
		all[i] = m
	}
	return errors.Join(all...)
}

// file is a configuration file on its way into a Config.
type file struct {
	cfg      *Config
	md       *toml.MetaData
	text     string
	mistakes []fileMistake
}

// fileMistake is one thing wrong with a file; line 0 is unknown.
type fileMistake struct {
	line int
	text string
}

func (m fileMistake) Error() string { return fmt.Sprintf("%d: %s", m.line, m.text) }

// read handles the keys of one table, path being the table's own key.
func (f *file) read(path toml.Key, table map[string]toml.Primitive) {
	for name, raw := range table {
		key := append(slices.Clone(path), name)
		if len(path) == 0 && f.readOwn(name, raw) {
			continue
		}
		var inner bool
		err := f.md.PrimitiveDecode(raw, decodeFunc(func(v any) error {
			var err error
			inner, err = f.set(key, v)
			return err
		}))
		m := mistake(err)
		// A table that exists only through keys such as "a.b = 1" has no line
		// of its own, but its keys have.
		if implied := err != nil && m.line == 0; inner || implied {
			f.readInner(key, raw)
		} else if err != nil {
			f.mistakes = append(f.mistakes, m)
		}
	}
}

// readOwn reads what has a reader of its own and says whether it does: what stands in
// the file only.
func (f *file) readOwn(name string, raw toml.Primitive) bool {
	if name == accessKey {
		f.readAccess(raw)
		return true
	}
	_, is := lists[name]
	if is {
		f.readList(name, raw)
	}
	return is
}

func (f *file) readInner(key toml.Key, raw toml.Primitive) {
	var table map[string]toml.Primitive
	if err := f.md.PrimitiveDecode(raw, &table); err != nil {
		f.mistakes = append(f.mistakes, mistake(err))
		return
	}
	f.read(key, table)
}

// set gives a value to the setting of that key, or says that it is a table
// with settings in it.
func (f *file) set(key toml.Key, v any) (inner bool, err error) {
	path := strings.Join(key, ".")
	if row := find(key); row != nil {
		if err := row.value(f.cfg).fromTOML(v); err != nil {
			return false, fmt.Errorf("%s: %w", path, err)
		}
		return false, nil
	}
	if len(key) > 1 || !isTable(path) {
		return false, unknownKey(key)
	}
	if _, is := v.(map[string]any); !is {
		return false, fmt.Errorf("%s must be a table, not %s", path, typeName(v))
	}
	return true, nil
}

// decodeFunc makes the TOML library hand over one raw value and tie the error
// to the value's line.
type decodeFunc func(v any) error

// UnmarshalTOML implements toml.Unmarshaler.
func (f decodeFunc) UnmarshalTOML(v any) error { return f(v) }

// mistake takes line and text out of an error of the TOML library.
func mistake(err error) fileMistake {
	var pe toml.ParseError
	if errors.As(err, &pe) {
		return fileMistake{pe.Position.Line, pe.Message}
	}
	return fileMistake{0, fmt.Sprint(err)}
}

// find returns the row of a key of the file, nil if there is none. A quoted
// "resp.unix" is one key with a dot in it and not the one in [resp].
func find(key toml.Key) *setting {
	for i := range settings {
		if slices.Equal(strings.Split(settings[i].key, "."), key) {
			return &settings[i]
		}
	}
	return nil
}

func isTable(name string) bool {
	for _, s := range settings {
		if strings.HasPrefix(s.key, name+".") {
			return true
		}
	}
	return false
}

// unknownKey says what an unknown key was probably meant to be: a setting that
// stands in the wrong table, or one that is spelt nearly so.
func unknownKey(key toml.Key) error {
	path := strings.Join(key, ".")
	var known []string
	for _, s := range settings {
		table, name, _ := strings.Cut(s.key, ".")
		if table != "" && name == key[len(key)-1] {
			return fmt.Errorf("unknown setting %q: did you mean %s in [%s]?", path, name, table)
		}
		known = append(known, s.key)
		if len(key) == 1 {
			known = append(known, table)
		}
	}
	if len(key) == 1 {
		known = append(known, accessKey)
		known = slices.AppendSeq(known, maps.Keys(lists))
	}
	return unknown("setting", path, known)
}
