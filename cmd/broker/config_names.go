package main

import "strings"

// setting is one row of the table of settings.
type setting struct {
	key   string              // in the file, "table.name" or "name"
	arg   string              // placeholder of its value in the help
	help  string              // one line; the default is added to it
	value func(*Config) value // its place
}

// flagName derives a setting's flag from its key: a listen address is named by
// its table alone (--resp), a limit by its name alone (--max-clients), all
// others by both (--http-path).
func (s setting) flagName() string {
	if table, found := strings.CutSuffix(s.key, ".listen"); found {
		return table
	}
	return strings.ReplaceAll(strings.TrimPrefix(s.key, "limits."), ".", "-")
}

// names are all spellings a flag of the setting is accepted in: the derived
// one and the key as it stands in the file (--resp.listen).
func (s setting) names() []string {
	if s.flagName() == s.key {
		return []string{s.key}
	}
	return []string{s.flagName(), s.key}
}

// table is the part of the file the setting stands in, "" for its top.
func (s setting) table() string {
	table, _, found := strings.Cut(s.key, ".")
	if !found {
		return ""
	}
	return table
}

// secret says that its value is nobody's business.
func (s setting) secret() bool { return s.arg == "SECRET" }

// envName is the environment variable of a flag: BROKER_HTTP_PATH.
func envName(name string) string {
	return "BROKER_" + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
}
