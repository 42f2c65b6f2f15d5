package broker

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"fanfare/topic"
)

// Rule says what channels remember. The first rule that matches a channel holds
// for it; a channel without one remembers nothing, as in Redis. Channels whose
// names begin with two underscores are the node's own and have no rules.
type Rule struct {
	Match     string  // glob, as topic.Compile reads it
	History   History // of which subscribers recover what they missed
	Retain    Retain
	Presence  bool // members and their events are allowed
	Occupancy bool // events tell of the first subscriber and of the last one's end
	Slow      Slow
}

// History says how many messages a channel keeps. A Size of 0 means none, a TTL
// of 0 that age does not matter.
type History struct {
	Size int
	TTL  time.Duration
}

// Retain says which messages become the retained message of their channel.
type Retain uint8

// The choices for Rule.Retain.
const (
	RetainFlagged Retain = iota // those published so
	RetainAll
	RetainNever
)

func (r Retain) String() string {
	return [...]string{"flagged", "all", "never"}[r]
}

// Slow says what happens to a subscriber that takes its messages too slowly.
type Slow uint8

// The choices for Rule.Slow.
const (
	// SlowDisconnect ends the session when its queue passes the limit.
	SlowDisconnect Slow = iota
	// SlowConflate keeps, while the peer takes nothing, only the newest message of
	// each subscription.
	SlowConflate
)

func (s Slow) String() string {
	return [...]string{"disconnect", "conflate"}[s]
}

// maxHistory bounds History.Size.
const maxHistory = 1_000_000

// Validate says what is wrong with the rule, naming the key of the
// configuration file.
func (r *Rule) Validate() error {
	switch {
	case r.Match == "":
		return errors.New("match is missing: a glob such as chat:*")
	case len(r.Match) > maxNameLimit:
		return fmt.Errorf("match has %d bytes, more than %d", len(r.Match), maxNameLimit)
	case topic.Compile(r.Match).Never():
		return fmt.Errorf("match %q cannot match any channel", r.Match)
	case r.History.Size < 0 || r.History.Size > maxHistory:
		return fmt.Errorf("history.size must be 0 to %d, not %d", maxHistory, r.History.Size)
	case r.History.TTL < 0:
		return fmt.Errorf("history.ttl must be positive, not %v", r.History.TTL)
	case r.History.Size == 0 && r.History.TTL > 0:
		return errors.New("history.ttl without history.size")
	case r.Retain > RetainNever:
		return fmt.Errorf("retain %d is unknown", r.Retain)
	case r.Slow > SlowConflate:
		return fmt.Errorf("slow %d is unknown", r.Slow)
	}
	return nil
}

// ruleset is an immutable list of rules.
type ruleset struct {
	rules     []Rule
	matches   []*topic.Pattern
	history   bool // some rule keeps a history
	occupancy bool // some rule asks for occupancy events
}

// newRuleset compiles rules that are valid; nil if there are none.
func newRuleset(rules []Rule) (*ruleset, error) {
	if len(rules) == 0 {
		return nil, nil //nolint:nilnil // no rules is a ruleset too
	}
	s := &ruleset{rules: append([]Rule(nil), rules...)}
	for i := range s.rules {
		r := &s.rules[i]
		if err := r.Validate(); err != nil {
			return nil, fmt.Errorf("channel rule %d: %w", i+1, err)
		}
		s.matches = append(s.matches, topic.Compile(r.Match))
		s.history = s.history || r.History.Size > 0
		s.occupancy = s.occupancy || r.Occupancy
	}
	return s, nil
}

// ownPrefix begins the names of the node's own channels.
const ownPrefix = "__"

// find returns the rule of a channel; nil if it has none.
func (s *ruleset) find(channel string) *Rule {
	if s == nil || strings.HasPrefix(channel, ownPrefix) {
		return nil
	}
	for i, p := range s.matches {
		if p.MatchString(channel) {
			return &s.rules[i]
		}
	}
	return nil
}

// none is the rule of channels that have none.
var none = Rule{Retain: RetainNever}

// ruled is the result of a look-up in a ruleset.
type ruled struct {
	set  *ruleset
	rule *Rule
}

// ruleOf returns the channel's rule, from its cache while the rules are the
// same; never nil.
func (b *Broker) ruleOf(c *channel) *Rule {
	rules := b.rules.Load()
	if rules == nil || c.kind != KindChannel {
		return &none
	}
	if found := c.ruled.Load(); found != nil && found.set == rules {
		return found.rule
	}
	found := &ruled{rules, rules.find(c.name)}
	if found.rule == nil {
		found.rule = &none
	}
	c.ruled.Store(found)
	return found.rule
}

// ruleNamed is ruleOf for a caller without a channel.
func (b *Broker) ruleNamed(channel string) *Rule {
	if c := b.channels.find(channel); c != nil {
		return b.ruleOf(c)
	}
	if rule := b.rules.Load().find(channel); rule != nil {
		return rule
	}
	return &none
}

// mayKeepHistory says whether a channel with a history may match the pattern: a
// rule's channels and the pattern's have beginnings that agree.
func (s *ruleset) mayKeepHistory(pattern *topic.Pattern) bool {
	if s == nil || !s.history {
		return false
	}
	for i, p := range s.matches {
		a, b := p.Prefix(), pattern.Prefix()
		n := min(len(a), len(b))
		if s.rules[i].History.Size > 0 && a[:n] == b[:n] {
			return true
		}
	}
	return false
}
