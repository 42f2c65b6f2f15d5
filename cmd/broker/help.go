package main

import (
	"fmt"
	"io"
	"strings"
)

const helpHead = `Fanfare is a pub/sub broker: Redis clients and browsers on the same channels.
Everything is in memory and ends with the process, unless --dir names a place for snapshots.

Usage:
  broker [flags]              start; SIGTERM or Ctrl-C drains and ends it
  broker check-config [FILE]  say what is wrong with a configuration
  broker token --user NAME    make a token for development; broker token --help says more
  broker version              print version, commit and date of the build

A setting is a flag, an environment variable (--http-path is BROKER_HTTP_PATH)
and a key of the TOML file; the flag wins over the variable, the variable over
the file. Sizes are bytes or "64kb", "1mb", "2gb"; times are "500ms", "4s", "10m".
Defaults stand in brackets. What channels remember is said by rules, which stand in
the file only (the last section); SIGHUP reads them again.

  --config FILE                    read this TOML file
`

// sections are the help's headings, by the table a setting stands in.
var sections = []struct{ table, title string }{
	{"", "General"},
	{"resp", "Redis clients: [resp] in the file"},
	{"http", "Browsers: [http] in the file"},
	{"limits", "Limits: [limits] in the file"},
	{"kv", "Keys and values: [kv] in the file"},
}

// printHelp writes what broker --help shows, derived from the table of
// settings.
func printHelp(w io.Writer) error {
	var b strings.Builder
	b.WriteString(helpHead)
	cfg := defaults()
	for _, section := range sections {
		fmt.Fprintf(&b, "\n%s\n", section.title)
		for _, s := range settings {
			if s.table() == section.table {
				writeFlag(&b, s, s.value(&cfg).String())
			}
		}
	}
	writeAccessHelp(&b)
	writeRuleHelp(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeFlag(b *strings.Builder, s setting, initial string) {
	name := strings.TrimSpace("--" + s.flagName() + " " + s.arg)
	fmt.Fprintf(b, "  %-32s %s", name, s.help)
	if initial != "" {
		fmt.Fprintf(b, " (%s)", initial)
	}
	b.WriteByte('\n')
}
