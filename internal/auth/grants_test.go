package auth

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fanfare/broker"
	"fanfare/topic"
)

var allActions = []broker.Action{
	broker.ActionPublish, broker.ActionSubscribe, broker.ActionPattern,
	broker.ActionHistory, broker.ActionHistoryPattern, broker.ActionPresence,
}

func mustGrants(t testing.TB, can map[string][]string, subject string) *Grants {
	t.Helper()
	g, err := ParseGrants(can, subject)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestEachWordGrantsItsActionsAndNoOther(t *testing.T) {
	t.Parallel()
	for word, want := range map[string][]broker.Action{
		"sub":      {broker.ActionSubscribe, broker.ActionPattern},
		"pub":      {broker.ActionPublish},
		"history":  {broker.ActionHistory, broker.ActionHistoryPattern},
		"presence": {broker.ActionPresence},
	} {
		g := mustGrants(t, map[string][]string{"*": {word}}, "")
		for _, a := range allActions {
			if got := g.Allows(a, "chat:*"); got != slices.Contains(want, a) {
				t.Errorf("%s: got %v for %v", word, got, a)
			}
		}
		if g.Allows(broker.Action(8), "chat") || g.Allows(broker.Action(255), "chat") {
			t.Errorf("%s: an unknown action is allowed", word)
		}
	}
}

func TestWhichChannelsAGrantCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, glob, channel string
		want                bool
	}{
		{"a name is itself", "chat", "chat", true},
		{"a name is no prefix", "chat", "chat:1", false},
		{"names are bytes: no folding of case", "chat", "Chat", false},
		{"names are bytes: no normalisation", "caf\u00e9", "cafe\u0301", false},
		{"a star has everything behind it", "chat:*", "chat:1:a", true},
		{"a star may be nothing", "chat:*", "chat:", true},
		{"the empty channel is matched by no star", "*", "", false},
		{"a class is one of its bytes", "chat:[ab]", "chat:b", true},
		{"an escaped star is a star", `chat:\*`, "chat:*", true},
		{"an escaped star is nothing else", `chat:\*`, "chat:1", false},
		{"a channel with a star in its name is that name", "chat:*", "chat:*", true},
	} {
		g := mustGrants(t, map[string][]string{c.glob: {"sub"}}, "")
		if got := g.Allows(broker.ActionSubscribe, c.channel); got != c.want {
			t.Errorf("%s: %q for %q: got %v", c.name, c.glob, c.channel, got)
		}
	}
}

func TestWhichPatternsAGrantCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, glob, pattern string
		want                bool
	}{
		{"the same text", "chat:?:*a", "chat:?:*a", true},
		{"the same text without wildcards", "chat", "chat", true},
		{"a longer literal before the star", "chat:*", "chat:1:*", true},
		{"no star at all", "chat:*", "chat:1", true},
		{"the literal alone", "chat:*", "chat:", true},
		{"any wildcard behind the literal", "chat:*", "chat:[ab]?\\*", true},
		{"everything covers what is not empty", "*", "?", true},
		{"everything does not cover the empty pattern", "*", "", false},
		{"a shorter literal", "chat:*", "chat*", false},
		{"everything under a prefix", "chat:*", "*", false},
		{"the prefix in a class is not literal", "chat:*", "[c]hat:*", false},
		{"the prefix escaped is not literal", "chat:*", `\chat:*`, false},
		{"a wildcard within the prefix", "chat:*", "cha?:*", false},
		{"a grant that is no literal and a star covers its own text only", "chat:?*", "chat:a*", false},
		{"two stars are no literal and a star", "chat:**", "chat:a*", false},
		{"two grants are not put together", "chat:[ab]", "chat:a", false},
		{"a literal grant does not cover another spelling", "chat", "cha[t]", false},
	} {
		g := mustGrants(t, map[string][]string{c.glob: {"sub", "history"}}, "")
		for _, a := range []broker.Action{broker.ActionPattern, broker.ActionHistoryPattern} {
			if got := g.Allows(a, c.pattern); got != c.want {
				t.Errorf("%s: %q for pattern %q: got %v", c.name, c.glob, c.pattern, got)
			}
		}
	}
}

func TestGrantsAddUp(t *testing.T) {
	t.Parallel()
	g := mustGrants(t, map[string][]string{"news:*": {"sub"}, "news:own": {"pub"}, "user:{sub}": {"sub"}, "user:u1": {"pub"}}, "u1")
	for _, c := range []struct {
		a    broker.Action
		name string
		want bool
	}{
		{broker.ActionPublish, "news:own", true},
		{broker.ActionSubscribe, "news:own", true},
		{broker.ActionPublish, "news:other", false},
		{broker.ActionPublish, "user:u1", true},
		{broker.ActionSubscribe, "user:u1", true},
		{broker.ActionPresence, "user:u1", false},
	} {
		if got := g.Allows(c.a, c.name); got != c.want {
			t.Errorf("%v %s: got %v", c.a, c.name, got)
		}
	}
}

func TestNoGrantsAllowNothing(t *testing.T) {
	t.Parallel()
	for _, g := range []*Grants{nil, {}, mustGrants(t, nil, "u1"), mustGrants(t, map[string][]string{"*": nil}, "")} {
		for _, a := range allActions {
			if Access(broker.Identity{User: "u1", Rights: g}, a, "chat") {
				t.Errorf("%v: %v is allowed", g, a)
			}
		}
	}
	if Access(broker.Identity{User: "u1"}, broker.ActionSubscribe, "chat") {
		t.Error("an identity without rights may subscribe")
	}
	if !Access(broker.Identity{Rights: Everything}, broker.ActionPattern, "") {
		t.Error("Everything is not everything")
	}
}

func TestGrantsThatAreRefused(t *testing.T) {
	t.Parallel()
	many := map[string][]string{}
	for i := range MaxGrants + 1 {
		many[fmt.Sprint("c", i)] = []string{"sub"}
	}
	for name, c := range map[string]struct {
		can           map[string][]string
		subject, want string
	}{
		"an unknown word":               {map[string][]string{"a": {"read"}}, "", `grant "a": "read" is not one of sub, pub, history, presence`},
		"a word in another case":        {map[string][]string{"a": {"Sub"}}, "", `grant "a": "Sub" is not one of sub, pub, history, presence`},
		"an empty glob":                 {map[string][]string{"": {"sub"}}, "", `grant "": it is empty`},
		"a line end":                    {map[string][]string{"a\n": {"sub"}}, "", `grant "a\n": it has control characters`},
		"a control character of latin1": {map[string][]string{"a\u0085": {"sub"}}, "", `grant "a\u0085": it has control characters`},
		"a long glob":                   {map[string][]string{strings.Repeat("a", MaxGlob+1): {"sub"}}, "", `grant "` + strings.Repeat("a", 64) + `"…: longer than 1024 bytes`},
		"a glob too long for the user":  {map[string][]string{strings.Repeat("{sub}", 5): {"sub"}}, strings.Repeat("u", 256), `grant "{sub}{sub}{sub}{sub}{sub}": longer than 1024 bytes`},
		"a glob that matches nothing":   {map[string][]string{"a[]": {"sub"}}, "", `grant "a[]": it cannot match any channel`},
		"too many":                      {many, "", `257 grants, more than 256`},
		"a user where there is none":    {map[string][]string{"user:{sub}": {"sub"}}, "", `grant "user:{sub}": {sub} needs a user, and there is none`},
		"a user in brackets":            {map[string][]string{"user:[{sub}]": {"sub"}}, "a-z", `grant "user:[{sub}]": {sub} must stand before the first bracket`},
		"a user behind brackets":        {map[string][]string{"user:[ab]:{sub}": {"sub"}}, "u", `grant "user:[ab]:{sub}": {sub} must stand before the first bracket`},
		"control characters of a user":  {map[string][]string{"user:{sub}": {"sub"}}, "a\x00", `grant "user:{sub}": it has control characters`},
	} {
		if g, err := ParseGrants(c.can, c.subject); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, %v\nwant %s", name, g, err, c.want)
		}
	}
}

func TestTheLargestGrantsAreAccepted(t *testing.T) {
	t.Parallel()
	can := map[string][]string{strings.Repeat("a", MaxGlob): {"sub"}}
	for i := range MaxGrants - 1 {
		can[fmt.Sprint("c", i)] = []string{"sub"}
	}
	if g := mustGrants(t, can, ""); g.Len() != MaxGrants {
		t.Errorf("got %d", g.Len())
	}
}

// Whatever a user is called, {sub} is one channel: the one of that name.
func TestAUserGetsNoMoreThanItsOwnName(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"u1", "*", "?", "a[b", "[a-z]", "a]b", `\`, `\\`, `a\*`, "^", "-", "{sub}", "{sub}{sub}", `*{sub}\`, "é*"} {
		g := mustGrants(t, map[string][]string{"user:{sub}": {"sub"}, "room:{sub}:*": {"pub"}}, user)
		if !g.Allows(broker.ActionSubscribe, "user:"+user) || !g.Allows(broker.ActionPublish, "room:"+user+":1") {
			t.Errorf("%q has not its own channel: %v", user, g)
		}
		for _, other := range []string{"", "u2", "ab", "a", "b", "a[c", "**", "\\\\\\", "a\\x", "{sub", "xyz", "é1"} {
			if other != user && (g.Allows(broker.ActionSubscribe, "user:"+other) || g.Allows(broker.ActionPublish, "room:"+other+":1")) {
				t.Errorf("%q has the channel of %q: %v", user, other, g)
			}
		}
	}
}

func TestABackslashBeforeTheMarkMakesItText(t *testing.T) {
	t.Parallel()
	g := mustGrants(t, map[string][]string{`user:\{sub}`: {"sub"}}, "*x")
	if !g.Allows(broker.ActionSubscribe, "user:{sub}") || g.Allows(broker.ActionSubscribe, `user:\ax`) || g.Allows(broker.ActionSubscribe, "user:*x") {
		t.Errorf("got %v", g)
	}
}

func TestGrantsAreShownAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	g := mustGrants(t, map[string][]string{"b": {"presence", "sub", "sub"}, "a:{sub}": {"pub"}, "c": {}}, "x*")
	want := `{ "a:x\\*" = ["pub"], "b" = ["sub", "presence"], "c" = [] }`
	if got := g.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := (*Grants)(nil).String(); got != "{}" {
		t.Errorf("got %s for none", got)
	}
}

// glob makes a random one, of few bytes, so that the classes, stars and escapes of one
// meet those of another.
func glob(r *rand.Rand, alphabet string) string {
	b := make([]byte, r.IntN(7))
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// covered says whether whoever may subscribe the pattern may subscribe the channels it
// matches: the promise that no delivery is checked for.
func covered(g *Grants, pattern string, channels []string) error {
	if !g.Allows(broker.ActionPattern, pattern) {
		return nil
	}
	p := topic.Compile(pattern)
	for _, channel := range channels {
		if p.MatchString(channel) && !g.Allows(broker.ActionSubscribe, channel) {
			return fmt.Errorf("%v cover the pattern %q but not its channel %q", g, pattern, channel)
		}
	}
	return nil
}

func TestAPatternIsCoveredOnlyIfItsChannelsAre(t *testing.T) {
	t.Parallel()
	const wild = `ab:**?[]\^-`
	r := rand.New(rand.NewPCG(7, 7))
	checked, matches := 0, 0
	for range 20_000 {
		can := map[string][]string{}
		for range 1 + r.IntN(3) {
			can[glob(r, wild)] = []string{"sub"}
		}
		g, err := ParseGrants(can, "")
		if err != nil {
			continue
		}
		globs := slices.Sorted(maps.Keys(can))
		patterns := []string{"", globs[0], strings.TrimSuffix(globs[0], "*") + glob(r, wild), glob(r, wild)}
		channels := []string{""}
		for range 8 {
			channels = append(channels, glob(r, `ab:*[\`), globs[0]+glob(r, "ab:"), strings.TrimSuffix(globs[0], "*")+glob(r, "ab:"))
		}
		for _, pattern := range patterns {
			if err := covered(g, pattern, channels); err != nil {
				t.Fatal(err)
			}
			if g.Allows(broker.ActionPattern, pattern) {
				checked++
				p := topic.Compile(pattern)
				matches += len(slices.DeleteFunc(slices.Clone(channels), func(c string) bool { return !p.MatchString(c) }))
			}
		}
	}
	if checked < 5_000 || matches < 20_000 {
		t.Errorf("only %d patterns were covered, with %d channels: the test says little", checked, matches)
	}
}

func FuzzGrants(f *testing.F) {
	f.Add("chat:*", "user:{sub}", "u1", "chat:1*", "chat:12")
	f.Add("*", `\{sub}`, "*", "", "")
	f.Add("a?*", "{sub}*", "a[b", `a\[b*`, "a[bc")
	f.Add("[^a", "{sub}{sub}", `\`, `\\\\`, `\\`)
	f.Fuzz(func(t *testing.T, first, second, subject, pattern, channel string) {
		g, err := ParseGrants(map[string][]string{first: {"sub"}, second: {"sub"}}, subject)
		if err != nil {
			return
		}
		if err := covered(g, pattern, []string{channel, pattern, ""}); err != nil {
			t.Error(err)
		}
		own, err := ParseGrants(map[string][]string{"user:{sub}": {"sub"}}, subject)
		if err == nil && own.Allows(broker.ActionSubscribe, "user:"+channel) != (channel == subject) {
			t.Errorf("%q and the channel of %q", subject, channel)
		}
	})
}
