package auth

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"fanfare/broker"
	"fanfare/topic"
)

// Limits of the grants of one identity.
const (
	MaxGrants = 256  // globs
	MaxGlob   = 1024 // bytes of one, the subject filled in
)

// subjectMark stands for the user's name in a glob.
const subjectMark = "{sub}"

// wildcards are the bytes that mean something in a glob; a literal prefix ends at
// the first of them.
const wildcards = `*?[\`

// actionSet is a set of broker.Action, one bit each.
type actionSet uint8

func actions(list ...broker.Action) actionSet {
	var s actionSet
	for _, a := range list {
		s |= 1 << a
	}
	return s
}

func (s actionSet) has(a broker.Action) bool { return a < 8 && s&(1<<a) != 0 }

// grantWords are the words for actions in grants, in the order they are shown in.
var grantWords = []struct {
	word string
	set  actionSet
}{
	{"sub", actions(broker.ActionSubscribe, broker.ActionPattern)},
	{"pub", actions(broker.ActionPublish)},
	{"history", actions(broker.ActionHistory, broker.ActionHistoryPattern)},
	{"presence", actions(broker.ActionPresence)},
}

// Grants is a list of what is allowed on which channels: the rights that a token
// or the configuration gives. It is immutable and safe for concurrent use; a nil
// *Grants allows nothing.
//
// A channel is covered by each grant whose glob matches it. The empty channel is
// matched by no glob but the empty one, which is not accepted, so nobody with
// grants may use it. A pattern is covered by a grant of the same text, and by a
// grant that is a literal text and a star, if the pattern's own literal prefix
// begins with that text. So whoever may subscribe a pattern may subscribe each
// channel it matches, and deliveries need no check of their own.
type Grants struct{ list []grant }

// grant is one glob with its actions.
type grant struct {
	glob   *topic.Pattern
	prefix string // the literal before the star, if open
	open   bool   // a literal and a star
	set    actionSet
}

// ParseGrants reads grants: globs, in the language of topic.Compile, to the words
// sub, pub, history and presence. A {sub} in a glob becomes the subject, escaped, so
// that a user whose name is "*" gets no more than that name; it has to stand before
// the first bracket, and \{sub} is the text itself. With an empty subject a {sub} is
// an error.
//
// Errors name the glob: an unknown word; an empty glob, one with control characters,
// one that can match nothing, one longer than MaxGlob bytes; more than MaxGrants.
func ParseGrants(can map[string][]string, subject string) (*Grants, error) {
	if len(can) > MaxGrants {
		return nil, fmt.Errorf("%d grants, more than %d", len(can), MaxGrants)
	}
	list := make([]grant, 0, len(can))
	for _, glob := range slices.Sorted(maps.Keys(can)) {
		g, err := newGrant(glob, can[glob], subject)
		if err != nil {
			return nil, fmt.Errorf("grant %s: %w", quote(glob), err)
		}
		list = append(list, g)
	}
	return &Grants{list}, nil
}

func newGrant(glob string, words []string, subject string) (grant, error) {
	if len(glob) > MaxGlob {
		return grant{}, errLongGlob
	}
	text, err := fillIn(glob, subject)
	if err != nil {
		return grant{}, err
	}
	if err := checkGlob(text); err != nil {
		return grant{}, err
	}
	g := grant{glob: topic.Compile(text)}
	if g.glob.Never() {
		return grant{}, errors.New("it cannot match any channel")
	}
	if prefix, star := strings.CutSuffix(text, "*"); star && !strings.ContainsAny(prefix, wildcards) {
		g.prefix, g.open = prefix, true
	}
	for _, word := range words {
		set, err := wordActions(word)
		if err != nil {
			return grant{}, err
		}
		g.set |= set
	}
	return g, nil
}

var errLongGlob = fmt.Errorf("longer than %d bytes", MaxGlob)

func checkGlob(glob string) error {
	switch {
	case glob == "":
		return errors.New("it is empty")
	case len(glob) > MaxGlob:
		return errLongGlob
	case strings.ContainsFunc(glob, unicode.IsControl):
		return errors.New("it has control characters")
	}
	return nil
}

func wordActions(word string) (actionSet, error) {
	for _, w := range grantWords {
		if w.word == word {
			return w.set, nil
		}
	}
	return 0, fmt.Errorf("%s is not one of sub, pub, history, presence", quote(word))
}

// fillIn puts the subject in the place of each {sub}. Inside a class the escaped
// name would be a set of bytes, so a bracket ends what is looked at: nobody needs to
// find out where a class ends.
func fillIn(glob, subject string) (string, error) {
	if !strings.Contains(glob, subjectMark) {
		return glob, nil
	}
	var b strings.Builder
	for i := 0; i < len(glob); {
		n := 1
		switch {
		case glob[i] == '[':
			if strings.Contains(glob[i:], subjectMark) {
				return "", errors.New("{sub} must stand before the first bracket")
			}
			n = len(glob) - i
		case glob[i] == '\\':
			n = min(2, len(glob)-i)
		case strings.HasPrefix(glob[i:], subjectMark):
			if subject == "" {
				return "", errors.New("{sub} needs a user, and there is none")
			}
			b.WriteString(escape(subject))
			i += len(subjectMark)
			continue
		}
		b.WriteString(glob[i : i+n])
		i += n
	}
	return b.String(), nil
}

// escape makes a glob that matches the text and nothing else.
func escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if strings.IndexByte(wildcards, text[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// Allows implements broker.Rights. It costs one match per grant.
func (g *Grants) Allows(a broker.Action, name string) bool {
	if g == nil {
		return false
	}
	pattern := a == broker.ActionPattern || a == broker.ActionHistoryPattern
	for i := range g.list {
		switch grant := &g.list[i]; {
		case !grant.set.has(a):
		case pattern && grant.covers(name), !pattern && grant.glob.MatchString(name):
			return true
		}
	}
	return false
}

// covers says whether every channel that the pattern matches is one of the grant.
// The empty pattern matches the empty channel, which no star does. The prefix has no
// wildcards, so a pattern that begins with its text begins with it literally.
func (g *grant) covers(pattern string) bool {
	if pattern == "" {
		return false
	}
	return pattern == g.glob.String() || g.open && strings.HasPrefix(pattern, g.prefix)
}

// Len returns the number of grants.
func (g *Grants) Len() int {
	if g == nil {
		return 0
	}
	return len(g.list)
}

// String lists the grants in the notation of the configuration, in the order of
// their globs: { "chat:*" = ["sub", "pub"] }.
func (g *Grants) String() string {
	if g.Len() == 0 {
		return "{}"
	}
	var b strings.Builder
	for i := range g.list {
		b.WriteString([]string{"{ ", ", "}[min(i, 1)])
		b.WriteString(strconv.Quote(g.list[i].glob.String()))
		b.WriteString(" = [")
		b.WriteString(strings.Join(g.list[i].set.words(), ", "))
		b.WriteByte(']')
	}
	b.WriteString(" }")
	return b.String()
}

func (s actionSet) words() []string {
	var words []string
	for _, w := range grantWords {
		if s&w.set == w.set {
			words = append(words, strconv.Quote(w.word))
		}
	}
	return words
}

// quote shows text that came from outside in an error: escaped, and cut.
func quote(text string) string {
	const most = 64
	if len(text) > most {
		return strconv.Quote(text[:most]) + "…"
	}
	return strconv.Quote(text)
}
