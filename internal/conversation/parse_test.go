package conversation

import (
	"slices"
	"strings"
	"testing"
)

func TestParseRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a line before the first section":  "A> PING",
		"an unknown line":                  "== t\nhello",
		"an unknown directive":             "== t\nA sleeps",
		"an unknown tag":                   "== t\nA< @valkey +OK",
		"a decision without a number":      "== t\nA< @fanfare +OK",
		"a release that is none":           "== t\nA< @redis>=x +OK",
		"a second section of the name":     "== t\n== t",
		"an unknown protocol":              "proto 4",
		"a protocol behind lines":          "== t\nA> PING\nproto 2",
		"no command":                       "== t\nA>",
		"quotes that stay open":            "== t\nA> \"x",
		"single quotes that stay open":     "== t\nA> 'x",
		"text right behind quotes":         "== t\nA> \"x\"y",
		"an unknown escape":                "== t\nA> \"\\q\"",
		"half an escape":                   "== t\nA> \"\\x4\"",
		"a repetition without a number":    "== t\nA> \"x\"*",
		"a repetition that is too long":    "== t\nA> \"x\"*999999999",
		"an array that stays open":         "== t\nA< [a",
		"text behind a value":              "== t\nA< [a] b",
		"a number as a bare bulk string":   "== t\nA< 1",
		"an expression that stays open":    "== t\nA< /a",
		"an expression that is none":       "== t\nA< /(/",
		"a map with a key without a value": "== t\nA< %{a}",
		"elements behind ...":              "== t\nA< [... a]",
		"a verbatim format":                "== t\nA< =mkd:\"a\"",
	} {
		if _, err := parse(text); err == nil {
			t.Errorf("%s: %q: got no error", name, text)
		} else if !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%s: the error does not name the line: %v", name, err)
		}
	}
}

func TestParseReadsALine(t *testing.T) {
	t.Parallel()
	sections, err := parse("# comment\nproto 3\n\n== @redis>=7.2 title\nproto 2\n" +
		`B2> @proto2 SET k "a\x00\r\n\t\"\\b" 'c d' "x"*3 ""` + "\n" + `A>> "*1\r\n" PING "\r\n"` + "\nA closed\n")
	if err != nil {
		t.Fatal(err)
	}
	s := sections[0]
	if len(sections) != 1 || s.title != "title" || s.only.since != 70200 || !slices.Equal(s.protos, []int{2}) {
		t.Errorf("section: got %+v", s)
	}
	l := s.lines[0]
	if want := []string{"SET", "k", "a\x00\r\n\t\"\\b", "c d", "xxx", ""}; !slices.Equal(l.words, want) {
		t.Errorf("words: got %q, want %q", l.words, want)
	}
	if l.peer != "B2" || l.do != actSend || l.only.proto != 2 || l.number != 6 {
		t.Errorf("line: got %+v", l)
	}
	if raw := s.lines[1]; raw.do != actRaw || raw.text != "*1\r\nPING\r\n" {
		t.Errorf("raw: got %+v", raw)
	}
	if s.lines[2].do != actClosed {
		t.Errorf("directive: got %+v", s.lines[2])
	}
}

func TestTagsChooseTheLines(t *testing.T) {
	t.Parallel()
	old := target{release: 70015, proto: 2}
	later := target{release: 70204, proto: 3}
	ours := target{release: 70204, proto: 3, Dialer: Dialer{Fanfare: true}}
	for tag, want := range map[string][3]bool{
		"":              {true, true, true},
		"@redis>=7.2":   {false, true, true},
		"@redis<7.2":    {true, false, false},
		"@redis>=7.2.5": {false, false, false},
		"@redis":        {true, true, false},
		"@fanfare 12":   {false, false, true},
		"@proto2":       {true, false, false},
		"@proto3":       {false, true, true},
	} {
		only, rest, err := parseTags(tag + " +OK")
		if err != nil || strings.TrimSpace(rest) != "+OK" {
			t.Errorf("%s: rest %q, %v", tag, rest, err)
		}
		for i, target := range []target{old, later, ours} {
			if got := target.holds(only); got != want[i] {
				t.Errorf("%s: target %d: got %v, want %v", tag, i, got, want[i])
			}
		}
	}
}

func TestLinesThatDoNotHoldEverywhereAreCounted(t *testing.T) {
	t.Parallel()
	sections, err := parse("== t\nA< @redis>=7.2 +A\nA< @fanfare 0003 +B\nA< @redis +C\nA< @fanfare 0012 +D\n== @redis>=7.2 u\nA> X\nA< +Y\n")
	if err != nil {
		t.Fatal(err)
	}
	want := "3 lines from a later Redis, 2 deliberate deviations (decisions 0003, 0012)"
	if got := count(sections); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
