package main

import (
	"fmt"
	"slices"

	"github.com/BurntSushi/toml"
)

// keyMistake is one thing wrong with a table that has its own reader, and the key it
// is about.
type keyMistake struct {
	key []string
	err error
}

// tableReader reads one table of a list: a rule, a key.
type tableReader struct{ mistakes []keyMistake }

func (r *tableReader) wrong(key []string, err error) {
	r.mistakes = append(r.mistakes, keyMistake{key, err})
}

// lists are the lists of tables in the file, by the key that heads each, with what
// reads them: it returns the mistakes of each table.
var lists = map[string]func(*Config, []map[string]any) [][]keyMistake{
	rulesKey:     readRules,
	tokenKeysKey: readTokenKeys,
}

// readList reads all tables of a list. Those with mistakes do not stop the others
// from being looked at.
func (f *file) readList(key string, raw toml.Primitive) {
	var tables []map[string]any
	all := place{f.md, raw}
	err := f.md.PrimitiveDecode(raw, decodeFunc(func(v any) error {
		var err error
		tables, err = listTables(key, v)
		return err
	}))
	if err != nil {
		f.mistakes = append(f.mistakes, fileMistake{all.line(nil), mistake(err).text})
		return
	}
	headers := headersOf(key).FindAllStringIndex(f.text, -1)
	for i, mistakes := range lists[key](f.cfg, tables) {
		if len(mistakes) == 0 {
			continue
		}
		at, found := f.placeOfTable(key, headers, i)
		if !found || len(headers) != len(tables) {
			at = all // Written in another way: all on one line, for example.
		}
		for _, m := range mistakes {
			f.mistakes = append(f.mistakes, fileMistake{at.line(m.key), fmt.Sprintf("%s %d: %v", key, i+1, m.err)})
		}
	}
}

// listTables returns the tables in the value of a key that heads a list.
func listTables(key string, v any) ([]map[string]any, error) {
	switch v := v.(type) {
	case []map[string]any:
		return v, nil
	case []any:
		tables := make([]map[string]any, len(v))
		for i, e := range v {
			table, is := e.(map[string]any)
			if !is {
				return nil, fmt.Errorf("%s must be a list of tables, but holds %s", key, typeName(e))
			}
			tables[i] = table
		}
		return tables, nil
	case map[string]any:
		return nil, fmt.Errorf("%s is a list of tables: each is headed [[%[1]s]], with two brackets", key)
	default:
		return nil, fmt.Errorf("%s must be a list of tables, each headed [[%[1]s]], not %s", key, typeName(v))
	}
}

// readTable is the reader of tables that have plain keys only. rows are their keys.
func readTable[T any](r *tableReader, to *T, table map[string]any, rows []tableSetting[T]) {
	for name, v := range table {
		i := slices.IndexFunc(rows, func(s tableSetting[T]) bool { return s.key == name })
		if i < 0 {
			r.wrong([]string{name}, unknown("key", name, keysOf(rows)))
			continue
		}
		if err := rows[i].value(to).fromTOML(v); err != nil {
			r.wrong([]string{name}, fmt.Errorf("%s: %w", name, err))
		}
	}
}

func keysOf[T any](rows []tableSetting[T]) []string {
	keys := make([]string, len(rows))
	for i, s := range rows {
		keys[i] = s.key
	}
	return keys
}
