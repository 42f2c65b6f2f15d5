package main

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"fanfare/broker"
)

func TestRulesInAllTheFormsOfTOML(t *testing.T) {
	t.Parallel()
	chat := broker.Rule{Match: "chat:*", History: broker.History{Size: 100, TTL: 10 * time.Minute}, Presence: true}
	price := broker.Rule{Match: "price:?", Retain: broker.RetainAll, Occupancy: true, Slow: broker.SlowConflate}
	for name, text := range map[string]string{
		"a table each, with an inline table": "[[channel]]\nmatch = \"chat:*\"\nhistory = { size = 100, ttl = \"10m\" }\npresence = true\n" +
			"[[channel]]\nmatch = 'price:?'\nretain = \"all\"\noccupancy = true\nslow = \"conflate\"",
		"keys with dots":  "[[channel]]\nmatch = \"chat:*\"\nhistory.size = 100\nhistory.ttl = \"600s\"\npresence = true\n[[channel]]\nmatch = \"price:?\"\nretain = \"all\"\noccupancy = true\nslow = \"conflate\"",
		"a table below":   "[[channel]]\nmatch = \"chat:*\"\npresence = true\n[channel.history]\nsize = 100\nttl = \"10m\"\n[[channel]]\nmatch = \"price:?\"\nretain = \"all\"\noccupancy = true\nslow = \"conflate\"",
		"one list":        "channel = [{ match = \"chat:*\", history = { size = 100, ttl = \"10m\" }, presence = true },\n{ match = \"price:?\", retain = \"all\", occupancy = true, slow = \"conflate\" }]",
		"other tables in": "[[channel]]\nmatch = \"chat:*\"\nhistory = { size = 100, ttl = \"10m\" }\npresence = true\nretain = \"flagged\"\n[kv]\n[[channel]]\nmatch = \"price:?\"\nretain = \"all\"\noccupancy = true\nslow = \"conflate\"\npresence = false",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := load([]string{"--config", write(t, text)}, nil)
			if want := []broker.Rule{chat, price}; err != nil || !reflect.DeepEqual(cfg.Broker.Rules, want) {
				t.Errorf("got %+v, %v\nwant %+v", cfg.Broker.Rules, err, want)
			}
		})
	}
}

func TestNoRulesByDefault(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "channel = []"} {
		cfg, err := load([]string{"--config", write(t, text)}, nil)
		if err != nil || len(cfg.Broker.Rules) != 0 {
			t.Errorf("%q: got %+v, %v; want none", text, cfg.Broker.Rules, err)
		}
	}
}

func TestWrongRules(t *testing.T) {
	t.Parallel()
	const good = "[[channel]]\nmatch = \"chat:*\"\n"
	for name, c := range map[string]struct{ text, want string }{
		"no match":                                {"\n[[channel]]\nretain = \"all\"", `2: channel 1: match is missing: a glob such as chat:*`},
		"a match of the wrong type":               {"[[channel]]\nmatch = 3", `2: channel 1: match: must be a text in quotes, not a number`},
		"a match that matches nothing":            {"[[channel]]\nretain = \"all\"\nmatch = \"a[]\"", `3: channel 1: match "a[]" cannot match any channel`},
		"a match of the broker's own channels":    {"[[channel]]\nmatch = \"__presence__:*\"", `2: channel 1: match: "__presence__:*": channels that begin with __ have no rules`},
		"a match that a rule before has":          {good + good, `4: channel 2: match: "chat:*": channel 1 matches all of these and comes first`},
		"a match that a rule before covers":       {good + "[[channel]]\nmatch = \"chat:[0-9]:typing\"", `4: channel 2: match: "chat:[0-9]:typing": channel 1 matches all of these and comes first`},
		"a match behind all":                      {"[[channel]]\nmatch = \"**\"\n" + good, `4: channel 2: match: "chat:*": channel 1 matches all of these and comes first`},
		"an unknown word for retain":              {good + "retain = \"always\"", `3: channel 1: retain: "always" is not one of flagged, all, never`},
		"an unknown word for slow":                {good + "slow = \"drop\"", `3: channel 1: slow: "drop" is not one of disconnect, conflate`},
		"a switch as a text":                      {good + "presence = \"true\"", `3: channel 1: presence: must be true or false, not a text`},
		"an unknown key names the nearest":        {good + "\nretian = \"all\"", `4: channel 1: unknown key "retian": did you mean "retain"?`},
		"an unknown key in the inner table":       {good + "history = { size = 1, tll = \"1s\" }", `3: channel 1: unknown key "history.tll": did you mean "history.ttl"?`},
		"a key that belongs in the inner table":   {good + "ttl = \"1s\"", `3: channel 1: unknown key "ttl": did you mean "history.ttl"?`},
		"a key that does not belong there":        {good + "history = { size = 1, retain = \"all\" }", `3: channel 1: unknown key "history.retain": did you mean "retain"?`},
		"a quoted key with a dot":                 {good + "\"history.size\" = 3", `3: channel 1: unknown key "history.size"`},
		"a history that is a number":              {good + "history = 100", `3: channel 1: history must be a table such as { size = 100, ttl = "10m" }, not a number`},
		"a history without size":                  {good + "history = { ttl = \"1m\" }", `3: channel 1: history: size is missing, the number of messages to keep`},
		"a history in a table of its own":         {good + "\n[channel.history]\n\nttl = \"1m\"\n", `4: channel 1: history: size is missing, the number of messages to keep`},
		"a history with dots":                     {good + "\nhistory.ttl = \"1m\"\n", `4: channel 1: history: size is missing, the number of messages to keep`},
		"a size of nothing":                       {good + "history = { size = 0 }", `3: channel 1: history.size: 0 is not between 1 and 1000000`},
		"a size beyond all":                       {good + "[channel.history]\nsize = 1000001", `4: channel 1: history.size: 1000001 is not between 1 and 1000000`},
		"a time without unit":                     {good + "history.size = 1\nhistory.ttl = \"10\"", `4: channel 1: history.ttl: "10" is not a duration such as "500ms", "4s" or "10m"`},
		"one pair of brackets":                    {"\n[channel]\nmatch = \"chat:*\"", `2: channel is a list of tables: each is headed [[channel]], with two brackets`},
		"one pair of brackets, implied":           {"\n[channel.history]\nsize = 3", `2: channel is a list of tables: each is headed [[channel]], with two brackets`},
		"a number":                                {"channel = 3", `1: channel must be a list of tables, each headed [[channel]], not a number`},
		"a list of numbers":                       {"workers = 1\nchannel = [3]", `2: channel must be a list of tables, but holds a number`},
		"a list has the line of its key":          {"workers = 1\nchannel = [{ match = \"a\" }, { match = \"b\", x = 1 }]", `2: channel 2: unknown key "x"`},
		"a table misspelt":                        {"[[chanel]]\nmatch = \"a\"", `1: unknown setting "chanel": did you mean "channel"?`},
		"what looks like a header inside of text": {"[resp]\nunix = \"\"\"\n[[channel]]\n[[channel]]\n\"\"\"\n" + good + "x = 1", `6: channel 1: unknown key "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, c.text)
			_, err := load([]string{"--config", path}, nil)
			if want := path + ":" + c.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

// Several rules, several mistakes, other tables between: each has its own line.
func TestEveryMistakeInRulesHasItsLine(t *testing.T) {
	t.Parallel()
	text := `worker = 1
[[channel]] # 2
match = "a:*"
retain = "x"
slow = "y"

[limits]
max-names = 3
  [[ "channel" ]] # 9
match = "b:*"
[[channel]] # 11
match = "c:*"
[channel.history]
size = -1
ttl = 5
`
	path := write(t, text)
	_, err := load([]string{"--config", path}, nil)
	want := []string{
		`1: unknown setting "worker": did you mean "workers"?`,
		`4: channel 1: retain: "x" is not one of flagged, all, never`,
		`5: channel 1: slow: "y" is not one of disconnect, conflate`,
		`8: unknown setting "limits.max-names": did you mean "limits.max-name"?`,
		`14: channel 3: history.size: -1 is not between 1 and 1000000`,
		`15: channel 3: history.ttl: must be a text in quotes, not a number`,
	}
	if err == nil || err.Error() != path+":"+strings.Join(want, "\n"+path+":") {
		t.Errorf("got\n%v\nwant\n%s", err, strings.Join(want, "\n"))
	}
}

func TestRulesThatLeaveSomethingToLaterOnes(t *testing.T) {
	t.Parallel()
	for _, matches := range [][2]string{
		{"chat:1", "chat:*"}, {"chat:*", "chat*"}, {"*:typing", "chat:*"}, {"a?*", "a*"}, {`a\*`, "a*b"}, {"[ab]*", "b"}, {"chat:*", "room:*"}, {"*a*", "abc"}, {`a\**`, `a\\*`},
	} {
		text := "[[channel]]\nmatch = '" + matches[0] + "'\n[[channel]]\nmatch = '" + matches[1] + "'\n"
		if _, err := load([]string{"--config", write(t, text)}, nil); err != nil {
			t.Errorf("%q, then %q: %v", matches[0], matches[1], err)
		}
	}
}

func TestRulesStandInTheFileOnly(t *testing.T) {
	t.Parallel()
	if _, err := load([]string{"--channel=chat:*"}, nil); err == nil {
		t.Error("a flag is accepted")
	}
	if _, err := load(nil, []string{"BROKER_CHANNEL=chat:*"}); err == nil {
		t.Error("a variable is accepted")
	}
}

func TestCheckConfigListsTheRules(t *testing.T) {
	t.Parallel()
	path := write(t, "workers = 2\n[[channel]]\nmatch = \"chat:*\"\nhistory = { size = 100, ttl = \"10m\" }\npresence = true\n"+
		"[[channel]]\nmatch = \"a\\nb\"\nretain = \"never\"\nslow = \"conflate\"\n[[channel]]\nmatch = \"*\"\n")
	var b strings.Builder
	if err := checkConfig([]string{path}, nil, &b); err != nil {
		t.Fatal(err)
	}
	want := `The configuration is good.
  workers = 2 (default 0)
  channel 1: match = "chat:*", history.size = 100, history.ttl = 10m, presence = true
  channel 2: match = "a\nb", retain = never, slow = conflate
  channel 3: match = "*"
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A key that cannot read what it writes would be listed in a form that the file
// does not take.
func TestEveryKeyOfARuleReadsWhatItWrites(t *testing.T) {
	t.Parallel()
	for _, s := range ruleSettings {
		r := broker.Rule{Match: "x", History: broker.History{Size: 7, TTL: time.Hour}, Retain: broker.RetainNever, Presence: true, Occupancy: true, Slow: broker.SlowConflate}
		text := s.value(&r).String()
		var other broker.Rule
		if err := s.value(&other).Set(text); err != nil || s.value(&other).String() != text {
			t.Errorf("%s: %q became %q, %v", s.key, text, s.value(&other).String(), err)
		}
		if s.help == "" || strings.HasSuffix(s.help, ".") {
			t.Errorf("%s: help %q must be a phrase without a full stop", s.key, s.help)
		}
	}
}

func TestTheExamplesOfTheConfigurationDocumentAreGood(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := strings.Split(string(text), "```toml\n")[1:]
	rules := 0
	for _, example := range examples {
		example, _, _ = strings.Cut(example, "```")
		cfg, err := load([]string{"--config", write(t, example)}, nil)
		if err != nil {
			t.Errorf("%v in\n%s", err, example)
		}
		rules += len(cfg.Broker.Rules)
	}
	if rules < 4 {
		t.Errorf("got %d rules in %d examples, want some of each kind", rules, len(examples))
	}
}
