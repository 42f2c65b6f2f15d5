//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"
)

var (
	rememberColumns = []column{{"cpu", "CPU µs/publish", true}, {"rate", "M publishes/s", false}}
	recoveryColumns = []column{{"cpu", "CPU µs/client", true}, {"message", "CPU µs/message", false}, {"p50", "half are back after ms", false}, {"last", "all after ms", true}}
	storedColumns   = []column{{"bytes", "bytes each", true}, {"cpu", "CPU µs each", false}}
)

// rememberScenarios compare brokers with different rules. redis-server and
// nats-server have nothing of the kind.
func rememberScenarios(sc scale) []scenario {
	return []scenario{rememberPublish(sc), rememberRules(sc), rememberRecovery(sc), rememberBytes(sc)}
}

// audience is a number of subscribers with as many messages as fit into a second.
type audience struct {
	name                  string
	subscribers, messages int
}

var audiences = []audience{{"nobody", 0, 1_000_000}, {"1 subscriber", 1, 500_000}, {"100 subscribers", 100, 100_000}}

func rememberPublish(sc scale) scenario {
	s := scenario{
		name:    "remember-publish",
		about:   fmt.Sprintf("1 publisher, %d publishes in flight, %d B, to a channel that keeps %d messages, and to one that retains each as well", fullWindow, payloadSize, keptMessages),
		goal:    "history and retained ≤ 1.5× the CPU of a channel without a rule",
		columns: rememberColumns,
		round:   10 * time.Second,
		usual:   true,
	}
	for _, a := range audiences {
		s.add(sc, a, "no rule", "", "no rule")
		s.add(sc, a, "history", keepHistory, "no rule")
		s.add(sc, a, "history, retained", keepAll, "no rule")
	}
	return s
}

// manyRules match nothing that is published here.
var manyRules = func() string {
	var b strings.Builder
	for _, glob := range []string{"chat:*", "*:typing", "user:*", "room:*:state", "price:??", "*alert*", "game:[0-9]*", "doc:*", "tick.*.last", "news"} {
		fmt.Fprintf(&b, "[[channel]]\nmatch = %q\nhistory = { size = 100 }\nretain = \"all\"\npresence = true\noccupancy = true\n", glob)
	}
	return b.String()
}()

func rememberRules(sc scale) scenario {
	s := scenario{
		name:    "remember-rules",
		about:   "as fanout, to a channel that none of the broker's ten rules match",
		goal:    "≤ 1.05× the CPU of a broker without rules",
		columns: rememberColumns,
		round:   6 * time.Second,
		usual:   true,
	}
	for _, a := range audiences {
		s.add(sc, a, "no rules", "", "no rules")
		s.add(sc, a, "10 rules", manyRules, "no rules")
	}
	return s
}

// add adds a variant for an audience, to be compared with another one for it.
func (s *scenario) add(sc scale, a audience, name, rules, versus string) {
	m := remembered{rules: rules, subscribers: a.subscribers, messages: sc.messages(a.messages), keeps: rules == keepAll}
	s.variants = append(s.variants, variant{name: name + ", " + a.name, run: m.run, versus: versus + ", " + a.name})
}

func rememberRecovery(sc scale) scenario {
	c := recovery{clients: sc.of(1000)}
	s := scenario{
		name:    "remember-recovery",
		about:   fmt.Sprintf("%s WebSockets, already open, resume at once; each has missed %d messages of %d B, or none", thousands(c.clients), keptMessages, payloadSize),
		columns: recoveryColumns,
		round:   2 * time.Second,
		usual:   true,
	}
	one, apart := c, c
	one.missed, apart.missed, apart.apart = keptMessages, keptMessages, true
	s.variants = []variant{
		{name: "nothing missed", run: c.run},
		{name: "one channel", run: one.run},
		{name: "a channel each", run: apart.run},
	}
	return s
}

func rememberBytes(sc scale) scenario {
	s := scenario{
		name:      "remember-bytes",
		about:     fmt.Sprintf("%s messages of %d B in 10,000 histories; %s members in 1,000 channels; a second connection of each member. By the growth of resident memory", thousands(sc.of(1_000_000)), payloadSize, thousands(sc.of(100_000))),
		goal:      "≤ 400 bytes per member, ≤ 100 for its second connection",
		columns:   storedColumns,
		round:     45 * time.Second,
		maxRounds: 3,
	}
	settle := sc.rest(2 * time.Second)
	for _, tidy := range []bool{false, true} {
		suffix := ""
		if tidy {
			suffix = ", GOGC=10"
		}
		message := variant{name: "message" + suffix, run: stored{channels: 10_000, each: sc.of(100), tidy: tidy, settle: settle}.run}
		s.variants = append(s.variants, message)
		for joins, name := range []string{"member", "second connection"} {
			m := stored{channels: 1000, each: sc.of(100), joins: joins + 1, tidy: tidy, settle: settle}
			s.variants = append(s.variants, variant{name: name + suffix, run: m.run, versus: message.name})
		}
	}
	return s
}
