package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fanfare/broker"
)

// ruleSetting is one key of a channel's rule. Rules are lists, which flags and
// variables cannot write, and are read again while the broker runs: so they
// stand in the file only and have a table of their own.
type ruleSetting struct {
	key   string // in [[channel]], "name" or "table.name"
	arg   string // placeholder of its value in the help
	help  string // one line; the default is added to it
	value func(*broker.Rule) value
}

// ruleSettings is the table from which reading, help and listing of rules are
// derived.
var ruleSettings = []ruleSetting{
	{"match", "GLOB", "the channels, as PSUBSCRIBE would name them", func(r *broker.Rule) value {
		return textValue{&r.Match}
	}},
	{"history.size", "N", "how many messages a channel keeps for those who come back", func(r *broker.Rule) value {
		return countValue[int]{&r.History.Size, 1, 1_000_000}
	}},
	{"history.ttl", "TIME", "how long it keeps them; 0: until newer ones take their place", func(r *broker.Rule) value {
		return durationValue{&r.History.TTL, 0, forever}
	}},
	{"retain", "WHICH", "messages that become the retained one: flagged (published so), all or never", func(r *broker.Rule) value {
		return namedValue[broker.Retain]{&r.Retain, []broker.Retain{broker.RetainFlagged, broker.RetainAll, broker.RetainNever}}
	}},
	{"presence", "BOOL", "members may join, and subscribers are told who comes and goes", func(r *broker.Rule) value {
		return boolValue{&r.Presence}
	}},
	{"occupancy", "BOOL", "back ends are told of the first subscriber and of the last one's end", func(r *broker.Rule) value {
		return boolValue{&r.Occupancy}
	}},
	{"slow", "HOW", "who falls behind: disconnect, or conflate (it gets the newest only)", func(r *broker.Rule) value {
		return namedValue[broker.Slow]{&r.Slow, []broker.Slow{broker.SlowDisconnect, broker.SlowConflate}}
	}},
}

// findRuleSetting returns the row of a key, nil if there is none.
func findRuleSetting(key []string) *ruleSetting {
	for i := range ruleSettings {
		if slices.Equal(strings.Split(ruleSettings[i].key, "."), key) {
			return &ruleSettings[i]
		}
	}
	return nil
}

// describeRules lists rules in their order, one per line, each with what differs
// from the defaults.
func describeRules(rules []broker.Rule) string {
	var b strings.Builder
	for i := range rules {
		fmt.Fprintf(&b, "  channel %d: match = %s", i+1, strconv.Quote(rules[i].Match))
		initial := broker.Rule{Match: rules[i].Match}
		for _, s := range ruleSettings {
			if is := s.value(&rules[i]).String(); is != s.value(&initial).String() {
				fmt.Fprintf(&b, ", %s = %s", s.key, is)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// writeRuleHelp is the part of broker --help about rules.
func writeRuleHelp(b *strings.Builder) {
	b.WriteString("\nChannels that remember: [[channel]] in the file, one for each rule; the first that matches holds\n")
	for _, s := range ruleSettings {
		fmt.Fprintf(b, "  %-32s %s", s.key+" = "+s.arg, s.help)
		if text := s.initial(); text != "" {
			fmt.Fprintf(b, " (%s)", text)
		}
		b.WriteByte('\n')
	}
}

// initial is the default of the key, empty for what a rule has to ask for.
func (s *ruleSetting) initial() string {
	var r broker.Rule
	if text := s.value(&r).String(); text != "0" {
		return text
	}
	return ""
}
