// Command broker is Fanfare: Redis clients and browsers on the same channels,
// in one process.
//
//	broker [flags]              start; runs until SIGTERM or SIGINT, then drains
//	broker check-config [FILE]  say what is wrong with a configuration
//	broker version              version, commit and date of the build
//
// Every setting is one row of the table in config_table.go and is reachable as
// a flag, an environment variable and a key of the TOML file, in this order of
// precedence. Rules for channels stand in the file only, their keys in the table
// of config_rules.go; SIGHUP reads them again. Standard output carries what a
// person at a terminal wants to read; the log goes to standard error.
//
// Exit codes: 0 after an ordered stop, 1 when the broker could not start or a
// configuration is wrong, 2 when the command line is wrong.
package main
