package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fanfare/broker"
	"fanfare/topic"
)

// rulesKey heads the rules in the file: [[channel]].
const rulesKey = "channel"

// readRules reads the tables of [[channel]].
func readRules(cfg *Config, tables []map[string]any) [][]keyMistake {
	rules, all := make([]broker.Rule, len(tables)), make([][]keyMistake, len(tables))
	for i, table := range tables {
		r := &ruleReader{rule: &rules[i]}
		r.read(nil, table)
		r.check(rules[:i])
		all[i] = r.mistakes
	}
	cfg.Broker.Rules = rules
	return all
}

// ruleReader reads one rule.
type ruleReader struct {
	tableReader
	rule *broker.Rule
}

// read handles the keys of one table, path being the table's own key.
func (r *ruleReader) read(path []string, table map[string]any) {
	for name, v := range table {
		key := append(slices.Clone(path), name)
		if row := findRuleSetting(key); row != nil {
			if err := row.value(r.rule).fromTOML(v); err != nil {
				r.wrong(key, fmt.Errorf("%s: %w", row.key, err))
			}
			continue
		}
		if len(path) > 0 || name != "history" {
			r.wrong(key, unknownRuleKey(key))
			continue
		}
		inner, is := v.(map[string]any)
		if !is {
			r.wrong(key, fmt.Errorf(`history must be a table such as { size = 100, ttl = "10m" }, not %s`, typeName(v)))
			continue
		}
		if _, has := inner["size"]; !has {
			r.wrong(key, errors.New("history: size is missing, the number of messages to keep"))
		}
		r.read(key, inner)
	}
}

// unknownRuleKey says what an unknown key was probably meant to be.
func unknownRuleKey(key []string) error {
	path := strings.Join(key, ".")
	known := make([]string, len(ruleSettings))
	for i, s := range ruleSettings {
		known[i] = s.key
		if s.key != path && strings.HasSuffix("."+s.key, "."+key[len(key)-1]) {
			return fmt.Errorf("unknown key %q: did you mean %q?", path, s.key)
		}
	}
	return unknown("key", path, append(known, "history"))
}

// check looks at a rule as a whole and beside those before it. What is wrong with
// a single key is said first, without what follows from it.
func (r *ruleReader) check(before []broker.Rule) {
	if len(r.mistakes) > 0 {
		return
	}
	if err := r.rule.Validate(); err != nil {
		key, _, _ := strings.Cut(err.Error(), " ") // The broker names the key first.
		r.wrong(strings.Split(key, "."), err)
		return
	}
	match := topic.Compile(r.rule.Match)
	if strings.HasPrefix(match.Prefix(), "__") {
		r.wrong([]string{"match"}, fmt.Errorf("match: %q: channels that begin with __ have no rules", shorten(r.rule.Match)))
	}
	for i := range before {
		if covers(before[i].Match, match) {
			r.wrong([]string{"match"}, fmt.Errorf("match: %q: channel %d matches all of these and comes first", shorten(r.rule.Match), i+1))
			return
		}
	}
}

// covers says whether a rule for the glob leaves nothing to a later one: it has
// the same text, or it ends in its only star and the other begins like it.
func covers(glob string, later *topic.Pattern) bool {
	if glob == later.String() {
		return true
	}
	text := strings.TrimRight(glob, "*")
	return text != glob && topic.Compile(glob).Prefix() == text && strings.HasPrefix(later.Prefix(), text)
}
