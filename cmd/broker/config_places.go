package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// headersOf finds the lines that head the tables of a list.
func headersOf(key string) *regexp.Regexp {
	return regexp.MustCompile(fmt.Sprintf(`(?m)^[ \t]*\[\[[ \t]*(?:%[1]s|"%[1]s"|'%[1]s')[ \t]*\]\]`, regexp.QuoteMeta(key)))
}

// placeOfTable returns where the table of that header stands. The TOML library
// knows only the last line of a key that occurs in several tables of a list, so
// the text between this header and the next is parsed alone, at its place.
func (f *file) placeOfTable(key string, headers [][]int, i int) (at place, found bool) {
	if i >= len(headers) {
		return place{}, false
	}
	begin, end := headers[i][0], len(f.text)
	if i+1 < len(headers) {
		end = headers[i+1][0]
	}
	var top map[string]toml.Primitive
	md, err := toml.Decode(strings.Repeat("\n", strings.Count(f.text[:begin], "\n"))+f.text[begin:end], &top)
	if err != nil {
		return place{}, false // What looks like a header is inside of a text.
	}
	var tables []toml.Primitive
	if err := md.PrimitiveDecode(top[key], &tables); err != nil || len(tables) != 1 {
		return place{}, false
	}
	return place{&md, tables[0]}, true
}

// place is where a value stands in a file.
type place struct {
	md  *toml.MetaData
	raw toml.Primitive
}

var errPlace = errors.New("asked for its line")

// line returns the line of a key below the value, or of the nearest key above it
// that there is. What exists only through the keys in it has the line of the first
// of them.
func (p place) line(key []string) int {
	inner := p.inner()
	if len(key) > 0 {
		if raw, is := inner[key[0]]; is {
			return place{p.md, raw}.line(key[1:])
		}
	}
	own := mistake(p.md.PrimitiveDecode(p.raw, decodeFunc(func(any) error { return errPlace }))).line
	if own > 0 {
		return own
	}
	for _, raw := range inner {
		if n := (place{p.md, raw}).line(nil); own == 0 || n > 0 && n < own {
			own = n
		}
	}
	return own
}

// inner returns the values in a table, nothing of what is none.
func (p place) inner() map[string]toml.Primitive {
	var table map[string]toml.Primitive
	if p.md.PrimitiveDecode(p.raw, &table) != nil {
		return nil
	}
	return table
}
