package resp

import (
	"strings"

	"fanfare/topic"
)

func init() {
	const common = flagAdmin | flagNoScript | flagLoading | flagStale
	const each = "O(N) for N settings"
	register(&command{
		name: "config", arity: -2, group: "server", since: "2.0.0", complexity: "Depends on subcommand.",
		summary: "A container for commands about settings.",
		subcommands: []*command{
			{name: "get", arity: -3, flags: common, group: "server", since: "2.0.0",
				complexity: each, summary: "Returns the settings whose names match.", run: configGet},
			{name: "set", arity: -4, flags: common, group: "server", since: "2.0.0",
				complexity: each, summary: "Changes settings: all of those named, or none.", run: configSet},
			{name: "resetstat", arity: 2, flags: common | flagStoreStats, group: "server", since: "2.0.0",
				complexity: "O(1)", summary: "Sets the totals that INFO shows to zero.", run: configResetStat},
			{name: "rewrite", arity: 2, flags: common, group: "server", since: "2.8.0",
				complexity: "O(1)", summary: "Is refused: the server does not write its configuration.",
				run: func(x *call) { x.w.Error("ERR The server is running without a config file") }},
			{name: "help", arity: 2, flags: flagLoading | flagStale, group: "server", since: "5.0.0",
				complexity: "O(1)", summary: "Lists the subcommands.", run: help},
		},
	})
}

// configGet returns each setting once, however many patterns match it.
func configGet(x *call) {
	s := x.conn.server
	now := s.settings()
	var found []*parameter
	for i := range parameters {
		for _, arg := range x.args[2:] {
			if topic.Compile(strings.ToLower(string(arg))).MatchString(parameters[i].name) {
				found = append(found, &parameters[i])
				break
			}
		}
	}
	x.w.Map(len(found))
	for _, p := range found {
		x.w.BulkString(p.name)
		x.w.BulkString(p.get(s, now))
	}
}

// configSet names the setting at fault in its error.
func configSet(x *call) {
	pairs := x.args[2:]
	if len(pairs)%2 != 0 {
		x.syntaxError()
		return
	}
	if text := checkParameters(pairs); text != "" {
		x.w.Error(text)
		return
	}
	s := x.conn.server
	name := ""
	err := s.change(func(next *settings) error {
		for i := 0; i < len(pairs); i += 2 {
			p := findParameter(string(pairs[i]))
			name = p.name
			if err := p.set(s, next, string(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		x.w.Error(configFailed(name, err.Error()))
		return
	}
	x.w.OK()
}

// checkParameters returns the text of an error for settings that are not there,
// cannot change or are named twice.
func checkParameters(pairs [][]byte) string {
	seen := map[*parameter]bool{}
	for i := 0; i < len(pairs); i += 2 {
		switch p := findParameter(string(pairs[i])); {
		case p == nil:
			return "ERR Unknown option or number of arguments for CONFIG SET - '" + quoted(pairs[i], echoed) + "'"
		case p.set == nil:
			return configFailed(p.name, "can't set immutable config")
		case seen[p]:
			return configFailed(p.name, "duplicate parameter")
		default:
			seen[p] = true
		}
	}
	return ""
}

func configFailed(name, why string) string {
	return "ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + why
}

// configResetStat makes INFO count from now on. What Stats returns goes on
// rising: the totals of a monitoring system must not fall.
func configResetStat(x *call) {
	s := x.conn.server
	s.calls.reset()
	x.conn.tally = tally{}
	totals := x.totals()
	s.baseline.Store(&totals)
	x.w.OK()
}
